// A trace tells what every stage said, in order, to the frames it was asked for and to no others.
#include <malloc.h>

#include "dataplane/trace.h"
#include "tests/unit/catch.h"
#include "tests/unit/dataplane/pipeline/rig.h"

using namespace packet;
using namespace rig;
using dataplane::LeafKind;
using dataplane::RecordRing;
using dataplane::Stage;
using dataplane::TraceRecord;
using dataplane::TraceStep;

namespace {

struct Told {
    std::uint32_t frame;
    std::vector<TraceStep> steps;
};

struct Tracing {
    Tracing(Rig& r, PortId port, std::uint32_t frames = 10, std::size_t workers = 1) {
        auto& f = r.forwarding();
        f.watched = true;
        f.trace.port = port;
        f.trace.mark = dataplane::trace_mark().value();
        for (std::size_t i = 0; i < workers; ++i) {
            rings.push_back(RecordRing::make(1 << 18));
            notes.push_back(dataplane::make_trace_notes({static_cast<std::uint8_t>(i)}, frames));
            f.trace.rings[i] = rings.back().get();
            f.trace.notes[i] = notes.back().get();
        }
    }
    std::vector<Told> told(std::size_t worker = 0) {
        std::vector<Told> all;
        for (auto octets = rings[worker]->front(); !octets.empty(); octets = rings[worker]->front()) {
            TraceRecord record;
            std::memcpy(&record, octets.data(), sizeof record);
            Told t{record.frame, std::vector<TraceStep>(record.steps)};
            std::memcpy(t.steps.data(), octets.data() + sizeof record, record.steps * sizeof(TraceStep));
            all.push_back(t);
            rings[worker]->pop();
        }
        return all;
    }
    std::vector<std::unique_ptr<RecordRing>> rings;
    std::vector<dataplane::TraceNotesPtr> notes;
};

std::vector<Stage> stages_of(const Told& t) {
    std::vector<Stage> stages;
    for (const auto& s : t.steps) stages.push_back(s.stage);
    return stages;
}
const std::vector<Stage> kIngress{Stage::receive, Stage::classify, Stage::verify,  Stage::pop_vlan,
                                  Stage::route,   Stage::police,   Stage::rewrite, Stage::hand_over};

}  // namespace

TEST_CASE("a frame that passes: eight ingress stages, then the egress ones, with what each learned") {
    Rig r;
    Tracing t(r, kCh1);
    const Octets frame = r.protect(kCh1, from_peer({.destination = "10.40.0.2"}), 17);
    r.send(kCh1, frame);
    r.turn();
    const auto told = t.told();
    REQUIRE(told.size() == 4);
    CHECK(stages_of(told[0]) == kIngress);
    const auto& s = told[0].steps;
    CHECK((s[0].octets == frame.size() && s[0].type == 0x88E5 && s[0].port == kCh1));
    CHECK((s[2].has_sectag && s[2].pn == 17 && s[2].an.value == 0 && s[2].octets == frame.size() - 32));
    CHECK(s[2].sci.value == (our_mac(kCh1).number() << 16 | 2));
    CHECK(s[3].interface == kCh1Inside);
    CHECK(s[4].destination == ip("10.40.0.2"));
    CHECK((s[4].looked_up && s[4].leaf.kind() == LeafKind::group && s[4].leaf.index() == 3));
    CHECK((s[4].next_hop.value == 3 && s[4].mac == neighbor_mac(3).number() && s[4].interface == kCh2Inside));
    CHECK((s[7].port == kCh2 && s[7].to.value == 0));
    for (std::size_t i = 1; i < 4; ++i) {
        CHECK(told[i].frame == told[0].frame);
        REQUIRE(told[i].steps.size() == 1);
        CHECK(told[i].steps[0].verdict == Verdict::forward);
        CHECK(told[i].steps[0].port == kCh2);
    }
    CHECK(told[1].steps[0].stage == Stage::push_vlan);
    const auto& protect = told[2].steps[0];
    CHECK((protect.stage == Stage::protect && protect.has_sectag && protect.pn == 1));
    CHECK(protect.sci.value == (our_mac(kCh2).number() << 16 | 1));
    CHECK(told[3].steps[0].stage == Stage::transmit);
    CHECK(r.sent(kCh2).size() == 1);
}

TEST_CASE("a frame that is dropped: the last line is the stage that dropped it, and why") {
    Rig r;
    Tracing t(r, kLan);
    r.send(kLan, from_host({.destination = "192.0.2.1"}));
    r.send(kLan, from_host({.destination = "10.10.0.1", .protocol = 1}));
    r.send(kLan, padded(ethernet(mac("02:77:00:00:00:01"), kHostMac, 0x0800, Ipv4{}.octets())));
    r.turn();
    const auto told = t.told();
    REQUIRE(told.size() == 3);
    CHECK((told[0].steps.back().stage == Stage::classify && told[0].steps.back().verdict == Verdict::not_our_mac));
    CHECK((told[1].steps.back().stage == Stage::route && told[1].steps.back().verdict == Verdict::no_route));
    CHECK(told[1].steps.back().destination == ip("192.0.2.1"));
    CHECK((told[2].steps.back().stage == Stage::route && told[2].steps.back().verdict == Verdict::punt_local));
    r.punted(dataplane::PuntClass::other);
}

