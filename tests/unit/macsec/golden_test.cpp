// Frames of others: IEEE 802.1AE-2018 Annex C, and what Linux sends (tests/golden/macsec/ORIGIN.md).
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;
using nlohmann::json;

namespace {

json golden(const std::string& name) {
    std::ifstream file(std::string(DEMARC_GOLDEN) + "/macsec/" + name);
    REQUIRE(file.good());
    return json::parse(file);
}

Bytes bytes_of(const json& j) { return from_hex(j.get<std::string>()); }

CipherSuite suite_of(const std::string& name) {
    const auto suite = cipher_suite_from(name);
    REQUIRE(suite.has_value());
    return *suite;
}

// An SA that can make and open this frame, read off the frame and its IV.
struct Case {
    Bytes wire, plain, sak;
    SaDescription description;
    SciForm form;
    std::uint64_t pn;
};

void check_both_ways(const Case& c) {
    Pair pair(c.description, c.sak, c.form, c.pn);
    Room made(c.plain);
    CHECK(pair.protect(made) == Verdict::ok);
    CHECK(to_hex(made.bytes()) == to_hex(c.wire));
    CHECK(made.adds_up());
    Room opened(c.wire);
    CHECK(pair.verify(opened) == Verdict::ok);
    CHECK(to_hex(opened.bytes()) == to_hex(c.plain));
    CHECK(opened.adds_up());
    Room again(c.wire);
    CHECK(pair.verify(again) == Verdict::rx_late);
}

SciForm form_of(const Bytes& wire) {
    if ((wire[14] & kTciSci) != 0) return SciForm::sci;
    return (wire[14] & kTciEndStation) != 0 ? SciForm::es : SciForm::none;
}

void check_linux(const std::string& name) {
    const json about = golden("static-" + name + ".json");
    const json vectors = golden("static-" + name + ".vectors.json");
    REQUIRE(vectors.size() >= 8);
    for (const json& v : vectors) {
        const json& end = about.at(v.at("from").get<std::string>());
        Case c{.wire = bytes_of(v.at("wire")), .plain = bytes_of(v.at("plain")), .sak = bytes_of(end.at("tx_sak")),
               .description = {}, .form = {}, .pn = v.at("pn").get<std::uint64_t>()};
        c.form = form_of(c.wire);
        c.description = {.suite = suite_of(about.at("cipher_suite")),
                         .an = An{about.at("an").get<std::uint8_t>()},
                         .sci = Sci{load_be64(bytes_of(end.at("sci")).data())},
                         .confidentiality = v.at("confidentiality").get<bool>()};
        if (is_xpn(c.description.suite)) {
            const Bytes salt = bytes_of(end.at("salt"));
            std::copy(salt.begin(), salt.end(), c.description.salt.begin());
            c.description.ssci = Ssci{end.at("ssci").get<std::uint32_t>()};
        }
        INFO(name << " PN " << c.pn << " from " << v.at("from"));
        check_both_ways(c);
        if (about.at("case") == "gcm-aes-128-nosci-es") CHECK(c.form == SciForm::es);
    }
}

}  // namespace

TEST_CASE("the vectors of IEEE 802.1AE Annex C are made and opened") {
    const json vectors = golden("annex-c.json").at("vectors");
    REQUIRE(vectors.size() == 5);
    for (const json& v : vectors) {
        INFO(v.at("name"));
        const Bytes aad = bytes_of(v.at("aad"));
        const Bytes iv = bytes_of(v.at("iv"));
        const bool encrypted = v.at("confidentiality").get<bool>();
        Case c{.wire = aad + bytes_of(v.at("ciphertext")) + bytes_of(v.at("icv")), .plain = {},
               .sak = bytes_of(v.at("sak")), .description = {}, .form = {}, .pn = load_be32(iv.data() + 8)};
        c.form = form_of(c.wire);
        const auto tag_end = static_cast<std::ptrdiff_t>(12 + sectag_octets(c.form));
        c.plain = Bytes(aad.begin(), aad.begin() + 12) +
                  (encrypted ? bytes_of(v.at("plaintext")) : Bytes(aad.begin() + tag_end, aad.end()));
        c.description = {.suite = c.sak.size() == 32 ? CipherSuite::gcm_aes_256 : CipherSuite::gcm_aes_128,
                         .an = An{static_cast<std::uint8_t>(c.wire[14] & kAnMask)},
                         .sci = Sci{load_be64(iv.data())},
                         .confidentiality = encrypted};
        check_both_ways(c);
    }
}

TEST_CASE("frames of Linux under GCM-AES-128 are made and opened") { check_linux("gcm-aes-128-enc"); }
TEST_CASE("frames of Linux without SCI, as an end station, are made and opened") {
    check_linux("gcm-aes-128-nosci-es");
}
TEST_CASE("frames of Linux with a VLAN tag inside MACsec are made and opened") {
    check_linux("gcm-aes-128-vlan-inner");
}
TEST_CASE("integrity-only frames of Linux under GCM-AES-256 are made and opened") { check_linux("gcm-aes-256-integ"); }
TEST_CASE("integrity-only frames of Linux under GCM-AES-XPN-128 are made and opened") {
    check_linux("gcm-aes-xpn-128-integ");
}
TEST_CASE("frames of Linux under GCM-AES-XPN-256 are made and opened") { check_linux("gcm-aes-xpn-256-enc"); }
