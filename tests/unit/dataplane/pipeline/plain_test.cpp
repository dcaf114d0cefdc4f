// Frames through plain ports: what comes in, what becomes of it, what goes out.
#include <rte_cycles.h>

#include <optional>

#include "tests/unit/catch.h"
#include "tests/unit/dataplane/pipeline/rig.h"

using namespace packet;
using namespace rig;
using dataplane::Leaf;
using dataplane::LeafKind;
using dataplane::PuntClass;
using dataplane::Slot;

namespace {

const auto kBroadcast = mac("ff:ff:ff:ff:ff:ff");

Octets from_host(unsigned type, const Octets& rest) { return ethernet(our_mac(kLan), kHostMac, type, rest); }
Octets ip4(const Ipv4& p = {}) { return padded(from_host(0x0800, p.octets())); }
Octets ip6(const Ipv6& p = {}) { return from_host(0x86DD, p.octets()); }

Octets corrupted(Octets o, std::size_t at, std::uint8_t value) {
    o[14 + at] = value;
    return o;
}
// A corruption whose header checksum is right.
Octets altered(Octets o, std::size_t at, std::uint8_t value) {
    o[14 + at] = value;
    o[24] = o[25] = 0;
    const auto sum = checksum({o.begin() + 14, o.begin() + 34});
    o[24] = static_cast<std::uint8_t>(sum >> 8);
    o[25] = static_cast<std::uint8_t>(sum);
    return o;
}

struct DropCase {
    const char* description;
    Octets frame;
    Verdict verdict;
};

std::vector<DropCase> layer2_drops() {
    const Octets ip = be16(0x0800) + Ipv4{}.octets();
    const Octets c30 = tag(0x8100, 30), c31 = tag(0x8100, 31), s20 = tag(0x88A8, 20), s21 = tag(0x88A8, 21);
    const Octets head = octets_of(our_mac(kLan)) + octets_of(kHostMac);
    return {
        {"an empty frame", {1}, Verdict::runt},
        {"13 octets", zeros(13), Verdict::runt},
        {"another station's frame", padded(ethernet(mac("02:99:99:99:99:99"), kHostMac, 0x0800, Ipv4{}.octets())),
         Verdict::not_our_mac},
        {"MACsec on a plain port", padded(from_host(0x88E5, zeros(46))), Verdict::unexpected_macsec},
        {"EAPOL on a plain port", padded(from_host(0x888E, zeros(46))), Verdict::unexpected_eapol},
        {"an unknown C-VID", head + c31 + ip, Verdict::unknown_vlan},
        {"an unknown S-VID", head + s21 + ip, Verdict::unknown_vlan},
        {"a C-VID as an S-VID", head + tag(0x88A8, 30) + ip, Verdict::unknown_vlan},
        {"an unknown pair", head + s20 + c31 + ip, Verdict::unknown_vlan},
        {"a pair in the wrong order", head + c30 + s20 + ip, Verdict::unknown_vlan},
        {"three tags", head + s20 + c30 + c30 + ip, Verdict::bad_vlan_stack},
        {"the reserved VID", head + tag(0x8100, 0xFFF) + ip, Verdict::bad_vlan_stack},
        {"a tag that is cut off", head + be16(0x8100), Verdict::bad_vlan_stack},
        {"a tag without an EtherType", head + c30, Verdict::bad_vlan_stack},
        {"LLDP", padded(ethernet(mac("01:80:c2:00:00:0e"), kHostMac, 0x88CC, zeros(46))), Verdict::unknown_ethertype},
        {"an 802.3 length", padded(from_host(46, zeros(46))), Verdict::unknown_ethertype},
        {"MACsec behind a tag", head + c30 + be16(0x88E5) + zeros(46), Verdict::unknown_ethertype},
    };
}

std::vector<DropCase> ipv4_drops() {
    return {
        {"no octet of IPv4", from_host(0x0800, {}), Verdict::ip_truncated},
        {"19 octets of IPv4", from_host(0x0800, zeros(19, 0x45)), Verdict::ip_truncated},
        {"version 5", corrupted(ip4(), 0, 0x55), Verdict::ip_bad_version},
        {"header length 16", altered(ip4(), 0, 0x44), Verdict::ip_bad_header_length},
        {"total length below the header's", altered(altered(ip4(), 2, 0), 3, 19), Verdict::ip_bad_header_length},
        {"header length beyond the packet", altered(ip4(), 0, 0x4F), Verdict::ip_bad_header_length},
        {"total length beyond the frame", altered(ip4(), 2, 1), Verdict::ip_truncated},
        {"a wrong checksum", corrupted(ip4(), 8, 63), Verdict::ip_bad_checksum},
        {"a loose source route", ip4({.options = {131, 7, 4, 1, 2, 3, 4, 0}}), Verdict::ip_source_route},
        {"a strict source route behind padding", ip4({.options = {1, 1, 1, 1, 137, 4, 4, 0}}),
         Verdict::ip_source_route},
        {"source 127.0.0.1", ip4({.source = "127.0.0.1"}), Verdict::ip_bad_source},
        {"a multicast source", ip4({.source = "224.0.0.9"}), Verdict::ip_bad_source},
        {"a broadcast source", ip4({.source = "255.255.255.255"}), Verdict::ip_bad_source},
        {"source 0.0.0.0 to a unicast address", ip4({.source = "0.0.0.0"}), Verdict::ip_bad_source},
        {"source 0.0.0.1", ip4({.source = "0.0.0.1", .destination = "255.255.255.255"}), Verdict::ip_bad_source},
        {"destination 127.0.0.1", ip4({.destination = "127.0.0.1"}), Verdict::ip_bad_destination},
        {"destination 0.0.0.0", ip4({.destination = "0.0.0.0"}), Verdict::ip_bad_destination},
        {"destination 240.0.0.1", ip4({.destination = "240.0.0.1"}), Verdict::ip_bad_destination},
        {"routed multicast", ip4({.destination = "224.0.1.1"}), Verdict::multicast_not_wanted},
        {"unicast in a broadcast frame", padded(ethernet(kBroadcast, kHostMac, 0x0800, Ipv4{}.octets())),
         Verdict::multicast_not_wanted},
        {"a link-local source in transit", ip4({.source = "169.254.1.9"}), Verdict::link_local_not_forwarded},
        {"a link-local destination in transit", ip4({.destination = "169.254.1.9"}), Verdict::link_local_not_forwarded},
        {"a link-local source without a route", ip4({.source = "169.254.1.9", .destination = "9.9.9.9"}),
         Verdict::link_local_not_forwarded},
        {"no route", ip4({.destination = "9.9.9.9"}), Verdict::no_route},
        {"no route and hop limit 1", ip4({.destination = "9.9.9.9", .ttl = 1}), Verdict::no_route},
        {"a blackhole", ip4({.destination = "10.50.0.1"}), Verdict::blackhole},
        {"an unreachable", ip4({.destination = "10.51.0.1"}), Verdict::unreachable},
        {"a foreign route", ip4({.destination = "10.52.0.1"}), Verdict::foreign_route},
        {"a resolved next hop that is down", ip4({.destination = "10.53.0.1"}), Verdict::next_hop_down},
        {"a next hop out of an interface that is gone", ip4({.destination = "10.54.0.1"}), Verdict::egress_gone},
    };
}

std::vector<DropCase> ipv6_drops() {
    Octets jumbo = ip6({.next_header = 0});
    jumbo[18] = jumbo[19] = 0;
    return {
        {"39 octets of IPv6", from_host(0x86DD, zeros(39, 0x60)), Verdict::ip_truncated},
        {"version 4", corrupted(ip6(), 0, 0x45), Verdict::ip_bad_version},
        {"payload length beyond the frame", corrupted(ip6(), 5, 200), Verdict::ip_truncated},
        {"a jumbogram", jumbo, Verdict::ip_bad_header_length},
        {"a multicast source", ip6({.source = "ff02::1"}), Verdict::ip_bad_source},
        {"the loopback source", ip6({.source = "::1"}), Verdict::ip_bad_source},
        {"the unspecified source in transit", ip6({.source = "::"}), Verdict::ip_bad_source},
        {"the unspecified destination", ip6({.destination = "::"}), Verdict::ip_bad_destination},
        {"the loopback destination", ip6({.destination = "::1"}), Verdict::ip_bad_destination},
        {"interface-local multicast", ip6({.destination = "ff01::1"}), Verdict::ip_bad_destination},
        {"site-local multicast", ip6({.destination = "ff05::1"}), Verdict::multicast_not_wanted},
        {"unicast in a multicast frame", ethernet(mac("33:33:00:00:00:01"), kHostMac, 0x86DD, Ipv6{}.octets()),
         Verdict::multicast_not_wanted},
        {"a link-local source in transit", ip6({.source = "fe80::9"}), Verdict::link_local_not_forwarded},
        {"another's link-local address", ip6({.destination = "fe80::9"}), Verdict::link_local_not_forwarded},
        {"no route", ip6({.destination = "2001:db8::1"}), Verdict::no_route},
    };
}

void add_special_routes(Rig& r) {
    r.route("10.50.0.0/16", Leaf::make(LeafKind::blackhole));
    r.route("10.51.0.0/16", Leaf::make(LeafKind::unreachable));
    r.route("10.52.0.0/16", Leaf::make(LeafKind::foreign));
    r.route("10.53.0.0/16", Leaf::make(LeafKind::group, 4));
    r.route("10.54.0.0/16", Leaf::make(LeafKind::group, 7));
    r.route("10.55.0.0/16", Leaf::make(LeafKind::group, 5));
}

void check_drops(const std::vector<DropCase>& cases) {
    Rig r;
    add_special_routes(r);
    for (const auto& c : cases) {
        INFO(c.description);
        const auto before = r.count(c.verdict);
        r.send(kLan, c.frame);
        r.turn();
        CHECK(r.count(c.verdict) == before + 1);
    }
    CHECK(r.counters().transmitted.get() == 0);
    CHECK(r.counters().punted.get() == 0);
}

}  // namespace