TEST_CASE("from worker to worker the number goes with the frame") {
    Rig r(2);
    Tracing t(r, kLan, 10, 2);
    r.send(kLan, from_host({.destination = "10.30.0.2"}));
    r.turn(2);
    const auto in = t.told(0), out = t.told(1);
    REQUIRE(in.size() == 1);
    CHECK(in[0].steps.back().to.value == 1);
    REQUIRE(out.size() == 3);
    for (const auto& o : out) CHECK((o.frame == in[0].frame && o.steps[0].worker.value == 1));
}

TEST_CASE("only so many frames, only of the port, and frames of control are none of them") {
    Rig r;
    Tracing t(r, kLan, 3);
    for (int i = 0; i < 10; ++i) r.send(kLan, from_host({}));
    r.send(kWan, padded(ethernet(our_mac(kWan), kHostMac, 0x0800, Ipv4{.destination = "10.30.0.2"}.octets())));
    dataplane::Crossing c;
    c.interface = kWan0;
    c.from_host = true;
    r.inject(dataplane::InjectClass::first, c, from_host({}));
    r.turn(3);
    CHECK(t.told().size() == 3 * 4);
    CHECK(r.sent(kWan).size() == 11);
}

TEST_CASE("with a filter only what it names is told, however many frames pass") {
    Rig r;
    Tracing t(r, kLan, 2);
    r.forwarding().trace.drops_only = true;
    for (int i = 0; i < 300; ++i) {
        r.send(kLan, from_host({}));
        if (i % 64 == 63) r.turn();
    }
    r.send(kLan, from_host({.destination = "10.10.0.1", .protocol = 1}));  // to the host: no drop
    for (int i = 0; i < 3; ++i) r.send(kLan, from_host({.destination = "192.0.2.1"}));
    r.turn(3);
    auto told = t.told();
    REQUIRE(told.size() == 2);
    CHECK(told[0].steps.size() == 5);
    CHECK(told[0].steps.back().verdict == Verdict::no_route);
    Tracing other(r, kLan, 2);
    r.forwarding().trace.drops_only = false;
    r.forwarding().trace.only = Verdict::punt_ttl;
    r.send(kLan, from_host({.destination = "192.0.2.1"}));
    r.send(kLan, from_host({.ttl = 1}));
    r.turn();
    told = other.told();
    REQUIRE(told.size() == 1);
    CHECK(told[0].steps.back().verdict == Verdict::punt_ttl);
    r.punted(dataplane::PuntClass::other);
}

TEST_CASE("what protect and the device refuse is told, with a filter too") {
    Rig r;
    r.forwarding().secys[0].transmit.sa = nullptr;
    Tracing t(r, kLan);
    r.send(kLan, from_host({.destination = "10.30.0.2"}));
    r.turn();
    auto told = t.told();
    REQUIRE(told.size() == 3);
    CHECK((told[2].steps[0].stage == Stage::protect && told[2].steps[0].verdict == Verdict::macsec_tx_no_sa));
    r.forwarding().trace.drops_only = true;
    r.send(kLan, from_host({.destination = "10.30.0.2"}));
    r.fill_wire(kWan, 2);
    for (int i = 0; i < 5; ++i) r.send(kLan, from_host({}));
    r.turn();
    told = t.told();
    REQUIRE(told.size() == 4);
    std::size_t refused = 0;
    for (const auto& one : told) refused += one.steps.at(0).verdict == Verdict::tx_refused ? 1 : 0;
    CHECK(refused == 3);
    CHECK(r.count(Verdict::tx_refused) == 3);
}

TEST_CASE("a trace takes no memory a turn, and leaves no mark behind") {
    Rig r;
    const auto traffic = [&] {
        for (int i = 0; i < 64; ++i) {
            r.send(kLan, from_host({.destination = "10.30.0.2"}));
            r.send(kLan, from_host({.destination = "192.0.2.1"}));
            r.turn();
            r.open_wire(kCh1);
        }
        return mallinfo2().uordblks;
    };
    Tracing t(r, kLan, 100'000);
    const auto before = traffic();
    CHECK(traffic() == before);
    CHECK(t.rings[0]->kept.get() + t.rings[0]->dropped.get() == 128 * 5);
    Tracing again(r, kWan);
    traffic();
    CHECK(again.told().empty());
}
