#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

constexpr auto kNarrow = CipherSuite::gcm_aes_128;
constexpr auto kWide = CipherSuite::gcm_aes_xpn_256;

Pair make_pair(CipherSuite suite, SciForm form = SciForm::sci, std::uint64_t pn = 1) {
    return Pair(describe(suite), sak_for(suite), form, pn);
}

// A batch of equal frames.
struct Batch {
    std::vector<std::unique_ptr<Room>> rooms;
    std::vector<Frame> frames;
    explicit Batch(std::size_t n, std::size_t user = 64) {
        for (std::size_t i = 0; i < n; ++i) {
            rooms.push_back(std::make_unique<Room>(plain_frame(user)));
            frames.push_back(rooms.back()->frame);
        }
    }
    std::size_t count(Verdict v) const {
        return static_cast<std::size_t>(
            std::count_if(frames.begin(), frames.end(), [&](const Frame& f) { return f.verdict == v; }));
    }
};

std::uint32_t pn_of(const Frame& f) { return load_be32(f.data + 16); }

}  // namespace

TEST_CASE("without a transmit SA nothing is protected and every frame is counted") {
    Pair pair = make_pair(kNarrow);
    pair.transmit.sa = nullptr;
    Batch batch(5);
    batch.frames[1].verdict = Verdict::tx_no_room;
    protect(pair.transmit, batch.frames);
    CHECK(batch.count(Verdict::tx_no_sa) == 4);
    CHECK(pair.sent.no_sa.get() == 4);
    CHECK(batch.rooms[0]->bytes() == plain_frame(64));
}

TEST_CASE("user data is padded so that the protected frame has 60 octets, and short length tells it") {
    for (const auto form : {SciForm::sci, SciForm::es}) {
        const std::size_t overhead = 12 + sectag_octets(form) + kIcvOctets;
        for (std::size_t user = 2; user < 70; ++user) {
            Pair pair = make_pair(kNarrow, form);
            Room room(plain_frame(user));
            REQUIRE(pair.protect(room) == Verdict::ok);
            const std::size_t padded = std::max(user, 60 - overhead);
            INFO(user);
            CHECK(room.frame.length == overhead + padded);
            CHECK(room.adds_up());
            CHECK(room.bytes()[15] == (padded < 48 ? padded : 0));
            CHECK(pair.sent.out_octets_encrypted.get() == padded);
            REQUIRE(pair.verify(room) == Verdict::ok);
            CHECK(room.bytes() == plain_frame(user) + Bytes(padded - user, 0));
            CHECK(room.adds_up());
        }
    }
}

TEST_CASE("a batch takes consecutive PNs in order and skips frames that were dropped before") {
    Pair pair = make_pair(kNarrow, SciForm::sci, 100);
    Batch batch(6);
    batch.frames[2].verdict = Verdict::tx_too_long;
    protect(pair.transmit, batch.frames);
    CHECK(pn_of(batch.frames[0]) == 100);
    CHECK(pn_of(batch.frames[1]) == 101);
    CHECK(pn_of(batch.frames[3]) == 102);
    CHECK(pn_of(batch.frames[5]) == 104);
    CHECK(batch.rooms[2]->bytes() == plain_frame(64));
    CHECK(pair.transmit_sa->next_pn == 105);
    CHECK(pair.transmit_sa->pkts.get() == 5);
    CHECK(pair.sent.out_pkts_encrypted.get() == 5);
    CHECK(pair.sent.out_octets_encrypted.get() == 5 * 64);
}

TEST_CASE("more frames than a batch holds are protected all the same") {
    Pair pair = make_pair(kWide);
    Batch batch(kMaxBatch + 9);
    protect(pair.transmit, batch.frames);
    CHECK(batch.count(Verdict::ok) == kMaxBatch + 9);
    CHECK(pn_of(batch.frames.back()) == kMaxBatch + 9);
    verify(pair.receive, batch.frames);
    CHECK(batch.count(Verdict::ok) == kMaxBatch + 9);
}

