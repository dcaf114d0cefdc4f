#include "bgp-glue/rib.h"

#include "tests/unit/bgp-glue/zebra_says.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;
using namespace zebra_says;
using namespace std::chrono_literals;

namespace {

const auto kSentinel = [] { return announce_kind(kSentinelText, RTN_BLACKHOLE); };

RouteChange set(const char* p, std::vector<RouteHop> hops) {
    return SetRoute{254, prefix(p), bgp_route(std::move(hops))};
}
RouteChange gone(const char* p) { return RemoveRoute{254, prefix(p)}; }

// A RIB, a clock, and a zebra that speaks one frame at a time.
struct Bench {
    Rib rib{};
    Time now{};
    RouteChanges frame(const std::vector<Octets>& messages) { return rib.apply(decoded(messages), now); }
    RouteChanges later(std::chrono::milliseconds by) { return rib.tick(now += by); }
};

// Two BGP routes and a connected one, synchronized, then disconnected.
Bench with_stale_routes() {
    Bench b;
    b.rib.connected();
    b.frame({announce("10.99.0.0/24", {nullptr, 2}, kProtocolKernel)});
    b.frame({announce("10.1.0.0/16", {"10.99.0.1", 2})});
    b.frame({announce("10.2.0.0/16", {"10.99.0.1", 2})});
    b.frame({kSentinel()});
    b.rib.disconnected();
    return b;
}

}  // namespace

TEST_CASE("an announcement sets, a withdrawal removes, a repetition changes nothing") {
    Bench b;
    b.rib.connected();
    const auto first = b.frame({announce("10.1.0.0/16", {"10.0.0.1", 2})});
    CHECK(first == RouteChanges{set("10.1.0.0/16", {hop("10.0.0.1", 2)})});
    CHECK(b.frame({announce("10.1.0.0/16", {"10.0.0.1", 2})}).empty());
    CHECK(b.frame({withdraw("10.1.0.0/16")}) == RouteChanges{gone("10.1.0.0/16")});
    CHECK(b.frame({withdraw("10.1.0.0/16")}).empty());
    CHECK(b.rib.counters().unknown_withdrawals == 1);
    CHECK(b.rib.size() == 0);
}

TEST_CASE("DEL and NEW in one frame are one replacement") {
    Bench b;
    b.rib.connected();
    b.frame({announce("10.1.0.0/16", {"10.0.0.1", 2})});
    const auto both = b.frame({withdraw("10.1.0.0/16"), announce("10.1.0.0/16", {"10.0.0.9", 2})});
    CHECK(both == RouteChanges{set("10.1.0.0/16", {hop("10.0.0.9", 2)})});
    CHECK(b.frame({withdraw("10.1.0.0/16"), announce("10.1.0.0/16", {"10.0.0.9", 2})}).empty());
}

TEST_CASE("NEW and DEL in one frame leave nothing behind") {
    Bench b;
    b.rib.connected();
    CHECK(b.frame({announce("10.1.0.0/16", {"10.0.0.1", 2}), withdraw("10.1.0.0/16")}).empty());
    CHECK(b.rib.size() == 0);
    CHECK(b.rib.unresolved() == 0);
}

TEST_CASE("the sentinel is never a route") {
    Bench b;
    b.rib.connected();
    CHECK(b.frame({kSentinel()}).empty());
    CHECK(b.rib.routes().empty());
    CHECK(b.rib.state() == SyncState::synchronized);
    CHECK(b.frame({withdraw(kSentinelText)}).empty());
}

TEST_CASE("a disconnection keeps every route and marks it stale") {
    auto b = with_stale_routes();
    CHECK(b.rib.routes().size() == 3);
    CHECK(b.rib.stale() == 3);
    CHECK(b.rib.state() == SyncState::disconnected);
    CHECK(b.later(1000h).empty());
}

TEST_CASE("the sentinel sweeps what zebra itself had and did not mention") {
    auto b = with_stale_routes();
    b.rib.connected();
    CHECK(b.frame({announce("10.2.0.0/16", {"10.99.0.1", 2})}).empty());
    CHECK(b.frame({announce("10.1.0.0/16", {"10.99.0.1", 2})}).empty());
    CHECK(b.rib.stale() == 1);
    CHECK(b.frame({kSentinel()}) == RouteChanges{gone("10.99.0.0/24")});
    CHECK(b.rib.stale() == 0);
    CHECK(b.rib.counters().swept == 1);
    CHECK_FALSE(b.rib.next_deadline());
}

