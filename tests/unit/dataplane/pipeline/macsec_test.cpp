// Secured ports: nothing in clear in either direction, in any circumstance.
#include <random>

#include "dataplane/inject.h"
#include "tests/unit/catch.h"
#include "tests/unit/dataplane/pipeline/rig.h"

using namespace packet;
using namespace rig;
using dataplane::Crossing;
using dataplane::InjectClass;
using dataplane::PuntClass;

namespace {

Octets eapol(const net::MacAddress& to = mac("01:80:c2:00:00:03"), const net::MacAddress& from = our_mac(kCh2)) {
    return padded(ethernet(to, from, 0x888E, Octets{3, 5, 0, 32} + zeros(32)));
}
Octets tagged7(const Octets& frame) {
    return Octets(frame.begin(), frame.begin() + 12) + tag(0x8100, 7) + Octets(frame.begin() + 12, frame.end());
}
Crossing of_kay(PortId port, std::uint16_t secy) {
    Crossing c;
    c.port = port;
    c.secy = secy;
    return c;
}
std::uint16_t type_at(const Octets& o, std::size_t at) { return static_cast<std::uint16_t>(o[at] << 8 | o[at + 1]); }

struct Damage {
    const char* description;
    std::size_t at;
    std::uint8_t value;
    Verdict verdict;
};
constexpr Damage kDamages[] = {
    {"version 1", 14, 0xAC, Verdict::macsec_rx_bad_tag_version},
    {"ES with SC", 14, 0x6C, Verdict::macsec_rx_bad_tag_es_sc},
    {"SCB with SC", 14, 0x3C, Verdict::macsec_rx_bad_tag_scb_sc},
    {"E without C", 14, 0x28, Verdict::macsec_rx_e_without_c},
    {"an AN without SA", 14, 0x2E, Verdict::macsec_rx_unused_an},
    {"not encrypted", 14, 0x20, Verdict::macsec_rx_not_encrypted},
    {"SL 48", 15, 48, Verdict::macsec_rx_bad_tag_short_length},
    {"another SCI", 27, 0xFF, Verdict::macsec_rx_unknown_sci},
    {"another ciphertext", 41, 0xFF, Verdict::macsec_rx_not_valid},
};

}  // namespace

TEST_CASE("transit leaves a secured port protected, with its tag inside, and opens at the other end") {
    Rig r;
    for (int i = 0; i < 3; ++i) r.send(kLan, from_host({.destination = "10.30.0.2"}));
    r.turn();
    const auto sent = r.sent(kCh1);
    REQUIRE(sent.size() == 3);
    for (const auto& frame : sent) {
        CHECK(type_at(frame, 12) == 0x88E5);
        const Octets expected = octets_of(neighbor_mac(2)) + octets_of(our_mac(kCh1)) + tag(0x8100, 1101) +
                                be16(0x0800) + Ipv4{.destination = "10.30.0.2", .ttl = 63}.octets();
        CHECK(r.open(kCh1, frame) == expected);
    }
    CHECK(r.our_sa(kCh1).next_pn == 4);
}

TEST_CASE("a clear tag stands before the SecTAG, and comes off on receipt") {
    Rig r;
    r.send(kLan, from_host({.destination = "10.40.0.2"}));
    r.turn();
    const auto sent = r.sent(kCh2);
    REQUIRE(sent.size() == 1);
    CHECK(type_at(sent[0], 12) == 0x8100);
    CHECK(type_at(sent[0], 14) == 7);
    CHECK(type_at(sent[0], 16) == 0x88E5);
    const Octets plain = ethernet(our_mac(kCh2), neighbor_mac(3), 0x0800, Ipv4{}.octets());
    r.send(kCh2, r.protect(kCh2, tagged7(plain)));
    r.turn();
    REQUIRE(r.sent(kWan).size() == 1);
    CHECK(dataplane::counters(r.worker(), kCh2Inside).in_packets.get() == 1);
}

