// What a FIB lookup answers: 32 bits. Zero is "nothing here": the table's default, and without one, no route.
#pragma once

#include <compare>
#include <cstdint>

#include "dataplane/ids.h"

namespace dataplane {

enum class LeafKind : std::uint8_t {
    none,         // no route
    group,        // index: GroupId
    local,        // ours: to the host
    connected,    // index: InterfaceId; a neighbour of that subnet that is not known yet
    blackhole,    // a counted drop
    unreachable,  // a counted drop
    foreign,      // out of an interface that is not ours: a counted drop
};

// Bit 31 is the FIB's own (a link to a node); bits 28 to 30 the kind; the rest the index.
struct Leaf {
    std::uint32_t bits{};
    auto operator<=>(const Leaf&) const = default;

    static constexpr std::uint32_t kIndexMask = 0x0FFF'FFFF;
    static constexpr Leaf make(LeafKind kind, std::uint32_t index = 0) noexcept {
        return {static_cast<std::uint32_t>(kind) << 28 | (index & kIndexMask)};
    }
    constexpr LeafKind kind() const noexcept { return static_cast<LeafKind>(bits >> 28 & 7); }
    constexpr std::uint32_t index() const noexcept { return bits & kIndexMask; }
};

}  // namespace dataplane
