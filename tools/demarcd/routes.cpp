#include "tools/demarcd/routes.h"

#include <algorithm>

namespace demarcd {

using namespace dataplane;

namespace {

net::IpPrefix to_ip(const net::Prefix4& p) { return {net::IpAddress::from(p.address), p.length}; }
net::IpPrefix to_ip(const net::Prefix6& p) { return {net::IpAddress::from(p.address), p.length}; }

bool is_ipv4(const net::IpPrefix& p) { return p.address.family == net::Family::ipv4; }

Source source_of(const RouteRecord& record) {
    for (std::size_t s = 0; s < kSources; ++s)
        if (record.leaf[s].bits != 0) return static_cast<Source>(s);
    return Source::count_;
}

}  // namespace

std::expected<std::unique_ptr<Routes>, std::string> Routes::make(const config::FibSizes& sizes, const Grace& grace) {
    auto fib4 = Fib4::make({sizes.ipv4_root_bits, sizes.ipv4_nodes}, grace);
    if (!fib4) return std::unexpected(fib4.error());
    auto fib6 = Fib6::make({sizes.ipv6_root_bits, sizes.ipv6_nodes}, grace);
    if (!fib6) return std::unexpected(fib6.error());
    auto groups = GroupTable::make({sizes.groups, sizes.next_hops}, grace);
    if (!groups) return std::unexpected(groups.error());
    return std::unique_ptr<Routes>(new Routes(std::move(*fib4), std::move(*fib6), std::move(*groups)));
}

Routes::Routes(std::unique_ptr<Fib4> fib4, std::unique_ptr<Fib6> fib6, std::unique_ptr<GroupTable> groups)
    : fib4_(std::move(fib4)), fib6_(std::move(fib6)), groups_(std::move(groups)), table4_(*fib4_), table6_(*fib6_) {}

void Routes::apply(const bgp_glue::RouteChange& change) {
    if (const auto* set = std::get_if<bgp_glue::SetRoute>(&change)) {
        if (set->table == TableId{}.value) set_route(set->prefix, set->route);
        return;
    }
    const auto& removed = std::get<bgp_glue::RemoveRoute>(change);
    if (removed.table != TableId{}.value) return;
    waiting_.erase(removed.prefix);
    remove(removed.prefix, Source::fpm);
}

void Routes::set_route(const net::IpPrefix& prefix, const bgp_glue::Route& route) {
    waiting_.erase(prefix);
    // Subnets of our interfaces come from our own configuration and carrier, link-local ones never.
    if (route.protocol == bgp_glue::kProtocolKernel && is_ours(route)) return remove(prefix, Source::fpm);
    const auto leaf = leaf_of(route);
    if (leaf) return set(prefix, Source::fpm, *leaf);
    ++refused_;
    // The prefix keeps its place meanwhile: its packets must not follow a route around it.
    set(prefix, Source::fpm, Leaf::make(LeafKind::unreachable));
    if (leaf.error() != TableResult::invalid) waiting_[prefix] = route;
    busy_ |= leaf.error() == TableResult::busy;
}

bool Routes::is_ours(const bgp_glue::Route& route) const {
    return !route.hops.empty() &&
           std::ranges::all_of(route.hops, [this](const auto& hop) { return interfaces_.contains(hop.oif); });
}

// Hops out of interfaces that are not ours are left out; a route with no other is foreign.
std::expected<Leaf, TableResult> Routes::leaf_of(const bgp_glue::Route& route) {
    if (route.kind == bgp_glue::RouteKind::blackhole) return Leaf::make(LeafKind::blackhole);
    if (route.kind == bgp_glue::RouteKind::unreachable) return Leaf::make(LeafKind::unreachable);
    std::vector<WeightedHop> hops;
    for (const auto& hop : route.hops) {
        const auto interface = interfaces_.find(hop.oif);
        if (interface == interfaces_.end()) continue;
        if (!hop.has_gateway) return Leaf::make(LeafKind::connected, interface->second.value);
        hops.push_back({{interface->second, hop.gateway}, hop.weight});
    }
    if (hops.empty()) return Leaf::make(LeafKind::foreign);
    return leaf_of(hops);
}

std::expected<Leaf, TableResult> Routes::leaf_of(std::span<const WeightedHop> hops) {
    const auto group = groups_->acquire(hops);
    if (!group) return std::unexpected(group.error());
    return Leaf::make(LeafKind::group, group->id.value);
}

void Routes::set_interfaces(InterfaceMap map, const bgp_glue::Rib& rib) {
    if (map.by_ifindex == interfaces_) return;
    interfaces_ = std::move(map.by_ifindex);
    for (const auto& route : rib.routes()) apply(route);
}

void Routes::set_own(const OwnRoute& own) {
    if (own.leaf.bits != 0)
        set(own.prefix, own.source, own.leaf);
    else
        remove(own.prefix, own.source);
}

void Routes::set_neighbor(const NeighborRoute& neighbor) {
    const auto& [interface, address] = neighbor.key;
    const net::IpPrefix prefix{address, static_cast<std::uint8_t>(address.bits())};
    waiting_neighbors_.erase(neighbor.key);
    if (!neighbor.present) return remove(prefix, Source::neighbor);
    const WeightedHop hop{{interface, address}, 1};
    const auto leaf = leaf_of({&hop, 1});
    if (leaf) return set(prefix, Source::neighbor, *leaf);
    waiting_neighbors_[neighbor.key] = true;  // the subnet's own leaf answers meanwhile
    busy_ |= leaf.error() == TableResult::busy;
}

void Routes::set(const net::IpPrefix& prefix, Source source, Leaf leaf) {
    const auto outcome =
        is_ipv4(prefix) ? table4_.set(prefix.v4(), source, leaf) : table6_.set(prefix.v6(), source, leaf);
    if (outcome.result != RouteResult::refused) return release(outcome.previous);
    ++refused_;
    release(leaf);
}

void Routes::remove(const net::IpPrefix& prefix, Source source) {
    const auto outcome = is_ipv4(prefix) ? table4_.remove(prefix.v4(), source) : table6_.remove(prefix.v6(), source);
    release(outcome.previous);
}

void Routes::release(Leaf leaf) {
    if (leaf.kind() == LeafKind::group) groups_->release(GroupId{leaf.index()});
}

bool Routes::pump(bool also_when_full) {
    groups_->reclaim();
    table4_.pump();
    table6_.pump();
    if (std::exchange(busy_, false) || also_when_full) {
        for (const auto& [prefix, route] : std::exchange(waiting_, {})) set_route(prefix, route);
        for (const auto& [key, present] : std::exchange(waiting_neighbors_, {})) set_neighbor({key, present});
    }
    const bool room_will_come = !table4_.full() && !table6_.full() && table4_.pending() + table6_.pending() != 0;
    return room_will_come || busy_ || groups_->counts().groups_awaiting != 0;
}

RouteStats Routes::stats() const {
    RouteStats s;
    s.ipv4 = table4_.size();
    s.ipv6 = table6_.size();
    s.pending = table4_.pending() + table6_.pending() + waiting_.size();
    s.nodes4_used = fib4_->nodes().used;
    s.nodes6_used = fib6_->nodes().used;
    s.full = table4_.full() || table6_.full();
    s.groups = groups_->counts();
    s.refused = refused_;
    return s;
}

RouteView Routes::view(const net::IpPrefix& prefix, const RouteRecord& record) const {
    RouteView v{prefix, source_of(record), record.best(), {}};
    if (v.leaf.kind() == LeafKind::group) {
        const auto members = groups_->members(GroupId{v.leaf.index()});
        v.hops.assign(members.begin(), members.end());
    }
    return v;
}

std::vector<RouteView> Routes::lookup(const net::IpAddress& address) const {
    if (address.family == net::Family::ipv4) {
        const auto found = table4_.match(address.v4());
        return found ? std::vector{view(to_ip(found->prefix), *found->value)} : std::vector<RouteView>{};
    }
    const auto found = table6_.match(address.v6());
    return found ? std::vector{view(to_ip(found->prefix), *found->value)} : std::vector<RouteView>{};
}

template <class Table, class Prefix>
void Routes::list_from(const Table& table, const Prefix& from, const net::IpPrefix& within, std::size_t most,
                       bool& more, std::vector<RouteView>& out) const {
    table.visit(from, [&](const Prefix& prefix, const RouteRecord& record) {
        const auto p = to_ip(prefix);
        if (!net::contains(within, p.address)) return false;
        if (p.length < within.length) return true;
        if (out.size() == most) {
            more = true;
            return false;
        }
        out.push_back(view(p, record));
        return true;
    });
}

std::vector<RouteView> Routes::list(const std::optional<net::IpPrefix>& within, std::size_t most, bool& more) const {
    std::vector<RouteView> out;
    const net::IpPrefix all4{}, all6{{net::Family::ipv6, {}}, 0};
    if (!within || within->address.family == net::Family::ipv4) {
        const auto& p = within.value_or(all4);
        list_from(table4_, p.v4(), p, most, more, out);
    }
    if (!within || within->address.family == net::Family::ipv6) {
        const auto& p = within.value_or(all6);
        list_from(table6_, p.v6(), p, most, more, out);
    }
    return out;
}

}  // namespace demarcd