TEST_CASE("what the peer protects is forwarded, and only once") {
    Rig r;
    const Octets frame = r.protect(kCh1, from_peer({}));
    r.send(kCh1, frame);
    r.send(kCh1, frame);
    r.turn();
    const auto sent = r.sent(kWan);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0] == padded(ethernet(neighbor_mac(1), our_mac(kWan), 0x0800, Ipv4{.ttl = 63}.octets())));
    CHECK(r.count(Verdict::macsec_rx_duplicate) == 1);
    r.send(kCh1, r.protect(kCh1, from_peer({}), 500));
    r.send(kCh1, r.protect(kCh1, from_peer({}), 100));
    r.turn();
    CHECK(r.count(Verdict::macsec_rx_late) == 1);
}

TEST_CASE("protected frames with malformed insides are dropped like any others") {
    Rig r;
    r.send(kCh1, r.protect(kCh1, from_peer({}, 1102)));
    r.send(kCh1, r.protect(kCh1, ethernet(our_mac(kCh1), neighbor_mac(2), 0x0800, Ipv4{}.octets())));
    r.turn();
    CHECK(r.count(Verdict::unknown_vlan) == 2);
}

TEST_CASE("every malformed SecTAG is dropped by name") {
    Rig r;
    const Octets good = r.protect(kCh1, from_peer({}));
    for (const Damage& d : kDamages) {
        INFO(d.description);
        Octets frame = good;
        frame[d.at] = d.value;
        r.send(kCh1, frame);
        r.turn();
        CHECK(r.count(d.verdict) == 1);
    }
    r.send(kCh1, Octets(good.begin(), good.begin() + 20));
    r.send(kCh1, Octets(good.begin(), good.begin() + 32));
    Octets zero_pn = good;
    std::fill(zero_pn.begin() + 16, zero_pn.begin() + 20, std::uint8_t{0});
    r.send(kCh1, zero_pn);
    r.turn();
    CHECK(r.count(Verdict::macsec_rx_bad_tag_short) == 1);
    CHECK(r.count(Verdict::macsec_rx_bad_tag_icv_short) == 1);
    CHECK(r.count(Verdict::macsec_rx_bad_tag_pn_zero) == 1);
    CHECK(r.counters().transmitted.get() + r.counters().punted.get() == 0);
}

TEST_CASE("a clear frame counts as InPktsNoTag of the SecY whose clear tags it has") {
    Rig r;
    const auto no_tag = [&](PortId port) {
        const auto& f = r.forwarding();
        return f.secys[f.ports[port.value].secys[0]].receive.counters->in_pkts_no_tag.get();
    };
    r.send(kCh1, from_peer({}));
    r.send(kCh2, tagged7(ethernet(our_mac(kCh2), neighbor_mac(3), 0x0800, Ipv4{}.octets())));
    r.send(kCh2, padded(ethernet(our_mac(kCh2), neighbor_mac(3), 0x0800, Ipv4{}.octets())));  // of no SecY there
    r.turn();
    CHECK(no_tag(kCh1) == 1);
    CHECK(no_tag(kCh2) == 1);
    CHECK(r.count(Verdict::secured_port_clear) == 3);
}

