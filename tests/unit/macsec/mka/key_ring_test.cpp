// CAKs that come and go: the ring alone, and under traffic.
#include "macsec/mka/key_ring.h"

#include "tests/unit/macsec/mka/pair.h"

using namespace macsec;
using namespace macsec::mka;
using namespace macsec::mka::test;

namespace {

constexpr std::int64_t kDay = 86'400;

std::vector<KeyState> judge(const std::vector<RingKey>& keys, std::vector<KeyInUse> use, std::int64_t wall,
                            bool hard = false) {
    use.resize(keys.size());
    return judge_keys(keys, use, wall, hard);
}

// Names of the CKNs that speak.
std::string speaking(const KayStatus& status) {
    std::string out;
    for (const ParticipantStatus& p : status.participants)
        if (p.speaks) out += static_cast<char>('0' + p.ckn.octets[1]);
    return out;
}
char principal(const KayStatus& status) {
    for (const ParticipantStatus& p : status.participants)
        if (p.principal) return static_cast<char>('0' + p.ckn.octets[1]);
    return '-';
}

using K = KeyState;

}  // namespace

TEST_CASE("keys start and end by the wall clock, and overlap") {
    const std::vector<RingKey> keys{ring_key(1, 100, 200), ring_key(2, 150, 300), ring_key(3, 400), fallback_key(9)};
    CHECK(judge(keys, {}, 99) == std::vector{K::not_started, K::not_started, K::not_started, K::standby});
    CHECK(judge(keys, {}, 100) == std::vector{K::active, K::not_started, K::not_started, K::standby});
    CHECK(judge(keys, {}, 150) == std::vector{K::active, K::active, K::not_started, K::standby});
    CHECK(judge(keys, {}, 200) == std::vector{K::ended, K::active, K::not_started, K::standby});
    CHECK(judge(keys, {}, 400) == std::vector{K::ended, K::ended, K::active, K::standby});
    CHECK(next_turn(keys, 99) == 1);
    CHECK(next_turn(keys, 160) == 40);
    CHECK_FALSE(next_turn(keys, 400));
}

TEST_CASE("the last key does not end, unless it is told to") {
    const std::vector<RingKey> keys{ring_key(1, 100, 200), ring_key(2, 150, 300)};
    CHECK(judge(keys, {{}, {true, true}}, 301) == std::vector{K::ended, K::kept});
    CHECK(judge(keys, {{}, {true, false}}, 301) == std::vector{K::ended, K::kept});
    CHECK(judge(keys, {}, 301) == std::vector{K::ended, K::kept});  // after a restart: the one that ended last
    CHECK(judge(keys, {{}, {true, true}}, 301, true) == std::vector{K::ended, K::ended});
    CHECK(judge(keys, {}, 301, true) == std::vector{K::ended, K::ended});
}

TEST_CASE("a wall clock that steps neither drops the key in use nor starts all") {
    std::vector<RingKey> keys;
    for (std::uint8_t i = 0; i < 5; ++i) keys.push_back(ring_key(i, 1000 + i * 60, 1120 + i * 60));
    const std::vector<KeyInUse> use{{}, {true, true}, {true, false}, {}, {}};
    for (const std::int64_t wall : {1130 - kDay, 1130 + kDay}) {
        const auto states = judge(keys, use, wall);
        CHECK(states[1] == K::kept);
        for (const int other : {0, 2, 3, 4}) CHECK_FALSE(speaks(states[static_cast<std::size_t>(other)]));
    }
    // Without a peer at that moment, all that spoke go on.
    const auto alone = judge(keys, {{}, {true, false}, {true, false}, {}, {}}, 1130 + kDay);
    CHECK(alone == std::vector{K::ended, K::kept, K::kept, K::ended, K::ended});
    // And a key is not used before its start.
    CHECK(judge(keys, {}, 1) == std::vector(5, K::not_started));
}