TEST_CASE("a batch is cut exactly at the lease's ceiling and goes on when it rises") {
    Pair pair = make_pair(kWide, SciForm::sci, 1000);
    pair.transmit_sa->pn_ceiling = 1003;
    Batch batch(5);
    protect(pair.transmit, batch.frames);
    CHECK(batch.count(Verdict::ok) == 3);
    CHECK(batch.frames[2].verdict == Verdict::ok);
    CHECK(batch.frames[3].verdict == Verdict::tx_lease_ceiling);
    CHECK(batch.rooms[3]->bytes() == plain_frame(64));
    CHECK(pair.sent.lease_ceiling.get() == 2);
    CHECK(pair.transmit_sa->next_pn == 1003);
    pair.transmit_sa->pn_ceiling = 1004;
    Batch more(2);
    protect(pair.transmit, more.frames);
    CHECK(pn_of(more.frames[0]) == 1003);
    CHECK(more.frames[1].verdict == Verdict::tx_lease_ceiling);
}

TEST_CASE("an SA without a lease sends nothing") {
    Pair pair = make_pair(kWide);
    pair.transmit_sa->pn_ceiling = 0;
    Batch batch(3);
    protect(pair.transmit, batch.frames);
    CHECK(batch.count(Verdict::tx_lease_ceiling) == 3);
    CHECK(pair.transmit_sa->next_pn == 1);
}

