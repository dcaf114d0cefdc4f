// Neighbours (ARP, ND) as rtnetlink tells them, and requests about them. Pure; any thread. Used by the control thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "bgp-glue/netlink_message.h"
#include "dataplane/net/address.h"

namespace bgp_glue {

// RTM_NEWNEIGH, RTM_DELNEIGH.
struct NeighborChange {
    std::uint32_t ifindex{};
    net::IpAddress address;
    bool has_mac{};
    net::MacAddress mac;
    std::uint16_t state{};  // NUD_*
    bool removed{};
    bool operator==(const NeighborChange&) const = default;

    // The MAC address may be used: reachable, stale, delay, probe, permanent or noarp.
    bool usable() const noexcept;
};

// Nothing: another message, a family that is neither IPv4 nor IPv6 (a bridge's table), or a proxy entry.
std::expected<std::optional<NeighborChange>, MessageError> decode_neighbor(const NetlinkMessage& message);

// Asks the kernel to resolve it as if a packet were waiting (NTF_USE). The answer comes as NeighborChange. For IPv6 the
// interface needs a link-local address that is not tentative: the kernel solicits from no other, and says nothing.
std::vector<std::uint8_t> probe_neighbor_request(std::uint32_t ifindex, const net::IpAddress& address,
                                                 std::uint32_t sequence);
std::vector<std::uint8_t> dump_neighbors_request(std::uint32_t sequence);

}  // namespace bgp_glue
