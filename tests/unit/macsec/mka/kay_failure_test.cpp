// What a KaY does when peers fall silent, restart, or are not who they should be.
#include <fstream>

#include "macsec/mka/keys.h"
#include "tests/unit/macsec/mka/pair.h"

using namespace macsec;
using namespace macsec::mka;
using namespace macsec::mka::test;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A frame with the addresses and the EtherType of `like`, and a good ICV.
std::vector<std::uint8_t> frame_of(const Mkpdu& pdu, ConstOctets like, const SecretBuffer& ick) {
    std::vector<std::uint8_t> frame(like.begin(), like.begin() + 14);
    const auto body = encode(pdu);
    frame.insert(frame.end(), body.begin(), body.end());
    const ConstOctets all(frame);
    const auto tag = icv(ick, all.first(14), all.subspan(14, body.size() - kMkaIcvOctets)).value();
    std::copy(tag.begin(), tag.end(), frame.end() - kMkaIcvOctets);
    return frame;
}

}  // namespace

TEST_CASE("a peer that is silent for MKA Life Time closes the port, and is secured again without a person") {
    Pair pair;
    pair.b->speaks = pair.b->hears = false;
    const Time silent = pair.bench.now;
    CHECK(pair.bench.run_until(silent + 6 * kSecond, [&] { return !pair.a->open; }));
    CHECK(pair.bench.now - silent > 3900 * kMillisecond);  // b's last PDU was up to two seconds old
    CHECK(pair.a->installed() == 0);
    CHECK(has(pair.why(pair.a), "no peer is heard"));
    CHECK(pair.a->says("is lost: silent for MKA Life Time"));
    pair.bench.run_for(20 * kSecond);
    pair.b->speaks = pair.b->hears = true;
    CHECK(pair.bench.run_until_secured(6 * kSecond));
}

TEST_CASE("a peer that speaks but does not hear us is not live") {
    Pair pair;
    pair.b->hears = false;
    CHECK(pair.bench.run_until(pair.bench.now + 13 * kSecond, [&] { return !pair.a->open; }));
    pair.bench.run_for(3 * kSecond);
    CHECK(has(pair.why(pair.a), "is heard, but does not answer us"));
    CHECK_FALSE(pair.b->open);
    pair.b->hears = true;
    CHECK(pair.bench.run_until_secured(6 * kSecond));
}

TEST_CASE("a restarted member is secured again at once, never with the old SAK") {
    for (const bool server : {false, true}) {
        Pair pair;
        Station* old = server ? pair.a : pair.b;
        const KeyIdentifier before = old->transmitting()->key.key;
        Station& fresh = pair.bench.restart(*old, server ? pair.s1 : pair.s2);
        CHECK(pair.bench.run_until_secured(kSecond));
        CHECK(fresh.transmitting()->key.key != before);
        Station* other = server ? pair.b : pair.a;
        CHECK(pair.status(other).counters.peers_restarted == 1);
        CHECK(pair.status(other).counters.port_closed == 0);
        CHECK(pair.status(other).participants[0].peers.size() == 1);  // never two MIs of one SCI
    }
}

TEST_CASE("a member that restarts in the middle of a rekey is secured again within MKA Life Time") {
    for (Time when = 0; when < 4 * kSecond; when += 50 * kMillisecond) {
        Settings server = settings_of(16, {ring_key(1)});
        server.sak_rekey_ms = 7000;
        Pair pair(server);
        pair.bench.run_for(2 * kSecond + when);
        pair.bench.restart(*pair.b, pair.s2);
        CHECK(pair.bench.run_until_secured(6 * kSecond));
    }
}

TEST_CASE("a SAK that was made before a member started is not taken, whoever offers it") {
    Pair pair;
    // What the server distributed to the member's former self, recorded, and again to its new self.
    std::vector<std::vector<std::uint8_t>> offers;
    for (const auto& frame : pair.a->sent)
        if (decode(ConstOctets(frame).subspan(14))->distributed_sak) offers.push_back(frame);
    REQUIRE_FALSE(offers.empty());
    Station& fresh = pair.bench.restart(*pair.b, pair.s2);
    Actions actions;
    for (const auto& frame : offers) fresh.kay.receive(frame, pair.bench.now, actions);
    for (const Action& a : actions) CHECK_FALSE(std::holds_alternative<InstallKey>(a));
}

