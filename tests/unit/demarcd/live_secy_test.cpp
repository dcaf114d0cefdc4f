#include "tools/demarcd/live_secy.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "tests/unit/catch.h"
#include "tools/demarcd/snapshot.h"

using namespace demarcd;

namespace {

const net::MacAddress kMac{{2, 0, 0, 0, 0, 1}};
const macsec::Sci kPeer{0x0200'0000'0002'0001};

struct Fixture {
    std::filesystem::path directory = [] {
        char name[] = "/tmp/demarc-leases-XXXXXX";
        return std::filesystem::path(mkdtemp(name));
    }();
    std::unique_ptr<LeaseKeeper> leases = std::move(*LeaseKeeper::open(directory));

    ~Fixture() {
        leases.reset();
        std::filesystem::remove_all(directory);
    }
    void restart() {
        leases.reset();
        leases = std::move(*LeaseKeeper::open(directory));
    }
    std::string key(char digit) {
        const auto path = (directory / std::string("key-").append(1, digit)).string();
        const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const std::string text = "sak: " + std::string(64, digit) + "\n";
        REQUIRE(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        close(fd);
        return path;
    }
    config::SecY secy(char transmit_key, std::uint8_t an, std::uint8_t last_of_salt = 12) {
        config::SecY s;
        const macsec::Salt salt{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, last_of_salt};
        config::StaticKeys keys;
        keys.transmit = {an, key(transmit_key), macsec::Ssci{1}, salt, {}};
        keys.receive = {{kPeer, {{0, key('b'), macsec::Ssci{2}, salt, {}}}, {}}};
        s.static_keys = keys;
        return s;
    }
    // What a reload does: prepare beside what runs, then commit.
    std::expected<LiveSecY, std::string> commit(const config::SecY& wanted, const LiveSecY* old,
                                                net::MacAddress mac = kMac) {
        auto s = prepare_secy(wanted, mac, old, *leases);
        if (s) hold_keys(*s, *leases);
        return s;
    }
    // Lets the lease thread do what was asked, for at most a second.
    bool tend_until_moved(LiveSecY& s) {
        for (int i = 0; i < 1000; ++i) {
            if (tend_leases(s, *leases, 0.001)) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return false;
    }
};

}  // namespace

// 802.1AE 9.5, 9.9. The nonce of a 32-bit suite begins with the SCI: a receiver would open nothing.
TEST_CASE("with SCB our SCI has port identifier 0, whatever is configured") {
    Fixture f;
    auto wanted = f.secy('a', 0);
    wanted.sci_form = macsec::SciForm::scb;
    const auto s = f.commit(wanted, nullptr);
    REQUIRE(s);
    CHECK(s->sci == macsec::Sci{0x0200'0000'0001'0000});
    CHECK(s->next->sa->description.sci == s->sci);
}

TEST_CASE("a transmit SAK sends nothing before its lease is on disk") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(s);
    CHECK_FALSE(s->secured());
    CHECK_FALSE(s->encoding.has_value());
    CHECK(s->next->sa->pn_ceiling.load() == 0);
    REQUIRE(f.tend_until_moved(*s));
    CHECK(s->secured());
    CHECK(std::filesystem::exists(f.directory / "leases" / (s->encoding->fingerprint + ".transmit")));
}

TEST_CASE("a restart begins at the stored ceiling") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    const auto ceiling = s->encoding->sa->pn_ceiling.load();
    s->encoding->sa->next_pn = 17;
    f.restart();
    const auto again = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(again);
    CHECK(again->next->sa->next_pn.load() == ceiling);
}

TEST_CASE("a reload with the same key keeps the SA and its packet numbers") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    s->encoding->sa->next_pn = 17;
    const auto again = f.commit(f.secy('a', 0), &*s);
    REQUIRE(again);
    CHECK(again->encoding->sa == s->encoding->sa);
    CHECK_FALSE(again->next.has_value());
    CHECK(again->receive.begin()->second.sa == s->receive.begin()->second.sa);
}

TEST_CASE("the old transmit SAK keeps sending until the new one holds its lease") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    auto again = f.commit(f.secy('c', 1), &*s);
    REQUIRE(again);
    CHECK(again->encoding->sa == s->encoding->sa);
    CHECK(again->secured());
    REQUIRE(f.tend_until_moved(*again));
    CHECK(again->encoding->sa->description.an.value == 1);
}

TEST_CASE("one key under another AN goes on above every packet number it has leased") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    const auto ceiling = s->encoding->sa->pn_ceiling.load();
    const auto again = f.commit(f.secy('a', 1), &*s);
    REQUIRE(again);
    CHECK(again->next->sa->next_pn.load() >= ceiling);
}

