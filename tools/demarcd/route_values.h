// What control and the routes thread tell each other: values over two queues. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dataplane/group_table.h"
#include "dataplane/leaf.h"
#include "dataplane/net/address.h"
#include "dataplane/route_table.h"
#include "tools/demarcd/adjacencies.h"

namespace demarcd {

// control -> routes

// Which Linux interfaces are ours: a route out of any other is foreign. Replaces what was; every route is looked at
// again.
struct InterfaceMap {
    std::map<std::uint32_t, dataplane::InterfaceId> by_ifindex;
};
// An address or a subnet of ours.
struct OwnRoute {
    net::IpPrefix prefix;
    dataplane::Source source{};  // local or connected
    dataplane::Leaf leaf;        // zero: gone
};
// A neighbour's host route.
struct NeighborRoute {
    NeighborKey key;
    bool present{};
};
// The slot of a next hop that is gone has been emptied.
struct NextHopEmptied {
    dataplane::NextHopId id{};
};
struct Query {
    enum class What : std::uint8_t { stats, lookup, list };
    std::uint64_t id{};
    What what{};
    net::IpAddress address{};             // lookup
    std::optional<net::IpPrefix> within;  // list: this prefix and more specific ones
    std::size_t most{10'000};             // list
};
using ToRoutes = std::variant<InterfaceMap, OwnRoute, NeighborRoute, NextHopEmptied, Query>;

// routes -> control

struct RouteStats {
    std::size_t ipv4{}, ipv6{}, pending{}, nodes4_used{}, nodes6_used{};
    bool full{};
    dataplane::GroupCounts groups;
    std::string fpm_listening, fpm_last_error, fpm_state;
    bool fpm_connected{}, fpm_synced{};
    std::uint64_t fpm_connections{}, fpm_frames{}, fpm_messages{}, fpm_skipped{}, fpm_octets{}, fpm_errors{},
        refused{};
    std::size_t stale{};
    std::uint64_t longest_turn_us{};
};
struct RouteView {
    net::IpPrefix prefix;
    dataplane::Source source{};
    dataplane::Leaf leaf;
    std::vector<dataplane::WeightedHop> hops;
};
struct Answer {
    std::uint64_t id{};
    RouteStats stats;               // of every answer
    std::vector<RouteView> routes;  // lookup: none or one; list: sorted
    bool more{};                    // list: some were left out
};
using FromRoutes = std::variant<dataplane::NextHopEvent, Answer>;

}  // namespace demarcd