TEST_CASE("of keys whose times a step of the clock began only the newest starts while another carries") {
    std::vector<RingKey> keys;
    for (std::uint8_t i = 0; i < 5; ++i) keys.push_back(ring_key(i, 1000 + i * 3600, 1000 + i * 3600 + 30 * kDay));
    const KeyInUse begun{.by_step = true};
    const std::vector<KeyInUse> use{{true, true, false, true}, begun, begun, begun, begun};
    CHECK(judge(keys, use, 1100 + kDay) == std::vector{K::active, K::held, K::held, K::held, K::active});
    // Without a peer they are all tried.
    CHECK(judge(keys, {{true, false, false, false}, begun, begun, begun, begun}, 1100 + kDay) ==
          std::vector(5, K::active));
    // A step back brings no older key to life.
    CHECK(judge(keys, {begun, {true, true, false, true}}, 1100) ==
          std::vector{K::held, K::kept, K::not_started, K::not_started, K::not_started});
}

TEST_CASE("a key that speaks goes on beyond its end until another key carries") {
    const std::vector<RingKey> keys{ring_key(1, 100, 200), ring_key(2, 150, 300), fallback_key(9)};
    const KeyInUse speaks{true, false, false, false}, carries{true, true, false, true};
    CHECK(judge(keys, {speaks, speaks, speaks}, 250) == std::vector{K::kept, K::active, K::standby});
    CHECK(judge(keys, {speaks, speaks, carries}, 250) == std::vector{K::kept, K::active, K::standby});
    CHECK(judge(keys, {speaks, carries, speaks}, 250) == std::vector{K::ended, K::active, K::standby});
    CHECK(judge(keys, {speaks, speaks, speaks}, 250, true) == std::vector{K::ended, K::active, K::standby});
}

TEST_CASE("a key that a step took out of its times goes on while it has a live peer") {
    const std::vector<RingKey> keys{ring_key(1, 100, 200), ring_key(2, 150, 300)};
    const KeyInUse stepped{true, false, true, true}, passed{true, false, false, true}, carries{true, true, false, true};
    CHECK(judge(keys, {stepped, carries}, 250) == std::vector{K::kept, K::active});
    CHECK(judge(keys, {passed, carries}, 250) == std::vector{K::ended, K::active});
    CHECK(judge(keys, {stepped, carries}, 250, true) == std::vector{K::ended, K::active});
    CHECK(judge(keys, {{true, false, true, false}, carries}, 250) == std::vector{K::ended, K::active});
}

TEST_CASE("while no key carries one that a step took out of its times comes back when it is heard") {
    const std::vector<RingKey> keys{ring_key(1, 100, 200), ring_key(2, 150, 300), fallback_key(9)};
    const KeyInUse heard{.by_step = true, .heard = true}, speaks{.speaks = true};
    const KeyInUse carries{.speaks = true, .carries = true};
    CHECK(judge(keys, {speaks, heard}, 120) == std::vector{K::active, K::kept, K::standby});
    CHECK(judge(keys, {speaks, heard, carries}, 120) == std::vector{K::active, K::kept, K::standby});
    CHECK(judge(keys, {carries, heard}, 120) == std::vector{K::active, K::not_started, K::standby});
    CHECK(judge(keys, {heard, speaks}, 250) == std::vector{K::kept, K::active, K::standby});
    CHECK(judge(keys, {heard, speaks}, 250, true) == std::vector{K::ended, K::active, K::standby});
    CHECK(judge(keys, {carries, heard}, 160) == std::vector{K::active, K::active, K::standby});  // held till then
}

