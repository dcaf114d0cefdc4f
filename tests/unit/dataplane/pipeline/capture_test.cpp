// What a capture sees at each of its points, and that nothing else changes.
#include <malloc.h>

#include "dataplane/watch.h"
#include "tests/unit/catch.h"
#include "tests/unit/dataplane/pipeline/rig.h"

using namespace packet;
using namespace rig;
using dataplane::CapturePoint;
using dataplane::Crossing;
using dataplane::FrameRecord;
using dataplane::InjectClass;
using dataplane::RecordRing;

namespace {

std::uint16_t type_of(const Octets& o) { return static_cast<std::uint16_t>(o[12] << 8 | o[13]); }

struct Seen {
    FrameRecord record;
    Octets octets;
};

// A ring for each worker, in the rig's snapshot from construction on.
struct Capture {
    Capture(Rig& r, PortId port, CapturePoint point, std::uint32_t snaplen = 65535, std::size_t workers = 1,
            std::size_t ring = 1 << 18)
        : rig(r) {
        auto& watch = r.forwarding().watches.emplace_back();
        r.forwarding().watched = true;
        watch.port = port;
        watch.point = point;
        watch.in = watch.out = true;
        watch.snaplen = snaplen;
        for (std::size_t i = 0; i < workers; ++i) {
            rings.push_back(RecordRing::make(ring));
            watch.rings[i] = rings.back().get();
        }
    }
    std::vector<Seen> seen(bool out, std::size_t worker = 0) {
        std::vector<Seen> all;
        for (auto octets = rings[worker]->front(); !octets.empty(); octets = rings[worker]->front()) {
            Seen s;
            std::memcpy(&s.record, octets.data(), sizeof s.record);
            const auto* begin = octets.data() + sizeof s.record;
            s.octets.assign(begin, begin + s.record.captured);
            (s.record.out != 0) == out ? all.push_back(s) : others.push_back(s);
            rings[worker]->pop();
        }
        return all;
    }
    Rig& rig;
    std::vector<std::unique_ptr<RecordRing>> rings;
    std::vector<Seen> others;  // of the other direction
};

}  // namespace

TEST_CASE("received on a secured port: in clear before MACsec, 0x88e5 as received after it") {
    Rig r;
    Capture clear(r, kCh1, CapturePoint::clear), wire(r, kCh1, CapturePoint::wire);
    const Octets plain = from_peer({}), frame = r.protect(kCh1, plain);
    r.send(kCh1, frame);
    r.turn();
    const auto on_wire = wire.seen(false), in_clear = clear.seen(false);
    REQUIRE(on_wire.size() == 1);
    CHECK(on_wire[0].octets == frame);
    CHECK(type_of(on_wire[0].octets) == 0x88E5);
    REQUIRE(in_clear.size() == 1);
    CHECK(in_clear[0].octets == plain);
    CHECK(in_clear[0].record.length == plain.size());
    CHECK(wire.others.empty());
    CHECK(clear.others.empty());
    CHECK(r.sent(kWan).size() == 1);
}

TEST_CASE("transmitted on a secured port: its tags and plain text before MACsec, what the device gets after it") {
    Rig r;
    Capture clear(r, kCh1, CapturePoint::clear), wire(r, kCh1, CapturePoint::wire);
    r.send(kLan, from_host({.destination = "10.30.0.2"}));
    r.turn();
    const auto on_wire = wire.seen(true), in_clear = clear.seen(true);
    REQUIRE(in_clear.size() == 1);
    CHECK(in_clear[0].octets == octets_of(neighbor_mac(2)) + octets_of(our_mac(kCh1)) + tag(0x8100, 1101) +
                                    be16(0x0800) + Ipv4{.destination = "10.30.0.2", .ttl = 63}.octets());
    REQUIRE(on_wire.size() == 1);
    CHECK(on_wire[0].octets == r.sent(kCh1).at(0));
    CHECK(type_of(on_wire[0].octets) == 0x88E5);
    CHECK(clear.others.empty());
}

TEST_CASE("on a plain port both points see the frame itself, also one that is dropped later") {
    Rig r;
    Capture clear(r, kLan, CapturePoint::clear), wire(r, kWan, CapturePoint::wire), back(r, kWan, CapturePoint::clear);
    const Octets good = from_host({}), lost = from_host({.destination = "192.0.2.1"});
    r.send(kLan, good);
    r.send(kLan, lost);
    r.turn();
    const auto received = clear.seen(false);
    REQUIRE(received.size() == 2);
    CHECK(received[0].octets == good);
    CHECK(received[1].octets == lost);
    const auto sent = r.sent(kWan);
    const auto seen = wire.seen(true);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].octets == Octets(sent.at(0).begin(), sent[0].begin() + static_cast<long>(seen[0].record.length)));
    CHECK(back.seen(true).size() == 1);
    CHECK(r.count(Verdict::no_route) == 1);
}

