// Somebody without the CAK records MKPDUs and sends them later: their ICVs are good, their message numbers may be new.
#include "tests/unit/catch.h"

#include "tests/unit/macsec/mka/bench.h"

using namespace macsec;
using namespace macsec::mka;
using namespace macsec::mka::test;

namespace {

using Frames = std::vector<std::vector<std::uint8_t>>;

// The first MKPDU of so many lives of a station.
Frames first_words(std::size_t lives, std::uint8_t number, const RingKey& key) {
    Frames recorded;
    for (std::size_t life = 0; life < lives; ++life) {
        Kay kay(identity_of(number), [random = std::mt19937_64(5000 + life)](Octets o) mutable {
            for (auto& octet : o) octet = static_cast<std::uint8_t>(random());
        });
        Actions actions;
        REQUIRE(kay.configure(settings_of(10, {key}), 100 * kSecond, kWall, actions));
        for (const Action& a : actions)
            if (const auto* pdu = std::get_if<SendPdu>(&a)) recorded.push_back(pdu->frame);
    }
    return recorded;
}

}  // namespace

TEST_CASE("however many recorded MKPDUs come in between, a SAK is not taken a second time") {
    const Frames recorded = first_words(1100, 1, ring_key(1));
    REQUIRE(recorded.size() == 1100);
    Bench b;
    b.add(1, settings_of(10, {ring_key(1)}));
    Station& member = b.add(2, settings_of(20, {ring_key(1)}));
    REQUIRE(b.run_until_secured(20 * kSecond));
    const auto taken = member.kay.status(b.now).counters.saks_taken;
    member.speaks = false;  // held back: the key server goes on distributing its SAK
    for (const auto& frame : recorded) b.hear(member, frame);
    b.run_for(4 * kSecond);  // the bench throws when a key is installed twice
    CHECK(member.kay.status(b.now).counters.saks_taken == taken);
}

TEST_CASE("MKPDUs of a member's former life do not make a key server renew its SAK") {
    Bench b;
    const auto server_settings = settings_of(10, {ring_key(1)}), member_settings = settings_of(20, {ring_key(1)});
    Station& old_server = b.add(1, server_settings);
    Station& old_member = b.add(2, member_settings);
    b.run_for(100 * kSecond);
    const Frames recorded = old_member.sent;
    REQUIRE(recorded.size() > 40);
    Station& server = b.restart(old_server, server_settings);
    b.restart(old_member, member_settings);
    REQUIRE(b.run_until(b.now + 40 * kSecond, [&] { return server.transmitting() != nullptr && server.open; }));
    b.run_for(20 * kSecond);
    const auto made = server.kay.status(b.now).counters.saks_made;
    b.lossless = true;
    for (std::size_t i = 10; i < recorded.size(); ++i) {
        b.hear(server, recorded[i]);
        b.run_for(2 * kSecond);
    }
    CHECK(server.kay.status(b.now).counters.saks_made == made);
}