TEST_CASE("ends that have lost each other's key while a clock was wrong find one again") {
    const std::vector<RingKey> keys{ring_key(1, kWall - 100, kWall + 150), ring_key(2, kWall + 110, kWall + 2000)};
    Pair pair(settings_of(16, keys), settings_of(32, keys));
    pair.bench.run_for(15 * kSecond);
    REQUIRE(speaking(pair.status(pair.a)) == "12");
    pair.a->wall_offset = -kDay;  // b ends key 1 in its time; a has lost key 2
    pair.b->hears = pair.b->speaks = false;
    pair.bench.run_for(10 * kSecond);
    pair.b->hears = pair.b->speaks = true;
    Settings second = settings_of(32, {ring_key(2, kWall + 110, kWall + 2000)});
    pair.bench.configure(*pair.b, second);
    CHECK(pair.bench.run_until(pair.bench.now + 30 * kSecond, [&] { return pair.bench.all_secured(); }));
    CHECK(principal(pair.status(pair.a)) == '2');
}

TEST_CASE("the newest start is preferred, the fallback key last") {
    CHECK(is_preferred(ring_key(1, 200), ring_key(2, 100)));
    CHECK(is_preferred(ring_key(1, 100), ring_key(2)));
    CHECK(is_preferred(ring_key(2, 100), ring_key(1, 100)) != is_preferred(ring_key(1, 100), ring_key(2, 100)));
    CHECK(is_preferred(ring_key(1), fallback_key(2)));
    CHECK_FALSE(is_preferred(fallback_key(2), ring_key(1)));
}

TEST_CASE("traffic moves from key to key without a frame lost") {
    std::vector<RingKey> keys;  // two minutes each, overlapping by one
    for (std::uint8_t i = 0; i < 5; ++i) keys.push_back(ring_key(i, kWall + 50 + i * 60, kWall + 170 + i * 60));
    Pair pair(settings_of(16, keys), settings_of(32, keys));
    pair.b->wall_offset = -3;  // clocks are not the same
    pair.bench.lossless = true;
    CHECK(principal(pair.status(pair.a)) == '0');
    for (int minute = 0; minute < 4; ++minute) {
        pair.bench.run_for(60 * kSecond);
        CHECK(principal(pair.status(pair.a)) == static_cast<char>('1' + minute));
        CHECK(principal(pair.status(pair.b)) == static_cast<char>('1' + minute));
    }
    pair.bench.run_for(600 * kSecond);  // all have ended
    CHECK(speaking(pair.status(pair.a)) == "4");
    CHECK(pair.status(pair.a).participants[4].state == K::kept);
    CHECK(pair.a->sas.size() == 5);
}

TEST_CASE("with hard expiry the port closes when the last key ends") {
    Settings hard = settings_of(16, {ring_key(1, kWall, kWall + 160)});
    hard.hard_expiry = true;
    Pair pair(hard, settings_of(32, {ring_key(1)}));
    CHECK(pair.a->open);
    pair.bench.run_for(60 * kSecond);
    CHECK_FALSE(pair.a->open);
    CHECK(speaking(pair.status(pair.a)).empty());
}

TEST_CASE("a day's step of one end's clock is not noticed by traffic") {
    for (const std::int64_t step : {kDay, -kDay}) {
        std::vector<RingKey> keys{ring_key(1, kWall, kWall + 1000), ring_key(2, kWall + 900, kWall + 2000),
                                  ring_key(3, kWall + kDay - 500, kWall + kDay + 5000)};
        Pair pair(settings_of(16, keys), settings_of(32, keys));
        pair.bench.lossless = true;
        pair.a->wall_offset = step;
        pair.bench.run_for(30 * kSecond);
        CHECK(speaking(pair.status(pair.a)) == (step > 0 ? "13" : "1"));
        CHECK(principal(pair.status(pair.a)) == '1');
        pair.a->wall_offset = 0;
        pair.bench.run_for(30 * kSecond);
        CHECK(speaking(pair.status(pair.a)) == "1");
    }
}

TEST_CASE("while a clock is a day wrong a silent peer comes back by the key both ends have") {
    for (const std::int64_t step : {kDay, -kDay}) {
        const std::vector<RingKey> keys{ring_key(1, kWall - 100, kWall + 3600), ring_key(2, kWall + 3000)};
        Pair pair(settings_of(16, keys), settings_of(32, keys));
        pair.a->wall_offset = step;
        pair.bench.run_for(20 * kSecond);
        CHECK(pair.bench.all_secured());
        bool& fault = step > 0 ? pair.b->speaks : pair.b->hears;
        for (const bool well : {false, true}) {
            fault = well;
            pair.bench.run_for(20 * kSecond);
        }
        CHECK(pair.bench.all_secured());
        CHECK(principal(pair.status(pair.a)) == '1');
    }
}

