// BGP and connections.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/bounds.h"
#include "config/read.h"
#include "config/rules.h"

namespace config {
namespace {

std::vector<std::string_view> interface_names(const Model& m) {
    std::vector<std::string_view> names;
    for (const auto& [name, interface] : m.interfaces) names.push_back(name);
    return names;
}

std::string remedy_for(std::string_view name, const std::vector<std::string_view>& names) {
    const auto meant = nearest(name, names);
    return meant.empty() ? "name one of `interfaces`" : fmt::format("did you mean `{}`?", meant);
}

template <class F>
void for_each_neighbor(const Model& m, F f) {
    if (!m.bgp) return;
    for (std::size_t i = 0; i < m.bgp->neighbors.size(); ++i)
        f(m.bgp->neighbors[i], fmt::format("bgp.neighbors[{}]", i));
}

// RFC 7607 (0), RFC 6793 (AS_TRANS), RFC 7300 (last ones).
bool is_reserved_asn(std::uint32_t asn) { return asn == 0 || asn == 23456 || asn == 65535 || asn == 0xFFFF'FFFF; }

void bgp_asn(const Model& m, Findings& f) {
    if (m.bgp && is_reserved_asn(m.bgp->asn))
        f.add("bgp.asn", fmt::format("AS {} is reserved", m.bgp->asn),
              "write the AS number you were assigned, or a private one");
    for_each_neighbor(m, [&](const BgpNeighbor& n, const std::string& path) {
        if (is_reserved_asn(n.asn))
            f.add(path + ".asn", fmt::format("AS {} is reserved", n.asn), "write the neighbor's AS number");
    });
}

void bgp_router_id(const Model& m, Findings& f) {
    if (m.bgp && (m.bgp->router_id.family != net::Family::ipv4 || m.bgp->router_id.v4().value == 0))
        f.add("bgp.router-id", fmt::format("`router-id` is {}", net::to_string(m.bgp->router_id)),
              "write an IPv4 address of the router");
}

// RFC 4271 4.2: at least 3 s. Without a hold time a dead peer would keep its routes. FRR takes whole seconds.
void bgp_timers(const Model& m, Findings& f) {
    if (!m.bgp) return;
    const Bgp& b = *m.bgp;
    for (const auto& [name, ms] :
         {std::pair{"hold", b.hold_ms}, {"keepalive", b.keepalive_ms}, {"connect", b.connect_ms}})
        if (ms % 1000 != 0 || ms > 65'535'000)
            f.add(fmt::format("bgp.timers.{}", name), fmt::format("`{}` is {} ms", name, ms),
                  "write whole seconds, at most 65535s");
    if (b.connect_ms == 0) f.add("bgp.timers.connect", "`connect` is 0", "write at least 1s");
    if (b.hold_ms < 3000 || b.keepalive_ms == 0 || b.hold_ms < 3 * std::min<std::uint64_t>(b.keepalive_ms, 65'535'000))
        f.add("bgp.timers.hold", fmt::format("`hold` is {} ms with a keepalive of {} ms", b.hold_ms, b.keepalive_ms),
              "write at least 3s and three times `keepalive`");
}

void neighbor_interface(const Model& m, Findings& f) {
    const auto names = interface_names(m);
    for_each_neighbor(m, [&](const BgpNeighbor& n, const std::string& path) {
        if (!f.full() && !m.interfaces.contains(n.interface))
            f.add(path + ".interface",
                  fmt::format("neighbor {} is on interface {}, which is not configured", net::to_string(n.address),
                              quoted(n.interface)),
                  remedy_for(n.interface, names));
    });
}

void neighbor_subnet(const Model& m, Findings& f) {
    for_each_neighbor(m, [&](const BgpNeighbor& n, const std::string& path) {
        const auto interface = m.interfaces.find(n.interface);
        if (interface == m.interfaces.end()) return;
        const auto& ours = interface->second.addresses;
        const std::string text = net::to_string(n.address);
        if (std::ranges::find(ours, n.address, &net::InterfaceAddress::address) != ours.end())
            f.add(path + ".address", fmt::format("neighbor {} is our own address", text), "write the other end's");
        else if (std::ranges::none_of(
                     ours, [&](const net::InterfaceAddress& a) { return net::contains(a.subnet(), n.address); }))
            f.add(path + ".address", fmt::format("neighbor {} is in no subnet of `{}`", text, n.interface),
                  "write an address within one of them");
    });
}

void neighbor_duplicate(const Model& m, Findings& f) {
    std::set<net::IpAddress> seen;
    for_each_neighbor(m, [&](const BgpNeighbor& n, const std::string& path) {
        if (!seen.insert(n.address).second)
            f.add(path + ".address", fmt::format("neighbor {} is configured already", net::to_string(n.address)),
                  "keep one of the two");
    });
}

void maximum_prefix(const Model& m, Findings& f) {
    for_each_neighbor(m, [&](const BgpNeighbor& n, const std::string& path) {
        if (n.maximum_prefix == 0)
            f.add(path + ".maximum-prefix", fmt::format("neighbor {} may announce nothing", net::to_string(n.address)),
                  "write at least 1");
    });
}

void prefix_duplicate(const Model& m, Findings& f) {
    if (!m.bgp) return;
    for (const auto& [name, list] : {std::pair{"announce", &m.bgp->announce}, {"accept", &m.bgp->accept}}) {
        std::set<net::IpPrefix> seen;
        for (std::size_t i = 0; i < list->size(); ++i)
            if (!seen.insert((*list)[i]).second)
                f.add(fmt::format("bgp.{}[{}]", name, i),
                      fmt::format("{} stands in `{}` already", net::to_string((*list)[i]), name),
                      "keep one of the two");
    }
}

// f(connection's name, connection, feature, path) for every feature.
template <class F>
void for_each_feature(const Model& m, F f) {
    for (const auto& [name, connection] : m.connections)
        for (std::size_t i = 0; i < connection.features.size(); ++i)
            f(name, connection, connection.features[i], fmt::format("connections.{}.features[{}]", name, i));
}

void feature_interface(const Model& m, Findings& f) {
    const auto names = interface_names(m);
    for_each_feature(
        m, [&](const std::string& name, const Connection&, const std::string& feature, const std::string& path) {
            if (!f.full() && !m.interfaces.contains(feature))
                f.add(path, fmt::format("connection `{}` has feature {}, which is no interface", name, quoted(feature)),
                      remedy_for(feature, names));
        });
}

void feature_twice(const Model& m, Findings& f) {
    std::map<std::string, std::string> seen;
    for_each_feature(
        m, [&](const std::string& name, const Connection&, const std::string& feature, const std::string& path) {
            const auto [first, is_new] = seen.emplace(feature, name);
            if (!is_new)
                f.add(path, fmt::format("interface {} is in connection `{}` already", quoted(feature), first->second),
                      "an interface's packets count once: keep one of the two");
        });
}

void connection_empty(const Model& m, Findings& f) {
    for (const auto& [name, connection] : m.connections)
        if (connection.features.empty())
            f.add(fmt::format("connections.{}.features", name), fmt::format("connection `{}` has no feature", name),
                  "name its interfaces");
}

void bandwidth_zero(const Model& m, Findings& f) {
    for (const auto& [name, connection] : m.connections)
        if (connection.bandwidth_bps == 0)
            f.add(fmt::format("connections.{}.bandwidth", name), fmt::format("connection `{}` has no bandwidth", name),
                  "write what was sold: 500Mbps");
}

void burst_small(const Model& m, Findings& f) {
    for (const auto& [name, connection] : m.connections) {
        std::uint64_t largest = 0;
        for (const auto& feature : connection.features)
            if (const auto i = m.interfaces.find(feature); i != m.interfaces.end())
                largest = std::max<std::uint64_t>(largest, i->second.mtu);
        if (connection.burst_octets < kMinBurstPackets * largest)
            f.add(fmt::format("connections.{}.burst", name),
                  fmt::format("connection `{}` has a burst of {} octets and packets of {}", name,
                              connection.burst_octets, largest),
                  fmt::format("write at least {} packets' worth: {}B", kMinBurstPackets, kMinBurstPackets * largest));
    }
}

constexpr Rule kRules[] = {
    {"bgp-asn", bgp_asn},
    {"bgp-router-id", bgp_router_id},
    {"bgp-timers", bgp_timers},
    {"neighbor-interface", neighbor_interface},
    {"neighbor-subnet", neighbor_subnet},
    {"neighbor-duplicate", neighbor_duplicate},
    {"maximum-prefix", maximum_prefix},
    {"prefix-duplicate", prefix_duplicate},
    {"feature-interface", feature_interface},
    {"feature-twice", feature_twice},
    {"connection-empty", connection_empty},
    {"bandwidth-zero", bandwidth_zero},
    {"burst-small", burst_small},
};

}  // namespace

std::span<const Rule> bgp_rules() { return kRules; }

}  // namespace config