TEST_CASE("without a sentinel quiet ends the replay, each frame puts it off") {
    auto b = with_stale_routes();
    b.rib.connected();
    b.frame({announce("10.2.0.0/16", {"10.99.0.1", 2}), announce("10.1.0.0/16", {"10.99.0.1", 2})});
    CHECK(b.later(1000ms).empty());
    b.frame({announce("10.3.0.0/16", {"10.99.0.1", 2})});
    CHECK(b.later(1499ms).empty());
    CHECK(b.rib.next_deadline() == b.now + 1ms);
    CHECK(b.later(1ms) == RouteChanges{gone("10.99.0.0/24")});
    CHECK(b.rib.state() == SyncState::synchronized);
}

TEST_CASE("a peer that never falls quiet is capped") {
    auto b = with_stale_routes();
    b.rib.connected();
    for (int second = 0; second < 60; ++second) {
        b.frame({announce("10.2.0.0/16", {"10.99.0.1", 2})});
        CHECK(b.rib.state() == SyncState::synchronizing);
        b.now += 1s;
    }
    CHECK(b.frame({announce("10.2.0.0/16", {"10.99.0.1", 2})}).size() == 2);
    CHECK(b.rib.state() == SyncState::synchronized);
}

TEST_CASE("a peer that connects and says nothing sweeps nothing") {
    auto b = with_stale_routes();
    b.rib.connected();
    CHECK_FALSE(b.rib.next_deadline());
    CHECK(b.later(1000h).empty());
    CHECK(b.rib.routes().size() == 3);
}

