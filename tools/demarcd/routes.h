// All routes of the main table: from FPM, from our own addresses, from neighbours; merged, grouped, and in the FIB.
// Routes thread only, but for what is marked.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>

#include "bgp-glue/fpm_routes.h"
#include "config/model.h"
#include "dataplane/fib.h"
#include "dataplane/group_table.h"
#include "dataplane/route_table.h"
#include "tools/demarcd/route_values.h"

namespace demarcd {

class Routes {
public:
    // control, before the thread starts. Error: a sentence with the remedy.
    static std::expected<std::unique_ptr<Routes>, std::string> make(const config::FibSizes& sizes,
                                                                    const dataplane::Grace& grace);

    // Any thread: constant.
    const dataplane::Fib4& fib4() const { return *fib4_; }
    const dataplane::Fib6& fib6() const { return *fib6_; }
    dataplane::NextHopArrays arrays() const { return groups_->arrays(); }
    // control: w.
    std::span<std::atomic<std::uint64_t>> slots() { return groups_->slots(); }

    void apply(const bgp_glue::RouteChange& change);
    void set_interfaces(InterfaceMap map, const bgp_glue::Rib& rib);
    void set_own(const OwnRoute& own);
    void set_neighbor(const NeighborRoute& neighbor);
    void confirm_gone(dataplane::NextHopId id) { groups_->confirm_gone(id); }

    // What waited for room or for a grace period; what found the tables full only when asked for. True while something
    // waits for a grace period.
    bool pump(bool also_when_full);
    std::vector<dataplane::NextHopEvent> take_events() { return groups_->take_events(); }

    RouteStats stats() const;
    std::vector<RouteView> lookup(const net::IpAddress& address) const;
    std::vector<RouteView> list(const std::optional<net::IpPrefix>& within, std::size_t most, bool& more) const;

private:
    Routes(std::unique_ptr<dataplane::Fib4>, std::unique_ptr<dataplane::Fib6>, std::unique_ptr<dataplane::GroupTable>);
    std::expected<dataplane::Leaf, dataplane::TableResult> leaf_of(const bgp_glue::Route& route);
    std::expected<dataplane::Leaf, dataplane::TableResult> leaf_of(std::span<const dataplane::WeightedHop> hops);
    bool is_ours(const bgp_glue::Route& route) const;
    void set_route(const net::IpPrefix& prefix, const bgp_glue::Route& route);
    void set(const net::IpPrefix& prefix, dataplane::Source source, dataplane::Leaf leaf);
    void remove(const net::IpPrefix& prefix, dataplane::Source source);
    void release(dataplane::Leaf leaf);
    RouteView view(const net::IpPrefix& prefix, const dataplane::RouteRecord& record) const;
    template <class Table, class Prefix>
    void list_from(const Table& table, const Prefix& from, const net::IpPrefix& within, std::size_t most, bool& more,
                   std::vector<RouteView>& out) const;

    std::unique_ptr<dataplane::Fib4> fib4_;
    std::unique_ptr<dataplane::Fib6> fib6_;
    std::unique_ptr<dataplane::GroupTable> groups_;
    dataplane::RouteTable4 table4_;
    dataplane::RouteTable6 table6_;
    std::map<std::uint32_t, dataplane::InterfaceId> interfaces_;  // by ifindex
    std::map<net::IpPrefix, bgp_glue::Route> waiting_;            // FPM routes whose group has to wait for room
    std::map<NeighborKey, bool> waiting_neighbors_;
    bool busy_{};  // something in waiting_ only waits for a grace period
    std::uint64_t refused_{};
};

}  // namespace demarcd