TEST_CASE("what does not verify is on the wire and never in clear") {
    Rig r;
    Capture clear(r, kCh1, CapturePoint::clear), wire(r, kCh1, CapturePoint::wire);
    Octets bad = r.protect(kCh1, from_peer({}));
    bad[41] ^= 0xFF;
    r.send(kCh1, bad);
    r.send(kCh1, padded(from_peer({})));  // in clear, on a secured port
    r.turn();
    const auto on_wire = wire.seen(false);
    REQUIRE(on_wire.size() == 2);
    CHECK(on_wire[0].octets == bad);
    CHECK(clear.seen(false).empty());
    CHECK(r.count(Verdict::macsec_rx_not_valid) == 1);
}

TEST_CASE("without a usable SA the plain text is seen before protect, and nothing behind it") {
    Rig r;
    Capture clear(r, kCh1, CapturePoint::clear), wire(r, kCh1, CapturePoint::wire);
    r.forwarding().secys[0].transmit.sa = nullptr;
    r.send(kLan, from_host({.destination = "10.30.0.2"}));
    r.turn();
    CHECK(clear.seen(true).size() == 1);
    CHECK(wire.seen(true).empty());
    CHECK(r.count(Verdict::macsec_tx_no_sa) == 1);
}

TEST_CASE("a PDU of a KaY is on the wire in both directions, and is not taken for a frame in clear") {
    Rig r;
    Capture clear(r, kCh2, CapturePoint::clear), wire(r, kCh2, CapturePoint::wire);
    const auto group = mac("01:80:c2:00:00:03");
    const Octets rest = Octets{3, 5, 0, 32} + zeros(32);
    Crossing c;
    c.port = kCh2;
    c.secy = 1;
    r.inject(InjectClass::kay, c, padded(ethernet(group, our_mac(kCh2), 0x888E, rest)));
    const Octets theirs = padded(octets_of(group) + octets_of(neighbor_mac(3)) + tag(0x8100, 7) + be16(0x888E) + rest);
    r.send(kCh2, theirs);
    r.turn();
    const auto received = wire.seen(false);
    REQUIRE(received.size() == 1);
    CHECK(received[0].octets == theirs);
    REQUIRE(wire.others.size() == 1);
    CHECK(wire.others[0].octets == r.sent(kCh2).at(0));
    CHECK(clear.seen(false).empty());
    CHECK(clear.others.empty());
    CHECK(r.punted(dataplane::PuntClass::eapol).size() == 1);
}

TEST_CASE("snaplen cuts what is kept and the length stays, also of a frame in segments") {
    Rig r;
    Capture wire(r, kLan, CapturePoint::wire, 70);
    const Octets first = from_host({}), second = zeros(40, 0x5C);
    r.send(kLan, first + second);
    r.send_segments(kLan, first, second);
    r.turn();
    const auto seen = wire.seen(false);
    REQUIRE(seen.size() == 2);
    for (const auto& s : seen) {
        CHECK(s.record.length == 100);
        CHECK(s.octets == first + Octets(second.begin(), second.begin() + 10));
        CHECK(s.record.when != 0);
    }
}

TEST_CASE("a full ring drops of the capture, counts it, and forwarding does not notice") {
    Rig r;
    Capture wire(r, kLan, CapturePoint::wire, 65535, 1, 4096);
    for (int i = 0; i < 200; ++i) r.send(kLan, from_host({}));
    r.turn(4);
    const auto kept = wire.seen(false).size();
    CHECK(kept == wire.rings[0]->kept.get());
    CHECK(kept > 10);
    CHECK(kept + wire.rings[0]->dropped.get() == 200);
    CHECK(r.sent(kWan).size() == 200);
    r.send(kLan, from_host({}));
    r.turn();
    CHECK(wire.seen(false).size() == 1);
}

TEST_CASE("each worker writes a ring of its own, and without one it writes nothing") {
    Rig r(2);  // lan is worker 0's, the others worker 1's
    Capture lan(r, kLan, CapturePoint::wire, 65535, 2), ch1(r, kCh1, CapturePoint::wire, 65535, 2);
    r.forwarding().watches[0].rings[1] = nullptr;
    r.send(kLan, from_host({.destination = "10.30.0.2"}));
    r.turn(2);
    CHECK(lan.seen(false, 0).size() == 1);
    CHECK(lan.seen(false, 1).empty());
    CHECK(ch1.seen(true, 0).empty());
    CHECK(ch1.seen(true, 1).size() == 1);
}

TEST_CASE("on or off, a turn takes no memory and keeps no buffer") {
    Rig r;
    const auto traffic = [&] {
        for (int i = 0; i < 64; ++i) {
            r.send(kLan, from_host({.destination = "10.30.0.2"}));
            r.turn();
            r.open_wire(kCh1);
        }
        return mallinfo2().uordblks;
    };
    const auto off = traffic();
    CHECK(traffic() == off);
    Capture clear(r, kCh1, CapturePoint::clear), wire(r, kLan, CapturePoint::wire);
    const auto on = traffic();
    CHECK(traffic() == on);
    CHECK(wire.seen(false).size() == 128);  // and the rig sees at its end that every buffer is back
}