TEST_CASE("BGP routes may come back one by one: only the cap ends the waiting for the rest") {
    auto b = with_stale_routes();
    b.rib.connected();
    b.frame({announce("10.99.0.0/24", {nullptr, 2}, kProtocolKernel), kSentinel()});
    CHECK(b.later(10s).empty());
    CHECK(b.frame({announce("10.1.0.0/16", {"10.99.0.1", 2})}).empty());
    CHECK(b.frame({kSentinel()}).empty());
    CHECK(b.later(49'999ms).empty());
    CHECK(b.rib.state() == SyncState::synchronizing);
    CHECK(b.later(1ms) == RouteChanges{gone("10.2.0.0/16")});
    CHECK(b.rib.state() == SyncState::synchronized);
}

TEST_CASE("the waiting ends when the last BGP route is back, or withdrawn") {
    auto b = with_stale_routes();
    b.rib.connected();
    b.frame({announce("10.99.0.0/24", {nullptr, 2}, kProtocolKernel), kSentinel()});
    CHECK(b.frame({announce("10.1.0.0/16", {"10.99.0.1", 2})}).empty());
    CHECK(b.frame({withdraw("10.2.0.0/16")}) == RouteChanges{gone("10.2.0.0/16")});
    CHECK(b.rib.state() == SyncState::synchronized);
    CHECK(b.rib.counters().swept == 0);
}

TEST_CASE("if BGP never comes back the cap ends the waiting") {
    auto b = with_stale_routes();
    b.rib.connected();
    b.frame({announce("10.99.0.0/24", {nullptr, 2}, kProtocolKernel), kSentinel()});
    CHECK(b.later(59'999ms).empty());
    CHECK(b.later(1ms).size() == 2);
    CHECK(b.rib.routes().size() == 1);
}

TEST_CASE("a second disconnection during a replay begins anew") {
    auto b = with_stale_routes();
    b.rib.connected();
    b.frame({announce("10.1.0.0/16", {"10.99.0.1", 2})});
    b.rib.connected();  // a newer connection took its place
    CHECK(b.rib.stale() == 3);
    b.frame({announce("10.2.0.0/16", {"10.99.0.1", 2})});
    CHECK(b.frame({kSentinel()}).empty());
    CHECK(b.later(60s).size() == 2);
    CHECK(b.rib.routes().size() == 1);
}

TEST_CASE("a route may precede its group and the group its members") {
    Bench b;
    b.rib.connected();
    CHECK(b.frame({announce_by_id("10.1.0.0/16", 9)}).empty());
    CHECK(b.rib.unresolved() == 1);
    CHECK(b.frame({group(9, {{1, 1}, {2, 1}})}).empty());
    CHECK(b.frame({next_hop(1, {"10.0.0.1", 5})}).empty());
    CHECK(b.frame({next_hop(2, {"10.0.0.2", 5})}) ==
          RouteChanges{set("10.1.0.0/16", {hop("10.0.0.1", 5), hop("10.0.0.2", 5)})});
    CHECK(b.rib.unresolved() == 0);
}

TEST_CASE("a change of a member changes every route by its groups") {
    Bench b;
    b.rib.connected();
    b.frame({next_hop(1, {"10.0.0.1", 5}), next_hop(2, {"10.0.0.2", 5}), group(9, {{1, 1}, {2, 1}})});
    b.frame({announce_by_id("10.1.0.0/16", 9), announce_by_id("10.2.0.0/16", 9), announce_by_id("10.3.0.0/16", 2)});
    const auto changes = b.frame({next_hop(1, {"10.0.0.7", 5})});
    REQUIRE(changes.size() == 2);
    CHECK(changes[0] == set("10.1.0.0/16", {hop("10.0.0.2", 5), hop("10.0.0.7", 5)}));
    CHECK(b.frame({group(9, {{2, 1}})}).size() == 2);
    CHECK(b.rib.find({254, prefix("10.2.0.0/16")}) == bgp_route({hop("10.0.0.2", 5)}));
}

TEST_CASE("a route that moves to a next hop not yet known keeps what it had") {
    Bench b;
    b.rib.connected();
    b.frame({announce("10.1.0.0/16", {"10.0.0.1", 2})});
    CHECK(b.frame({withdraw("10.1.0.0/16"), announce_by_id("10.1.0.0/16", 4)}).empty());
    CHECK(b.rib.find({254, prefix("10.1.0.0/16")}) == bgp_route({hop("10.0.0.1", 2)}));
    CHECK(b.frame({next_hop(4, {"10.0.0.4", 2})}) == RouteChanges{set("10.1.0.0/16", {hop("10.0.0.4", 2)})});
}

TEST_CASE("a removed next hop takes its routes, and gives them back when it returns") {
    Bench b;
    b.rib.connected();
    b.frame({next_hop(4, {"10.0.0.4", 2}), announce_by_id("10.1.0.0/16", 4)});
    CHECK(b.frame({remove_next_hop(4)}) == RouteChanges{gone("10.1.0.0/16")});
    CHECK(b.frame({next_hop(4, {"10.0.0.4", 2})}) == RouteChanges{set("10.1.0.0/16", {hop("10.0.0.4", 2)})});
    CHECK(b.frame({withdraw("10.1.0.0/16")}) == RouteChanges{gone("10.1.0.0/16")});
    CHECK(b.rib.size() == 0);
}

TEST_CASE("next-hop ids of an old connection mean nothing in a new one, resolved routes stay") {
    Bench b;
    b.rib.connected();
    b.frame({next_hop(4, {"10.0.0.4", 2}), announce_by_id("10.1.0.0/16", 4), announce_by_id("10.2.0.0/16", 99)});
    b.rib.disconnected();
    b.rib.connected();
    CHECK(b.rib.next_hop_objects() == 0);
    CHECK(b.rib.size() == 1);  // the unresolved one is forgotten
    CHECK(b.frame({next_hop(4, {"10.0.0.77", 2})}).empty());
    CHECK(b.frame({announce_by_id("10.1.0.0/16", 4)}) == RouteChanges{set("10.1.0.0/16", {hop("10.0.0.77", 2)})});
}

TEST_CASE("a next hop that is a blackhole makes its routes blackholes") {
    Bench b;
    b.rib.connected();
    b.frame({blackhole_next_hop(6), announce_by_id("10.1.0.0/16", 6)});
    CHECK(b.rib.find({254, prefix("10.1.0.0/16")})->kind == RouteKind::blackhole);
}

TEST_CASE("routes beyond the limit are refused and counted, known ones may change") {
    Bench b;
    b.rib = Rib({.routes = 1, .next_hops = 1});
    b.rib.connected();
    b.frame({announce("10.1.0.0/16", {"10.0.0.1", 2})});
    CHECK(b.frame({announce("10.2.0.0/16", {"10.0.0.1", 2})}).empty());
    CHECK(b.rib.counters().refused == 1);
    CHECK(b.frame({announce("10.1.0.0/16", {"10.0.0.2", 2})}).size() == 1);
}

TEST_CASE("a route in words") {
    const SetRoute r{254, prefix("10.1.0.0/16"), bgp_route({hop("10.0.0.1", 2), hop(nullptr, 3, 4)})};
    CHECK(to_string(r) == "254 10.1.0.0/16 unicast proto 186 metric 20 via 10.0.0.1 dev 2 weight 1, dev 3 weight 4");
}