TEST_CASE("after a step of the clock a key begun by it speaks as soon as somebody else uses it") {
    std::vector<RingKey> keys;
    for (std::uint8_t i = 0; i < 3; ++i) keys.push_back(ring_key(i, kWall - 50 + i * 3600));
    std::vector<RingKey> two{keys[0], ring_key(1, kWall - 60)};
    Pair pair(settings_of(16, keys), settings_of(32, {keys[0]}));
    pair.bench.lossless = true;
    pair.a->wall_offset = kDay;
    pair.bench.run_for(10 * kSecond);
    CHECK(speaking(pair.status(pair.a)) == "02");
    CHECK(pair.status(pair.a).participants[1].state == K::held);
    pair.bench.configure(*pair.b, settings_of(32, two));
    pair.bench.run_for(20 * kSecond);
    CHECK(speaking(pair.status(pair.a)) == "012");
    CHECK(principal(pair.status(pair.a)) == '1');
}

TEST_CASE("a key ends in its time also when its peer was away then, once another carries") {
    const std::vector<RingKey> keys{ring_key(1, kWall - 100, kWall + 170), ring_key(2, kWall + 150)};
    Pair pair(settings_of(16, keys), settings_of(32, keys));
    pair.b->speaks = pair.b->hears = false;
    pair.bench.run_for(120 * kSecond);
    CHECK(speaking(pair.status(pair.a)) == "12");
    pair.b->speaks = pair.b->hears = true;
    pair.bench.run_for(20 * kSecond);
    CHECK(pair.bench.all_secured());
    CHECK(speaking(pair.status(pair.a)) == "2");
    CHECK(speaking(pair.status(pair.b)) == "2");
}

TEST_CASE("keys are added and removed by reload, and traffic does not notice") {
    Pair pair;
    pair.bench.lossless = true;
    const Settings both1 = settings_of(16, {ring_key(1), ring_key(2, kWall)}),
                   both2 = settings_of(32, {ring_key(1), ring_key(2, kWall)});
    pair.bench.configure(*pair.a, both1);
    pair.bench.run_for(10 * kSecond);
    CHECK(principal(pair.status(pair.a)) == '1');
    pair.bench.configure(*pair.b, both2);
    pair.bench.run_for(10 * kSecond);
    CHECK(principal(pair.status(pair.a)) == '2');
    CHECK(principal(pair.status(pair.b)) == '2');
    SECTION("the old key removed") {
        pair.bench.configure(*pair.a, settings_of(16, {ring_key(2, kWall)}));
        pair.bench.run_for(10 * kSecond);
        pair.bench.configure(*pair.b, settings_of(32, {ring_key(2, kWall)}));
        pair.bench.run_for(10 * kSecond);
    }
    SECTION("the new key removed at the key server, then at the other end") {
        pair.bench.configure(*pair.a, settings_of(16, {ring_key(1)}));
        pair.bench.run_for(20 * kSecond);
        pair.bench.configure(*pair.b, settings_of(32, {ring_key(1)}));
        pair.bench.run_for(20 * kSecond);
        CHECK(principal(pair.status(pair.b)) == '1');
    }
    SECTION("the new key removed at the member, then at the key server") {
        pair.bench.configure(*pair.b, settings_of(32, {ring_key(1)}));
        pair.bench.run_for(20 * kSecond);
        pair.bench.configure(*pair.a, settings_of(16, {ring_key(1)}));
        pair.bench.run_for(20 * kSecond);
        CHECK(principal(pair.status(pair.b)) == '1');
    }
    SECTION("a reload that changes nothing") {
        const auto sent = pair.a->sas.size();
        pair.bench.configure(*pair.a, both1);
        pair.bench.run_for(20 * kSecond);
        CHECK(pair.a->sas.size() == sent);
    }
    CHECK(pair.status(pair.a).counters.port_closed == 0);
}

