// What zebra says over FPM, message by message, as values: routes, next hops and next-hop groups. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <variant>
#include <vector>

#include "bgp-glue/netlink_message.h"
#include "bgp-glue/route_change.h"

namespace bgp_glue {

inline constexpr std::uint8_t kProtocolKernel = 2;  // RTPROT_KERNEL: connected routes
inline constexpr std::uint8_t kProtocolBgp = 186;   // RTPROT_BGP

// RTM_NEWROUTE, RTM_DELROUTE. A withdrawal carries no route.
struct RouteMessage {
    bool removed{};
    std::uint32_t table{};
    net::IpPrefix prefix;
    Route route;                  // hops empty when next_hop_id is set
    std::uint32_t next_hop_id{};  // RTA_NH_ID: the hops are this next hop's or group's; 0: the route has its own
    bool operator==(const RouteMessage&) const = default;
};

struct GroupMember {
    std::uint32_t id{};
    std::uint16_t weight{1};  // 1 to 256
    bool operator==(const GroupMember&) const = default;
};

// RTM_NEWNEXTHOP, RTM_DELNEXTHOP: a hop, a blackhole, or a group when it has members.
struct NextHopMessage {
    bool removed{};
    std::uint32_t id{};
    RouteKind kind{};
    RouteHop hop;
    std::vector<GroupMember> members;
    bool operator==(const NextHopMessage&) const = default;
};

// Understood as none of ours: labels, MAC addresses, multicast, cloned or source-specific routes.
struct SkippedMessage {
    std::uint16_t type{};
    bool operator==(const SkippedMessage&) const = default;
};

using ZebraMessage = std::variant<RouteMessage, NextHopMessage, SkippedMessage>;

// A hop that wants an encapsulation (MPLS, SRv6) is left out, for we would send its packets without; a route or next
// hop with no other is unreachable. prohibit is unreachable. Unknown attributes are skipped.
std::expected<ZebraMessage, MessageError> decode_zebra_message(const NetlinkMessage& message);

struct DecodeCounters {
    std::uint64_t messages{};
    std::uint64_t skipped{};
    std::array<std::uint64_t, kMessageFaults> faults{};  // by MessageFault
    std::uint64_t errors() const noexcept;
};

// Every message of an FPM frame's payload that can be understood, in order; the others are counted.
std::vector<ZebraMessage> decode_frame(macsec::ConstOctets payload, DecodeCounters& counters);

// Sorted, each once: the form in which hop sets are compared.
void normalize(std::vector<RouteHop>& hops);

}  // namespace bgp_glue
