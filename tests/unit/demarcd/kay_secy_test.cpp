// Two KaySecYs on one event loop, the PDUs of one handed to the other: what they publish, and when.
#include "tools/demarcd/kay_secy.h"

#include <algorithm>
#include <functional>
#include <thread>

#include "tests/unit/catch.h"
#include "tools/demarcd/snapshot.h"

using namespace demarcd;
using namespace macsec;
using namespace std::chrono_literals;

namespace {

mka::Identity identity_of(std::uint8_t last) {
    mka::Identity identity;
    identity.sci = Sci{0x0200'0000'0000'0001u | std::uint64_t{last} << 16};
    identity.source = {2, 0, 0, 0, 0, last};
    return identity;
}

void counting_random(Octets octets) {
    static std::uint8_t next = 1;
    for (auto& octet : octets) octet = next += 7;
}

mka::Settings settings_with(std::uint8_t cak, std::uint8_t priority) {
    auto secret = SecretBuffer::create(16);
    REQUIRE(secret);
    std::ranges::fill(secret->writable(), cak);
    mka::Settings s;
    s.key_server_priority = priority;
    s.timers = {.hello_ms = 50, .bounded_hello_ms = 20, .life_ms = 150, .retire_ms = 60};
    s.keys.push_back({*mka::Ckn::from(std::vector<std::uint8_t>{1, 2, 3}),
                      std::make_shared<const SecretBuffer>(std::move(*secret)),
                      {},
                      {},
                      false});
    return s;
}

struct End {
    std::shared_ptr<KaySecY> kay;
    int published{};
};

struct Wire {
    EventLoop loop;
    End ends[2];
    bool cut{}, met{};
    int runs{};
    std::function<bool()> wanted;

    Wire() {
        loop.every(2ms, [this] {
            if (met || !wanted || !wanted()) return;
            met = true;
            loop.stop();
        });
        for (int i = 0; i < 2; ++i)
            ends[i].kay = std::make_shared<KaySecY>(identity_of(static_cast<std::uint8_t>(i + 1)), counting_random);
    }
    // A frame is handed over in a later turn, as a wire would; what is published is in force in a later turn, too.
    KayEffects effects(int i) {
        return {[this, i](ConstOctets frame) {
                    loop.after(0ms, [this, i, copy = std::vector(frame.begin(), frame.end())] {
                        if (!cut) ends[1 - i].kay->receive(copy);
                    });
                },
                [this, i] { ++ends[i].published; },
                [this](std::function<void()> then) { loop.after(1ms, std::move(then)); },
                [this](Clock::duration delay, std::function<void()> due) { loop.after(delay, std::move(due)); },
                [](const std::string&) {}};
    }
    void configure(std::uint8_t cak_of_second = 0x11) {
        REQUIRE(ends[0].kay->configure(settings_with(0x11, 1), effects(0)));
        REQUIRE(ends[1].kay->configure(settings_with(cak_of_second, 2), effects(1)));
    }
    // Runs until `done` or for at most `most`; true when done.
    bool run(std::function<bool()> done, std::chrono::milliseconds most = 900ms) {
        wanted = std::move(done);
        met = false;
        loop.after(most, [this, run_now = ++runs] {
            if (run_now == runs) loop.stop();
        });
        loop.run();
        wanted = nullptr;
        return met;
    }
    bool both_transmit() const { return ends[0].kay->encoding() && ends[1].kay->encoding(); }
};

}  // namespace

TEST_CASE("two KaYs agree, and each transmits with what the other receives") {
    Wire w;
    w.configure();
    REQUIRE(w.run([&] { return w.both_transmit(); }));
    for (int i = 0; i < 2; ++i) {
        const auto sent = w.ends[i].kay->encoding();
        const auto received = w.ends[1 - i].kay->receiving();
        REQUIRE(received.size() == 1);
        const auto& [key, sa] = *received.begin();
        CHECK(key.sci == w.ends[i].kay->identity().sci);
        CHECK(key.fingerprint == sent->fingerprint);
        CHECK(sa.sa->description.ssci == sent->sa->description.ssci);
        CHECK(sa.sa->description.salt == sent->sa->description.salt);
        CHECK(w.ends[i].published > 0);
        CHECK(sent->sa->pn_ceiling.load() != 0);  // no lease holds it back
    }
}

TEST_CASE("nothing transmits while the Controlled Port is closed") {
    Wire w;
    w.configure(0x22);
    CHECK_FALSE(w.run([&] { return w.ends[0].kay->encoding() || w.ends[1].kay->encoding(); }, 400ms));
    CHECK_FALSE(w.ends[0].kay->port_open());
    CHECK(w.ends[0].kay->status().why_not_secured.find("CAK") != std::string::npos);
}

TEST_CASE("a silent peer closes the port within MKA Life Time, and both come back by themselves") {
    Wire w;
    w.configure();
    REQUIRE(w.run([&] { return w.both_transmit(); }));
    const auto before = w.ends[0].kay->encoding()->fingerprint;
    w.cut = true;
    REQUIRE(w.run([&] { return !w.ends[0].kay->port_open() && !w.ends[1].kay->port_open(); }));
    CHECK_FALSE(w.ends[0].kay->encoding());
    CHECK(w.ends[0].kay->receiving().empty());
    w.cut = false;
    REQUIRE(w.run([&] { return w.both_transmit(); }));
    CHECK(w.ends[0].kay->encoding()->fingerprint != before);
}

TEST_CASE("when the peer's box is replaced, its SC goes and the new one's is the only SC") {
    Wire w;
    w.configure();
    REQUIRE(w.run([&] { return w.both_transmit(); }));
    LiveSecY live;
    live.kay = w.ends[0].kay;
    live.transmit_counters = std::make_shared<TransmitCounters>();
    live.receive_counters = std::make_shared<ReceiveSecYCounters>();
    const auto old_sci = w.ends[1].kay->identity().sci;
    w.ends[1].kay->stop();
    w.ends[1].kay = std::make_shared<KaySecY>(identity_of(3), counting_random);
    REQUIRE(w.ends[1].kay->configure(settings_with(0x11, 2), w.effects(1)));
    const auto scs = [&] { return secy_entry(dataplane::PortId{0}, live, 1546).receive_scs; };
    const auto new_one_alone = [&] {
        return scs().size() == 1 && scs()[0].sci == w.ends[1].kay->identity().sci && w.both_transmit();
    };
    CHECK(w.run(new_one_alone));
    CHECK(live.counters().contains(old_sci));
}

TEST_CASE("the operator's rekey changes the SAK of both, and only the key server makes one") {
    Wire w;
    w.configure();
    REQUIRE(w.run([&] { return w.both_transmit(); }));
    const auto before = w.ends[1].kay->encoding()->fingerprint;
    CHECK_FALSE(w.ends[1].kay->rekey());
    REQUIRE(w.ends[0].kay->rekey());
    REQUIRE(w.run([&] { return w.both_transmit() && w.ends[1].kay->encoding()->fingerprint != before; }));
    CHECK_FALSE(w.ends[0].kay->history().empty());
}

TEST_CASE("the history holds the last 64 transitions") {
    Wire w;
    w.configure();
    REQUIRE(w.run([&] { return w.both_transmit(); }));
    const auto& history = w.ends[0].kay->history();
    const mka::Time first = history.front().time;
    for (int i = 0; i < 40 && history.front().time == first; ++i) {
        const mka::Time last = history.back().time;
        (void)w.ends[0].kay->rekey();
        w.run([&] { return history.back().time > last; }, 100ms);
    }
    CHECK(history.front().time > first);
    CHECK(history.size() == 64);
}

TEST_CASE("a stopped KaY transmits no more and calls nobody") {
    Wire w;
    w.configure();
    REQUIRE(w.run([&] { return w.both_transmit(); }));
    const int published = w.ends[0].published;
    w.ends[0].kay->stop();
    CHECK_FALSE(w.ends[0].kay->encoding());
    CHECK(w.ends[0].kay->receiving().empty());
    w.run([] { return false; }, 100ms);
    CHECK(w.ends[0].published == published);
}

TEST_CASE("after a stop of the process, what has arrived is read before a deadline is acted upon") {
    std::vector<std::pair<Clock::duration, std::function<void()>>> timers;
    int sent = 0;
    const auto kay = std::make_shared<KaySecY>(identity_of(1), counting_random);
    REQUIRE(kay->configure(settings_with(0x11, 1), {[&](ConstOctets) { ++sent; }, [] {}, [](std::function<void()>) {},
                                                    [&](Clock::duration delay, std::function<void()> due) {
                                                        timers.emplace_back(delay, std::move(due));
                                                    },
                                                    [](const std::string&) {}}));
    REQUIRE(timers.size() == 1);
    const int before = sent;
    std::this_thread::sleep_for(timers[0].first + 550ms);
    timers[0].second();
    CHECK(sent == before);
    REQUIRE(timers.size() == 2);
    CHECK(timers[1].first > 50ms);
    std::this_thread::sleep_for(timers[1].first);
    timers[1].second();
    CHECK(sent > before);
}
