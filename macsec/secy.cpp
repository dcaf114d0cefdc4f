#include "macsec/secy.h"

#include <algorithm>
#include <utility>

#include "macsec/octets.h"

namespace macsec {

static_assert(alignof(TransmitCounters) == 64 && alignof(ReceiveCounters) == 64 && alignof(ReceiveSecYCounters) == 64);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

IvBase iv_base(const SaDescription& d) noexcept {
    if (!is_xpn(d.suite)) return {d.sci.value, 0};
    const std::uint64_t ssci = d.ssci.value;
    return {load_be64(d.salt.data()) ^ ssci << 32, load_be32(d.salt.data() + 8)};
}

TransmitSa::TransmitSa(const SaDescription& d, AeadKey k, std::uint64_t first)
    : description(d), nonce(iv_base(d)), key(std::move(k)), next_pn(std::max<std::uint64_t>(first, 1)) {}

ReceiveSa::ReceiveSa(const SaDescription& d, AeadKey k, std::uint64_t lowest)
    : description(d), nonce(iv_base(d)), key(std::move(k)), next_pn(std::max<std::uint64_t>(lowest, 1)),
      lowest_pn(std::max<std::uint64_t>(lowest, 1)) {}

}  // namespace macsec
