#include "macsec/packet_number.h"

#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

static_assert(recover_pn(1, 1) == 1);
static_assert(recover_pn(0x0'FFFF'FFF0, 5) == 0x1'0000'0005);
static_assert(recover_pn(0x0'FFFF'FFF0, 0xFFFF'FFF5) == 0xFFFF'FFF5);
static_assert(recover_pn(0x1'0000'0005, 0xFFFF'FFF0) == 0x1'FFFF'FFF0);
static_assert(recover_pn(0x7'8000'0000, 0x7FFF'FFFF) == 0x8'7FFF'FFFF);

TEST_CASE("every PN from the lowest acceptable one up to 2^31 - 1 ahead is recovered from its low half") {
    Random random(7);
    for (int i = 0; i < 200'000; ++i) {
        const std::uint64_t crossing = (1 + below(random, 1000)) << (i % 2 == 0 ? 32 : 31);
        const std::uint64_t lowest = i % 3 == 0 ? random() >> 1 : crossing + below(random, 5000) - 2500;
        const std::uint64_t ahead = i % 5 == 0 ? 0x7FFF'FFFF : below(random, i % 2 == 0 ? 5000 : 1u << 31);
        const std::uint64_t pn = lowest + ahead;
        if (recover_pn(lowest, static_cast<std::uint32_t>(pn)) != pn) {
            CAPTURE(lowest, pn);
            FAIL("not recovered");
        }
    }
    SUCCEED();
}

TEST_CASE("a 32-bit suite takes the PN as it stands") {
    CHECK(received_pn(CipherSuite::gcm_aes_128, true, 0xFFFF'FFF0, 5) == 5);
    CHECK(received_pn(CipherSuite::gcm_aes_xpn_128, true, 0xFFFF'FFF0, 5) == 0x1'0000'0005);
}

TEST_CASE("without replay protection a frame a little behind a 2^32 crossing is recovered too") {
    constexpr auto suite = CipherSuite::gcm_aes_xpn_256;
    CHECK(received_pn(suite, false, 0x1'0000'0005, 0xFFFF'FFF0) == 0x0'FFFF'FFF0);
    CHECK(received_pn(suite, false, 0x1'0000'0005, 7) == 0x1'0000'0007);
    CHECK(received_pn(suite, false, 3, 2) == 2);
}

TEST_CASE("a new SAK is wanted at three quarters or when the rate predicts the end within 12 s") {
    constexpr auto narrow = CipherSuite::gcm_aes_128;
    constexpr auto wide = CipherSuite::gcm_aes_xpn_128;
    CHECK(!wants_new_sak(narrow, 0xBFFF'FFFF, 0));
    CHECK(wants_new_sak(narrow, 0xC000'0000, 0));
    CHECK(!wants_new_sak(wide, 0xBFFF'FFFF'FFFF'FFFF, 100'000'000));
    CHECK(wants_new_sak(wide, 0xC000'0000'0000'0000, 0));
    CHECK(!wants_new_sak(narrow, 0xFFFF'FFFF - 0x8000'0000u, 0x8000'0000u / 13));
    CHECK(wants_new_sak(narrow, 0xFFFF'FFFF - 0x8000'0000u, 0x8000'0000u / 11));
}

TEST_CASE("the end is predicted at exactly 12 s of the present rate, for both widths and any rate") {
    for (const auto suite : {CipherSuite::gcm_aes_256, CipherSuite::gcm_aes_xpn_256}) {
        const std::uint64_t due = pending_exhaustion(suite), end = pn_end(suite);
        CHECK(!wants_new_sak(suite, due - 1, 0));
        CHECK(wants_new_sak(suite, due, 0));
        CHECK(wants_new_sak(suite, end - 1, 0));
        CHECK(wants_new_sak(suite, end, 0));
        // The last packet number before three quarters are spent: `left` is not a multiple of 12.
        const std::uint64_t left = end - (due - 1);
        CHECK(!wants_new_sak(suite, due - 1, left / 12));
        CHECK(wants_new_sak(suite, due - 1, left / 12 + 1));
        CHECK(wants_new_sak(suite, 1, ~std::uint64_t{0}));
    }
    // Exactly 12 s, and one packet number less.
    constexpr std::uint64_t rate = 100'000'000;
    constexpr std::uint64_t at = 0xFFFF'FFFF - 12 * rate;
    CHECK(!wants_new_sak(CipherSuite::gcm_aes_128, at, rate));
    CHECK(wants_new_sak(CipherSuite::gcm_aes_128, at + 1, rate));
}