TEST_CASE("a batch is cut exactly at the end of the packet numbers and never wraps") {
    for (const auto suite : {kNarrow, kWide}) {
        const std::uint64_t end = pn_end(suite);
        Pair pair = make_pair(suite, SciForm::sci, end - 2);
        Batch batch(5);
        protect(pair.transmit, batch.frames);
        CHECK(batch.count(Verdict::ok) == 2);
        CHECK(pn_of(batch.frames[1]) == 0xFFFF'FFFE);
        CHECK(batch.frames[2].verdict == Verdict::tx_pn_exhausted);
        CHECK(pair.transmit_sa->next_pn == end);
        CHECK(pair.sent.pn_exhausted.get() == 3);
        Batch more(64);
        protect(pair.transmit, more.frames);
        CHECK(more.count(Verdict::tx_pn_exhausted) == 64);
        CHECK(pair.transmit_sa->next_pn == end);
    }
}

TEST_CASE("the receiver takes every frame up to the last packet number, in whatever batch the end falls") {
    for (const auto suite : {kNarrow, CipherSuite::gcm_aes_256, CipherSuite::gcm_aes_xpn_128, kWide})
        for (std::size_t left = 0; left <= kMaxBatch; ++left) {
            const std::uint64_t end = pn_end(suite);
            Pair pair = make_pair(suite, SciForm::sci, end - left);
            Batch batch(kMaxBatch);
            protect(pair.transmit, batch.frames);
            INFO(to_string(suite) << " " << left);
            REQUIRE(batch.count(Verdict::ok) == left);
            REQUIRE(batch.count(Verdict::tx_pn_exhausted) == kMaxBatch - left);
            if (left != 0) REQUIRE(pn_of(batch.frames[left - 1]) == 0xFFFF'FFFE);
            if (left != kMaxBatch) REQUIRE(batch.rooms[left]->bytes() == plain_frame(64));
            verify(pair.receive, batch.frames);
            REQUIRE(batch.count(Verdict::ok) == left);
            REQUIRE(pair.received.in_pkts_ok.get() == left);
            REQUIRE(pair.receive_sa->next_pn == end);
        }
}

TEST_CASE("no frame ever carries PN 0") {
    Pair pair = make_pair(kNarrow, SciForm::sci, 0);
    Batch batch(1);
    protect(pair.transmit, batch.frames);
    CHECK(pn_of(batch.frames[0]) == 1);
}

TEST_CASE("a frame without room around it is refused whole and takes no PN") {
    Pair pair = make_pair(kNarrow);
    Room front(plain_frame(64));
    front.frame.headroom = 15;
    CHECK(pair.protect(front) == Verdict::tx_no_room);
    Room back(plain_frame(64));
    back.frame.tailroom = 15;
    CHECK(pair.protect(back) == Verdict::tx_no_room);
    Room padded(plain_frame(2));
    padded.frame.tailroom = 16 + 13;
    CHECK(pair.protect(padded) == Verdict::tx_no_room);
    CHECK(padded.bytes() == plain_frame(2));
    padded.frame.verdict = Verdict::ok;
    padded.frame.tailroom = 16 + 14;
    CHECK(pair.protect(padded) == Verdict::ok);
    CHECK(pair.sent.no_room.get() == 3);
    CHECK(pn_of(padded.frame) == 1);
}

TEST_CASE("what is no frame is refused") {
    Pair pair = make_pair(kNarrow);
    for (std::size_t n = 0; n < 14; ++n) {
        Room room(Bytes(n, 1));
        CHECK(pair.protect(room) == Verdict::tx_runt);
    }
    Room tagged(Bytes(17, 1), 4);
    CHECK(pair.protect(tagged) == Verdict::tx_runt);
    Room impossible(Bytes(60, 1), 12);
    CHECK(pair.protect(impossible) == Verdict::tx_runt);
    CHECK(pair.sent.runt.get() == 16);
    CHECK(pair.transmit_sa->next_pn == 1);
}

TEST_CASE("a frame that would be longer than the port carries is refused and counted") {
    Pair pair = make_pair(kNarrow);
    pair.transmit.max_octets = 12 + 100 + 32;
    Room fits(plain_frame(100));
    CHECK(pair.protect(fits) == Verdict::ok);
    Room longer(plain_frame(101));
    CHECK(pair.protect(longer) == Verdict::tx_too_long);
    CHECK(pair.sent.out_pkts_too_long.get() == 1);
    CHECK(pair.transmit_sa->next_pn == 2);
}

TEST_CASE("tags in clear stay before the SecTAG and outside the AAD") {
    for (const std::string tags : {"81000007", "88a8000781000008"}) {
        for (const auto form : {SciForm::sci, SciForm::none}) {
            const Bytes clear = from_hex(tags);
            const Bytes untagged = plain_frame(80);
            const Bytes tagged = Bytes(untagged.begin(), untagged.begin() + 12) + clear +
                                 Bytes(untagged.begin() + 12, untagged.end());
            Pair with = make_pair(kNarrow, form), without = make_pair(kNarrow, form);
            Room room(tagged, static_cast<std::uint8_t>(clear.size())), bare(untagged);
            REQUIRE(with.protect(room) == Verdict::ok);
            REQUIRE(without.protect(bare) == Verdict::ok);
            const Bytes expected = bare.bytes();
            CHECK(to_hex(room.bytes()) == to_hex(Bytes(expected.begin(), expected.begin() + 12) + clear +
                                                 Bytes(expected.begin() + 12, expected.end())));
            CHECK(room.adds_up());
            // A carrier may rewrite the tags: they are not authenticated.
            room.frame.data[15] ^= 0x01;
            REQUIRE(with.verify(room) == Verdict::ok);
            Bytes rewritten = tagged;
            rewritten[15] ^= 0x01;
            CHECK(room.bytes() == rewritten);
            CHECK(room.adds_up());
        }
    }
}

TEST_CASE("integrity only leaves user data readable and counts it as protected") {
    Pair pair(describe(kNarrow, false), sak_for(kNarrow));
    Room room(plain_frame(100));
    REQUIRE(pair.protect(room) == Verdict::ok);
    const Bytes wire = room.bytes(), plain = plain_frame(100);
    CHECK(Bytes(wire.begin() + 28, wire.end() - 16) == Bytes(plain.begin() + 12, plain.end()));
    CHECK((wire[14] & (kTciEncrypted | kTciChanged)) == 0);
    CHECK(pair.sent.out_pkts_protected.get() == 1);
    CHECK(pair.sent.out_octets_protected.get() == 100);
    CHECK(pair.sent.out_pkts_encrypted.get() == 0);
}

TEST_CASE("a confidentiality offset leaves the first 30 or 50 octets readable, never under XPN") {
    for (const auto suite : {CipherSuite::gcm_aes_256, kWide})
        for (const std::uint8_t offset : {30, 50}) {
            SaDescription d = describe(suite);
            d.confidentiality_offset = offset;
            Pair pair(d, sak_for(suite));
            Room room(plain_frame(100));
            REQUIRE(pair.protect(room) == Verdict::ok);
            const Bytes wire = room.bytes(), plain = plain_frame(100);
            const bool readable = Bytes(wire.begin() + 28, wire.begin() + 28 + offset) ==
                                  Bytes(plain.begin() + 12, plain.begin() + 12 + offset);
            CHECK(readable == !is_xpn(suite));
            CHECK(Bytes(wire.begin() + 28 + offset, wire.begin() + 36 + offset) !=
                  Bytes(plain.begin() + 12 + offset, plain.begin() + 20 + offset));
            REQUIRE(pair.verify(room) == Verdict::ok);
            CHECK(room.bytes() == plain);
        }
}
