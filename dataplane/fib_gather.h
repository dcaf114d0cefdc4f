// The first two levels of the IPv4 FIB for sixteen addresses at once, where the CPU has AVX-512. Any worker.
//
// Each element is read whole, as the aligned word it is; a link is followed in the same lane, after it was read. A
// gather waits for its own sixteen: prefetches have more of the root on its way.
#pragma once

#include <immintrin.h>

#include <atomic>
#include <cstdint>

#include "dataplane/fib_nodes.h"
#include "dataplane/leaf.h"
#include "dataplane/net/address.h"

namespace dataplane {

inline constexpr std::size_t kGathered = 16;                            // addresses
inline constexpr std::size_t kGatherNodes = (1u << 31) / kNodeEntries;  // an index into the entries is signed
static_assert(sizeof(net::Ipv4Address) == 4 && sizeof(Leaf) == 4);

inline bool can_gather(std::size_t nodes) noexcept {
#ifdef __SANITIZE_THREAD__
    return nodes == ~std::size_t{};  // never: it does not see what a gather reads
#else
    return nodes <= kGatherNodes && __builtin_cpu_supports("avx512f");
#endif
}

// leaves[i]: of the root, or of the node that the root's entry leads to. True when not all are leaves: some are links
// or misses. The forms with a mask throughout: GCC 12 warns of the others (its bug 105593).
[[gnu::target("avx512f")]] inline bool gather(const std::uint32_t* root, const std::uint32_t* nodes, unsigned root_bits,
                                              const net::Ipv4Address* addresses, Leaf* leaves, std::size_t n) noexcept {
    const __m512i zero = _mm512_setzero_si512();
    const __m128i behind_root = _mm_cvtsi32_si128(static_cast<int>(32 - root_bits));
    const __m128i root_itself = _mm_cvtsi32_si128(static_cast<int>(root_bits));
    for (std::size_t i = 0; i < n; ++i) __builtin_prefetch(root + (addresses[i].value >> (32 - root_bits)));
    unsigned open = 0;
    for (std::size_t i = 0; i < n; i += kGathered) {
        const auto lanes = static_cast<__mmask16>(n - i >= kGathered ? 0xFFFF : (1u << (n - i)) - 1);
        const __m512i address = _mm512_maskz_loadu_epi32(lanes, addresses + i);
        const __m512i first = _mm512_maskz_srl_epi32(lanes, address, behind_root);
        __m512i e = _mm512_mask_i32gather_epi32(zero, lanes, first, root, 4);
        if (const __mmask16 links = _mm512_cmplt_epi32_mask(e, zero)) {
            const __m512i rest = _mm512_maskz_sll_epi32(links, address, root_itself);
            const __m512i octet = _mm512_maskz_srli_epi32(links, rest, 32 - kStrideBits);
            const __m512i node = _mm512_maskz_slli_epi32(links, e, kStrideBits);  // the mark of a link falls off
            e = _mm512_mask_i32gather_epi32(e, links, _mm512_or_si512(node, octet), nodes, 4);
        }
        _mm512_mask_storeu_epi32(leaves + i, lanes, e);
        open |= _mm512_mask_cmple_epi32_mask(lanes, e, zero);
    }
    std::atomic_signal_fence(std::memory_order_acquire);
    return open != 0;
}

}  // namespace dataplane