TEST_CASE("malformed and unwanted layer 2 frames are dropped by name") { check_drops(layer2_drops()); }
TEST_CASE("malformed and unwanted IPv4 packets are dropped by name") { check_drops(ipv4_drops()); }
TEST_CASE("malformed and unwanted IPv6 packets are dropped by name") { check_drops(ipv6_drops()); }

TEST_CASE("a frame in two segments is dropped as oversized") {
    Rig r;
    r.send_segments(kLan, ip4(), zeros(100));
    r.turn();
    CHECK(r.count(Verdict::oversized) == 1);
}

namespace {

struct ForwardCase {
    const char* description;
    PortId in;
    Octets frame;
    PortId out;
    Octets expected;
};

Octets towards_wan(const Octets& packet, unsigned type = 0x0800) {
    return padded(ethernet(neighbor_mac(1), our_mac(kWan), type, packet));
}
Octets towards_pair(const Octets& packet) {
    return octets_of(neighbor_mac(6)) + octets_of(our_mac(kLan)) + tag(0x88A8, 20) + tag(0x8100, 30) + be16(0x0800) +
           packet;
}

std::vector<ForwardCase> forwards() {
    const Ipv4 in{}, out{.ttl = 63};
    const Ipv6 in6{}, out6{.hop_limit = 63};
    const Octets head = octets_of(our_mac(kLan)) + octets_of(kHostMac);
    const Octets ip = be16(0x0800) + in.octets(), options{7, 7, 4, 0, 0, 0, 0, 0};
    const Octets expected = towards_wan(out.octets());
    const Octets hop_by_hop = Octets{17, 0, 5, 2, 0, 0, 1, 0} + Ipv6{}.payload;
    const Ipv4 ack{.ttl = 9, .protocol = 6, .payload = zeros(20, 7)};
    const Ipv4 acked{.ttl = 8, .protocol = 6, .payload = zeros(20, 7)};
    return {
        {"IPv4", kLan, ip4(), kWan, expected},
        {"IPv6", kLan, ip6(), kWan, towards_wan(out6.octets(), 0x86DD)},
        {"a C-tag comes off", kLan, head + tag(0x8100, 30) + ip, kWan, expected},
        {"an S-tag comes off", kLan, head + tag(0x88A8, 20) + ip, kWan, expected},
        {"two tags come off", kLan, head + tag(0x88A8, 20) + tag(0x8100, 30) + ip, kWan, expected},
        {"priority bits do not matter", kLan, head + tag(0x8100, 0xF000 | 30) + ip, kWan, expected},
        {"a priority tag is no tag", kLan, head + tag(0x8100, 0xE000) + ip, kWan, expected},
        {"an outer priority tag is no tag", kLan, head + tag(0x88A8, 0) + tag(0x8100, 30) + ip, kWan, expected},
        {"an inner priority tag is no tag", kLan, head + tag(0x88A8, 20) + tag(0x8100, 0x2000) + ip, kWan, expected},
        {"hop limit 2", kLan, ip4({.ttl = 2}), kWan, towards_wan(Ipv4{.ttl = 1}.octets())},
        {"padding is cut to the shortest frame", kLan, ip4(ack) + zeros(30, 0xEE), kWan,
         ethernet(neighbor_mac(1), our_mac(kWan), 0x0800, acked.octets() + zeros(6))},
        {"octets behind a long packet are cut off", kLan, ip4({.payload = zeros(200, 1)}) + zeros(9), kWan,
         towards_wan(Ipv4{.ttl = 63, .payload = zeros(200, 1)}.octets())},
        {"a frame below the minimum is filled up", kLan, from_host(0x0800, ack.octets()), kWan,
         towards_wan(acked.octets())},
        {"options in transit are nobody's business", kLan, ip4({.options = options}), kWan,
         towards_wan(Ipv4{.ttl = 63, .options = options}.octets())},
        {"hop-by-hop options in transit too", kLan, ip6({.next_header = 0, .payload = hop_by_hop}), kWan,
         towards_wan(Ipv6{.hop_limit = 63, .next_header = 0, .payload = hop_by_hop}.octets(), 0x86DD)},
        {"two tags go on", kWan,
         padded(ethernet(our_mac(kWan), neighbor_mac(1), 0x0800, Ipv4{.destination = "10.60.0.1"}.octets())), kLan,
         towards_pair(Ipv4{.destination = "10.60.0.1", .ttl = 63}.octets())},
        {"exactly the MTU", kLan, ip4({.payload = zeros(1480)}), kWan,
         towards_wan(Ipv4{.ttl = 63, .payload = zeros(1480)}.octets())},
    };
}

}  // namespace