TEST_CASE("a SAK that was used with one salt is refused with another, also after a restart") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    const auto again = f.commit(f.secy('a', 0, 13), &*s);
    REQUIRE_FALSE(again);
    CHECK(again.error().find("another salt") != std::string::npos);
    f.restart();
    CHECK_FALSE(f.commit(f.secy('a', 0, 13), nullptr));
    CHECK(f.commit(f.secy('a', 0), nullptr));
}

TEST_CASE("a key that moves to another SecY begins above what the old SA was given and is being given") {
    Fixture f;
    auto first = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*first));
    auto& old_sa = *first->encoding->sa;
    old_sa.next_pn = old_sa.pn_ceiling.load() - 1000;
    tend_leases(*first, *f.leases, 0.020);  // asks for one second at a high rate
    const auto moved = f.commit(f.secy('a', 0), nullptr, net::MacAddress{{2, 0, 0, 0, 0, 9}});
    REQUIRE(moved);
    CHECK(moved->next->sa->next_pn.load() >= first->encoding->asked);
    old_sa.next_pn = first->encoding->asked - 1;
    for (int i = 0; i < 20; ++i) {
        tend_leases(*first, *f.leases, 0.020);  // the old SA gets nothing more
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(old_sa.pn_ceiling.load() <= moved->next->sa->next_pn.load());
}

TEST_CASE("a ceiling never falls, whatever the rate does while the disk is slow") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    auto& sa = *s->encoding->sa;
    const auto ceiling = sa.pn_ceiling.load();
    sa.next_pn = ceiling - 1000;
    tend_leases(*s, *f.leases, 0.020);
    const auto asked = s->encoding->asked;
    REQUIRE(asked > ceiling + (1 << 20));
    sa.next_pn = ceiling;  // stands still: the rate is 0 from here on
    s->encoding->since_asked = 2;
    f.leases->extend(s->encoding->fingerprint, s->encoding->sa, ceiling + 10);
    for (int i = 0; i < 1000 && sa.pn_ceiling.load() < asked; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    f.restart();
    CHECK(sa.pn_ceiling.load() == asked);
    const auto again = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(again);
    CHECK(again->next->sa->next_pn.load() >= asked);
}

TEST_CASE("a receive SA that goes leaves its lowest packet number, for a reload at once and for a restart") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(s);
    auto& gone = s->receive.begin()->second;
    gone.sa->lowest_pn = 5000;
    remember_lowest(gone, *f.leases);
    const auto again = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(again);
    CHECK(again->receive.begin()->second.sa->lowest_pn.load() == 5000);
    gone.sa->lowest_pn = 4000;  // never back
    remember_lowest(gone, *f.leases);
    gone.sa->lowest_pn = 6000;
    remember_lowest(gone, *f.leases);
    f.restart();
    const auto restarted = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(restarted);
    CHECK(restarted->receive.begin()->second.sa->lowest_pn.load() == 6000);
    CHECK(restarted->receive.begin()->second.remembered_pn == 6000);
}

TEST_CASE("what was asked for is on disk when the keeper ends, however much it is") {
    Fixture f;
    const auto key = [](int i) { return fmt::format("{:032x}", i); };
    for (int i = 1; i <= 100; ++i) f.leases->remember(key(i), 1000u + static_cast<unsigned>(i));
    f.restart();
    for (int i = 1; i <= 100; ++i) CHECK(f.leases->first_receive_pn(key(i)) == 1000u + static_cast<unsigned>(i));
}