// classify decides these by itself, before any SecY is asked.
TEST_CASE("frames that never come to verify fare as the rows of the receive rules say") {
    using macsec::Fate, macsec::Finding, macsec::InPkts, macsec::ValidateFrames, macsec::decide;
    Rig r;
    const auto& secy = *r.forwarding().secys[r.forwarding().ports[kCh1.value].secys[0]].receive.counters;
    r.send(kCh1, from_peer({}));
    r.turn();
    const macsec::Decision strict = decide(ValidateFrames::strict, Finding::untagged, false, false);
    CHECK((r.count(Verdict::secured_port_clear) == 1) == (strict.fate == Fate::drop));
    CHECK((secy.in_pkts_no_tag.get() == 1) == (strict.counted == InPkts::no_tag));
    CHECK((secy.in_pkts_untagged.get() == 1) == (strict.counted == InPkts::untagged));
    CHECK(r.sent(kWan).empty());

    // A port without a secured SecY is a null one; its interfaces count what it delivers.
    r.send(kLan, from_host({}));
    r.turn();
    const macsec::Decision null = decide(ValidateFrames::null, Finding::untagged, false, false);
    CHECK((r.sent(kWan).size() == 1) == (null.fate == Fate::deliver));
    CHECK((dataplane::counters(r.worker(), kLan0).in_packets.get() == 1) == (null.counted == InPkts::untagged));
    Octets protected_frame = from_host({});
    protected_frame[12] = 0x88;
    protected_frame[13] = 0xE5;
    r.send(kLan, protected_frame);
    r.turn();
    for (int place = 0; place < 4; ++place)
        CHECK(decide(ValidateFrames::null, Finding::unchecked, (place & 2) != 0, (place & 1) != 0) ==
              macsec::Decision{Fate::drop, InPkts::none});
    CHECK(r.count(Verdict::unexpected_macsec) == 1);
    CHECK(r.sent(kWan).empty());
}

TEST_CASE("clear frames on a secured port are dropped, the usual ones by name") {
    Rig r;
    const auto other = mac("01:80:c2:00:00:0e");
    const std::pair<Octets, Verdict> cases[] = {
        {from_peer({}), Verdict::secured_port_clear},
        {padded(ethernet(our_mac(kCh1), neighbor_mac(2), 0x0806, zeros(28))), Verdict::secured_port_clear},
        {padded(ethernet(other, neighbor_mac(2), 0x88CC, zeros(46))), Verdict::secured_port_lldp},
        {padded(ethernet(other, neighbor_mac(2), 0x8809, zeros(46))), Verdict::secured_port_lacp},
        {padded(ethernet(other, neighbor_mac(2), 0x88F7, zeros(46))), Verdict::secured_port_ptp},
        {tagged7(padded(ethernet(other, neighbor_mac(2), 0x88F7, zeros(46)))), Verdict::secured_port_ptp},
        {tagged7(r.protect(kCh1, from_peer({}))), Verdict::secured_port_clear},
        {eapol(), Verdict::unexpected_eapol},
        {zeros(14), Verdict::secured_port_clear},
    };
    for (const auto& [frame, verdict] : cases) {
        const auto before = r.count(verdict);
        r.send(kCh1, frame);
        r.turn();
        CHECK(r.count(verdict) == before + 1);
    }
    Octets others_frame = r.protect(kCh1, from_peer({}));
    others_frame[5] ^= 1;
    r.send(kCh1, others_frame);
    r.turn();
    CHECK(r.count(Verdict::not_our_mac) == 1);
    CHECK(r.counters().transmitted.get() + r.counters().punted.get() == 0);
}

TEST_CASE("EAPOL behind exactly the clear tags and to the configured address reaches the KaY without them") {
    Rig r;
    const Octets pdu = eapol(mac("01:80:c2:00:00:03"), neighbor_mac(3));
    r.send(kCh2, tagged7(pdu));
    r.send(kCh2, pdu);                                             // no tag
    r.send(kCh2, tagged7(eapol(our_mac(kCh2), neighbor_mac(3))));  // another address
    r.turn();
    const auto punted = r.punted(PuntClass::eapol);
    REQUIRE(punted.size() == 1);
    CHECK(punted[0].frame == pdu);
    CHECK(punted[0].crossing.port == kCh2);
    CHECK(punted[0].crossing.secy == 1);
    CHECK(punted[0].crossing.reason == Verdict::punt_eapol);
    CHECK(r.count(Verdict::secured_port_clear) == 1);
    CHECK(r.count(Verdict::unexpected_eapol) == 1);
}

