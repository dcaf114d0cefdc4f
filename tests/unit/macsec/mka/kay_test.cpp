// KaYs on a perfect wire: how they are secured, and how SAKs follow one another.
#include "macsec/mka/participant.h"
#include "tests/unit/catch.h"
#include "macsec/mka/sak.h"
#include "tests/unit/macsec/mka/pair.h"

using namespace macsec;
using namespace macsec::mka;
using namespace macsec::mka::test;

TEST_CASE("two KaYs are secured at once, with every suite") {
    for (const CipherSuite suite : kSuites) {
        Bench bench;
        Station& a = bench.add(1, settings_of(16, {ring_key(1)}), suite);
        Station& b = bench.add(2, settings_of(32, {ring_key(1)}), suite);
        const Time began = bench.now;
        REQUIRE(bench.run_until_secured(3 * kSecond));
        CHECK(bench.now - began < 300 * kMillisecond);
        CHECK(a.kay.status(bench.now).is_key_server);
        CHECK_FALSE(b.kay.status(bench.now).is_key_server);
        CHECK(b.kay.status(bench.now).key_server == a.identity.sci);
        CHECK(a.kay.status(bench.now).why_not_secured.empty());
        CHECK(a.transmitting()->key.sak->size() == sak_octets(suite));
        CHECK(a.transmitting()->key.own.ssci.value == (is_xpn(suite) ? 2u : 0u));
        CHECK(b.transmitting()->key.own.ssci.value == (is_xpn(suite) ? 1u : 0u));
        CHECK((a.transmitting()->key.salt != Salt{}) == is_xpn(suite));
    }
}

TEST_CASE("nothing changes while nothing happens") {
    Pair pair;
    pair.bench.run_for(120 * kSecond);
    CHECK(pair.a->sas.size() == 1);
    CHECK(pair.b->sas.size() == 1);
    CHECK(pair.status(pair.b).counters.saks_taken == 1);
    CHECK(pair.a->sent.size() < 75);  // one in two seconds, and a few at the start
    CHECK(pair.status(pair.a).counters.sent == pair.a->sent.size());
}

TEST_CASE("PDUs are counted by how late they are") {
    Pair pair;
    pair.bench.run_for(20 * kSecond);
    const HelloTimes calm = pair.status(pair.a).hellos;
    CHECK(calm.on_time + 1 == pair.a->sent.size());
    CHECK(calm.late_50_ms + calm.late_250_ms + calm.late_1_s == 0);
    CHECK(calm.longest_gap == 2 * kSecond);

    for (const Time late : {60u, 300u, 1000u}) {
        pair.bench.now = pair.a->kay.next_deadline() + late * kMillisecond;  // nobody called meanwhile
        pair.bench.run_for(10 * kSecond);
    }
    const HelloTimes after = pair.status(pair.a).hellos;
    CHECK(after.late_50_ms == 1);
    CHECK(after.late_250_ms == 1);
    CHECK(after.late_1_s == 1);
    CHECK(after.most_late == kSecond);
    CHECK(after.longest_gap == 3 * kSecond);
}

TEST_CASE("a KaY starts closed and sends nothing but MKPDUs") {
    Pair pair;
    for (const Station* s : {pair.a, pair.b})
        for (const auto& frame : s->sent) {
            REQUIRE(frame.size() > 18);
            CHECK(load_be16(frame.data() + 12) == kEtherTypeEapol);
            CHECK(frame[15] == kEapolTypeMka);
            CHECK(decode(ConstOctets(frame).subspan(14)));
        }
}

