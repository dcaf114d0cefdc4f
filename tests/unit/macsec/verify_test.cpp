#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

constexpr auto kNarrow = CipherSuite::gcm_aes_128;
constexpr auto kWide = CipherSuite::gcm_aes_xpn_128;

struct Fixture : Pair {
    explicit Fixture(CipherSuite suite = kNarrow, SciForm form = SciForm::sci)
        : Pair(describe(suite), sak_for(suite), form) {}
    std::uint64_t next() const { return receive_sa->next_pn; }
};

// What another's SecY may send and ours never does: user data that is not padded. Its PN is 1, ours begins behind it.
Bytes sealed_by_hand(Pair& pair, SciForm form, const Bytes& addresses, const Bytes& user) {
    const SaDescription& d = pair.description;
    Bytes iv(12), sci(8);
    store_be64(sci.data(), d.sci.value);
    if (is_xpn(d.suite)) {
        std::copy(d.salt.begin(), d.salt.end(), iv.begin());
        iv[3] ^= static_cast<std::uint8_t>(d.ssci.value);
    } else {
        std::copy(sci.begin(), sci.end(), iv.begin());
    }
    iv[11] ^= 1;
    Bytes aad = addresses + Bytes{0x88, 0xE5, make_tci(form, true, d.an), short_length(1), 0, 0, 0, 1};
    if (form == SciForm::sci) aad = aad + sci;
    const Sealed sealed = openssl_seal(sak_for(d.suite), iv, aad, user);
    pair.transmit_sa->next_pn = 2;
    return aad + sealed.text + sealed.icv;
}

Bytes made(Pair& pair, const Bytes& plain) {
    Room room(plain);
    REQUIRE(pair.protect(room) == Verdict::ok);
    return room.bytes();
}

}  // namespace

TEST_CASE("a frame that was changed anywhere in AAD, text or ICV is not valid and changes nothing") {
    for (const bool confidentiality : {true, false}) {
        Pair pair(describe(kNarrow, confidentiality), sak_for(kNarrow));
        const Bytes wire = pair.frame_with_pn(5, plain_frame(60));
        for (std::size_t i = 0; i < wire.size(); ++i) {
            Bytes changed = wire;
            changed[i] ^= 0x01;
            Room room(changed);
            INFO(i);
            if (i == 12 || i == 13) continue;  // the EtherType: such a frame does not come here
            CHECK(pair.verify(room) != Verdict::ok);
            CHECK(room.frame.length == wire.size());
        }
        CHECK(pair.receive_sa->next_pn == 1);
        CHECK(pair.receive_sa->lowest_pn == 1);
        CHECK(pair.received.in_pkts_ok.get() == 0);
        CHECK(pair.received.in_pkts_not_valid.get() > 80);
        CHECK(pair.receive_bytes(wire) == Verdict::ok);
        CHECK(pair.receive_sa->next_pn == 6);
    }
}

TEST_CASE("a changed EtherType is caught by the ICV too") {
    Fixture pair;
    Bytes wire = pair.frame_with_pn(5, plain_frame(60));
    wire[13] = 0xE6;
    CHECK(pair.receive_bytes(wire) == Verdict::rx_not_valid);
}

TEST_CASE("a frame that fails its ICV keeps its shape and never looks decrypted") {
    for (const std::string tags : {"", "81000007"}) {
        const Bytes clear = from_hex(tags);
        Bytes plain = plain_frame(60);
        plain.insert(plain.begin() + 12, clear.begin(), clear.end());
        Fixture pair;
        Room room(plain, static_cast<std::uint8_t>(clear.size()));
        REQUIRE(pair.protect(room) == Verdict::ok);
        room.frame.data[room.frame.length - 1] ^= 1;
        const Bytes wire = room.bytes();
        REQUIRE(pair.verify(room) == Verdict::rx_not_valid);
        const Bytes left = room.bytes();
        const auto text = static_cast<std::ptrdiff_t>(28 + clear.size());
        CHECK(Bytes(left.begin(), left.begin() + text) == Bytes(wire.begin(), wire.begin() + text));
        CHECK(Bytes(left.begin() + text, left.end() - 16) == Bytes(60, 0));
        CHECK(room.adds_up());
    }
}

