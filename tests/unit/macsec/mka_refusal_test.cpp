// What is no MKPDU: every reason to refuse one, every cut, and octets changed by chance.
#include <set>

#include "tests/unit/catch.h"
#include "tests/unit/macsec/mka_random.h"
#include "tests/unit/macsec/mka_support.h"

using namespace macsec;
using namespace macsec::mka;
using namespace macsec::test;

namespace {

struct Refusal {
    const char* what;
    Bytes octets;
    DecodeError error;
};

// Of the EAPOL header and the Basic set.
std::vector<Refusal> of_the_beginning() {
    const auto with_octet = [](std::size_t at, std::uint8_t value) {
        Bytes octets = encode(small());
        octets[at] = value;
        return octets;
    };
    const auto with_ckn_of = [](std::size_t size) {
        Bytes octets = encode(small());
        octets.insert(octets.begin() + kBasicAt + 32, 40, 0xcc);
        store_be16(octets.data() + 2, static_cast<std::uint16_t>(octets.size() - 4));
        octets[kBasicAt + 3] = static_cast<std::uint8_t>(28 + size);
        return octets;
    };
    Mkpdu full = small();
    full.kmd = Bytes(1500 - 4 - 40 - 16 - 4, 0);
    Bytes long_one = encode(full);
    REQUIRE(long_one.size() == kMaxMkpduOctets);
    long_one.resize(long_one.size() + 4);
    store_be16(long_one.data() + 2, static_cast<std::uint16_t>(long_one.size() - 4));
    return {
        {"three octets", from_hex("030500"), DecodeError::short_header},
        {"EAPOL-Start", from_hex("03010000"), DecodeError::not_mka},
        {"more length than octets", with_octet(3, 0xff), DecodeError::length_mismatch},
        {"a length that is no multiple of four", with_octet(3, 54), DecodeError::length_mismatch},
        {"1504 octets", long_one, DecodeError::too_long},
        {"MKA version 0", with_octet(kBasicAt, 0), DecodeError::bad_version},
        {"nothing behind the EAPOL header", from_hex("03050000"), DecodeError::no_basic_set},
        {"28 octets", Bytes(from_hex("0305001c")) + Bytes(28, 3), DecodeError::no_basic_set},
        {"a Basic set of 27 octets", with_octet(kBasicAt + 3, 27), DecodeError::no_basic_set},
        {"no CKN", with_octet(kBasicAt + 3, 28), DecodeError::bad_ckn},
        {"a CKN of 33 octets", with_ckn_of(33), DecodeError::bad_ckn},
        {"no room for an ICV", with_octet(kBasicAt + 3, 28 + 9), DecodeError::no_icv},
    };
}

// Of the sets behind it.
std::vector<Refusal> of_sets() {
    const std::string suite_128 = "0080c20001000001", suite_256 = "0080c20001000002", xpn_128 = "0080c20001000003";
    const auto zeros = [](std::size_t octets) { return std::string(2 * octets, '0'); };
    return {
        {"a set longer than the rest", small_with("20000001"), DecodeError::set_too_long},
        {"a set of 4095 octets", small_with("20000fff00000000"), DecodeError::set_too_long},
        {"live peers of 15 octets", small_with("0100000f" + zeros(16)), DecodeError::bad_body_length},
        {"potential peers of 20 octets", small_with("02000014" + zeros(20)), DecodeError::bad_body_length},
        {"SAK Use of 20 octets", small_with("03000014" + zeros(20)), DecodeError::bad_body_length},
        {"SAK Use of 44 octets", small_with("0300002c" + zeros(44)), DecodeError::bad_body_length},
        {"a distributed SAK of 4 octets", small_with("0400000400000001"), DecodeError::bad_body_length},
        {"one of 27 octets", small_with("0400001b00000001" + suite_128 + zeros(16)), DecodeError::bad_body_length},
        {"GCM-AES-128 with 32 octets", small_with("0400003400000001" + suite_128 + zeros(40)),
         DecodeError::bad_body_length},
        {"GCM-AES-256 with 16 octets", small_with("0400002400000001" + suite_256 + zeros(24)),
         DecodeError::bad_body_length},
        {"GCM-AES-XPN-128 with 32", small_with("0400003400000001" + xpn_128 + zeros(40)), DecodeError::bad_body_length},
        {"an unknown suite and no SAK", small_with("0400000c000000010080c20001000005"), DecodeError::bad_body_length},
        {"an unknown suite and 41 octets", small_with("04000035000000010080c20001000005" + zeros(44)),
         DecodeError::bad_body_length},
        {"XPN of 4 octets", small_with("0800000400000000"), DecodeError::bad_body_length},
        {"XPN of nothing", small_with("08000000"), DecodeError::bad_body_length},
        {"an ICV Indicator of 12 octets", small_with("ff00000c"), DecodeError::bad_body_length},
        {"an ICV Indicator before a set", small_with("ff00001006000000"), DecodeError::bad_body_length},
        {"two KMDs", small_with("0600000006000000"), DecodeError::duplicate_set},
        {"two live peer lists", small_with("010000000600000001000000"), DecodeError::duplicate_set},
    };
}

}  // namespace

TEST_CASE("a PDU cut short anywhere is refused") {
    Random random(11'02);
    for (int i = 0; i < 20; ++i) {
        const auto octets = encode(random_mkpdu(random));
        for (std::size_t n = 0; n < octets.size(); ++n) {
            // Of exactly that size, so that a sanitizer sees what is read behind it.
            const Bytes part(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(n));
            const auto pdu = decode(part);
            REQUIRE_FALSE(pdu.has_value());
            CHECK(pdu.error() == (n < 4 ? DecodeError::short_header : DecodeError::length_mismatch));
            CHECK_FALSE(peek_basic(part).has_value());
            CHECK(pdu_octets(part) == n);
        }
    }
}

TEST_CASE("every reason to refuse a PDU is found and has a word") {
    std::set<DecodeError> found;
    for (const auto& cases : {of_the_beginning(), of_sets()})
        for (const Refusal& c : cases) {
            INFO(c.what << ": " << to_hex(c.octets));
            const auto pdu = decode(c.octets);
            REQUIRE_FALSE(pdu.has_value());
            CHECK(std::string(word(pdu.error())) == std::string(word(c.error)));
            found.insert(pdu.error());
        }
    std::set<std::string_view> words;
    for (const DecodeError error : found) words.insert(word(error));
#define X(enumerator, word) +1
    constexpr std::size_t kErrors = 0 MKA_DECODE_ERRORS(X);
#undef X
    CHECK(found.size() == kErrors);
    CHECK(words.size() == kErrors);
}

TEST_CASE("random octets in a PDU never make one that cannot be encoded and read again") {
    Random random(11'04);
    std::size_t accepted = 0;
    for (int i = 0; i < 5000; ++i) {
        Bytes octets = encode(random_mkpdu(random));
        for (std::size_t n = 1 + below(random, 3); n > 0; --n)
            octets[4 + below(random, octets.size() - 4)] = octet(random);
        const auto pdu = decode(octets);
        if (!pdu) continue;
        ++accepted;
        REQUIRE(decoded(encode(*pdu)) == *pdu);
    }
    CHECK(accepted > 300);
}