TEST_CASE("the fallback key carries when no other key has the peer, and hands back") {
    Settings first = settings_of(16, {ring_key(1), fallback_key(9)}),
             second = settings_of(32, {ring_key(1), fallback_key(9)});
    Pair pair(first, second);
    CHECK(principal(pair.status(pair.a)) == '1');
    CHECK(speaking(pair.status(pair.a)) == "19");
    pair.bench.lossless = true;
    Settings other = second;
    other.keys[0] = ring_key(4);  // the ends do not agree any more
    pair.bench.configure(*pair.b, other);
    pair.bench.run_for(20 * kSecond);
    CHECK(principal(pair.status(pair.a)) == '9');
    CHECK(principal(pair.status(pair.b)) == '9');
    pair.bench.configure(*pair.b, second);
    pair.bench.run_for(20 * kSecond);
    CHECK(principal(pair.status(pair.a)) == '1');
    CHECK(principal(pair.status(pair.b)) == '1');
}

TEST_CASE("a member that only the fallback key reaches is not left behind by those that have another key") {
    Bench bench;
    const std::vector<RingKey> all{ring_key(1), fallback_key(9)};
    bench.add(1, settings_of(16, all));
    bench.add(2, settings_of(32, all));
    Station& third = bench.add(3, settings_of(32, {ring_key(1, kWall + 3600), fallback_key(9)}));
    REQUIRE(bench.run_until_secured(6 * kSecond));
    bench.run_for(5 * kSecond);
    bench.lossless = true;
    bench.run_for(20 * kSecond);
    CHECK(principal(bench.stations[0].kay.status(bench.now)) == '9');
    bench.configure(third, settings_of(32, all));
    bench.run_for(20 * kSecond);
    CHECK(principal(bench.stations[0].kay.status(bench.now)) == '1');
    CHECK(bench.all_secured());
}

TEST_CASE("a CAK changed under the same CKN is another key") {
    Pair pair;
    Settings changed = pair.s1;
    changed.keys[0].cak = cak_of(50);
    pair.bench.configure(*pair.a, changed);
    CHECK_FALSE(pair.a->open);
    pair.bench.run_for(10 * kSecond);
    CHECK_FALSE(pair.b->open);
    Settings both = pair.s2;
    both.keys[0].cak = cak_of(50);
    pair.bench.configure(*pair.b, both);
    CHECK(pair.bench.run_until_secured(6 * kSecond));
}

TEST_CASE("a newer key that not every member has does not cut anybody off") {
    Bench bench;
    const std::vector<RingKey> both{ring_key(1), ring_key(2, kWall)};
    bench.add(1, settings_of(16, both));
    bench.add(2, settings_of(32, both));
    bench.add(3, settings_of(32, {ring_key(1)}));
    REQUIRE(bench.run_until_secured(6 * kSecond));
    bench.run_for(5 * kSecond);
    bench.lossless = true;
    bench.run_for(20 * kSecond);
    CHECK(principal(bench.stations[0].kay.status(bench.now)) == '1');
    bench.configure(bench.stations[2], settings_of(32, both));
    bench.run_for(20 * kSecond);
    for (const Station& s : bench.stations) CHECK(principal(s.kay.status(bench.now)) == '2');
}

TEST_CASE("a reload that changes nothing tells nothing") {
    Bench b;
    const auto settings = settings_of(10, {ring_key(1), ring_key(2)});
    Station& us = b.add(1, settings);
    b.add(2, settings_of(20, {ring_key(1), ring_key(2)}));
    REQUIRE(b.run_until_secured(20 * kSecond));
    const auto told = us.history.size();
    b.configure(us, settings);
    b.configure(us, settings);
    CHECK(us.history.size() == told);
}