TEST_CASE("malformed SecTAGs are dropped with their verdict and counted as bad tags") {
    Fixture pair;
    const Bytes wire = pair.frame_with_pn(5, plain_frame(60));
    const auto with = [&](std::size_t at, std::uint8_t value) {
        Bytes changed = wire;
        changed[at] = value;
        return changed;
    };
    CHECK(pair.receive_bytes(with(14, 0x80)) == Verdict::rx_bad_tag_version);
    CHECK(pair.receive_bytes(with(14, 0x6C)) == Verdict::rx_bad_tag_es_sc);
    CHECK(pair.receive_bytes(with(14, 0x3C)) == Verdict::rx_bad_tag_scb_sc);
    CHECK(pair.receive_bytes(with(14, 0x28)) == Verdict::rx_e_without_c);
    CHECK(pair.receive_bytes(with(15, 48)) == Verdict::rx_bad_tag_short_length);
    CHECK(pair.receive_bytes(Bytes(wire.begin(), wire.begin() + 27)) == Verdict::rx_bad_tag_short);
    CHECK(pair.receive_bytes(Bytes(wire.begin(), wire.begin() + 28)) == Verdict::rx_bad_tag_icv_short);
    CHECK(pair.receive_bytes(Bytes(5, 0)) == Verdict::rx_bad_tag_short);
    CHECK(pair.receive_bytes(Bytes{}) == Verdict::rx_bad_tag_short);
    Room impossible(wire, 12);
    CHECK(pair.verify(impossible) == Verdict::rx_bad_tag_short);
    CHECK(pair.secy_received.in_pkts_bad_tag.get() == 9);
    CHECK(pair.next() == 1);
}

TEST_CASE("a frame cut at any length is dropped") {
    Fixture pair;
    const Bytes wire = pair.frame_with_pn(5, plain_frame(100));
    for (std::size_t n = 0; n < wire.size(); ++n) {
        INFO(n);
        CHECK(pair.receive_bytes(Bytes(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(n))) != Verdict::ok);
    }
    CHECK(pair.next() == 1);
}

TEST_CASE("PN 0 is a bad tag of a 32-bit suite, and an ordinary low half under XPN") {
    Fixture narrow(kNarrow);
    Bytes wire = narrow.frame_with_pn(5, plain_frame(60));
    store_be32(wire.data() + 16, 0);
    CHECK(narrow.receive_bytes(wire) == Verdict::rx_bad_tag_pn_zero);
    CHECK(narrow.secy_received.in_pkts_bad_tag.get() == 1);

    Fixture wide(kWide);
    wide.receive_sa->lowest_pn = wide.receive_sa->next_pn = 0xFFFF'FFF0;
    const Bytes zero = wide.frame_with_pn(0x1'0000'0000, plain_frame(60));
    CHECK(load_be32(zero.data() + 16) == 0);
    CHECK(wide.receive_bytes(zero) == Verdict::ok);
    CHECK(wide.next() == 0x1'0000'0001);

    Fixture fresh(kWide);
    CHECK(fresh.receive_bytes(zero) == Verdict::rx_bad_tag_pn_zero);  // all 64 bits are zero
}

TEST_CASE("the very last PN under XPN is never accepted, and next PN does not wrap") {
    Fixture pair(kWide);
    constexpr std::uint64_t last = ~std::uint64_t{0};
    pair.receive_sa->lowest_pn = pair.receive_sa->next_pn = last - 5;
    CHECK(pair.receive_bytes(pair.frame_with_pn(last - 1, plain_frame(60))) == Verdict::ok);
    CHECK(pair.next() == last);
    const Bytes plain = plain_frame(60);
    const Bytes aad = Bytes(plain.begin(), plain.begin() + 12) + from_hex("88e52e00ffffffff020000000a010001");
    // Salt 0102..0c XOR (SSCI 1 || PN of ones): the ICV is good.
    const Sealed sealed =
        openssl_seal(sak_for(kWide), from_hex("01020305faf9f8f7f6f5f4f3"), aad, Bytes(plain.begin() + 12, plain.end()));
    CHECK(pair.receive_bytes(aad + sealed.text + sealed.icv) == Verdict::rx_not_valid);
    CHECK(pair.next() == last);
}

TEST_CASE("the greatest PN of a 32-bit suite is accepted from others, once") {
    Fixture pair(kNarrow);
    const Bytes sak = sak_for(kNarrow);
    const Bytes plain = plain_frame(60);
    const Bytes aad = Bytes(plain.begin(), plain.begin() + 12) + from_hex("88e52e00ffffffff020000000a010001");
    const Sealed sealed =
        openssl_seal(sak, from_hex("020000000a010001ffffffff"), aad, Bytes(plain.begin() + 12, plain.end()));
    CHECK(pair.receive_bytes(aad + sealed.text + sealed.icv) == Verdict::ok);
    CHECK(pair.next() == 0x1'0000'0000);
    CHECK(pair.receive_bytes(aad + sealed.text + sealed.icv) == Verdict::rx_late);
}

