// Punts: what the host gets, as received. Injects: what the host sends, and before whom.
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/dataplane/pipeline/rig.h"

using namespace packet;
using namespace rig;
using dataplane::Crossing;
using dataplane::InjectClass;
using dataplane::Leaf;
using dataplane::LeafKind;
using dataplane::PuntClass;
using dataplane::Slot;

namespace {

Octets from_host(unsigned type, const Octets& rest) { return ethernet(our_mac(kLan), kHostMac, type, rest); }
Octets ip4(const Ipv4& p) { return padded(from_host(0x0800, p.octets())); }
Octets ip6(const Ipv6& p) { return from_host(0x86DD, p.octets()); }

struct PuntCase {
    const char* description;
    Octets frame;
    PuntClass to;
    Verdict reason;
};

std::vector<PuntCase> ipv4_punts() {
    const char* us = "10.10.0.1";
    const Octets router_alert{148, 4, 0, 0};
    return {
        {"ARP", padded(ethernet(mac("ff:ff:ff:ff:ff:ff"), kHostMac, 0x0806, zeros(28))), PuntClass::arp_nd,
         Verdict::punt_arp_nd},
        {"ping", ip4({.destination = us, .protocol = 1}), PuntClass::other, Verdict::punt_local},
        {"to another address of ours", ip4({.destination = "10.20.0.1", .protocol = 1}), PuntClass::other,
         Verdict::punt_local},
        {"hop limit 1 for us", ip4({.destination = us, .ttl = 1, .protocol = 1}), PuntClass::other,
         Verdict::punt_local},
        {"BGP of a configured neighbour, hop limit 1",
         ip4({.destination = us, .ttl = 1, .protocol = 6, .payload = ports(4000, 179)}), PuntClass::bgp,
         Verdict::punt_bgp},
        {"BGP that we opened", ip4({.destination = us, .protocol = 6, .payload = ports(179, 4000)}), PuntClass::bgp,
         Verdict::punt_bgp},
        {"BGP of a stranger",
         ip4({.source = "10.10.0.3", .destination = us, .protocol = 6, .payload = ports(4000, 179)}), PuntClass::other,
         Verdict::punt_local},
        {"BFD", ip4({.destination = us, .ttl = 255, .payload = ports(49152, 3784)}), PuntClass::bfd, Verdict::punt_bfd},
        {"BFD echo", ip4({.destination = us, .payload = ports(49152, 3785)}), PuntClass::bfd, Verdict::punt_bfd},
        {"multihop BFD", ip4({.destination = us, .payload = ports(49152, 4784)}), PuntClass::bfd, Verdict::punt_bfd},
        {"a fragment with the ports of BFD",
         ip4({.destination = us, .fragment = 0x2000, .payload = ports(49152, 3784)}), PuntClass::other,
         Verdict::punt_local},
        {"TCP without ports", ip4({.destination = us, .protocol = 6, .payload = {0, 179}}), PuntClass::other,
         Verdict::punt_local},
        {"options for us", ip4({.destination = us, .options = router_alert}), PuntClass::other, Verdict::punt_options},
        {"local multicast",
         padded(ethernet(mac("01:00:5e:00:00:05"), kHostMac, 0x0800,
                         Ipv4{.destination = "224.0.0.5", .ttl = 1, .protocol = 89}.octets())),
         PuntClass::other, Verdict::punt_local},
        {"DHCP's broadcast",
         padded(
             ethernet(mac("ff:ff:ff:ff:ff:ff"), kHostMac, 0x0800,
                      Ipv4{.source = "0.0.0.0", .destination = "255.255.255.255", .payload = ports(68, 67)}.octets())),
         PuntClass::other, Verdict::punt_local},
        {"our link-local address",
         ip4({.source = "169.254.1.2", .destination = "169.254.1.1", .ttl = 1, .protocol = 1}), PuntClass::other,
         Verdict::punt_local},
        {"hop limit 1 in transit", ip4({.ttl = 1}), PuntClass::other, Verdict::punt_ttl},
        {"hop limit 0 in transit", ip4({.ttl = 0}), PuntClass::other, Verdict::punt_ttl},
        {"longer than the egress MTU", ip4({.payload = zeros(1481)}), PuntClass::other, Verdict::punt_too_big},
        {"a silent neighbour of a connected subnet", ip4({.destination = "10.10.0.77"}), PuntClass::other,
         Verdict::punt_unresolved},
        {"a next hop that is not resolved", ip4({.destination = "10.55.0.1"}), PuntClass::other,
         Verdict::punt_unresolved},
    };
}

std::vector<PuntCase> ipv6_punts() {
    const char* us = "fd00:10::1";
    const Octets solicitation = Octets{135, 0, 0, 0} + zeros(20);
    const auto multicast = [](const Ipv6& p) {
        return ethernet(mac("33:33:00:00:00:01"), kHostMac, 0x86DD, p.octets());
    };
    return {
        {"neighbour solicitation to the solicited-node address",
         multicast({.source = "fd00:10::2",
                    .destination = "ff02::1:ff00:1",
                    .hop_limit = 255,
                    .next_header = 58,
                    .payload = solicitation}),
         PuntClass::arp_nd, Verdict::punt_arp_nd},
        {"duplicate address detection",
         multicast({.source = "::",
                    .destination = "ff02::1:ff00:1",
                    .hop_limit = 255,
                    .next_header = 58,
                    .payload = solicitation}),
         PuntClass::arp_nd, Verdict::punt_arp_nd},
        {"neighbour solicitation to our link-local address",
         ip6({.source = "fe80::2",
              .destination = "fe80::1",
              .hop_limit = 255,
              .next_header = 58,
              .payload = solicitation}),
         PuntClass::arp_nd, Verdict::punt_arp_nd},
        {"a link-local source to our global address",
         ip6({.source = "fe80::2", .destination = us, .next_header = 58, .payload = solicitation}), PuntClass::arp_nd,
         Verdict::punt_arp_nd},
        {"ping", ip6({.destination = us, .next_header = 58, .payload = Octets{128} + zeros(7)}), PuntClass::other,
         Verdict::punt_local},
        {"BGP", ip6({.destination = us, .hop_limit = 1, .next_header = 6, .payload = ports(4000, 179)}), PuntClass::bgp,
         Verdict::punt_bgp},
        {"BFD", ip6({.destination = us, .hop_limit = 255, .payload = ports(49152, 3784)}), PuntClass::bfd,
         Verdict::punt_bfd},
        {"a listener report with router alert",
         multicast({.source = "fe80::2",
                    .destination = "ff02::16",
                    .hop_limit = 1,
                    .next_header = 0,
                    .payload = Octets{58, 0, 5, 2, 0, 0, 1, 0} + zeros(20)}),
         PuntClass::other, Verdict::punt_options},
        {"hop limit 1 in transit", ip6({.hop_limit = 1}), PuntClass::other, Verdict::punt_ttl},
        {"longer than the egress MTU", ip6({.payload = zeros(1461)}), PuntClass::other, Verdict::punt_too_big},
        {"a silent neighbour of a connected subnet", ip6({.destination = "fd00:10::77"}), PuntClass::other,
         Verdict::punt_unresolved},
    };
}

void check_punts(const std::vector<PuntCase>& cases) {
    Rig r;
    r.route("10.55.0.0/16", Leaf::make(LeafKind::group, 5));
    for (const auto& c : cases) {
        INFO(c.description);
        r.send(kLan, c.frame);
        r.turn();
        const auto punted = r.punted(c.to);
        REQUIRE(punted.size() == 1);
        CHECK(punted[0].crossing.reason == c.reason);
        CHECK(punted[0].crossing.interface == kLan0);
        Octets expected = c.frame;   // as received, but for the destination: the TAP's address
        std::ranges::copy(our_mac(kLan).octets, expected.begin());
        CHECK(punted[0].frame == expected);
    }
    CHECK(r.counters().transmitted.get() == 0);
}

Octets numbered(std::uint8_t n, const char* source = "10.20.0.1") {
    return padded(
        ethernet(neighbor_mac(1), our_mac(kWan), 0x0800, Ipv4{.source = source, .payload = zeros(26, n)}.octets()));
}
std::uint8_t number_of(const Octets& frame) { return frame[34]; }

Crossing to(InterfaceId interface, bool from_host) {
    Crossing c;
    c.interface = interface;
    c.from_host = from_host;
    return c;
}

}  // namespace

