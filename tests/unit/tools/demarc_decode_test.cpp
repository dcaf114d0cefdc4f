// The Decoder over frames of our own protect().
#include "tools/demarc/decode.h"

#include "tests/unit/catch.h"
#include "tests/unit/tools/decode_support.h"

using namespace macsec;
using namespace macsec::test;
using namespace decode_test;
using cli::DecodedFrame;
using cli::Decoder;
using cli::FrameKind;

namespace {

constexpr auto kNarrow = CipherSuite::gcm_aes_128;
constexpr auto kWide = CipherSuite::gcm_aes_xpn_256;

Bytes other_sak(CipherSuite suite) { return Bytes(sak_octets(suite), 0x77); }

// Frames of one SA.
struct Sender : Pair {
    explicit Sender(const SaDescription& d, const Bytes& sak, SciForm form = SciForm::sci) : Pair(d, sak, form) {}
    explicit Sender(CipherSuite suite, SciForm form = SciForm::sci) : Sender(describe(suite), sak_for(suite), form) {}

    Bytes wire(std::uint64_t pn) { return frame_with_pn(pn, plain_frame(60)); }
    Bytes behind_tags(std::uint64_t pn, const Bytes& plain, std::size_t tags) {
        transmit_sa->next_pn = pn;
        Room room(plain, static_cast<std::uint8_t>(4 * tags));
        REQUIRE(protect(room) == Verdict::ok);
        return room.bytes();
    }
};

// A decoder that knows SAs.
Decoder& with(Decoder& decoder, std::initializer_list<std::pair<SaDescription, Bytes>> sas) {
    for (const auto& [d, sak] : sas) decoder.add(key(d, sak));
    return decoder;
}

std::string word(Decoder& decoder, const Bytes& wire) { return std::string(verdict_word(decoder.decode(whole(wire)))); }

std::string plain_text(const DecodedFrame& f) { return to_hex(f.plaintext); }

}  // namespace

TEST_CASE("a frame is opened with its key under every suite, encrypted or integrity only") {
    for (const auto suite : {CipherSuite::gcm_aes_128, CipherSuite::gcm_aes_256, CipherSuite::gcm_aes_xpn_128, kWide})
        for (const bool confidentiality : {true, false}) {
            Sender sender(describe(suite, confidentiality), sak_for(suite));
            Decoder decoder(std::nullopt);
            with(decoder, {{describe(suite), sak_for(suite)}});
            const Bytes wire = sender.wire(5);
            const DecodedFrame f = decoder.decode(whole(wire));
            INFO(to_string(suite) << confidentiality);
            CHECK(f.kind == FrameKind::macsec);
            CHECK(verdict_word(f) == "ok");
            CHECK(f.sci == kSci);
            CHECK(f.an == An{2});
            CHECK(f.pn == 5u);
            CHECK(f.key == 0u);
            CHECK(plain_text(f) == to_hex(plain_frame(60)));
        }
}

TEST_CASE("a confidentiality offset is one of the key's properties") {
    for (const std::uint8_t offset : {std::uint8_t{30}, std::uint8_t{50}}) {
        SaDescription d = describe(kNarrow);
        d.confidentiality_offset = offset;
        const Bytes wire = Sender(d, sak_for(kNarrow)).wire(5);
        Decoder right(std::nullopt), wrong(std::nullopt);
        CHECK(plain_text(with(right, {{d, sak_for(kNarrow)}}).decode(whole(wire))) == to_hex(plain_frame(60)));
        CHECK(word(with(wrong, {{describe(kNarrow), sak_for(kNarrow)}}), wire) == "not-valid");
    }
}

TEST_CASE("frames without an explicit SCI find their key: end station, SCB, and point to point") {
    for (const auto& [form, port] :
         {std::pair{SciForm::es, 1}, {SciForm::scb, 0}, {SciForm::scb, 1}, {SciForm::none, 9}}) {
        SaDescription d = describe(kNarrow);
        d.sci = Sci{kSci.value >> 16 << 16 | static_cast<std::uint64_t>(port)};
        Decoder decoder(std::nullopt);
        with(decoder, {{describe(kNarrow), other_sak(kNarrow)}, {d, sak_for(kNarrow)}});
        const Bytes wire = Sender(d, sak_for(kNarrow), form).wire(5);
        const DecodedFrame f = decoder.decode(whole(wire));
        INFO(static_cast<int>(form));
        CHECK(f.is_ok());
        CHECK(f.sci == d.sci);
        CHECK(f.key == 1u);
    }
}