TEST_CASE("an unknown SCI and an unused AN are told apart") {
    Fixture pair;
    Bytes wire = pair.frame_with_pn(5, plain_frame(60));
    Bytes foreign = wire;
    foreign[27] ^= 1;
    CHECK(pair.receive_bytes(foreign) == Verdict::rx_unknown_sci);
    CHECK(pair.secy_received.in_pkts_unknown_sci.get() == 1);
    Bytes other_an = wire;
    other_an[14] ^= 1;
    CHECK(pair.receive_bytes(other_an) == Verdict::rx_unused_an);
    CHECK(pair.secy_received.in_pkts_no_sa_error.get() == 2);
    CHECK(pair.received.in_pkts_no_sa.get() == 1);
}

TEST_CASE("an end station's frames belong to its address and port 1, SCB's to port 0") {
    Fixture es(kNarrow, SciForm::es);
    const Bytes wire = es.frame_with_pn(5, plain_frame(60));
    CHECK(wire.size() == 12 + 8 + 60 + 16);
    CHECK(es.receive_bytes(wire) == Verdict::ok);
    Bytes other = wire;
    other[11] ^= 1;
    CHECK(es.receive_bytes(other) == Verdict::rx_unknown_sci);

    SaDescription d = describe(kNarrow);
    d.sci = Sci{0x020000000a010000};
    Pair scb(d, sak_for(kNarrow), SciForm::scb);
    CHECK(scb.receive_bytes(scb.frame_with_pn(5, plain_frame(60))) == Verdict::ok);
}

TEST_CASE("a frame without SCI belongs to the only SC, and to none where there are two") {
    Fixture pair(kNarrow, SciForm::none);
    const Bytes wire = pair.frame_with_pn(5, plain_frame(60));
    std::array<ReceiveSc, 2> two{pair.scs[0], pair.scs[0]};
    two[1].sci.value++;
    ReceiveSecY secy = pair.receive;
    secy.scs = two;
    Room room(wire);
    verify(secy, {&room.frame, 1});
    CHECK(room.frame.verdict == Verdict::rx_unknown_sci);
    secy.scs = {};
    room.frame.verdict = Verdict::ok;
    verify(secy, {&room.frame, 1});
    CHECK(room.frame.verdict == Verdict::rx_unknown_sci);
    CHECK(pair.receive_bytes(wire) == Verdict::ok);
}

TEST_CASE("an integrity-only frame on an SA agreed for confidentiality is dropped though its ICV is good") {
    Pair clear(describe(kNarrow, false), sak_for(kNarrow));
    const Bytes wire = clear.frame_with_pn(5, plain_frame(60));
    CHECK(clear.receive_bytes(wire) == Verdict::ok);
    Fixture encrypted;
    CHECK(encrypted.receive_bytes(wire) == Verdict::rx_not_encrypted);
    CHECK(encrypted.received.in_pkts_not_valid.get() == 1);
    CHECK(encrypted.next() == 1);
}

TEST_CASE("an encrypted frame on an integrity-only SA is opened") {
    Fixture encrypted;
    Pair clear(describe(kNarrow, false), sak_for(kNarrow));
    CHECK(clear.receive_bytes(encrypted.frame_with_pn(5, plain_frame(60))) == Verdict::ok);
    CHECK(clear.received.in_octets_decrypted.get() == 60);
}

TEST_CASE("what a link padded behind the ICV is taken off") {
    Fixture pair;
    const Bytes wire = pair.frame_with_pn(5, plain_frame(30));
    Room room(wire + Bytes(200, 0x77));
    REQUIRE(pair.verify(room) == Verdict::ok);
    CHECK(room.bytes() == plain_frame(30));
    CHECK(room.adds_up());
}