TEST_CASE("the host gets IPv4 for it as received, by class") { check_punts(ipv4_punts()); }
TEST_CASE("the host gets IPv6 for it as received, by class") { check_punts(ipv6_punts()); }

TEST_CASE("a tagged packet reaches the host without tags on the tagged interface") {
    Rig r;
    const Octets packet = Ipv4{.destination = "10.10.0.1", .protocol = 1}.octets();
    r.send(kLan,
           octets_of(our_mac(kLan)) + octets_of(kHostMac) + tag(0x88A8, 20) + tag(0x8100, 30) + be16(0x0800) + packet);
    r.turn();
    const auto punted = r.punted(PuntClass::other);
    REQUIRE(punted.size() == 1);
    CHECK(punted[0].frame == from_host(0x0800, packet));
    CHECK(punted[0].crossing.interface == kLanS20C30);
}

TEST_CASE("at most eight packets a second are punted for an interface's unresolved neighbours") {
    Rig r;
    const auto knock = [&](int n) {
        for (int i = 0; i < n; ++i) r.send(kLan, ip4({.destination = "10.10.0.77"}));
        r.turn();
        return r.punted(PuntClass::other).size();
    };
    CHECK(knock(20) == 8);
    r.later(900'000'000);
    CHECK(knock(20) == 0);
    r.later(100'000'000);
    CHECK(knock(20) == 8);
    CHECK(r.count(Verdict::unresolved) == 44);
}

