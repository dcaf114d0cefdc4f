#include "bgp-glue/route_message.h"

#include <linux/lwtunnel.h>
#include <linux/mpls.h>

#include "tests/unit/bgp-glue/zebra_says.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;
using namespace zebra_says;

namespace {

std::expected<ZebraMessage, MessageError> decode(const Octets& octets) {
    macsec::ConstOctets rest(octets);
    const auto m = take_message(rest);
    REQUIRE(m);
    return decode_zebra_message(*m);
}
RouteMessage route(const Octets& octets) {
    const auto m = decode(octets);
    REQUIRE(m);
    REQUIRE(std::holds_alternative<RouteMessage>(*m));
    return std::get<RouteMessage>(*m);
}
MessageFault fault(const Octets& octets) {
    const auto m = decode(octets);
    REQUIRE_FALSE(m);
    return m.error().fault;
}
bool skipped(const Octets& octets) {
    const auto m = decode(octets);
    return m && std::holds_alternative<SkippedMessage>(*m);
}

}  // namespace

TEST_CASE("an IPv4 route by a gateway") {
    const auto r = route(announce("10.1.0.0/16", {"10.0.0.1", 7}));
    CHECK_FALSE(r.removed);
    CHECK(r.table == 254);
    CHECK(r.prefix == prefix("10.1.0.0/16"));
    CHECK(r.route == bgp_route({hop("10.0.0.1", 7)}));
}

TEST_CASE("an IPv6 route by a link-local gateway") {
    CHECK(route(announce("fd00:20::/32", {"fe80::2", 9})).route == bgp_route({hop("fe80::2", 9)}));
}

TEST_CASE("a connected route has an interface and no gateway") {
    const auto r = route(announce("10.99.0.0/24", {nullptr, 2}, kProtocolKernel)).route;
    CHECK(r.protocol == kProtocolKernel);
    CHECK(r.hops == std::vector{hop(nullptr, 2)});
}

TEST_CASE("the default route comes without a destination") {
    CHECK(route(announce("0.0.0.0/0", {"10.0.0.1", 1})).prefix == prefix("0.0.0.0/0"));
}

TEST_CASE("multipath with NLA_F_NESTED is read, sorted, weights kept") {
    const std::vector<Via> hops{{"10.0.0.9", 3, 5}, {"10.0.0.1", 2}, {"10.0.0.1", 2}};
    const auto r = route(announce_multipath("10.1.0.0/16", hops)).route;
    CHECK(r.hops == std::vector{hop("10.0.0.1", 2), hop("10.0.0.9", 3, 5)});
}

TEST_CASE("RTA_VIA gives an IPv4 route an IPv6 gateway") {
    auto m = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    Octets via{AF_INET6, 0};
    const auto gateway = ip("fe80::5");
    via.insert(via.end(), gateway.octets.begin(), gateway.octets.end());
    m.put(RTA_VIA, via);
    m.put_u32(RTA_OIF, 4);
    CHECK(route(m.take()).route.hops == std::vector{hop("fe80::5", 4)});
}

TEST_CASE("RTA_TABLE goes before the octet in the header") {
    auto m = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    m.put_u32(RTA_TABLE, 1001);
    put_hop(m, {nullptr, 1});
    CHECK(route(m.take()).table == 1001);
}

TEST_CASE("blackhole, unreachable and prohibit have no hops") {
    CHECK(route(announce_kind("10.1.0.0/16", RTN_BLACKHOLE)).route.kind == RouteKind::blackhole);
    CHECK(route(announce_kind("10.1.0.0/16", RTN_UNREACHABLE)).route.kind == RouteKind::unreachable);
    CHECK(route(announce_kind("10.1.0.0/16", RTN_PROHIBIT)).route.kind == RouteKind::unreachable);
}

TEST_CASE("a withdrawal needs only its prefix") {
    const auto r = route(withdraw("fd00:20::/32"));
    CHECK(r.removed);
    CHECK(r.prefix == prefix("fd00:20::/32"));
}

TEST_CASE("host bits of a destination are cleared") {
    bgp_glue::NetlinkRequest m(RTM_NEWROUTE, 0, 0);
    rtmsg header{};
    header.rtm_family = AF_INET;
    header.rtm_dst_len = 8;
    header.rtm_type = RTN_BLACKHOLE;
    m.fixed(header);
    m.put(RTA_DST, octets_of(ip("10.1.2.3")));
    CHECK(route(m.take()).prefix == prefix("10.0.0.0/8"));
}

TEST_CASE("a route that wants an encapsulation is unreachable, not sent without") {
    auto m = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    put_hop(m, {"10.0.0.1", 2});
    const std::uint16_t mpls = LWTUNNEL_ENCAP_MPLS;
    m.put(RTA_ENCAP_TYPE, {reinterpret_cast<const std::uint8_t*>(&mpls), 2});
    const auto r = route(m.take()).route;
    CHECK(r.kind == RouteKind::unreachable);
    CHECK(r.hops.empty());
}