TEST_CASE("a static SAK that nears its end is reported, whether by its packet numbers or by its rate") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    CHECK_FALSE(s->needs_new_sak());
    auto& sa = *s->encoding->sa;
    s->encoding->last_pn = sa.next_pn = 0xBFFF'FFFF'FFFF'FF00;
    tend_leases(*s, *f.leases, 0.020);
    CHECK_FALSE(s->needs_new_sak());
    sa.next_pn = 0xC000'0000'0000'0000;
    tend_leases(*s, *f.leases, 0.020);
    CHECK(s->needs_new_sak());

    auto narrow = f.secy('c', 0);
    narrow.cipher_suite = macsec::CipherSuite::gcm_aes_256;
    auto n = f.commit(narrow, nullptr);
    REQUIRE(n);
    REQUIRE(f.tend_until_moved(*n));
    n->encoding->sa->next_pn = n->encoding->last_pn = 0x8000'0000;
    for (int i = 0; i < 100; ++i) {  // two seconds at 150 million a second: 14 s are left
        n->encoding->sa->next_pn += 3'000'000;
        tend_leases(*n, *f.leases, 0.020);
    }
    CHECK(n->encoding->rate > 100e6);
    CHECK(n->encoding->rate < 150e6);
    n->encoding->sa->next_pn = n->encoding->last_pn = 0xB000'0000;
    tend_leases(*n, *f.leases, 0.020);
    CHECK(n->needs_new_sak());
}

TEST_CASE("a reload before the first lease is held keeps the waiting SA") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(s);
    auto again = f.commit(f.secy('a', 0), &*s);
    REQUIRE(again);
    CHECK(again->next->sa == s->next->sa);
    CHECK(f.tend_until_moved(*again));
}

// 802.1AE 9.5, 9.9: frames without SCI belong to the only SC there is.
TEST_CASE("a peer that sends no SCI is heard after it was replaced") {
    Fixture f;
    const auto first = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(first);
    auto wanted = f.secy('a', 0);
    wanted.static_keys->receive[0].sci = macsec::Sci{kPeer.value + 0x10000};
    const auto second = f.commit(wanted, &*first);
    REQUIRE(second);
    const auto entry = secy_entry(dataplane::PortId{0}, *second, 1546);
    REQUIRE(entry.receive.scs.size() == 1);
    CHECK(entry.receive.scs[0].sci == macsec::Sci{kPeer.value + 0x10000});
    CHECK(entry.receive.scs[0].sa[0] == second->receive.begin()->second.sa.get());
    CHECK(second->counters().contains(kPeer));  // what it counted can still be read

    const auto description = second->receive.begin()->second.sa->description;
    auto key = macsec::AeadKey::create(description.suite, std::vector<std::uint8_t>(32, 0xbb));
    REQUIRE(key);
    macsec::TransmitSa sa(description, std::move(*key), 1);
    sa.pn_ceiling = 2;
    macsec::TransmitCounters counters;
    const macsec::TransmitSecY peer{
        .sci = description.sci, .form = macsec::SciForm::none, .sa = &sa, .counters = &counters};
    std::vector<std::uint8_t> room(32 + 60 + 16);
    macsec::Frame frame{.data = room.data() + 32, .length = 60, .headroom = 32, .tailroom = 16};
    macsec::protect(peer, {&frame, 1});
    REQUIRE(frame.verdict == macsec::Verdict::ok);
    macsec::verify(entry.receive, {&frame, 1});
    CHECK(frame.verdict == macsec::Verdict::ok);
}