TEST_CASE("a PDU of the KaY leaves before all else, behind its clear tags, unprotected") {
    Rig r;
    r.send(kLan, from_host({.destination = "10.40.0.2"}));
    r.inject(InjectClass::kay, of_kay(kCh2, 1), eapol());
    r.turn();
    const auto sent = r.sent(kCh2);
    REQUIRE(sent.size() == 2);
    CHECK(sent[0] == tagged7(eapol()));
    CHECK(type_at(sent[1], 16) == 0x88E5);
}

TEST_CASE("the way around protect accepts nothing but a PDU of that KaY") {
    Rig r;
    Octets short_pdu = eapol(), not_mka = eapol();
    short_pdu.resize(17);
    not_mka[15] = 0;
    const std::pair<const char*, std::pair<Crossing, Octets>> cases[] = {
        {"IPv4", {of_kay(kCh2, 1), padded(ethernet(mac("01:80:c2:00:00:03"), our_mac(kCh2), 0x0800, Ipv4{}.octets()))}},
        {"another destination", {of_kay(kCh2, 1), eapol(neighbor_mac(3))}},
        {"another source", {of_kay(kCh2, 1), eapol(mac("01:80:c2:00:00:03"), kHostMac)}},
        {"a tag before EAPOL", {of_kay(kCh2, 1), tagged7(eapol())}},
        {"EAP, not MKA", {of_kay(kCh2, 1), not_mka}},
        {"a PDU cut off", {of_kay(kCh2, 1), short_pdu}},
        {"a SecY without KaY", {of_kay(kCh1, 0), eapol(mac("01:80:c2:00:00:03"), our_mac(kCh1))}},
        {"a SecY of another port", {of_kay(kCh1, 1), eapol()}},
        {"no SecY", {of_kay(kCh2, 0xFFFF), eapol()}},
    };
    for (const auto& [description, what] : cases) {
        INFO(description);
        const auto before = r.count(Verdict::inject_bad);
        r.inject(InjectClass::kay, what.first, what.second);
        r.turn();
        CHECK(r.count(Verdict::inject_bad) == before + 1);
    }
    CHECK(r.sent(kCh2).empty());
    CHECK(r.sent(kCh1).empty());
    // EAPOL from the kernel is data like any other: protected.
    Crossing from_kernel;
    from_kernel.interface = kCh2Inside;
    from_kernel.from_host = true;
    r.inject(InjectClass::first, from_kernel, eapol());
    r.turn();
    const auto sent = r.sent(kCh2);
    REQUIRE(sent.size() == 1);
    CHECK(type_at(sent[0], 16) == 0x88E5);
}

TEST_CASE("what is no PDU is stopped twice: when it is injected, and again by the protect stage alone") {
    Rig r;
    const Octets data = padded(ethernet(mac("01:80:c2:00:00:03"), our_mac(kCh2), 0x0800, Ipv4{}.octets()));
    dataplane::Meta meta;
    meta.kay = true;
    meta.secy = 1;
    CHECK(r.protect_stage(kCh2, meta, tagged7(data)) == Verdict::inject_bad);
    CHECK(r.protect_stage(kCh2, meta, eapol()) == Verdict::inject_bad);  // without its clear tag
    CHECK(r.protect_stage(kCh2, meta, tagged7(eapol())) == Verdict::forward);
    r.forwarding().workers[0].transmit.clear();  // so that only inject sees it
    r.inject(InjectClass::kay, of_kay(kCh2, 1), data);
    r.turn();
    CHECK(r.count(Verdict::inject_bad) == 1);
}

