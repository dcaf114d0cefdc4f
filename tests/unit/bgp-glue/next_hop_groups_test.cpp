#include "bgp-glue/next_hop_groups.h"

#include "tests/unit/bgp-glue/zebra_says.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;
using zebra_says::hop;

namespace {

using Ids = std::vector<std::uint32_t>;
NextHopMessage plain(std::uint32_t id, const char* gateway) { return {false, id, {}, hop(gateway, id), {}}; }
NextHopMessage black(std::uint32_t id) { return {false, id, RouteKind::blackhole, {}, {}}; }
NextHopMessage group(std::uint32_t id, std::vector<GroupMember> members) {
    return {false, id, {}, {}, std::move(members)};
}
NextHopMessage removed(std::uint32_t id) { return {true, id, {}, {}, {}}; }

}  // namespace

TEST_CASE("a group may precede its members") {
    NextHopGroups groups(100);
    CHECK(groups.apply(group(49, {{39, 1}, {50, 3}})) == Ids{49});
    CHECK_FALSE(groups.resolve(49));
    CHECK(groups.apply(plain(39, "10.0.0.1")) == Ids{39, 49});
    CHECK_FALSE(groups.resolve(49));
    CHECK(groups.apply(plain(50, "10.0.0.2")) == Ids{50, 49});
    CHECK(groups.resolve(49)->hops == std::vector{hop("10.0.0.1", 39), hop("10.0.0.2", 50, 3)});
}

TEST_CASE("a removed member leaves its groups, the last one takes the group with it") {
    NextHopGroups groups(100);
    groups.apply(plain(1, "10.0.0.1"));
    groups.apply(plain(2, "10.0.0.2"));
    groups.apply(group(9, {{1, 1}, {2, 1}}));
    CHECK(groups.apply(removed(1)) == Ids{1, 9});
    CHECK(groups.resolve(9)->hops == std::vector{hop("10.0.0.2", 2)});
    CHECK(groups.apply(removed(2)) == Ids{2, 9});
    CHECK_FALSE(groups.resolve(9));
    CHECK(groups.size() == 0);
    CHECK(groups.apply(removed(2)).empty());
}

TEST_CASE("a group that changes its members no longer hears of the old ones") {
    NextHopGroups groups(100);
    groups.apply(plain(1, "10.0.0.1"));
    groups.apply(group(9, {{1, 1}}));
    groups.apply(group(9, {{2, 1}}));
    CHECK(groups.apply(plain(1, "10.0.0.7")) == Ids{1});
    CHECK(groups.apply(plain(2, "10.0.0.2")) == Ids{2, 9});
}

TEST_CASE("a blackhole takes no traffic while another member can") {
    NextHopGroups groups(100);
    groups.apply(black(6));
    CHECK(groups.resolve(6) == ResolvedNextHop{RouteKind::blackhole, {}});
    groups.apply(group(9, {{6, 1}}));
    CHECK(groups.resolve(9) == ResolvedNextHop{RouteKind::blackhole, {}});
    groups.apply(plain(1, "10.0.0.1"));
    groups.apply(group(9, {{6, 1}, {1, 1}}));
    CHECK(groups.resolve(9) == ResolvedNextHop{RouteKind::unicast, {hop("10.0.0.1", 1)}});
}

TEST_CASE("a group of groups, or of itself, resolves to nothing") {
    NextHopGroups groups(100);
    groups.apply(group(9, {{9, 1}}));
    groups.apply(group(10, {{9, 1}}));
    CHECK_FALSE(groups.resolve(9));
    CHECK_FALSE(groups.resolve(10));
    groups.apply(removed(9));
    CHECK_FALSE(groups.resolve(9));
}

TEST_CASE("new ids beyond the limit are refused and counted, known ones may change") {
    NextHopGroups groups(1);
    groups.apply(plain(1, "10.0.0.1"));
    CHECK(groups.apply(plain(2, "10.0.0.2")).empty());
    CHECK(groups.refused() == 1);
    CHECK(groups.apply(plain(1, "10.0.0.3")) == Ids{1});
    CHECK(groups.resolve(1)->hops == std::vector{hop("10.0.0.3", 1)});
}