TEST_CASE("every frame from one octet of user data to an MTU of 9,001 is made and opened, by every suite and form") {
    const std::size_t sizes[] = {1, 2, 29, 30, 31, 46, 47, 48, 49, 50, 51, 1499, 1500, 1501, 8999, 9001, 9001 + 4};
    for (int s = 0; s < 4; ++s)
        for (const auto form : {SciForm::sci, SciForm::es, SciForm::scb, SciForm::none}) {
            const auto suite = static_cast<CipherSuite>(s);
            SaDescription d = describe(suite);
            if (form == SciForm::scb) d.sci = Sci{0x020000000a010000};
            Pair pair(d, sak_for(suite), form);
            for (const std::size_t size : sizes) {
                CAPTURE(s, static_cast<int>(form), size);
                Bytes user(size, 0xA5);
                const Bytes addresses = from_hex("020000000b01020000000a01");
                // One octet of user data: half an EtherType, which protect() does not take; another's SecY may send it.
                Room opened(size == 1 ? sealed_by_hand(pair, form, addresses, user) : made(pair, addresses + user));
                REQUIRE(pair.verify(opened) == Verdict::ok);
                Bytes left = opened.bytes();
                REQUIRE(left.size() >= 12 + size);
                CHECK(Bytes(left.begin() + 12, left.begin() + 12 + static_cast<std::ptrdiff_t>(size)) == user);
                CHECK(std::count(left.begin() + 12 + static_cast<std::ptrdiff_t>(size), left.end(), 0) ==
                      static_cast<std::ptrdiff_t>(left.size() - 12 - size));
            }
        }
}

TEST_CASE("good frames are counted with their octets of user data") {
    Fixture pair;
    for (std::uint64_t pn = 1; pn <= 3; ++pn)
        REQUIRE(pair.receive_bytes(pair.frame_with_pn(pn, plain_frame(100))) == Verdict::ok);
    CHECK(pair.received.in_pkts_ok.get() == 3);
    CHECK(pair.received.in_octets_decrypted.get() == 300);
    CHECK(pair.received.in_octets_validated.get() == 0);
    CHECK(pair.receive_sa->pkts_ok.get() == 3);
    Pair clear(describe(kNarrow, false), sak_for(kNarrow));
    REQUIRE(clear.receive_bytes(clear.frame_with_pn(5, plain_frame(60))) == Verdict::ok);
    CHECK(clear.received.in_octets_validated.get() == 60);
    CHECK(clear.received.in_octets_decrypted.get() == 0);
}

TEST_CASE("one batch may hold frames of several SCs and SAs, and good ones beside bad ones") {
    std::vector<std::unique_ptr<Pair>> pairs;
    std::vector<ReceiveSc> scs(2);
    std::array<ReceiveCounters, 2> counters;
    for (std::size_t i = 0; i < 4; ++i) {
        const auto suite = i < 2 ? CipherSuite::gcm_aes_128 : CipherSuite::gcm_aes_xpn_256;
        SaDescription d = describe(suite, i != 1);
        d.sci.value += i / 2;
        d.an = An{static_cast<std::uint8_t>(i % 2)};
        pairs.push_back(std::make_unique<Pair>(d, Bytes(sak_octets(suite), static_cast<std::uint8_t>(i))));
        scs[i / 2].sci = d.sci;
        scs[i / 2].sa[i % 2] = pairs[i]->receive_sa.get();
        scs[i / 2].counters = &counters[i / 2];
    }
    ReceiveSecYCounters secy_counters;
    const ReceiveSecY secy{.scs = scs, .replay_protect = true, .replay_window = 0, .counters = &secy_counters};
    std::vector<Room> rooms;
    for (std::size_t i = 0; i < 40; ++i) {
        Bytes wire = pairs[i % 4]->frame_with_pn(i + 1, plain_frame(50 + i));
        if (i % 10 == 7) wire.back() ^= 1;
        if (i % 10 == 8) wire[14] |= 0x80;
        rooms.emplace_back(wire);
    }
    std::vector<Frame> frames;
    for (auto& room : rooms) frames.push_back(room.frame);
    verify(secy, frames);
    for (std::size_t i = 0; i < 40; ++i) {
        INFO(i);
        const Verdict wanted = i % 10 == 7 ? Verdict::rx_not_valid
                             : i % 10 == 8 ? Verdict::rx_bad_tag_version
                                           : Verdict::ok;
        CHECK(frames[i].verdict == wanted);
        if (wanted == Verdict::ok)
            CHECK(Bytes(frames[i].data, frames[i].data + frames[i].length) == plain_frame(50 + i));
    }
    CHECK(counters[0].in_pkts_ok.get() + counters[1].in_pkts_ok.get() == 32);
    CHECK(counters[0].in_pkts_not_valid.get() + counters[1].in_pkts_not_valid.get() == 4);
    CHECK(counters[0].in_octets_validated.get() > 0);
    CHECK(secy_counters.in_pkts_bad_tag.get() == 4);
}

TEST_CASE("frames that were dropped before are not looked at") {
    Fixture pair;
    Room room(pair.frame_with_pn(5, plain_frame(60)));
    room.frame.verdict = Verdict::rx_late;
    CHECK(pair.verify(room) == Verdict::rx_late);
    CHECK(pair.next() == 1);
}