TEST_CASE("while a port refuses frames of ours, transit is dropped before it costs a packet number") {
    Rig r;
    Crossing ours;
    ours.interface = kCh1Inside;
    ours.from_host = true;
    r.fill_wire(kCh1, 0);
    r.inject(InjectClass::first, ours, ethernet(neighbor_mac(2), our_mac(kCh1), 0x0800, Ipv4{}.octets()));
    for (int i = 0; i < 3; ++i) r.send(kLan, from_host({.destination = "10.30.0.2"}));
    r.turn();
    CHECK(r.count(Verdict::tx_refused) == 3);
    CHECK(r.our_sa(kCh1).next_pn == 2);
    r.open_wire(kCh1);
    r.turn();
    const auto sent = r.sent(kCh1);
    REQUIRE(sent.size() == 1);
    CHECK_FALSE(r.open(kCh1, sent[0]).empty());
}

TEST_CASE("frames held for a full port are freed and counted when a reload removes the port") {
    Rig r;
    Crossing ours;
    ours.interface = kCh1Inside;
    ours.from_host = true;
    r.fill_wire(kCh1, 0);
    for (int i = 0; i < 3; ++i)
        r.inject(InjectClass::first, ours, ethernet(neighbor_mac(2), our_mac(kCh1), 0x0800, Ipv4{}.octets()));
    r.turn();
    REQUIRE(dataplane::frames_in_rings(r.worker()) == 3);
    auto& f = r.forwarding();
    f.ports[kCh1.value].present = false;
    f.interfaces[kCh1Inside.value].present = false;
    std::erase(f.workers[0].receive, kCh1);
    std::erase(f.workers[0].transmit, kCh1);
    r.publish();
    r.turn();
    CHECK(dataplane::frames_in_rings(r.worker()) == 0);
    CHECK(r.count(Verdict::port_down) == 3);
    r.open_wire(kCh1);
    CHECK(r.sent(kCh1).empty());
}

TEST_CASE("a frame held while its port was plain does not leave once the port is secured") {
    Rig r;
    r.fill_wire(kWan, 0);
    Crossing ours;
    ours.interface = kWan0;
    ours.from_host = true;
    r.inject(InjectClass::first, ours, padded(ethernet(neighbor_mac(2), our_mac(kWan), 0x0806, zeros(28))));
    r.turn();
    REQUIRE(dataplane::frames_in_rings(r.worker()) == 1);
    auto& f = r.forwarding();
    f.ports[kWan.value].secured = true;
    f.ports[kWan.value].secys = {0};
    f.ports[kWan.value].inside.resize(1);
    f.secys[0].port = kWan;
    f.secys[0].transmit.sa = nullptr;
    f.interfaces[kWan0.value].secy = 0;
    r.publish();
    r.open_wire(kWan);
    r.turn();
    CHECK(r.sent(kWan).empty());
    CHECK(r.count(Verdict::secured_port_clear) == 1);
}