TEST_CASE("point to point, every key of the AN is tried, and none of another AN") {
    SaDescription an1 = describe(kNarrow);
    an1.an = An{1};
    const Bytes wire = Sender(kNarrow, SciForm::none).wire(5);
    Decoder other_an(std::nullopt), wrong(std::nullopt), nobody(std::nullopt);
    CHECK(word(with(other_an, {{an1, sak_for(kNarrow)}}), wire) == "unused-an");
    const DecodedFrame f = with(wrong, {{describe(kNarrow), other_sak(kNarrow)}}).decode(whole(wire));
    CHECK(verdict_word(f) == "not-valid");
    CHECK_FALSE(f.sci);
    CHECK(word(nobody, wire) == "unknown-sci");
}

TEST_CASE("clear tags are skipped as they are found and stay in the plaintext") {
    const std::string tags[] = {"", "81000007", "88a8000a81000014", "88a8000a8100001491000001"};
    for (std::size_t n = 0; n < std::size(tags); ++n) {
        Sender sender(kWide);
        Decoder decoder(std::nullopt);
        with(decoder, {{describe(kWide), sak_for(kWide)}});
        const Bytes plain = with_tags(plain_frame(60), tags[n]);
        // protect() knows two; the AAD has none of them, so a third may be put in front.
        Bytes wire = sender.behind_tags(9, n < 3 ? plain : plain_frame(60), n < 3 ? n : 0);
        if (n == 3) wire = with_tags(wire, tags[3]);
        const DecodedFrame f = decoder.decode(whole(wire));
        INFO(n);
        CHECK(f.is_ok());
        CHECK(f.pn == 9u);
        CHECK(plain_text(f) == to_hex(plain));
    }
}

TEST_CASE("octets that a link padded behind the ICV are not in the plaintext") {
    Sender sender(kNarrow);
    Decoder decoder(std::nullopt);
    with(decoder, {{describe(kNarrow), sak_for(kNarrow)}});
    Bytes wire = sender.frame_with_pn(5, plain_frame(40));
    wire.resize(wire.size() + 6);
    const DecodedFrame f = decoder.decode(whole(wire));
    CHECK(f.is_ok());
    CHECK(f.plaintext.size() == 12 + 40);
}

TEST_CASE("what is not MACsec is other, also behind tags and when it is short") {
    Decoder decoder(std::nullopt);
    for (const Bytes& frame : {plain_frame(60), with_tags(plain_frame(60), "81000007"), Bytes{}, Bytes(13), Bytes(14),
                               from_hex("02000000b101020000000a018100")}) {
        const DecodedFrame f = decoder.decode(whole(frame));
        CHECK(f.kind == FrameKind::other);
        CHECK(verdict_word(f) == "");
        CHECK_FALSE(f.sci);
        CHECK(f.plaintext.empty());
    }
}