TEST_CASE("frames are forwarded octet by octet as they should be") {
    Rig r;
    r.route("10.60.0.0/16", Leaf::make(LeafKind::group, 6));
    for (const auto& c : forwards()) {
        INFO(c.description);
        r.send(c.in, c.frame);
        r.turn();
        const auto sent = r.sent(c.out);
        REQUIRE(sent.size() == 1);
        // Cut padding is the sender's up to 60 octets: compare what is not padding too.
        CHECK(sent[0].size() == c.expected.size());
        const bool padding_is_theirs = std::string_view(c.description) == "padding is cut to the shortest frame";
        const std::size_t length = padding_is_theirs ? 54 : c.expected.size();
        CHECK(Octets(sent[0].begin(), sent[0].begin() + static_cast<long>(length)) ==
              Octets(c.expected.begin(), c.expected.begin() + static_cast<long>(length)));
    }
    CHECK(r.counters().punted.get() == 0);
}

TEST_CASE("tags that a driver took off are put back") {
    Rig r;
    const Octets untagged = ip4();
    r.send_stripped(kLan, untagged, 30);
    r.send_stripped(kLan, untagged, 30, 20);
    r.turn();
    CHECK(r.sent(kWan).size() == 2);
    CHECK(dataplane::counters(r.worker(), kLanC30).in_packets.get() == 1);
    CHECK(dataplane::counters(r.worker(), kLanS20C30).in_packets.get() == 1);
    r.send_stripped(kLan, untagged, 30, 0, 2);
    r.turn();
    CHECK(r.count(Verdict::no_headroom) == 1);
}