TEST_CASE("a SAK goes to nobody once its members are not those that live") {
    Settings server = settings_of(16, {ring_key(1)});
    server.sak_rekey_ms = 20'000;
    Bench bench;
    Station& a = bench.add(1, server);
    Station& b = bench.add(2, settings_of(32, {ring_key(1)}));
    Station& c = bench.add(3, settings_of(48, {ring_key(1)}));
    REQUIRE(bench.run_until_secured(6 * kSecond));
    REQUIRE(bench.run_until(bench.now + 30 * kSecond, [&] { return a.sas.size() == 2; }));
    const KeyIdentifier offered = a.sas[1].key.key;
    c.hears = false;  // it does not get the SAK, and b dies
    b.hears = b.speaks = false;
    REQUIRE(bench.run_until(bench.now + 10 * kSecond, [&] { return a.says("00:02/1 is lost"); }));
    c.hears = true;
    REQUIRE(bench.run_until(bench.now + 12 * kSecond, [&] { return c.open && bench.all_secured(); }));
    CHECK(c.sa(offered) == nullptr);
}

TEST_CASE("a member that the key server lost for a while and has again gets a new SAK") {
    Pair pair;
    pair.bench.add(3, settings_of(48, {ring_key(1)}));
    REQUIRE(pair.bench.run_until_secured(6 * kSecond));
    pair.bench.run_for(5 * kSecond);
    pair.a->hears = false;  // one way
    pair.bench.run_for(9 * kSecond);
    pair.a->hears = true;
    CHECK(pair.bench.run_until_secured(12 * kSecond));
    pair.bench.lossless = true;
    pair.bench.run_for(20 * kSecond);
}

