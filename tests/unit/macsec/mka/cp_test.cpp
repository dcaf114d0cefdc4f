// The CP machine alone: its way, and the timed exit of every state.
#include "macsec/mka/cp.h"
#include "tests/unit/catch.h"

using namespace macsec;
using namespace macsec::mka;

namespace {

KeyIdentifier ki(std::uint32_t number) {
    KeyIdentifier key;
    key.server.octets[0] = 7;
    key.number = number;
    return key;
}

struct Machine {
    ControlledPortMachine cp{Timers{}};
    CpInput in{.secure = true, .why_not_secure = "no live peer", .elected_self = true};
    Time now{kSecond};
    std::vector<CpStep> done;

    std::vector<CpState> go() {
        std::vector<CpState> way;
        for (int i = 0; i < 20; ++i) {
            const auto t = cp.step(in, now, done);
            if (!t) return way;
            REQUIRE(t->from != t->to);
            REQUIRE_FALSE(t->reason.empty());
            way.push_back(t->to);
            // The answers of dataplane and peers belong to the latest key.
            if (t->to == CpState::receive) in.using_receive_sas = in.using_transmit_sa = in.all_receiving = false;
        }
        FAIL("no rest");
        return way;
    }
    bool did(CpOrder order, std::uint32_t number) const {
        return std::find(done.begin(), done.end(), CpStep{order, number == 0 ? KeyIdentifier{} : ki(number)}) !=
               done.end();
    }
    // To RETIRE with this SAK in use.
    void settle_with(std::uint32_t number, std::uint8_t an) {
        cp.distribute(ki(number), An{an});
        go();
        in.using_receive_sas = true;
        go();
        in.all_receiving = in.server_transmitting = true;
        go();
        in.using_transmit_sa = true;
        go();
        now += Timers{}.retire();
        go();
        REQUIRE(cp.state() == CpState::retire);
        REQUIRE(cp.old()->key == ki(number));
        REQUIRE_FALSE(cp.latest());
        done.clear();
    }
    // The deadline of the state, and where it leads.
    std::vector<CpState> wait(Time expected) {
        CHECK(cp.deadline() == now + expected);
        now += expected - 1;
        CHECK(go().empty());
        now += 1;
        return go();
    }
};

using S = CpState;

}  // namespace

TEST_CASE("the first SAK is received, transmitted at once, and opens the port") {
    Machine m;
    CHECK(m.go() == std::vector{S::change, S::secured});
    m.cp.distribute(ki(1), An{0});
    CHECK(m.go() == std::vector{S::receive});
    CHECK(m.done == std::vector{CpStep{CpOrder::install, ki(1)}, CpStep{CpOrder::start_receive, ki(1)}});
    CHECK_FALSE(m.cp.latest()->receives);
    m.in.using_receive_sas = true;
    CHECK(m.go() == std::vector{S::receiving, S::transmit});
    CHECK(m.cp.latest()->receives);
    CHECK_FALSE(m.cp.port_open());
    m.in.using_transmit_sa = true;
    CHECK(m.go() == std::vector{S::transmitting});
    CHECK(m.cp.port_open());
    CHECK(m.did(CpOrder::open, 0));
}

TEST_CASE("a key server leaves a working SAK when all receive with the new one, then retires it") {
    Machine m;
    m.go();
    m.settle_with(1, 0);
    m.cp.distribute(ki(2), An{1});
    CHECK(m.go() == std::vector{S::receive});
    m.in.using_receive_sas = true;
    CHECK(m.go() == std::vector{S::receiving});
    m.now += kSecond;
    CHECK(m.go().empty());
    m.in.all_receiving = true;
    CHECK(m.go() == std::vector{S::transmit});
    CHECK(m.cp.old()->transmits);
    m.in.using_transmit_sa = true;
    CHECK(m.go() == std::vector{S::transmitting});
    CHECK_FALSE(m.cp.old()->transmits);
    CHECK_FALSE(m.did(CpOrder::retire, 1));
    CHECK(m.wait(Timers{}.retire()) == std::vector{S::retire});
    CHECK(m.did(CpOrder::retire, 1));
    CHECK(m.cp.old()->key == ki(2));
    CHECK(m.cp.old()->transmits);
}

TEST_CASE("another member leaves a working SAK only when the key server transmits") {
    Machine m;
    m.in.elected_self = false;
    m.go();
    m.settle_with(1, 0);
    m.in.server_transmitting = false;
    m.cp.distribute(ki(2), An{1});
    m.go();
    m.in.using_receive_sas = m.in.all_receiving = true;
    CHECK(m.go() == std::vector{S::receiving, S::ready});
    m.now += kSecond;
    CHECK(m.go().empty());
    m.in.server_transmitting = true;
    CHECK(m.go() == std::vector{S::transmit});
}