TEST_CASE("an SC that returns goes on counting, and of those that are gone the last 32 are remembered") {
    Fixture f;
    auto live = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(live);
    const auto counters = live->counters().at(kPeer);
    auto wanted = f.secy('a', 0);
    const auto replace_by = [&](std::uint64_t number) {
        wanted.static_keys->receive[0].sci = macsec::Sci{kPeer.value + 0x10000 * number};
        live = f.commit(wanted, &*live);
        REQUIRE(live);
    };
    for (std::uint64_t n = 1; n <= 32; ++n) replace_by(n);
    CHECK(live->counters().size() == 33);
    replace_by(0);
    CHECK(live->counters().at(kPeer) == counters);
    for (std::uint64_t n = 33; n <= 65; ++n) replace_by(n);
    CHECK(live->counters().size() == 33);
    CHECK_FALSE(live->counters().contains(kPeer));
    CHECK(secy_entry(dataplane::PortId{0}, *live, 1546).receive.scs.size() == 1);
}

TEST_CASE("a protected frame that the port's device does not take is dropped and counted as OutPktsTooLong") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    const auto entry = secy_entry(dataplane::PortId{0}, *s, dataplane::frame_octets(1500, 2, true));
    std::vector<std::uint8_t> room(32 + 1523 + 16);
    const auto verdict_of = [&](std::uint32_t octets) {
        macsec::Frame frame{.data = room.data() + 32, .length = octets, .headroom = 32, .tailroom = 16};
        macsec::protect(entry.transmit, {&frame, 1});
        return frame.verdict;
    };
    CHECK(verdict_of(1522) == macsec::Verdict::ok);  // an MTU of 1500, two tags
    CHECK(s->transmit_counters->out_pkts_too_long.get() == 0);
    CHECK(verdict_of(1523) == macsec::Verdict::tx_too_long);
    CHECK(s->transmit_counters->out_pkts_too_long.get() == 1);
}

TEST_CASE("a lease that cannot be read keeps its key from being used") {
    Fixture f;
    auto s = f.commit(f.secy('a', 0), nullptr);
    REQUIRE(f.tend_until_moved(*s));
    const auto file = f.directory / "leases" / (s->encoding->fingerprint + ".transmit");
    std::ofstream(file, std::ios::trunc) << "garbage\n";
    const auto again = f.commit(f.secy('a', 0), nullptr);
    REQUIRE_FALSE(again);
    CHECK(again.error().find(file.string()) != std::string::npos);
    CHECK(again.error().find("aaaa") == std::string::npos);
}

TEST_CASE("a key that was used and whose lease is gone is not used again") {
    for (const auto suite : {macsec::CipherSuite::gcm_aes_256, macsec::CipherSuite::gcm_aes_xpn_256}) {
        Fixture f;
        const bool xpn = macsec::is_xpn(suite);
        auto secy = f.secy('a', 0);
        secy.cipher_suite = suite;
        if (!xpn) secy.static_keys->transmit.salt = secy.static_keys->receive[0].sas[0].salt = macsec::Salt{};
        auto s = f.commit(secy, nullptr);
        REQUIRE(f.tend_until_moved(*s));
        const auto file = f.directory / "leases" / (s->encoding->fingerprint + ".transmit");
        f.restart();
        REQUIRE(f.commit(secy, nullptr));
        f.restart();
        std::filesystem::remove(file);
        const auto again = f.commit(secy, nullptr);
        REQUIRE_FALSE(again);
        CHECK(again.error().find(file.string()) != std::string::npos);
        CHECK(again.error().find("replace the SAK") != std::string::npos);
    }
}

TEST_CASE("a state directory belongs to one daemon") {
    Fixture f;
    const auto second = LeaseKeeper::open(f.directory);
    REQUIRE_FALSE(second);
    CHECK(second.error().find("another demarcd") != std::string::npos);
}

TEST_CASE("a receive SCI that is our own is refused") {
    Fixture f;
    auto config = f.secy('a', 0);
    config.static_keys->receive[0].sci = macsec::Sci{kMac.number() << 16 | 1};
    const auto s = prepare_secy(config, kMac, nullptr, *f.leases);
    REQUIRE_FALSE(s);
    CHECK(s.error().find("our own") != std::string::npos);
}
