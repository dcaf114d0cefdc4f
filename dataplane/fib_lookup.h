// Lookups of the FIB, on the frame's path. Included by fib.h.
//
//  1. read the default
//  2. the root for all, behind prefetches for all; IPv4 with AVX-512: the root and a level more, sixteen at a time
//  3. level by level for those that are still at links
//  4. the default for the misses; if it changed meanwhile, all again
#pragma once

#include <type_traits>

#include "dataplane/fib.h"
#include "dataplane/fib_gather.h"

namespace dataplane {

template <class Address>
Leaf Fib<Address>::lookup(const Address& a) const noexcept {
    Leaf leaf;
    bulk(&a, &leaf, 1);
    return leaf;
}

template <class Address>
void Fib<Address>::lookup(const Address* addresses, Leaf* leaves, std::size_t n) const noexcept {
    for (; n > kBulk; n -= kBulk, addresses += kBulk, leaves += kBulk) bulk(addresses, leaves, kBulk);
    bulk(addresses, leaves, n);
}

template <class Address>
void Fib<Address>::bulk(const Address* addresses, Leaf* leaves, std::size_t n) const noexcept {
    for (;;) {
        const std::uint64_t before = default_.load(std::memory_order_acquire);
        const unsigned base = begin(addresses, leaves, n);
        if (base == 0 || finish(addresses, leaves, n, base, before)) return;
    }
}

// How many bits of the addresses are behind them; 0 when all answers are there.
template <class Address>
unsigned Fib<Address>::begin(const Address* addresses, Leaf* leaves, std::size_t n) const noexcept {
    if constexpr (std::is_same_v<Address, net::Ipv4Address>)
        if (n >= kGathered && gathers_)
            return gather(entries_, node_entries_, root_bits_, addresses, leaves, n) ? root_bits_ + kStrideBits : 0;
    return read_root(addresses, leaves, n) ? root_bits_ : 0;
}

// The levels from `base` on, and the misses. False: the default changed meanwhile. Apart: few bulks of IPv4 need it.
template <class Address>
[[gnu::noinline]] bool Fib<Address>::finish(const Address* addresses, Leaf* leaves, std::size_t n, unsigned base,
                                            std::uint64_t before) const noexcept {
    std::uint8_t links[kBulk];
    std::size_t m = links_among(leaves, links, n);
    for (; m > 0; base += kStrideBits) m = read_nodes(addresses, leaves, links, m, base);
    return !fill_misses(leaves, n, before) || default_.load(std::memory_order_acquire) == before;
}

// True when not all are leaves: some are links or misses. Members are copied before the loops: for all the compiler
// knows, a store to `leaves` changes them.
template <class Address>
bool Fib<Address>::read_root(const Address* addresses, Leaf* leaves, std::size_t n) const noexcept {
    std::uint32_t* const root = entries_;
    const unsigned bits = root_bits_;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < n; ++i) __builtin_prefetch(&root[Key::top_of(addresses[i], bits)]);
    std::uint32_t seen = 0;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t e = load(root[Key::top_of(addresses[i], bits)]);
        leaves[i].bits = e;
        seen |= e | (e - 1);  // bit 31 of a link is set; of a miss it is set in e - 1; of a leaf in neither
    }
    return seen & kLink;
}

template <class Address>
std::size_t Fib<Address>::links_among(const Leaf* leaves, std::uint8_t* links, std::size_t n) noexcept {
    std::size_t m = 0;
    for (std::size_t i = 0; i < n; ++i) {
        links[m] = static_cast<std::uint8_t>(i);
        m += leaves[i].bits >> 31;
    }
    return m;
}

// One level further, with the bits from `base` on, for the n places in `links`; keeps those that are still at links.
template <class Address>
std::size_t Fib<Address>::read_nodes(const Address* addresses, Leaf* leaves, std::uint8_t* links, std::size_t n,
                                     unsigned base) const noexcept {
    std::uint32_t* const nodes = node_entries_;
    const auto entry_of = [=](std::uint8_t i) -> std::uint32_t& {
        return nodes[(leaves[i].bits & ~kLink) * kNodeEntries + Key::octet_at(addresses[i], base)];
    };
    for (std::size_t j = 0; j < n; ++j) __builtin_prefetch(&entry_of(links[j]));
    std::size_t m = 0;
    for (std::size_t j = 0; j < n; ++j) {
        const std::uint8_t i = links[j];
        leaves[i].bits = load(entry_of(i));
        links[m] = i;
        m += leaves[i].bits >> 31;
    }
    return m;
}

// The default's leaf for those that found none. True when there were any.
template <class Address>
bool Fib<Address>::fill_misses(Leaf* leaves, std::size_t n, std::uint64_t fallback) noexcept {
    bool missed = false;
    for (std::size_t i = 0; i < n; ++i) {
        missed |= leaves[i].bits == 0;
        leaves[i] = leaves[i].bits == 0 ? leaf_of(fallback) : leaves[i];
    }
    return missed;
}

}  // namespace dataplane