TEST_CASE("the verdict says most: not-valid before a bad SCI, and what is wrong with a tag before any key") {
    SaDescription stranger = describe(kNarrow), an0 = describe(kNarrow);
    stranger.sci = Sci{0x0200'0000'0b01'0001};
    an0.an = An{0};
    Sender sender(kNarrow);
    const Bytes wire = sender.wire(5);
    const auto says = [&](std::initializer_list<std::pair<SaDescription, Bytes>> sas, const Bytes& frame) {
        Decoder decoder(std::nullopt);
        return word(with(decoder, sas), frame);
    };
    const Bytes good = sak_for(kNarrow), bad = other_sak(kNarrow);
    CHECK(says({}, wire) == "unknown-sci");
    CHECK(says({{stranger, good}}, wire) == "unknown-sci");
    CHECK(says({{stranger, good}, {an0, good}}, wire) == "unused-an");
    CHECK(says({{describe(kNarrow), bad}, {stranger, good}, {an0, good}}, wire) == "not-valid");
    Bytes tagged = wire;
    tagged[14] |= 0x80;
    CHECK(says({{describe(kNarrow), good}}, tagged) == "bad-tag-version");
    CHECK(says({{describe(kNarrow), good}}, Bytes(wire.begin(), wire.begin() + 40)) == "bad-tag-icv-short");
    Bytes zero = wire;
    std::fill(zero.begin() + 16, zero.begin() + 20, std::uint8_t{0});
    CHECK(says({{describe(kNarrow), good}}, zero) == "bad-tag-pn-zero");
}

TEST_CASE("a changed frame is not valid, gives no plaintext, and does not disturb the next one") {
    Sender sender(kNarrow);
    Decoder decoder(std::nullopt);
    with(decoder, {{describe(kNarrow), sak_for(kNarrow)}});
    Bytes changed = sender.wire(5);
    changed.back() ^= 1;
    const DecodedFrame f = decoder.decode(whole(changed));
    CHECK(verdict_word(f) == "not-valid");
    CHECK(f.pn == 5u);
    CHECK(f.sci == kSci);
    CHECK_FALSE(f.key);
    CHECK(f.plaintext.empty());
    CHECK(word(decoder, sender.wire(6)) == "ok");
    CHECK(decoder.report(0).opened == 1);
}

TEST_CASE("a frame that the capture cut is truncated, whatever of it is there, and shows what can be seen") {
    Sender sender(kNarrow);
    Decoder decoder(std::nullopt);
    with(decoder, {{describe(kNarrow), sak_for(kNarrow)}});
    const Bytes wire = sender.wire(5);
    for (std::size_t kept = 0; kept < wire.size(); ++kept) {
        const Bytes part(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(kept));
        const DecodedFrame f = decoder.decode({part, wire.size(), {}});
        INFO(kept);
        CHECK(f.kind == (kept < 14 ? FrameKind::other : FrameKind::macsec));
        CHECK(verdict_word(f) == (kept < 14 ? "" : "truncated"));
        CHECK(f.pn.has_value() == (kept >= 28));
        CHECK((f.sci == kSci) == (kept >= 28));
        CHECK(f.plaintext.empty());
    }
    CHECK(decoder.report(0).opened == 0);
}

TEST_CASE("two keys of one SCI and AN are tried in order, and each recovers its own PN") {
    Decoder decoder(std::nullopt);
    with(decoder, {{describe(kWide), sak_for(kWide)}, {describe(kWide), other_sak(kWide)}});
    Sender before(describe(kWide), sak_for(kWide)), after(describe(kWide), other_sak(kWide));
    const Bytes frames[] = {before.wire(7), before.wire(8), after.wire(1), before.wire(9), after.wire(2)};
    const std::pair<std::size_t, std::uint64_t> wants[] = {{0, 7}, {0, 8}, {1, 1}, {0, 9}, {1, 2}};
    for (std::size_t i = 0; i < std::size(frames); ++i) {
        const DecodedFrame f = decoder.decode(whole(frames[i]));
        INFO(i);
        REQUIRE(f.is_ok());
        CHECK(*f.key == wants[i].first);
        CHECK(*f.pn == wants[i].second);
    }
    CHECK(decoder.report(0).opened == 3);
    CHECK(decoder.report(0).least_pn == 7);
    CHECK(decoder.report(0).greatest_pn == 9);
    CHECK(decoder.report(1).opened == 2);
}

TEST_CASE("the first of two equal keys opens the frame") {
    Decoder decoder(std::nullopt);
    with(decoder, {{describe(kNarrow), sak_for(kNarrow)}, {describe(kNarrow), sak_for(kNarrow)}});
    CHECK(decoder.decode(whole(Sender(kNarrow).wire(5))).key == 0u);
}

TEST_CASE("a key that is added between frames opens the next one") {
    Sender sender(kNarrow);
    Decoder decoder(std::nullopt);
    const Bytes wire = sender.wire(5);
    CHECK(word(decoder, wire) == "unknown-sci");
    decoder.add(key(describe(kNarrow), sak_for(kNarrow)));
    CHECK(word(decoder, wire) == "ok");
}

TEST_CASE("without a replay window old and repeated frames are ok; with one they are late or duplicates") {
    Sender sender(kNarrow);
    const std::uint64_t pns[] = {100, 99, 100, 50, 101};
    const char* const off[] = {"ok", "ok", "ok", "ok", "ok"};
    const char* const zero[] = {"ok", "late", "late", "late", "ok"};
    const char* const ten[] = {"ok", "ok", "duplicate", "late", "ok"};
    for (const auto& [window, wants] :
         {std::pair<std::optional<std::uint32_t>, const char* const*>{std::nullopt, off}, {0u, zero}, {10u, ten}}) {
        Decoder decoder(window);
        with(decoder, {{describe(kNarrow), sak_for(kNarrow)}});
        for (std::size_t i = 0; i < std::size(pns); ++i) {
            INFO(window.value_or(9999) << " " << i);
            CHECK(word(decoder, sender.wire(pns[i])) == wants[i]);
        }
    }
}

TEST_CASE("lowest_pn is where replay protection and XPN recovery begin") {
    Sender sender(kWide);
    const std::uint64_t base = std::uint64_t{300} << 32 | 1000;
    for (const auto& [window, late] :
         {std::pair<std::optional<std::uint32_t>, bool>{std::nullopt, false}, {5u, true}}) {
        Decoder decoder(window);
        decoder.add(key(describe(kWide), sak_for(kWide), base));
        CHECK(word(decoder, sender.wire(base - 1)) == (late ? "late" : "ok"));
        const Bytes wire = sender.wire(base + 3);
        const DecodedFrame f = decoder.decode(whole(wire));
        CHECK(f.is_ok());
        CHECK(f.pn == base + 3);
        CHECK_FALSE(decoder.report(0).upper_half);
    }
}

TEST_CASE("with a wrong lowest_pn no other upper half is tried") {
    Decoder decoder(std::nullopt);
    decoder.add(key(describe(kWide), sak_for(kWide), 1));
    CHECK(word(decoder, Sender(kWide).wire(std::uint64_t{7} << 32 | 1)) == "not-valid");
}

TEST_CASE("the upper half of XPN is found for a capture that begins in the middle, up to 255") {
    for (const std::uint64_t upper : {0u, 1u, 7u, 255u})
        for (const std::uint32_t lower : {0u, 1u, 0x7FFF'FFFFu, 0x8000'0000u, 0xFFFF'FFFFu})
            for (const std::optional<std::uint32_t> window : {std::optional<std::uint32_t>{}, {0u}, {1000u}}) {
                if (upper == 0 && lower == 0) continue;  // no PN
                const std::uint64_t pn = upper << 32 | lower;
                Sender sender(kWide);
                Decoder decoder(window);
                with(decoder, {{describe(kWide), sak_for(kWide)}});
                const Bytes wire = sender.wire(pn), next = sender.wire(pn + 1);
                INFO(upper << " " << lower << " " << window.value_or(9999));
                CHECK(decoder.decode(whole(wire)).pn == pn);
                const DecodedFrame f = decoder.decode(whole(next));
                CHECK(f.is_ok());
                CHECK(f.pn == pn + 1);
                CHECK(decoder.report(0).upper_half == upper);
            }
}

TEST_CASE("an upper half above 255 is not found, the search ends, and the report says so") {
    Sender sender(kWide);
    Decoder decoder(std::nullopt);
    with(decoder, {{describe(kWide), sak_for(kWide)}});
    const std::uint64_t far = std::uint64_t{256} << 32, near = std::uint64_t{7} << 32;
    for (unsigned i = 1; i < cli::kSearchedFrames; ++i) REQUIRE(word(decoder, sender.wire(far + i)) == "not-valid");
    CHECK_FALSE(decoder.report(0).search_spent);
    CHECK(word(decoder, sender.wire(far + 1)) == "not-valid");
    CHECK(decoder.report(0).search_spent);
    CHECK_FALSE(decoder.report(0).upper_half);
    CHECK(word(decoder, sender.wire(near + 1)) == "not-valid");
    // What needs no search is opened all the same.
    CHECK(word(decoder, sender.wire(1)) == "ok");
    CHECK_FALSE(decoder.report(0).search_spent);
}

TEST_CASE("after its first frame a key's upper half follows the PNs across 2^32, and late ones behind it") {
    Sender sender(kWide);
    Decoder decoder(std::nullopt);
    with(decoder, {{describe(kWide), sak_for(kWide)}});
    const std::uint64_t edge = std::uint64_t{8} << 32;
    for (const std::uint64_t pn : {edge - 3, edge - 1, edge, edge + 10, edge - 2, edge + 500'000'000, edge - 1'000}) {
        const Bytes wire = sender.wire(pn);
        const DecodedFrame f = decoder.decode(whole(wire));
        INFO(pn);
        CHECK(f.is_ok());
        CHECK(f.pn == pn);
    }
    CHECK(decoder.report(0).upper_half == 7);
}

TEST_CASE("a key that opens a frame keeps others of its SCI and AN from being searched") {
    Decoder decoder(std::nullopt);
    with(decoder, {{describe(kWide), other_sak(kWide)}, {describe(kWide), sak_for(kWide)}});
    Sender sender(kWide), unused(describe(kWide), other_sak(kWide));
    for (std::uint64_t pn = 1; pn < 3 * cli::kSearchedFrames; ++pn) REQUIRE(word(decoder, sender.wire(pn)) == "ok");
    CHECK_FALSE(decoder.report(0).search_spent);
    const Bytes wire = unused.wire(std::uint64_t{7} << 32 | 5);
    CHECK(decoder.decode(whole(wire)).key == 0u);
}

TEST_CASE("random octets are never opened") {
    Random random(1);
    Decoder decoder(16);
    with(decoder, {{describe(kNarrow), sak_for(kNarrow)}, {describe(kWide), sak_for(kWide)}});
    const Bytes wire = Sender(kNarrow).wire(5);
    for (int i = 0; i < 3000; ++i) {
        Bytes frame = i % 2 == 0 ? random_bytes(random, below(random, 200)) : wire;
        if (i % 2 == 1) {
            frame.resize(1 + below(random, frame.size()));
            frame[below(random, frame.size())] ^= static_cast<std::uint8_t>(1 + below(random, 255));
        } else if (frame.size() >= 14) {
            store_be16(frame.data() + 12, 0x88E5);
        }
        CHECK_FALSE(decoder.decode(whole(frame)).is_ok());
    }
}

TEST_CASE("of two keys that MKA told of one SA the later ends the earlier when it opens a frame, and only those") {
    for (const bool learned : {true, false}) {
        Sender old(kNarrow), next(describe(kNarrow), other_sak(kNarrow));
        Decoder decoder(std::uint32_t{0});
        cli::DecodeKey first = key(describe(kNarrow), sak_for(kNarrow)),
                       second = key(describe(kNarrow), other_sak(kNarrow));
        if (learned) {
            first.learned = cli::Learned{.mkpdu = 3, .key_number = 1};
            second.learned = cli::Learned{.mkpdu = 9, .key_number = 5};
        }
        decoder.add(std::move(first));
        CHECK(word(decoder, old.wire(7)) == "ok");
        decoder.add(std::move(second));
        CHECK(word(decoder, old.wire(8)) == "ok");
        CHECK(word(decoder, next.wire(1)) == "ok");
        CHECK(word(decoder, old.wire(9)) == (learned ? "not-valid" : "ok"));
        Bytes tampered = next.wire(2);
        tampered.back() ^= 1;
        CHECK(word(decoder, tampered) == (learned ? "not-valid" : "late"));
        REQUIRE(decoder.report(1).learned.has_value() == learned);
        CHECK((!learned || decoder.report(1).learned->mkpdu == 9));
        CHECK(decoder.report(0).opened == (learned ? 2 : 3));
    }
}
