#include "tests/unit/catch.h"

#include "macsec/mka/peers.h"

using namespace macsec;
using namespace macsec::mka;

namespace {

BasicSet basic_of(std::uint8_t member, MessageNumber mn) {
    BasicSet basic;
    basic.mi.octets[0] = member;
    basic.sci = Sci{0x0200'0000'0000'0001u | std::uint64_t{member} << 16};
    basic.key_server_priority = 16;
    basic.capability = Capability::confidentiality;
    basic.mn = mn;
    return basic;
}

}  // namespace

TEST_CASE("a late PDU of a peer that is gone brings no message number back") {
    const Timers timers;
    PeerTable table;
    Time now = 100 * kSecond;
    REQUIRE(table.hear(basic_of(1, 1), now, now, timers) == Heard::now_live);
    now += 5 * kSecond;
    REQUIRE(table.hear(basic_of(1, 9), std::nullopt, now, timers) == Heard::refreshed);  // it hears us no more
    now += 2 * kSecond;
    REQUIRE(table.expire(now, timers).size() == 1);

    const Time echoed = now - 3 * kSecond;  // young
    CHECK(table.hear(basic_of(1, 8), echoed, now, timers) == Heard::replayed_mn);
    CHECK(table.hear(basic_of(1, 9), echoed, now, timers) == Heard::replayed_mn);
    CHECK(table.live() == 0);
    CHECK(table.hear(basic_of(1, 10), now, now, timers) == Heard::now_live);
}

TEST_CASE("a late PDU of a station's older MI does not replace the newer one") {
    const Timers timers;
    PeerTable table;
    const Time first = 100 * kSecond, second = first + kSecond;
    Time now = second + kSecond;
    BasicSet older = basic_of(1, 16), newer = basic_of(2, 2);  // MNs
    newer.sci = older.sci;
    REQUIRE(table.hear(newer, second, now, timers) == Heard::now_live);
    CHECK(table.hear(older, first, now, timers) == Heard::replaced_mi);
    CHECK(table.find(newer.mi)->live);

    SECTION("when both have echoed the same, the one that has counted further is the older") {
        older.mn = 17;
        CHECK(table.hear(older, second, now, timers) == Heard::replaced_mi);
        CHECK(table.find(newer.mi)->live);
    }
    SECTION("the last one heard else, until the other shows better") {
        BasicSet third = basic_of(3, 2);
        third.sci = older.sci;
        std::swap(older, third);
        REQUIRE(table.hear(older, second, now, timers) == Heard::restarted);
        newer.mn = 3;
        CHECK(table.hear(newer, second, now, timers) == Heard::replaced_mi);
        newer.mn = 2;
        CHECK(table.hear(newer, now, now, timers) == Heard::replayed_mn);
        newer.mn = 4;
        CHECK(table.hear(newer, now, now, timers) == Heard::restarted);
        CHECK(table.live() == 1);
        older.mn = 3;  // two stations with one SCI take no turns at every PDU
        CHECK(table.hear(older, now + kSecond, now + kSecond, timers) == Heard::replaced_mi);
        now += timers.life() + timers.hello();
        CHECK(table.hear(older, now, now, timers) != Heard::replaced_mi);
    }
}

TEST_CASE("a peer that a full table gave up brings no message number back") {
    const Timers timers;
    PeerTable table;
    const Time now = 100 * kSecond;
    table.hear(basic_of(1, 9), std::nullopt, now, timers);
    for (std::uint8_t member = 2; member <= kMaxPeers + 1; ++member)
        table.hear(basic_of(member, 1), std::nullopt, now + member * kMillisecond, timers);
    REQUIRE(table.find(basic_of(1, 9).mi) == nullptr);
    CHECK(table.hear(basic_of(1, 8), now, now + kSecond, timers) == Heard::replayed_mn);
    CHECK(table.hear(basic_of(1, 10), now, now + kSecond, timers) == Heard::now_live);
}

TEST_CASE("of more peers than a group has those that rank best are live, in whatever order they come") {
    const Timers timers;
    const Time now = 100 * kSecond;
    for (const bool rising : {false, true}) {
        PeerTable table;
        for (std::uint8_t i = 0; i < 10; ++i) {
            const auto member = static_cast<std::uint8_t>(rising ? i + 1 : 10 - i);
            table.hear(basic_of(member, 1), now, now, timers);
        }
        CHECK(table.live() == kMaxLivePeers);
        for (std::uint8_t member = 1; member <= 10; ++member)
            CHECK(table.find(basic_of(member, 1).mi)->live == (member <= kMaxLivePeers));
    }
    SECTION("and one that cannot do MACsec ranks last") {
        PeerTable table;
        BasicSet idle = basic_of(1, 1);
        idle.capability = Capability::none;
        table.hear(idle, now, now, timers);
        for (std::uint8_t member = 2; member <= 8; ++member) table.hear(basic_of(member, 1), now, now, timers);
        CHECK_FALSE(table.find(idle.mi)->live);
        CHECK(table.live() == kMaxLivePeers);
    }
}

TEST_CASE("the version of a peer that has not proved to be there counts only while nobody has") {
    const Timers timers;
    PeerTable table;
    const Time now = 100 * kSecond;
    const auto hear = [&](std::uint8_t member, std::uint8_t version, std::optional<Time> echo) {
        BasicSet basic = basic_of(member, 1);
        basic.mka_version = version;
        return table.hear(basic, echo, now, timers);
    };
    CHECK(table.lowest_version() == 0);
    REQUIRE(hear(1, 2, {}) == Heard::new_potential);
    CHECK(table.lowest_version() == 2);
    REQUIRE(hear(2, 3, now) == Heard::now_live);
    CHECK(table.lowest_version() == 3);
    REQUIRE(hear(3, 1, {}) == Heard::new_potential);  // may have been recorded long ago
    CHECK(table.lowest_version() == 3);
}
