// Packet numbers (802.1AE clauses 8.3, 10.6.2, 10.7.21): recovery of the upper half under XPN, when a new SAK is due.
// Pure; any thread.
#pragma once

#include <cstdint>

#include "macsec/types.h"

namespace macsec {

// 802.1AE 10.6.2: the upper 32 bits are those of the lowest acceptable PN, plus one if its bit 31 is set and that of
// the received PN is not. From nextPN instead, a frame a little behind a 2^32 crossing would be lost.
// Every PN from `lowest` up to lowest + 2^31 - 1 is recovered exactly.
constexpr std::uint64_t recover_pn(std::uint64_t lowest, std::uint32_t received) noexcept {
    constexpr std::uint32_t bit31 = 0x8000'0000u;
    const bool crossed = (lowest & bit31) != 0 && (received & bit31) == 0;
    return (((lowest >> 32) + (crossed ? 1 : 0)) << 32) | received;
}

// With replay protection off, how far behind lowestPN a late frame is still recovered across a 2^32 crossing. Ours:
// 10.6.2 recovers from lowestPN, but there nothing drops what is late, and lowestPN is right behind the last frame. It
// costs as many PNs of the reach ahead.
inline constexpr std::uint64_t kLateTolerance = 4096;

// The PN of a received SecTAG. 32-bit suites carry it whole.
constexpr std::uint64_t received_pn(CipherSuite suite, bool replay_protect, std::uint64_t lowest,
                                    std::uint32_t received) noexcept {
    if (!is_xpn(suite)) return received;
    const std::uint64_t behind = replay_protect ? 0 : lowest < kLateTolerance ? lowest : kLateTolerance;
    return recover_pn(lowest - behind, received);
}

// 802.1X 9.8: at this PN a participant asks for a new SAK.
constexpr std::uint64_t pending_exhaustion(CipherSuite suite) noexcept {
    return is_xpn(suite) ? 0xC000'0000'0000'0000u : 0xC000'0000u;
}

// True when a new SAK is due: three quarters are spent, or at this rate the end comes within `seconds`.
constexpr bool wants_new_sak(CipherSuite suite, std::uint64_t next_pn, std::uint64_t pns_per_second,
                             std::uint64_t seconds = 12) noexcept {
    if (next_pn >= pending_exhaustion(suite)) return true;
    const std::uint64_t left = pn_end(suite) - next_pn;
    return pns_per_second != 0 && left / pns_per_second < seconds;
}

}  // namespace macsec
