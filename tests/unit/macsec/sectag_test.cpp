#include "macsec/sectag.h"

#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

Verdict parse(const Bytes& octets) {
    SecTag tag;
    return parse_sectag(octets, tag);
}

Bytes tag_with(std::uint8_t tci, std::uint8_t sl, std::size_t behind) {
    Bytes octets = from_hex("88e5");
    octets.push_back(tci);
    octets.push_back(sl);
    octets = octets + from_hex("01020304");
    if ((tci & kTciSci) != 0) octets = octets + from_hex("020000000a010001");
    return octets + Bytes(behind, 0xAA);
}

}  // namespace

TEST_CASE("a SecTAG with SCI is read whole") {
    SecTag tag;
    REQUIRE(parse_sectag(tag_with(0x2E, 30, 46), tag) == Verdict::ok);
    CHECK(tag.an() == An{2});
    CHECK(tag.encrypted());
    CHECK(tag.octets == 16);
    CHECK(tag.pn == 0x01020304u);
    CHECK(tag.user_octets == 30);
    CHECK(tag.explicit_sci == Sci{0x020000000a010001});
    CHECK(tag.form() == SciForm::sci);
}

TEST_CASE("an SCI that is not on the wire comes from the source address") {
    const Bytes source = from_hex("020000000a01");
    SecTag tag;
    REQUIRE(parse_sectag(tag_with(kTciEndStation, 0, 64), tag) == Verdict::ok);
    CHECK(tag.form() == SciForm::es);
    CHECK(sci_of(tag, source.data()) == Sci{0x020000000a010001});
    REQUIRE(parse_sectag(tag_with(kTciScb, 0, 64), tag) == Verdict::ok);
    CHECK(tag.form() == SciForm::scb);
    CHECK(sci_of(tag, source.data()) == Sci{0x020000000a010000});
    REQUIRE(parse_sectag(tag_with(kTciEndStation | kTciScb, 0, 64), tag) == Verdict::ok);
    CHECK(sci_of(tag, source.data()) == Sci{0x020000000a010000});
    REQUIRE(parse_sectag(tag_with(0, 0, 64), tag) == Verdict::ok);
    CHECK(tag.form() == SciForm::none);
    CHECK(tag.octets == 8);
}

TEST_CASE("a SecTAG cut short is told apart from a good one at every length") {
    const Bytes with_sci = tag_with(0x2C, 0, 64);
    for (std::size_t n = 0; n < 16; ++n) {
        INFO(n);
        CHECK(parse(Bytes(with_sci.begin(), with_sci.begin() + static_cast<std::ptrdiff_t>(n))) ==
              Verdict::rx_bad_tag_short);
    }
    CHECK(parse(with_sci) == Verdict::ok);
    CHECK(parse(Bytes(7, 0)) == Verdict::rx_bad_tag_short);
}

TEST_CASE("each TCI that means nothing has its own verdict") {
    CHECK(parse(tag_with(0x80, 0, 64)) == Verdict::rx_bad_tag_version);
    CHECK(parse(tag_with(kTciEndStation | kTciSci, 0, 64)) == Verdict::rx_bad_tag_es_sc);
    CHECK(parse(tag_with(kTciScb | kTciSci, 0, 64)) == Verdict::rx_bad_tag_scb_sc);
    CHECK(parse(tag_with(kTciEncrypted, 0, 64)) == Verdict::rx_e_without_c);
    CHECK(parse(tag_with(kTciChanged, 0, 64)) == Verdict::ok);
}

TEST_CASE("of all 256 TCIs exactly those the standard allows are accepted") {
    int accepted = 0;
    for (int tci = 0; tci < 256; ++tci) {
        const bool v = (tci & 0x80) != 0, es = (tci & 0x40) != 0, sc = (tci & 0x20) != 0, scb = (tci & 0x10) != 0;
        const bool e = (tci & 8) != 0, c = (tci & 4) != 0;
        const bool good = !v && !(sc && (es || scb)) && !(e && !c);
        INFO(tci);
        CHECK((kTciVerdicts[static_cast<std::size_t>(tci)] == Verdict::ok) == good);
        accepted += good;
    }
    CHECK(accepted == 5 * 3 * 4);
}

TEST_CASE("short length is 1 to 47 and its upper bits are zero") {
    CHECK(parse(tag_with(0x2C, 48, 200)) == Verdict::rx_bad_tag_short_length);
    CHECK(parse(tag_with(0x2C, 63, 200)) == Verdict::rx_bad_tag_short_length);
    CHECK(parse(tag_with(0x2C, 0x40 | 10, 200)) == Verdict::rx_bad_tag_short_length);
    CHECK(parse(tag_with(0x2C, 0x80 | 10, 200)) == Verdict::rx_bad_tag_short_length);
    CHECK(parse(tag_with(0x2C, 47, 63)) == Verdict::ok);
    CHECK(parse(tag_with(0x2C, 1, 17)) == Verdict::ok);
}

TEST_CASE("without short length there are at least 48 octets of user data") {
    CHECK(parse(tag_with(0x2C, 0, 63)) == Verdict::rx_bad_tag_short_length);
    CHECK(parse(tag_with(0x2C, 0, 64)) == Verdict::ok);
    CHECK(parse(tag_with(0x2C, 0, 15)) == Verdict::rx_bad_tag_icv_short);
}

TEST_CASE("a frame that ends before its ICV does is refused") {
    CHECK(parse(tag_with(0x2C, 30, 45)) == Verdict::rx_bad_tag_icv_short);
    CHECK(parse(tag_with(0x2C, 30, 46)) == Verdict::ok);
    CHECK(parse(tag_with(0x2C, 30, 0)) == Verdict::rx_bad_tag_icv_short);
}

TEST_CASE("what is behind the ICV does not count as user data when short length says so") {
    SecTag tag;
    REQUIRE(parse_sectag(tag_with(0x2C, 30, 46 + 100), tag) == Verdict::ok);
    CHECK(tag.user_octets == 30);
}

TEST_CASE("a SecTAG that was built is read back the same") {
    for (const auto form : {SciForm::sci, SciForm::es, SciForm::scb, SciForm::none})
        for (const bool encrypted : {false, true})
            for (std::uint8_t an = 0; an < 4; ++an) {
                Bytes octets(sectag_octets(form) + 20 + kIcvOctets);
                store_sectag(octets.data(), make_tci(form, encrypted, An{an}), short_length(20), 0xFFEEDDCC);
                if (form == SciForm::sci) store_be64(octets.data() + 8, kSci.value);
                SecTag tag;
                REQUIRE(parse_sectag(octets, tag) == Verdict::ok);
                CHECK(load_be16(octets.data()) == kEtherTypeMacsec);
                CHECK(tag.form() == form);
                CHECK(tag.encrypted() == encrypted);
                CHECK(tag.an() == An{an});
                CHECK(tag.pn == 0xFFEEDDCC);
                CHECK(tag.user_octets == 20);
                CHECK(tag.octets == sectag_octets(form));
                if (form == SciForm::sci) CHECK(tag.explicit_sci == kSci);
            }
    CHECK(short_length(47) == 47);
    CHECK(short_length(48) == 0);
}