TEST_CASE("a configuration that calls IPv4 EAPOL lets nothing around protect") {
    Rig r;
    for (const unsigned type : {0x0800u, 0x86DDu, 0x0806u, 0x8100u, 0x88A8u, 0x88E5u}) {
        auto& secy = r.forwarding().secys[1];
        secy.eapol_ethertype = static_cast<std::uint16_t>(type);
        const Octets frame = padded(ethernet(secy.eapol_destination, our_mac(kCh2), type, Octets{3, 5, 0, 0}));
        CHECK_FALSE(dataplane::is_kay_pdu(secy, our_mac(kCh2), frame, 0));
    }
    auto random_pdu = [generator = std::mt19937{7}]() mutable {
        Octets o(60);
        for (auto& octet : o) octet = static_cast<std::uint8_t>(generator());
        return o;
    };
    r.forwarding().secys[1].eapol_ethertype = 0x888E;
    for (int i = 0; i < 100'000; ++i)
        REQUIRE_FALSE(dataplane::is_kay_pdu(r.forwarding().secys[1], our_mac(kCh2), random_pdu(), 0));
}

TEST_CASE("without a usable SA nothing leaves a secured port, and the reason is counted") {
    Rig r;
    const auto send = [&] {
        r.send(kLan, from_host({.destination = "10.30.0.2"}));
        r.turn();
        CHECK(r.sent(kCh1).empty());
    };
    r.our_sa(kCh1).pn_ceiling = 1;
    send();
    CHECK(r.count(Verdict::macsec_tx_lease_ceiling) == 1);
    r.our_sa(kCh1).pn_ceiling = ~std::uint64_t{0};
    r.our_sa(kCh1).next_pn = macsec::pn_end(macsec::CipherSuite::gcm_aes_xpn_256);
    send();
    CHECK(r.count(Verdict::macsec_tx_pn_exhausted) == 1);
    r.forwarding().secys[0].transmit.sa = nullptr;
    send();
    CHECK(r.count(Verdict::macsec_tx_no_sa) == 1);
    // Wrong snapshots fail closed too: an interface without SecY, or with another port's, on a secured port.
    r.forwarding().interfaces[kCh1Inside.value].secy = 0xFFFF;
    send();
    r.forwarding().interfaces[kCh1Inside.value].secy = 1;
    send();
    CHECK(r.count(Verdict::macsec_tx_no_sa) == 3);
}

TEST_CASE("frames that are too long to protect, or have no room for it, are dropped") {
    Rig r;
    r.forwarding().interfaces[kCh1Inside.value].mtu = 9000;
    r.send(kLan, from_host({.destination = "10.30.0.2", .payload = zeros(2130)}));
    r.turn();
    CHECK(r.count(Verdict::macsec_tx_no_room) == 1);
    r.forwarding().secys[0].transmit.max_octets = 500;
    r.send(kLan, from_host({.destination = "10.30.0.2", .payload = zeros(600)}));
    r.turn();
    CHECK(r.count(Verdict::macsec_tx_too_long) == 1);
    CHECK(r.sent(kCh1).empty());
}

TEST_CASE("a secured port without SAs fails closed: of 100,000 hostile frames none leaves, none reaches the host") {
    Rig r;
    r.forwarding().secys[0].receive_scs[0].sa = {};
    r.forwarding().secys[0].transmit.sa = nullptr;
    r.forwarding().secys[0].receive.scs = r.forwarding().secys[0].receive_scs;
    std::mt19937 generator{42};
    const Octets good = r.protect(kCh1, from_peer({.destination = "10.10.0.1"}));
    for (int i = 0; i < 100'000; ++i) {
        Octets frame = i % 3 == 0 ? good : from_peer({.destination = i % 2 ? "10.10.0.1" : "10.20.0.2"});
        if (i % 3 == 1) {
            frame.resize(14 + generator() % 200);
            for (std::size_t k = i % 5 ? 14 : 0; k < frame.size(); ++k)
                frame[k] = static_cast<std::uint8_t>(generator());
        }
        for (int k = 0; k < 3 && i % 3 == 0; ++k)
            frame[12 + generator() % (frame.size() - 12)] = static_cast<std::uint8_t>(generator());
        r.send(kCh1, frame);
        if (i % 64 == 63) r.turn();
    }
    r.turn(2);
    CHECK(r.counters().received.get() == 100'000);
    CHECK(r.counters().transmitted.get() == 0);
    CHECK(r.counters().punted.get() == 0);
}

TEST_CASE("hostile insides, protected with the right key, never crash the router") {
    Rig r;
    std::mt19937 generator{43};
    for (int i = 0; i < 20'000; ++i) {
        Octets frame = from_peer({});
        frame.resize(14 + generator() % 150);
        for (std::size_t k = i % 4 == 0 ? 12 : i % 4 == 1 ? 16 : 18; k < frame.size(); ++k)
            frame[k] = static_cast<std::uint8_t>(generator());
        r.send(kCh1, r.protect(kCh1, frame));
        if (i % 64 == 63) {
            r.turn();
            r.sent(kWan);
            for (auto c : {PuntClass::other, PuntClass::arp_nd}) r.punted(c);
        }
    }
    r.turn();
    CHECK(r.counters().received.get() == 20'000);
}
