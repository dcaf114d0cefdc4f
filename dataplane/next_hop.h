// Next hops, their slots, and groups. Groups belong to routes and are immutable; slots belong to control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/ids.h"
#include "dataplane/net/address.h"

namespace dataplane {

// One atomic word per next hop: the neighbour's MAC address and whether frames may go there.
// Bits 0 to 47 MAC address, bit 48 usable, bit 49 resolved (the MAC address is valid).
// Usable = resolved and link, SecY, BFD and drain all allow it. control: w, workers: r.
struct Slot {
    static constexpr std::uint64_t kUsable = std::uint64_t{1} << 48;
    static constexpr std::uint64_t kResolved = std::uint64_t{1} << 49;
    static constexpr std::uint64_t kMac = kUsable - 1;
};

// An adjacency: who, behind which interface. Written before its id is published, then constant until it is freed.
struct NextHop {
    InterfaceId interface {};
    net::IpAddress neighbor{};
};

inline constexpr std::size_t kBuckets = 64;     // of a group: weights are rounded to 64ths
inline constexpr std::size_t kMaxMembers = 64;  // of a group

// An interned set of weighted next hops. routes thread: w before publication; then immutable until its grace period
// ends.
struct alignas(64) Group {
    std::uint8_t count{};                         // members, 1 to kMaxMembers
    std::array<NextHopId, kMaxMembers> member{};  // the first ones on the line of `count`
    std::array<std::uint8_t, kBuckets> bucket{};  // member index of each bucket
};
static_assert(sizeof(Group) == 256);  // an index is a shift

// The arrays workers read. Sizes are fixed at start; memory is owned by whoever built it (the routes thread).
struct NextHopArrays {
    std::span<const NextHop> next_hops;                 // by NextHopId
    std::span<const Group> groups;                      // by GroupId; GroupId 0 is never used
    std::span<const std::atomic<std::uint64_t>> slots;  // by NextHopId
};

struct Choice {
    NextHopId next_hop{};
    std::uint64_t slot{};  // Slot bits as read; without Slot::kUsable no member was usable
};

// By a second hash, one of the group's usable members; `down` when there is none. Any worker.
[[gnu::noinline]] inline Choice choose_other(const NextHopArrays& a, const Group& g, std::uint32_t hash,
                                             Choice down) noexcept {
    std::array<std::uint8_t, kMaxMembers> live;
    std::size_t n = 0;
    for (std::uint8_t i = 0; i < g.count; ++i)
        if (a.slots[g.member[i].value].load(std::memory_order_relaxed) & Slot::kUsable) live[n++] = i;
    if (n == 0) return down;
    const NextHopId other = g.member[live[(hash * 0x9E37'79B1u >> 16) % n]];
    return {other, a.slots[other.value].load(std::memory_order_relaxed)};
}

// The member of `hash`'s bucket; if its slot is not usable, a second hash over the group's usable members. The hash of
// a group with one member does not matter. Any worker.
inline Choice choose(const NextHopArrays& a, const Group& g, std::uint32_t hash) noexcept {
    const NextHopId first = g.member[g.count == 1 ? 0 : g.bucket[hash % kBuckets]];
    const Choice choice{first, a.slots[first.value].load(std::memory_order_relaxed)};
    if (choice.slot & Slot::kUsable) [[likely]]
        return choice;
    return choose_other(a, g, hash, choice);
}

}  // namespace dataplane
