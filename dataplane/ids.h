// Strong types for what must not be mixed. Any thread.
#pragma once

#include <compare>
#include <cstdint>

namespace dataplane {

// Index into Forwarding::ports. Not DPDK's port number. Never reused for another port while the process lives.
struct PortId {
    std::uint16_t value{0xFFFF};
    auto operator<=>(const PortId&) const = default;
};
// Index into Forwarding::interfaces. Never reused for another interface while the process lives.
struct InterfaceId {
    std::uint16_t value{0xFFFF};
    auto operator<=>(const InterfaceId&) const = default;
};
struct WorkerId {
    std::uint8_t value{};
    auto operator<=>(const WorkerId&) const = default;
};
// Index of a next hop's slot word.
struct NextHopId {
    std::uint16_t value{0xFFFF};
    auto operator<=>(const NextHopId&) const = default;
};
struct GroupId {
    std::uint32_t value{};
    auto operator<=>(const GroupId&) const = default;
};
// A Linux routing table. Only the main table is used until VRFs come.
struct TableId {
    std::uint32_t value{254};
    auto operator<=>(const TableId&) const = default;
};
// 802.1Q VLAN identifier, 1 to 4094.
struct Vid {
    std::uint16_t value{};
    auto operator<=>(const Vid&) const = default;
};

inline constexpr std::size_t kMaxPorts = 32;
inline constexpr std::size_t kMaxWorkers = 16;

}  // namespace dataplane
