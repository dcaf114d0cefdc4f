// What routing says, as values: the end of the decoding, the beginning of the RIB. Any thread.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "dataplane/net/address.h"

namespace bgp_glue {

// One way of a route: out of the Linux interface `oif`, to `gateway` if there is one.
struct RouteHop {
    std::uint32_t oif{};            // ifindex in the host's namespace; 0 when unknown
    bool has_gateway{};
    net::IpAddress gateway{};       // may be of the other family (RTA_VIA)
    std::uint16_t weight{1};        // 1 to 256
    auto operator<=>(const RouteHop&) const = default;
};

enum class RouteKind : std::uint8_t { unicast, blackhole, unreachable };

// A route as wanted. Hops are sorted and unique.
struct Route {
    RouteKind kind{};
    std::uint8_t protocol{};        // rtm_protocol: 186 BGP, 2 kernel (connected), ...
    std::uint32_t metric{};
    std::vector<RouteHop> hops;     // empty unless unicast
    bool operator==(const Route&) const = default;
};

struct SetRoute {
    std::uint32_t table{};
    net::IpPrefix prefix;
    Route route;
    bool operator==(const SetRoute&) const = default;
};
struct RemoveRoute {
    std::uint32_t table{};
    net::IpPrefix prefix;
    bool operator==(const RemoveRoute&) const = default;
};

// The routes of one FPM frame: applied as a unit.
using RouteChange = std::variant<SetRoute, RemoveRoute>;
using RouteChanges = std::vector<RouteChange>;

}  // namespace bgp_glue