TEST_CASE("a class's policer refuses above its rate and leaves other classes alone") {
    Rig r;
    for (int i = 0; i < 300; ++i) {
        for (int k = 0; k < 50; ++k) r.send(kLan, ip4({.ttl = 1}));
        r.turn();
        r.punted(PuntClass::other);
    }
    CHECK(r.count(Verdict::punt_policed) > 1000);
    r.send(kLan, ip4({.destination = "10.10.0.1", .ttl = 1, .protocol = 6, .payload = ports(4000, 179)}));
    r.turn();
    CHECK(r.punted(PuntClass::bgp).size() == 1);
}

TEST_CASE("a full punt ring drops and counts") {
    Rig r;
    for (int i = 0; i < 40; ++i) {
        for (int k = 0; k < 50; ++k) r.send(kLan, ip4({.ttl = 1}));
        r.turn();
    }
    CHECK(r.count(Verdict::punt_ring_full) == 2000 - 1023);
    CHECK(r.count(Verdict::punt_ttl) == 1023);
}

TEST_CASE("control's event is written once until control listens again") {
    const int event = eventfd(0, EFD_NONBLOCK);
    dataplane::WorkerSetup s;
    s.control_event = event;
    s.punt_rates.fill(1000);
    auto worker = dataplane::make_worker(s).value();
    Rig r;   // its ports and snapshot, our worker
    dataplane::publish(*worker, &r.forwarding());
    const auto written = [&] {
        std::uint64_t n = 0;
        return read(event, &n, sizeof n) == sizeof n ? n : 0;
    };
    const auto punt_one = [&] {
        r.send(kLan, ip4({.ttl = 1}));
        rig::poll_worker(*worker, 10'000'000'000);
    };
    punt_one();
    CHECK(written() == 1);
    punt_one();
    CHECK(written() == 0);
    dataplane::acknowledge_punts(*worker);
    punt_one();
    CHECK(written() == 1);
    CHECK(dataplane::frames_in_rings(*worker) == 3);
    worker.reset();
    close(event);
}

TEST_CASE("frames leave in the order KaY, first, rest, transit") {
    Rig r;
    r.send(kLan, ip4({.payload = zeros(26, 4)}));
    r.inject(InjectClass::rest, to(kWan0, false), numbered(5, "10.10.0.2"));
    r.inject(InjectClass::rest, to(kWan0, true), numbered(3));
    r.inject(InjectClass::first, to(kWan0, true), numbered(2));
    r.turn();
    const auto sent = r.sent(kWan);
    REQUIRE(sent.size() == 4);
    for (std::uint8_t i = 0; i < 4; ++i) CHECK(number_of(sent[i]) == i + 2);
}

TEST_CASE("a full port drops transit first, and sends held frames of ours in their order before anything else") {
    Rig r;
    r.fill_wire(kWan, 1);
    for (int i = 0; i < 3; ++i) r.send(kLan, ip4({.payload = zeros(26, 9)}));
    for (std::uint8_t i = 1; i <= 3; ++i) r.inject(InjectClass::first, to(kWan0, true), numbered(i));
    r.turn();
    CHECK(r.count(Verdict::tx_refused) == 3);
    CHECK(dataplane::frames_in_rings(r.worker()) == 2);
    r.open_wire(kWan);
    r.send(kLan, ip4({.payload = zeros(26, 9)}));
    r.inject(InjectClass::first, to(kWan0, true), numbered(4));
    r.turn();
    const auto sent = r.sent(kWan);
    REQUIRE(sent.size() == 4);
    CHECK(number_of(sent[0]) == 2);
    CHECK(number_of(sent[1]) == 3);
    CHECK(number_of(sent[2]) == 4);
    CHECK(number_of(sent[3]) == 9);
}

TEST_CASE("frames of ours wait five milliseconds for a port, not longer") {
    Rig r;
    r.fill_wire(kWan, 0);
    for (int i = 0; i < 100; ++i) r.inject(InjectClass::first, to(kWan0, true), numbered(1));
    r.turn(2);
    CHECK(r.count(Verdict::tx_refused) == 36);
    r.later(5'000'000);
    r.turn();
    CHECK(r.count(Verdict::tx_refused) == 100);
}

TEST_CASE("malformed injected frames are dropped") {
    Rig r;
    r.inject(InjectClass::first, to(kWan0, true), zeros(13));
    r.inject(InjectClass::rest, to(kWan0, true), ethernet(neighbor_mac(1), our_mac(kWan), 0x0800, zeros(1501)));
    r.turn();
    CHECK(r.count(Verdict::inject_bad) == 2);
    r.inject(InjectClass::rest, to(InterfaceId{500}, true), numbered(1));
    r.turn();
    CHECK(r.count(Verdict::egress_gone) == 1);
    CHECK(r.sent(kWan).empty());
}

TEST_CASE("more injected frames in a turn than a port's queue holds are dropped and counted") {
    Rig r;
    dataplane::WorkerSetup s;
    auto& f = r.forwarding();
    f.workers[0].transmit.clear();   // nobody empties the queues
    for (int i = 0; i < 250; ++i) r.inject(InjectClass::first, to(kWan0, true), numbered(1));
    r.turn(4);
    CHECK(r.count(Verdict::egress_full) == 250 - 192);
    f.workers[0].transmit = {kLan, kWan, kCh1, kCh2};
    r.turn();
    CHECK(r.sent(kWan).size() == 192);
}

TEST_CASE("bandwidth holds for transit in both directions and not for the host") {
    Rig r;
    auto sold = std::make_shared<dataplane::Policer>();
    sold->rate_bps = 8'000'000;   // an octet per microsecond
    sold->burst_octets = 6'000;
    r.forwarding().connections = {sold};
    r.forwarding().interfaces[kWan0.value].connection = 0;
    const auto offer = [&](PortId in, const Octets& frame, int n) {
        for (int i = 0; i < n; ++i) r.send(in, frame);
        r.turn();
    };
    offer(kLan, ip4({}), 200);
    r.turn(4);
    const auto out = r.sent(kWan).size();
    CHECK(out >= 100);
    CHECK(out <= 101);
    const Octets back =
        padded(ethernet(our_mac(kWan), neighbor_mac(1), 0x0800, Ipv4{.destination = "10.60.0.1"}.octets()));
    r.route("10.60.0.0/16", Leaf::make(LeafKind::group, 6));
    offer(kWan, back, 64);
    offer(kWan, back, 64);
    CHECK(r.sent(kLan).size() >= 100);   // the other direction has a bucket of its own
    CHECK(r.count(Verdict::policed) >= 120);
    for (int i = 0; i < 50; ++i) r.inject(InjectClass::rest, to(kWan0, true), numbered(1));
    r.inject(InjectClass::rest, to(kWan0, false), numbered(2, "10.10.0.2"));
    r.turn();
    CHECK(r.sent(kWan).size() == 50);    // transit that the kernel sent back pays
    r.later(60'000'000);
    sold->rate_bps = 0;
    offer(kLan, ip4({}), 64);
    CHECK(r.sent(kWan).size() == 64);
}