TEST_CASE("every state but CHANGE and RETIRE is left by its deadline") {
    const Timers t;
    Machine m;
    m.go();
    CHECK(m.wait(t.patience()) == std::vector{S::change, S::secured});  // secure again at once
    m.settle_with(1, 0);
    CHECK(m.cp.deadline() == kNever);

    m.cp.distribute(ki(2), An{1});
    m.go();
    SECTION("RECEIVE, when the dataplane does not answer") {
        CHECK(m.wait(t.life()) == std::vector{S::abandon});
        CHECK(m.did(CpOrder::retire, 2));
        CHECK(m.cp.old()->key == ki(1));
        CHECK(m.wait(t.patience()) == std::vector{S::change, S::secured});
        CHECK(m.did(CpOrder::close, 0));
        CHECK(m.did(CpOrder::retire, 1));
    }
    SECTION("RECEIVING, when a member does not receive") {
        m.in.using_receive_sas = true;
        m.go();
        CHECK(m.wait(t.life()) == std::vector{S::transmit});
    }
    SECTION("READY, when the key server does not transmit") {
        m.in.elected_self = false;
        m.in.server_transmitting = false;
        m.in.using_receive_sas = true;
        m.go();
        REQUIRE(m.cp.state() == S::ready);
        CHECK(m.wait(t.patience()) == std::vector{S::abandon});
        CHECK(m.cp.old()->transmits);
        CHECK(m.cp.port_open());
    }
    SECTION("TRANSMIT, when the dataplane does not answer: the old SA transmits again") {
        m.in.using_receive_sas = m.in.all_receiving = true;
        m.go();
        REQUIRE(m.cp.state() == S::transmit);
        m.done.clear();
        CHECK(m.wait(t.life()) == std::vector{S::abandon});
        CHECK(m.done == std::vector{CpStep{CpOrder::start_transmit, ki(1)}, CpStep{CpOrder::retire, ki(2)}});
    }
}

TEST_CASE("an ABANDON without an older SAK closes what is not open and starts again") {
    Machine m;
    m.go();
    m.cp.distribute(ki(1), An{0});
    m.go();
    CHECK(m.wait(Timers{}.life()) == std::vector{S::abandon, S::change, S::secured});
    CHECK_FALSE(m.cp.latest());
}

TEST_CASE("a newer SAK takes the place of one that nobody transmits with") {
    Machine m;
    m.go();
    m.settle_with(1, 0);
    m.cp.distribute(ki(2), An{1});
    m.go();
    m.in.using_receive_sas = true;
    m.go();
    m.cp.distribute(ki(3), An{2});
    CHECK(m.go() == std::vector{S::abandon, S::receive});
    CHECK(m.did(CpOrder::retire, 2));
    CHECK(m.cp.old()->key == ki(1));
}

TEST_CASE("a SAK that comes while another is retired waits until that is done") {
    Machine m;
    m.go();
    m.settle_with(1, 0);
    m.cp.distribute(ki(2), An{1});
    m.go();
    m.in.using_receive_sas = m.in.all_receiving = m.in.using_transmit_sa = true;
    m.go();
    REQUIRE(m.cp.state() == S::transmitting);
    m.cp.distribute(ki(3), An{2});
    CHECK(m.go().empty());
    CHECK(m.wait(Timers{}.retire()) == std::vector{S::retire, S::receive});
    CHECK(m.cp.old()->key == ki(2));
}

TEST_CASE("nobody waits for SAK Retire Time when no live member holds the old SAK") {
    Machine m;
    m.go();
    m.settle_with(1, 0);
    m.cp.distribute(ki(2), An{1});
    m.go();
    m.in.using_receive_sas = m.in.all_receiving = m.in.using_transmit_sa = m.in.old_key_unneeded = true;
    CHECK(m.go() == std::vector{S::receiving, S::transmit, S::transmitting, S::retire});
}

TEST_CASE("an AN names one key: the old one goes first when a restarted key server chose its AN") {
    Machine m;
    m.go();
    m.settle_with(1, 2);
    m.cp.distribute(ki(9), An{2});
    m.go();
    CHECK(m.done == std::vector{CpStep{CpOrder::retire, ki(1)}, CpStep{CpOrder::install, ki(9)},
                                CpStep{CpOrder::start_receive, ki(9)}});
    m.in.using_receive_sas = true;
    CHECK(m.go() == std::vector{S::receiving, S::transmit});
}

TEST_CASE("from every state the port closes at once when there is nobody to be secure with") {
    for (int stop = 0; stop < 5; ++stop) {
        Machine m;
        m.go();
        m.settle_with(1, 0);
        m.in.using_receive_sas = m.in.using_transmit_sa = m.in.all_receiving = false;
        m.cp.distribute(ki(2), An{1});
        if (stop > 0) m.go();
        m.in.using_receive_sas = stop > 1;
        if (stop > 1) m.go();
        m.in.all_receiving = stop > 2;
        if (stop > 2) m.go();
        m.in.using_transmit_sa = stop > 3;
        if (stop > 3) m.go();
        m.in.secure = false;
        m.done.clear();
        CHECK(m.go() == std::vector{S::change});
        CHECK(m.done.front() == CpStep{CpOrder::close, {}});
        CHECK_FALSE(m.cp.port_open());
        CHECK_FALSE(m.cp.latest());
        CHECK_FALSE(m.cp.old());
        CHECK_FALSE(m.cp.pending());
    }
}

TEST_CASE("keep-last-sak holds the old SAK in ABANDON for as long as it takes") {
    Machine m;
    m.go();
    m.settle_with(1, 0);
    m.cp.distribute(ki(2), An{1});
    m.go();
    m.in.keep_old = true;
    CHECK(m.wait(Timers{}.life()) == std::vector{S::abandon});
    for (int i = 0; i < 5; ++i) CHECK(m.wait(Timers{}.patience()).empty());
    CHECK(m.cp.port_open());
    m.in.keep_old = false;
    CHECK(m.wait(Timers{}.patience()).front() == S::change);
}