TEST_CASE("another CAK under a known CKN and an unknown CKN are told apart") {
    Bench bench;
    Station& a = bench.add(1, settings_of(16, {ring_key(1)}));
    Settings wrong = settings_of(32, {ring_key(1)});
    SECTION("another CAK") {
        wrong.keys[0].cak = cak_of(99);
        bench.add(2, wrong);
        bench.run_for(10 * kSecond);
        const KayStatus status = a.kay.status(bench.now);
        CHECK(status.counters.wrong_cak > 3);
        CHECK(status.participants[0].wrong_cak == status.counters.wrong_cak);
        CHECK(status.counters.unknown_ckn == 0);
        CHECK(has(status.why_not_secured, "02:00:00:00:00:02/1 speaks with CKN 0a01, but its ICV shows another CAK"));
    }
    SECTION("an unknown CKN") {
        wrong.keys = {ring_key(7)};
        bench.add(2, wrong);
        bench.run_for(10 * kSecond);
        const KayStatus status = a.kay.status(bench.now);
        CHECK(status.counters.unknown_ckn > 3);
        CHECK(status.counters.wrong_cak == 0);
        CHECK(has(status.why_not_secured, "CKN 0a07, which is not in the key ring"));
    }
    SECTION("a CKN that has not started") {
        Settings later = settings_of(16, {ring_key(1), ring_key(7, kWall + 100'000)});
        bench.configure(a, later);
        wrong.keys = {ring_key(7)};
        bench.add(2, wrong);
        bench.run_for(10 * kSecond);
        CHECK(a.kay.status(bench.now).counters.inactive_ckn > 3);
        CHECK(has(a.kay.status(bench.now).why_not_secured, "CKN 0a07, which is not valid now"));
    }
    CHECK_FALSE(a.open);
    CHECK(a.kay.status(bench.now).participants[0].peers.empty());
}

TEST_CASE("a stranger that has become a peer is not named when it falls silent") {
    Bench bench;
    Station& a = bench.add(1, settings_of(16, {ring_key(1), ring_key(7, kWall + 100'000)}));
    Station& b = bench.add(2, settings_of(32, {ring_key(7)}));
    bench.run_for(5 * kSecond);
    CHECK(has(a.kay.status(bench.now).why_not_secured, "CKN 0a07, which is not valid now"));
    bench.configure(a, settings_of(16, {ring_key(7)}));
    REQUIRE(bench.run_until_secured(3 * kSecond));
    b.speaks = b.hears = false;
    REQUIRE(bench.run_until(bench.now + 7 * kSecond, [&] { return !a.open; }));
    CHECK(a.kay.status(bench.now).why_not_secured == "no peer is heard");
}

TEST_CASE("a PDU heard twice, and our own heard again, change nothing") {
    Pair pair;
    Actions actions;
    pair.bench.tick(*pair.b);  // nothing is due
    const auto before = pair.status(pair.b).counters;
    for (const auto& frame : pair.a->sent) pair.b->kay.receive(frame, pair.bench.now, actions);
    CHECK(pair.status(pair.b).counters.replayed_mn == before.replayed_mn + pair.a->sent.size());
    for (const auto& frame : pair.b->sent) pair.b->kay.receive(frame, pair.bench.now, actions);
    CHECK(pair.status(pair.b).counters.own_frame == pair.b->sent.size());
    CHECK(actions.empty());
}

TEST_CASE("another station with our SCI is named") {
    Bench bench;
    Station& a = bench.add(1, settings_of(16, {ring_key(1)}));
    bench.stations.emplace_back(identity_of(1), 4711);
    bench.configure(bench.stations[1], settings_of(16, {ring_key(1)}));
    bench.run_for(10 * kSecond);
    CHECK(a.kay.status(bench.now).counters.own_sci > 3);
    CHECK(has(a.kay.status(bench.now).why_not_secured, "another station uses this port's SCI"));
    CHECK_FALSE(a.open);
}

TEST_CASE("any octets are welcome and counted") {
    Pair pair;
    Actions actions;
    pair.bench.tick(*pair.a);  // nothing is due
    const auto before = pair.status(pair.a).counters;
    const auto& good = pair.b->sent.back();
    for (std::size_t n = 0; n < good.size(); ++n)
        pair.a->kay.receive(ConstOctets(good).first(n), pair.bench.now, actions);
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto bad = good;
        bad[at] ^= 0x40;
        pair.a->kay.receive(bad, pair.bench.now, actions);
    }
    const auto after = pair.status(pair.a).counters;
    CHECK(after.accepted == before.accepted);
    CHECK(after.not_eapol > before.not_eapol);
    CHECK(after.decode_error > before.decode_error);
    CHECK(after.wrong_cak > before.wrong_cak);
    CHECK(after.unknown_ckn > before.unknown_ckn);
    CHECK(after.other_algorithm > before.other_algorithm);
    CHECK(actions.empty());
    CHECK(pair.bench.all_secured());
}

TEST_CASE("keep-last-sak keeps the port open without a peer, and says so") {
    Settings keep = settings_of(16, {ring_key(1)});
    keep.keep_last_sak = true;
    Pair pair(keep, settings_of(32, {ring_key(1)}), CipherSuite::gcm_aes_128);
    pair.b->speaks = pair.b->hears = false;
    pair.bench.run_for(60 * kSecond);
    CHECK(pair.a->open);
    CHECK(pair.status(pair.a).keeps_last_sak);
    REQUIRE(pair.a->transmitting() != nullptr);
    SECTION("packet numbers that are used up close it all the same") {
        pair.a->transmitting()->next_pn = 0xFFFF'FFFF;
        pair.bench.run_for(3 * kSecond);
        CHECK_FALSE(pair.a->open);
        CHECK(pair.a->installed() == 0);
    }
    SECTION("the last key removed closes it all the same") {
        pair.bench.configure(*pair.a, settings_of(16, {}));
        CHECK_FALSE(pair.a->open);
        CHECK(has(pair.why(pair.a), "the key ring is empty"));
    }
    SECTION("a peer that comes back restarted is secured with a new SAK, the port stays open") {
        Station& fresh = pair.bench.restart(*pair.b, pair.s2);
        CHECK(pair.bench.run_until_secured(6 * kSecond));
        CHECK(fresh.transmitting()->key.key.number > 1);
        CHECK(pair.status(pair.a).counters.port_closed == 0);
        CHECK_FALSE(pair.status(pair.a).keeps_last_sak);
    }
}

TEST_CASE("the last key removed closes the port at once") {
    Pair pair;
    pair.bench.configure(*pair.a, settings_of(16, {}));
    CHECK_FALSE(pair.a->open);
    CHECK(pair.a->installed() == 0);
    pair.bench.configure(*pair.a, pair.s1);
    CHECK(pair.bench.run_until_secured(6 * kSecond));
}

TEST_CASE("stop closes the port and retires its keys") {
    Pair pair;
    Actions actions;
    pair.a->kay.stop(pair.bench.now, actions);
    bool closed = false, retired = false;
    for (const Action& a : actions) {
        if (const auto* port = std::get_if<ControlledPort>(&a)) closed = !port->open;
        retired = retired || std::holds_alternative<RetireKey>(a);
        CHECK_FALSE(std::holds_alternative<SendPdu>(a));
    }
    CHECK(closed);
    CHECK(retired);
}

TEST_CASE("the next deadline is never more than MKA Hello Time ahead") {
    Bench bench;
    Station& a = bench.add(1, settings_of(16, {ring_key(1, kWall + 1000)}));  // not started: nobody speaks
    CHECK(a.sent.empty());
    for (int i = 0; i < 100; ++i) {
        CHECK(a.kay.next_deadline() <= bench.now + 2 * kSecond);
        CHECK(a.kay.next_deadline() >= bench.now);
        bench.run_for(300 * kMillisecond);
    }
    CHECK(has(a.kay.status(bench.now).why_not_secured, "no key of the ring is valid now"));
}

TEST_CASE("settings that cannot be are refused and change nothing") {
    Pair pair;
    Actions actions;
    const auto refuse = [&](Settings s, std::string_view why) {
        const auto done = pair.a->kay.configure(std::move(s), pair.bench.now, kWall, actions);
        REQUIRE_FALSE(done);
        CHECK(has(done.error(), why));
        CHECK(actions.empty());
    };
    refuse(settings_of(16, {ring_key(1), ring_key(1)}), "twice");
    refuse(settings_of(16, {fallback_key(1), fallback_key(2)}), "one fallback");
    refuse(settings_of(16, {ring_key(1), ring_key(2), ring_key(3), ring_key(4), ring_key(5), ring_key(6)}), "up to 5");
    Settings slow = settings_of(16, {ring_key(1)});
    slow.timers.life_ms = 5000;
    refuse(slow, "three times");
    Settings odd = settings_of(16, {ring_key(1)});
    odd.keys[0].cak = cak_of(1, 24);
    refuse(odd, "16 or 32");
    CHECK(pair.bench.all_secured());
}

TEST_CASE("a key server that goes on to a cipher suite we have not lives on, and the port stays with the old SAK") {
    Pair pair;
    pair.a->speaks = false;  // the key server speaks as below from now on
    const auto keys = derive_keys(ring_key(1).cak->octets(), ring_key(1).ckn);
    REQUIRE(keys);
    Mkpdu said = *decode(ConstOctets(pair.a->sent.back()).subspan(14));
    DistributedSak& sak = said.distributed_sak.emplace();
    sak.an = An{1};
    sak.key_number = 77;
    sak.unknown_suite = 0x0080'c200'0100'0009;
    sak.wrapped.assign(40, 7);
    std::string told;
    std::vector<std::uint8_t> heard = pair.b->sent.back();
    for (int i = 0; i < 10; ++i) {
        ++said.basic.mn;
        said.live->peers.at(0).mn = decode(ConstOctets(heard).subspan(14))->basic.mn;
        Actions actions;
        pair.b->kay.receive(frame_of(said, pair.a->sent.back(), keys->ick), pair.bench.now, actions);
        pair.bench.run_for(kSecond);
        heard = pair.b->sent.back();
        for (const Action& a : actions) {
            if (const auto* t = std::get_if<Transition>(&a)) told += t->reason;
            if (const auto* pdu = std::get_if<SendPdu>(&a)) heard = pdu->frame;
        }
    }
    const KayStatus status = pair.status(pair.b);
    CHECK(pair.b->open);
    CHECK((status.counters.decode_error == 0 && status.counters.peers_lost == 0));
    CHECK(status.counters.saks_refused == 10);
    CHECK(has(told, "its SAK is for another cipher suite than this port's"));
}

TEST_CASE("a key server whose SAK no peer receives says so, although its port is open") {
    Bench bench;
    bench.add(1, settings_of(16, {ring_key(1)}), CipherSuite::gcm_aes_xpn_256);
    bench.add(2, settings_of(32, {ring_key(1)}), CipherSuite::gcm_aes_128);
    bench.run_for(60 * kSecond);
    const KayStatus ours = bench.stations[0].kay.status(bench.now);
    CHECK(bench.stations[0].open);
    CHECK(has(ours.why_not_secured, "no live peer reports that it receives"));
    CHECK_FALSE(bench.stations[1].open);
}

TEST_CASE("a port with a peer that receives says nothing against it, through rekeys") {
    Settings first = settings_of(16, {ring_key(1)});
    first.sak_rekey_ms = 7000;
    Pair pair(first);
    for (int i = 0; i < 300; ++i) {
        pair.bench.run_for(kSecond / 5);
        CHECK(pair.why(pair.a).empty());
        CHECK(pair.why(pair.b).empty());
    }
}

namespace {

// A peer that is made by hand: it hears all we say, and takes any SAK or none.
struct HandMade {
    Bench bench;
    Station& station{bench.add(5, settings_of(16, {ring_key(1)}), CipherSuite::gcm_aes_128)};
    CakKeys keys{*derive_keys(cak_of(1)->octets(), ckn_of(1))};
    MessageNumber mn{};

    void speak(Capability capability, bool desired) {
        speak(capability, desired, 200, nullptr);
        bench.run_for(kSecond);
    }
    void speak(Capability capability, bool desired, std::uint8_t priority, const DistributedSak* sak) {
        const ParticipantStatus us = station.kay.status(bench.now).participants.at(0);
        Mkpdu pdu;
        pdu.basic = {.mka_version = 1,
                     .key_server_priority = priority,
                     .key_server = priority < 16,
                     .macsec_desired = desired,
                     .capability = capability,
                     .sci = Sci{0x0200'0000'0009'0001u},
                     .mi = {},
                     .mn = ++mn,
                     .ckn = ckn_of(1)};
        pdu.basic.mi.octets[0] = 9;
        pdu.live = PeerList{0, {{us.mi, us.mn}}};
        constexpr std::uint8_t kHeader[] = {1, 0x80, 0xC2, 0, 0, 3, 2, 0, 0, 0, 0, 9, 0x88, 0x8E};
        if (sak != nullptr) pdu.distributed_sak = *sak;
        bench.hear(station, frame_of(pdu, kHeader, keys.ick));
    }
};

// What no core dump will hold. VmLck says nothing where the address sanitizer makes mlock() do nothing.
long undumped_kib() {
    std::ifstream smaps("/proc/self/smaps");
    long total = 0;
    long size = 0;
    for (std::string line; std::getline(smaps, line);) {
        if (line.starts_with("Size:")) size = std::stol(line.substr(5));
        if (line.starts_with("VmFlags:") && line.find(" dd") != std::string::npos) total += size;
    }
    return total;
}

}  // namespace

TEST_CASE("a peer that says it cannot do MACsec is nobody to be secure with") {
    HandMade h;
    for (int i = 0; i < 20; ++i) {
        h.speak(Capability::none, true);
        REQUIRE_FALSE(h.station.open);
    }
    CHECK(h.station.kay.status(h.bench.now).why_not_secured == "no live peer can do MACsec: each says so itself");
}

TEST_CASE("what a peer desires decides nothing: MACsec is desired here") {
    for (const bool desired : {false, true}) {
        HandMade h;
        for (int i = 0; i < 10; ++i) h.speak(Capability::confidentiality, desired);
        CHECK(h.station.open);
        CHECK(h.station.kay.status(h.bench.now).counters.saks_made == 1);
    }
}

TEST_CASE("a key server with a new SAK in every PDU is not kept in memory SAK by SAK") {
    HandMade h;
    h.station.may_transmit = false;  // so that the machine waits in TRANSMIT, and SAKs behind it
    const auto offer = [&](std::uint32_t number) {
        DistributedSak sak;
        sak.an = An{static_cast<std::uint8_t>(number & 3)};
        sak.offset = ConfidentialityOffset::zero;
        sak.key_number = number;
        sak.wrapped = *wrap_sak(h.keys.kek, std::vector<std::uint8_t>(16, static_cast<std::uint8_t>(number)));
        h.speak(Capability::confidentiality, true, 1, number == 0 ? nullptr : &sak);
        h.bench.run_for(5 * kMillisecond);
    };
    for (std::uint32_t n = 0; n < 20; ++n) offer(n);
    const long before = undumped_kib();
    REQUIRE(before > 0);
    for (std::uint32_t n = 20; n < 620; ++n) offer(n);
    CHECK(h.station.kay.status(h.bench.now).counters.saks_taken > 500);
    CHECK(h.station.sas.size() == 1);
    CHECK(undumped_kib() - before < 64);
}
