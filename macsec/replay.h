// Replay protection of one receive SA (802.1AE 10.6.2, 10.6.5, 10.6.6): lowest acceptable PN, and which of the last
// kDuplicateMemory PNs were seen. Only the thread that owns the receive direction may call; raise_floor() is control's.
#pragma once

#include <algorithm>
#include <cstdint>

#include "macsec/secy.h"

namespace macsec {

inline std::uint64_t& seen_word(ReceiveSa& sa, std::uint64_t pn) noexcept {
    return sa.seen[pn / 64 % std::tuple_size_v<decltype(sa.seen)>];
}
inline bool was_seen(const ReceiveSa& sa, std::uint64_t pn) noexcept {
    return (sa.seen[pn / 64 % std::tuple_size_v<decltype(sa.seen)>] >> (pn % 64) & 1) != 0;
}

// Before opening, and again after it. With replay protection off everything passes.
inline Verdict check_replay(const ReceiveSa& sa, bool replay_protect, std::uint64_t pn) noexcept {
    if (!replay_protect) return Verdict::ok;
    const std::uint64_t next = sa.next_pn.load(std::memory_order_relaxed);
    if (pn >= next) return Verdict::ok;
    if (pn < sa.lowest_pn.load(std::memory_order_relaxed)) return Verdict::rx_late;
    return next - pn <= kDuplicateMemory && was_seen(sa, pn) ? Verdict::rx_duplicate : Verdict::ok;
}

// Forgets what the memory's places of PNs [from, to) held.
inline void forget(ReceiveSa& sa, std::uint64_t from, std::uint64_t to) noexcept {
    if (to - from >= kDuplicateMemory) {
        sa.seen.fill(0);
        return;
    }
    for (; from < to; ++from) seen_word(sa, from) &= ~(std::uint64_t{1} << (from % 64));
}

// Control's part of delay protection: PDUs under several CAKs may come in another order than they were made in.
inline void raise_floor(ReceiveSa& sa, std::uint64_t pn) noexcept {
    sa.floor.store(std::max(sa.floor.load(std::memory_order_relaxed), pn), std::memory_order_relaxed);
}

// Delay protection: what the transmitter said it had sent long ago is late (802.1X 9.10). nextPN is never below
// lowestPN.
inline void raise_to_floor(ReceiveSa& sa) noexcept {
    const std::uint64_t floor = sa.floor.load(std::memory_order_relaxed);
    if (floor <= sa.lowest_pn.load(std::memory_order_relaxed)) return;
    sa.lowest_pn.store(floor, std::memory_order_relaxed);
    const std::uint64_t next = sa.next_pn.load(std::memory_order_relaxed);
    if (floor <= next) return;
    forget(sa, next, floor);
    sa.next_pn.store(floor, std::memory_order_relaxed);
}

// A frame with this PN was opened and passed check_replay(). lowestPN advances also with replay protection off; it
// never falls. pn < 2^64 - 1.
inline void accept_pn(ReceiveSa& sa, std::uint64_t window, std::uint64_t pn) noexcept {
    std::uint64_t next = sa.next_pn.load(std::memory_order_relaxed);
    if (pn >= next) {
        if (pn != next) forget(sa, next, pn);
        next = pn + 1;
        sa.next_pn.store(next, std::memory_order_relaxed);
        const std::uint64_t lowest = next - std::min(window, next);
        if (lowest > sa.lowest_pn.load(std::memory_order_relaxed))
            sa.lowest_pn.store(lowest, std::memory_order_relaxed);
    } else if (next - pn > kDuplicateMemory) {
        return;  // older than the memory: its place belongs to another PN
    }
    seen_word(sa, pn) |= std::uint64_t{1} << (pn % 64);
}

}  // namespace macsec