TEST_CASE("a new SAK on the operator's period, without a frame lost") {
    for (const std::uint64_t period : {30'000u, 7'000u, 4'000u}) {
        Settings server = settings_of(16, {ring_key(1)});
        server.sak_rekey_ms = period;
        Pair pair(server);
        pair.bench.lossless = true;
        pair.bench.run_for(100 * kSecond);
        CHECK(pair.a->sas.size() >= 100'000 / period);
        CHECK(pair.a->sas.size() <= 2 + 105'000 / period);
        CHECK(pair.b->sas.size() == pair.a->sas.size());
        CHECK(pair.status(pair.a).next_rekey);
        CHECK_FALSE(pair.status(pair.b).next_rekey);
        CHECK(pair.a->installed() <= 2);
    }
}

TEST_CASE("packet numbers that run out bring a new SAK in time, at either end") {
    for (const bool at_server : {true, false}) {
        Pair pair(settings_of(16, {ring_key(1)}), settings_of(32, {ring_key(1)}), CipherSuite::gcm_aes_128);
        pair.bench.lossless = true;
        (at_server ? pair.a : pair.b)->transmitting()->next_pn = 0xC000'0001;
        pair.bench.run_for(10 * kSecond);
        CHECK(pair.a->sas.size() == 2);
        CHECK(pair.a->says("packet numbers run out"));
        pair.bench.run_for(60 * kSecond);
        CHECK(pair.a->sas.size() == 2);
    }
}

TEST_CASE("the upper half of a peer's 64-bit packet number counts too") {
    Pair pair;
    pair.bench.lossless = true;
    pair.b->transmitting()->next_pn = 0xFFFF'FFFF;
    pair.bench.run_for(10 * kSecond);
    CHECK(pair.a->sas.size() == 1);
    pair.b->transmitting()->next_pn = 0xC000'0000'0000'0001;
    pair.bench.run_for(10 * kSecond);
    CHECK(pair.a->sas.size() == 2);
}

TEST_CASE("a rate that ends the packet numbers within twelve seconds brings a new SAK") {
    Pair pair(settings_of(16, {ring_key(1)}), settings_of(32, {ring_key(1)}), CipherSuite::gcm_aes_256);
    pair.bench.lossless = true;
    for (int i = 0; i < 12 && pair.a->sas.size() == 1; ++i) {
        pair.b->transmitting()->next_pn += 280'000'000;  // in a second
        pair.bench.run_for(kSecond);
    }
    REQUIRE(pair.a->sas.size() == 2);
    CHECK(pair.a->sas[0].next_pn < 0xC000'0000);
}

TEST_CASE("packet numbers that are used up close the port, and a new SAK opens it again") {
    Pair pair(settings_of(16, {ring_key(1)}), settings_of(32, {ring_key(1)}), CipherSuite::gcm_aes_128);
    pair.b->transmitting()->next_pn = 0xFFFF'FFFF;
    pair.bench.tick(*pair.b);
    CHECK_FALSE(pair.b->open);
    CHECK(pair.b->says("used up"));
    CHECK(pair.bench.run_until_secured(6 * kSecond));
}

TEST_CASE("a dataplane that does not take a key leaves the old one at work") {
    Settings server = settings_of(16, {ring_key(1)});
    server.sak_rekey_ms = 8000;
    Pair pair(server);
    pair.bench.run_for(4 * kSecond);
    pair.b->confirms = false;
    pair.bench.run_for(8 * kSecond);
    CHECK(pair.b->open);
    CHECK(pair.bench.all_secured());
    pair.b->confirms = true;
    CHECK(pair.bench.run_until(pair.bench.now + 30 * kSecond,
                               [&] { return pair.bench.all_secured() && pair.b->transmitting()->key.key.number > 1; }));
}

// The number of the only station that is not secured, if the others are one CA and it says why it is not of it; else 0.
static int only_outsider(Bench& bench) {
    int outsider = 0, others = 0;
    for (std::size_t i = 0; i < bench.stations.size(); ++i) {
        Station& s = bench.stations[i];
        const std::string why = s.kay.status(bench.now).why_not_secured;
        if (s.open && why.empty())
            ++others;
        else if (!s.open && why.starts_with("more than 8 members speak with this CKN"))
            outsider = static_cast<int>(i) + 1;
    }
    if (others != 8 || outsider == 0) return 0;
    Station& out = bench.stations[static_cast<std::size_t>(outsider) - 1];
    out.hears = out.speaks = false;
    const bool secured = bench.all_secured();
    out.hears = out.speaks = true;
    return secured ? outsider : 0;
}

TEST_CASE("of nine members that start together eight are secured, and the ninth as soon as one of them leaves") {
    Bench bench;
    for (std::uint8_t i = 1; i <= 9; ++i)
        bench.add(i, settings_of(static_cast<std::uint8_t>(i == 5 ? 200 : 16), {ring_key(1)}));
    bench.run_for(20 * kSecond);
    CHECK(only_outsider(bench) == 5);
    bench.run_for(60 * kSecond);
    CHECK(only_outsider(bench) == 5);
    bench.stations[2].hears = bench.stations[2].speaks = false;
    CHECK(bench.run_until_secured(20 * kSecond));
    CHECK(bench.stations[4].open);
}

TEST_CASE("who is displaced says so while its port is still open, and who is not blames something else") {
    Bench bench;
    for (std::uint8_t i = 11; i <= 18; ++i) bench.add(i, settings_of(16, {ring_key(1)}));
    bench.run_for(20 * kSecond);
    bench.add(1, settings_of(1, {ring_key(1)}));
    bench.run_for(10 * kSecond);
    const auto why = [&](const Station& s) { return s.kay.status(bench.now).why_not_secured; };
    CHECK(bench.stations[7].open);
    CHECK(why(bench.stations[7]).starts_with("the port is open, but more than 8 members"));
    Station& again = bench.restart(bench.stations[3], settings_of(16, {ring_key(1)}));
    again.confirms = false;
    bench.run_for(10 * kSecond);
    CHECK(why(again).starts_with("a SAK is being put to use"));
}

TEST_CASE("eight members are one CA, one SAK, eight SSCIs by falling SCI") {
    Bench bench;
    for (std::uint8_t i = 1; i <= 8; ++i) bench.add(i, settings_of(16, {ring_key(1)}));
    REQUIRE(bench.run_until_secured(6 * kSecond));
    bench.run_for(10 * kSecond);
    const KeyIdentifier key = bench.stations[0].transmitting()->key.key;
    for (std::uint8_t i = 1; i <= 8; ++i) {
        Station& s = bench.stations[i - 1u];
        CHECK(s.transmitting()->key.key == key);
        CHECK(s.transmitting()->key.own.ssci == Ssci{9u - i});
        CHECK(s.transmitting()->key.peers.size() == 7);
        CHECK(s.sas.size() == 1);
        CHECK(s.kay.status(bench.now).is_key_server == (i == 1));  // the lowest SCI
    }
    SECTION("a ninth is not let in") {
        Station& ninth = bench.add(9, settings_of(16, {ring_key(1)}));
        bench.run_for(10 * kSecond);
        CHECK_FALSE(ninth.open);
        CHECK(bench.stations[0].kay.status(bench.now).counters.too_many_peers > 0);
        CHECK(bench.stations[0].says("peer 02:00:00:00:00:09/1 makes more than 8 members"));
        CHECK(ninth.kay.status(bench.now).why_not_secured.starts_with("more than 8 members speak with this CKN"));
    }
    SECTION("a ninth that ranks better takes the place of the one that ranks worst, which says why") {
        bench.add(9, settings_of(1, {ring_key(1)}));
        bench.run_for(20 * kSecond);
        CHECK(only_outsider(bench) == 8);
        bench.run_for(60 * kSecond);
        CHECK(only_outsider(bench) == 8);
    }
    SECTION("a member that leaves is left out of the next SAK, and nobody else notices") {
        bench.stations[4].hears = bench.stations[4].speaks = false;
        bench.lossless = true;
        bench.run_for(15 * kSecond);
        CHECK(bench.stations[0].transmitting()->key.peers.size() == 6);
        CHECK(bench.stations[0].sas.size() == 2);
    }
    SECTION("the key server leaves: another one makes the next SAK, and nobody else notices") {
        bench.stations[0].hears = bench.stations[0].speaks = false;
        bench.lossless = true;
        bench.run_for(20 * kSecond);
        CHECK(bench.stations[1].kay.status(bench.now).is_key_server);
        CHECK(bench.stations[7].transmitting()->key.peers.size() == 6);
    }
}

TEST_CASE("a member that joins brings one new SAK, and nobody else notices") {
    Pair pair;
    pair.bench.lossless = false;
    Station& third = pair.bench.add(3, settings_of(8, {ring_key(1)}));  // it becomes key server
    CHECK(pair.bench.run_until_secured(6 * kSecond));
    CHECK(third.kay.status(pair.bench.now).is_key_server);
    pair.bench.run_for(10 * kSecond);
    CHECK(third.sas.size() == 1);
    CHECK(pair.a->open);
    CHECK_FALSE(pair.a->says("closed"));
    CHECK(pair.status(pair.a).counters.port_closed == 0);
    CHECK(pair.status(pair.b).counters.port_closed == 0);
}

TEST_CASE("the key server is the best priority, then the lowest SCI, and never 255") {
    Bench bench;
    bench.add(1, settings_of(255, {ring_key(1)}));
    bench.add(3, settings_of(20, {ring_key(1)}));
    bench.add(2, settings_of(20, {ring_key(1)}));
    REQUIRE(bench.run_until_secured(6 * kSecond));
    CHECK(bench.stations[2].kay.status(bench.now).is_key_server);
    SECTION("a reload that changes the priority moves the role without a frame lost") {
        bench.run_for(5 * kSecond);
        bench.lossless = true;
        bench.configure(bench.stations[1], settings_of(10, {ring_key(1)}));
        bench.run_for(15 * kSecond);
        CHECK(bench.stations[1].kay.status(bench.now).is_key_server);
        CHECK(bench.stations[0].kay.status(bench.now).key_server == bench.stations[1].identity.sci);
        CHECK(bench.stations[0].transmitting()->key.key == bench.stations[1].transmitting()->key.key);
        CHECK(bench.stations[1].kay.status(bench.now).counters.saks_made == 1);
    }
}

TEST_CASE("members that cannot be key server say so") {
    Bench bench;
    Station& a = bench.add(1, settings_of(255, {ring_key(1)}));
    bench.add(2, settings_of(255, {ring_key(1)}));
    bench.run_for(10 * kSecond);
    CHECK_FALSE(a.open);
    CHECK(a.kay.status(bench.now).why_not_secured.find("no live member can be key server") != std::string::npos);
}

TEST_CASE("a SAK for another suite, or with more in clear, is refused in words") {
    Bench bench;
    Station& a = bench.add(1, settings_of(16, {ring_key(1)}), CipherSuite::gcm_aes_128);
    Station& b = bench.add(2, settings_of(32, {ring_key(1)}), CipherSuite::gcm_aes_256);
    bench.run_for(10 * kSecond);
    CHECK_FALSE(b.open);
    CHECK(b.installed() == 0);
    CHECK(b.kay.status(bench.now).why_not_secured.find("another cipher suite") != std::string::npos);
    CHECK(b.kay.status(bench.now).counters.saks_refused > 0);
    static_cast<void>(a);

    Bench clear;
    Identity integrity = identity_of(1);
    integrity.confidentiality = false;
    clear.stations.emplace_back(integrity, 5);
    clear.configure(clear.stations[0], settings_of(16, {ring_key(1)}));
    Station& strict = clear.add(2, settings_of(32, {ring_key(1)}));
    clear.run_for(10 * kSecond);
    CHECK_FALSE(strict.open);
    CHECK(strict.kay.status(clear.now).why_not_secured.find("more in clear") != std::string::npos);
}

TEST_CASE("what an integrity-only port is offered beyond that, it takes") {
    Bench bench;
    Identity integrity = identity_of(2, CipherSuite::gcm_aes_128);
    integrity.confidentiality = false;
    bench.add(1, settings_of(16, {ring_key(1)}), CipherSuite::gcm_aes_128);
    bench.stations.emplace_back(integrity, 5);
    bench.configure(bench.stations[1], settings_of(32, {ring_key(1)}));
    CHECK(bench.run_until_secured(3 * kSecond));
    CHECK(bench.stations[1].transmitting()->key.confidentiality);
}

TEST_CASE("delay protection raises what a peer's SA accepts to what it had sent half a second ago") {
    Settings first = settings_of(16, {ring_key(1)}), second = settings_of(32, {ring_key(1)});
    first.delay_protect = second.delay_protect = true;
    Pair pair(first, second);
    std::uint64_t last = 0;
    for (int i = 0; i < 50; ++i) {
        pair.a->transmitting()->next_pn += 1000;
        pair.bench.run_for(100 * kMillisecond);
        for (const RaiseLowestPn& r : pair.b->raised) {
            CHECK(r.key == pair.a->transmitting()->key.key);
            CHECK(r.peer == pair.a->identity.sci);
            CHECK(r.lowest_pn + 4000 <= pair.a->transmitting()->next_pn);
        }
        if (!pair.b->raised.empty()) last = pair.b->raised.back().lowest_pn;
        if (i > 30) CHECK(last + 25'000 > pair.a->transmitting()->next_pn);
        pair.b->raised.clear();
    }
    CHECK(pair.a->sent.size() > 15);  // every half second
    CHECK(pair.a->raised.empty());    // nothing was sent by b
}

TEST_CASE("without delay protection no PN is raised") {
    Pair pair;
    pair.a->transmitting()->next_pn = 100'000;
    pair.bench.run_for(10 * kSecond);
    CHECK(pair.b->raised.empty());
}

TEST_CASE("version 3 and the XPN set go with XPN suites, an ICV Indicator only when wanted") {
    for (const CipherSuite suite : kSuites)
        for (const bool indicator : {false, true}) {
            Settings first = settings_of(16, {ring_key(1)});
            first.icv_indicator = indicator;
            Pair pair(first, settings_of(32, {ring_key(1)}), suite);
            const auto pdu = decode(ConstOctets(pair.a->sent.back()).subspan(14));
            REQUIRE(pdu);
            CHECK(pdu->basic.mka_version == (is_xpn(suite) ? 3 : 1));
            CHECK(pdu->xpn.has_value() == is_xpn(suite));
            CHECK(pdu->icv_indicator == indicator);
            REQUIRE(pdu->sak_use);
            CHECK_FALSE(pdu->sak_use->plain_transmit);
            CHECK_FALSE(pdu->sak_use->plain_receive);
            CHECK(pdu->sak_use->latest.lowest_pn == 1);  // absent: the SAK has become the old one
            CHECK(pdu->sak_use->old.lowest_pn == 1);
            CHECK(pdu->live->key_server_ssci == (is_xpn(suite) ? 2 : 0));
            CHECK_FALSE(pdu->distributed_sak);  // everybody has it
        }
}

TEST_CASE("peers that all speak version 3 are answered in version 3, with any suite") {
    const RingKey key = ring_key(1);
    auto keys = derive_keys(key.cak->octets(), key.ckn);
    REQUIRE(keys);
    const Identity identity = identity_of(1, CipherSuite::gcm_aes_256);
    const Settings settings = settings_of(16, {key});
    Participant p(key, std::make_shared<const CakKeys>(std::move(*keys)), MemberId{{1}}, 1);
    Time now = kSecond;
    const auto said = [&] {
        const auto frame = p.pdu(identity, settings, {}, kRealPrimitives, now, kSecond);
        return decode(ConstOctets(frame.value()).subspan(14)).value();
    };
    const auto hear = [&](std::uint8_t member, std::uint8_t version) {
        BasicSet basic;
        basic.mka_version = version;
        basic.sci = Sci{member};
        basic.mi = MemberId{{member}};
        basic.mn = 1;
        REQUIRE(p.peers.hear(basic, {}, now, settings.timers) == Heard::new_potential);
    };
    CHECK(said().basic.mka_version == 1);
    hear(2, 3);
    CHECK(said().basic.mka_version == 3);
    CHECK_FALSE(said().xpn);
    hear(3, 1);
    CHECK(said().basic.mka_version == 1);
}

TEST_CASE("the rate of packet numbers is right however close together the reports come") {
    const Timers timers;
    Sak sak;
    SaReport report;
    report.transmits = true;
    report.next_pn = 1;
    for (Time now = 100 * kSecond; now < 102 * kSecond; now += 30 * kMillisecond) {
        note_report(sak, report, now, timers);
        report.next_pn += 3'000'000;  // 100 million a second
    }
    CHECK(sak.per_second > 99'000'000);
    CHECK(sak.per_second <= 101'000'000);
}