TEST_CASE("interfaces and ports count frames and octets") {
    Rig r;
    for (int i = 0; i < 3; ++i) r.send(kLan, ip4());
    r.send(kLan, octets_of(our_mac(kLan)) + octets_of(kHostMac) + tag(0x8100, 30) + be16(0x0800) + Ipv4{}.octets());
    r.turn();
    const auto& lan = dataplane::counters(r.worker(), kLan);
    CHECK(lan.in_frames.get() == 4);
    CHECK(lan.in_octets.get() == 3 * 60 + 64);
    CHECK(dataplane::counters(r.worker(), kLan0).in_packets.get() == 3);
    CHECK(dataplane::counters(r.worker(), kLanC30).in_octets.get() == 60);
    CHECK(dataplane::counters(r.worker(), kWan0).out_packets.get() == 4);
    CHECK(dataplane::counters(r.worker(), kWan).out_octets.get() == 240);
}

TEST_CASE("nothing moves before a snapshot is published, and a port that is absent sends nothing") {
    Rig r;
    r.send(kLan, ip4());
    dataplane::publish(r.worker(), nullptr);
    r.turn();
    CHECK(r.counters().received.get() == 0);
    r.publish();
    r.forwarding().ports[kWan.value].present = false;
    r.turn();
    CHECK(r.count(Verdict::port_down) == 1);
    CHECK(r.sent(kWan).empty());
}

