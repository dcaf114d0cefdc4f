#include "macsec/mka/key_fingerprint.h"

#include <set>

#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

std::string print(const SaDescription& d, std::uint8_t key_octet = 0x5c) {
    const auto text = key_fingerprint(d, Bytes(sak_octets(d.suite), key_octet));
    REQUIRE(text.has_value());
    return *text;
}

}  // namespace

TEST_CASE("a fingerprint is 32 lower-case digits, the same every time") {
    const std::string text = print(describe(CipherSuite::gcm_aes_xpn_256));
    CHECK(text.size() == 32);
    CHECK(text.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(text == print(describe(CipherSuite::gcm_aes_xpn_256)));
    // Lease files are named by it: it must not change from one version to the next.
    CHECK(text == "5785c886b64667c5865c249e03a4938f");
}

TEST_CASE("whatever makes another nonce or key makes another fingerprint") {
    std::set<std::string> prints;
    const SaDescription wide = describe(CipherSuite::gcm_aes_xpn_128);
    SaDescription d = wide;
    prints.insert(print(d));
    d.ssci = Ssci{2};
    prints.insert(print(d));
    d.salt[11] ^= 1;
    prints.insert(print(d));
    prints.insert(print(d, 0x5d));
    SaDescription narrow = describe(CipherSuite::gcm_aes_128);
    prints.insert(print(narrow));
    narrow.sci.value++;
    prints.insert(print(narrow));
    CHECK(prints.size() == 6);
}

TEST_CASE("what is not in the nonce does not change the fingerprint") {
    SaDescription wide = describe(CipherSuite::gcm_aes_xpn_128);
    const std::string before = print(wide);
    wide.an = An{3};
    wide.sci.value++;
    wide.confidentiality = false;
    CHECK(print(wide) == before);
    SaDescription narrow = describe(CipherSuite::gcm_aes_256);
    const std::string narrow_before = print(narrow);
    narrow.ssci = Ssci{9};
    narrow.salt[0] = 9;
    CHECK(print(narrow) == narrow_before);
}

TEST_CASE("a SAK of the wrong size has no fingerprint") {
    CHECK(!key_fingerprint(describe(CipherSuite::gcm_aes_256), Bytes(16)).has_value());
}