TEST_CASE("unknown attributes are skipped") {
    auto m = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    m.put(4000, Octets(33, 0xFF));
    put_hop(m, {"10.0.0.1", 7});
    CHECK(route(m.take()).route.hops.size() == 1);
}

TEST_CASE("messages that are none of ours are skipped") {
    CHECK(skipped(begin_route(RTM_NEWROUTE, "10.1.0.0/16", RTN_LOCAL).take()));
    CHECK(skipped(begin_route(RTM_NEWROUTE, "224.0.0.0/4", RTN_MULTICAST).take()));
    CHECK(skipped(NetlinkRequest(RTM_NEWNEIGH, 0, 0).take()));
    auto mpls = begin_route(RTM_NEWROUTE, "10.1.0.0/16").take();
    mpls[sizeof(nlmsghdr)] = AF_MPLS;
    CHECK(skipped(mpls));
    auto from = begin_route(RTM_NEWROUTE, "10.1.0.0/16").take();
    from[sizeof(nlmsghdr) + 2] = 24;  // rtm_src_len
    CHECK(skipped(from));
}

TEST_CASE("malformed routes are errors") {
    auto long_prefix = announce("10.1.0.0/16", {"10.0.0.1", 7});
    long_prefix[sizeof(nlmsghdr) + 1] = 33;
    CHECK(fault(long_prefix) == MessageFault::value);
    CHECK(fault(NetlinkRequest(RTM_NEWROUTE, 0, 0).take()) == MessageFault::truncated);
    CHECK(fault(begin_route(RTM_NEWROUTE, "10.1.0.0/16").take()) == MessageFault::missing);
    auto short_oif = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    short_oif.put(RTA_OIF, Octets(2));
    CHECK(fault(short_oif.take()) == MessageFault::value);
    auto negative_oif = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    negative_oif.put_u32(RTA_OIF, 0x8000'0000);
    CHECK(fault(negative_oif.take()) == MessageFault::value);
    auto v6_gateway = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    v6_gateway.put(RTA_GATEWAY, Octets(16));
    CHECK(fault(v6_gateway.take()) == MessageFault::value);
    auto multipath = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    multipath.put(RTA_MULTIPATH, Octets(8, 0));
    CHECK(fault(multipath.take()) == MessageFault::attribute);
    auto negative_hop = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    negative_hop.put(RTA_MULTIPATH, Octets{8, 0, 0, 0, 0, 0, 0, 0x80});
    CHECK(fault(negative_hop.take()) == MessageFault::value);
    auto overlong = begin_route(RTM_NEWROUTE, "10.1.0.0/16");
    overlong.fixed(Octets{0xFF, 0x7F, RTA_OIF, 0}.data(), 4);
    CHECK(fault(overlong.take()) == MessageFault::attribute);
}

TEST_CASE("next hops, groups and their weights") {
    const auto h = decode(next_hop(11, {"fe80::1", 2}));
    REQUIRE(h);
    CHECK(std::get<NextHopMessage>(*h) == NextHopMessage{false, 11, RouteKind::unicast, hop("fe80::1", 2), {}});
    const auto g = decode(group(23, {{11, 1}, {12, 256}}));
    REQUIRE(g);
    CHECK(std::get<NextHopMessage>(*g).members == std::vector<GroupMember>{{11, 1}, {12, 256}});
    CHECK(std::get<NextHopMessage>(*decode(blackhole_next_hop(6))).kind == RouteKind::blackhole);
    CHECK(std::get<NextHopMessage>(*decode(remove_next_hop(6))).removed);
    CHECK(fault(begin_next_hop(RTM_NEWNEXTHOP, 5).take()) == MessageFault::missing);
    auto odd = begin_next_hop(RTM_NEWNEXTHOP, 5);
    odd.put(NHA_GROUP, Octets(7));
    CHECK(fault(odd.take()) == MessageFault::value);
    CHECK(fault(group(23, {{11, 1}, {23, 1}})) == MessageFault::value);  // of itself
}

TEST_CASE("a blackhole's next-hop id does not matter") {
    auto m = begin_route(RTM_NEWROUTE, "10.1.0.0/16", RTN_BLACKHOLE);
    m.put_u32(RTA_NH_ID, 5);
    CHECK(route(m.take()).next_hop_id == 0);
}

TEST_CASE("a frame gives what can be understood and counts the rest") {
    auto bad = announce("10.2.0.0/16", {"10.0.0.1", 7});
    bad[sizeof(nlmsghdr) + 1] = 99;
    auto frame = together({announce("10.1.0.0/16", {"10.0.0.1", 7}), bad, NetlinkRequest(16, 0, 0).take()});
    frame.resize(frame.size() + 5);  // half a header at the end
    DecodeCounters counters;
    CHECK(decode_frame(frame, counters).size() == 2);
    CHECK(counters.messages == 4);
    CHECK(counters.skipped == 1);
    CHECK(counters.errors() == 2);
    CHECK(counters.faults[static_cast<std::size_t>(MessageFault::value)] == 1);
    CHECK(counters.faults[static_cast<std::size_t>(MessageFault::truncated)] == 1);
}