TEST_CASE("stages are timed in one turn of 64 when asked") {
    Rig r;
    const auto frames = [&] {
        return r.counters().clocks[static_cast<std::size_t>(dataplane::Stage::route)].frames.get();
    };
    for (int i = 0; i < 64; ++i) r.send(kLan, ip4()), r.turn();
    CHECK(frames() == 0);
    r.forwarding().stage_clocks = true;
    for (int i = 0; i < 64; ++i) r.send(kLan, ip4()), r.turn();
    CHECK(frames() == 1);
}

TEST_CASE("a flow keeps its member and moves only while that member is down") {
    Rig r;
    auto& g = r.group(1);
    g.count = 2;
    g.member[1] = dataplane::NextHopId{6};
    for (std::size_t i = 0; i < dataplane::kBuckets; ++i) g.bucket[i] = i % 2;
    const auto shares = [&] {
        for (unsigned flow = 0; flow < 100; ++flow) r.send(kLan, ip4({.payload = ports(1000 + flow, 53)}));
        r.turn(2);
        return std::pair{r.sent(kWan).size(), r.sent(kLan).size()};
    };
    const auto first = shares();
    CHECK(first.first + first.second == 100);
    CHECK(first.first > 25);
    CHECK(first.second > 25);
    CHECK(shares() == first);
    r.set_slot(1, neighbor_mac(1).number() | Slot::kResolved);
    CHECK(shares() == std::pair<std::size_t, std::size_t>{0, 100});
    r.set_slot(1, neighbor_mac(1).number() | Slot::kResolved | Slot::kUsable);
    CHECK(shares() == first);
}

TEST_CASE("what a full port refuses of transit is freed and counted") {
    Rig r;
    r.fill_wire(kWan, 2);
    for (int i = 0; i < 5; ++i) r.send(kLan, ip4());
    r.turn();
    CHECK(r.count(Verdict::tx_refused) == 3);
    CHECK(r.counters().transmitted.get() == 2);
}
