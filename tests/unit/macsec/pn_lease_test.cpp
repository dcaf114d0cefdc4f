#include "macsec/pn_lease.h"

#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

constexpr auto kNarrow = CipherSuite::gcm_aes_128;
constexpr auto kWide = CipherSuite::gcm_aes_xpn_256;
const PnLease kLease{LeaseDirection::transmit, "00112233445566778899aabbccddeeff", 1'048'577};

}  // namespace

static_assert(lease_step(0) == 1u << 20);
static_assert(lease_step(1u << 20) == 1u << 20);
static_assert(lease_step(14'880'952) == 14'880'952);
static_assert(first_pn(std::nullopt) == 1);
static_assert(first_pn(0) == 1);
static_assert(first_pn(1'048'577) == 1'048'577);

TEST_CASE("a start without a lease asks for one step, a start with one begins at its ceiling") {
    CHECK(next_ceiling(kWide, 0, 1, 0) == 1 + kLeaseStep);
    CHECK(next_ceiling(kWide, 5000, first_pn(5000), 0) == 5000 + kLeaseStep);
}

TEST_CASE("the next ceiling is asked for when less than half a step is left") {
    const std::uint64_t ceiling = 10 * kLeaseStep;
    CHECK(!next_ceiling(kWide, ceiling, ceiling - kLeaseStep, 0));
    CHECK(!next_ceiling(kWide, ceiling, ceiling - kLeaseStep / 2, 0));
    CHECK(next_ceiling(kWide, ceiling, ceiling - kLeaseStep / 2 + 1, 0) == ceiling + kLeaseStep);
    CHECK(next_ceiling(kWide, ceiling, ceiling, 0) == ceiling + kLeaseStep);
    CHECK(next_ceiling(kWide, ceiling, ceiling - kLeaseStep, 30'000'000) == ceiling + 30'000'000);
}

TEST_CASE("a ceiling never goes beyond the end of the packet numbers") {
    for (const auto suite : {kNarrow, kWide}) {
        const std::uint64_t end = pn_end(suite);
        CHECK(next_ceiling(suite, end - 10, end - 10, 0) == end);
        CHECK(next_ceiling(suite, end - kLeaseStep, end - kLeaseStep, 0) == end);
        CHECK(next_ceiling(suite, end - kLeaseStep - 1, end - kLeaseStep - 1, 0) == end - 1);
        CHECK(next_ceiling(suite, end - 1, end - 1, ~std::uint64_t{0}) == end);
        CHECK(!next_ceiling(suite, end, end, 0));
        CHECK(!next_ceiling(suite, end, end - 5, 0));
        CHECK(is_spent(suite, end));
        CHECK(!is_spent(suite, end - 1));
    }
}

TEST_CASE("across starts and rates no PN is used twice") {
    Random random(3);
    std::uint64_t stored = 0, used_up_to = 0;
    for (int start = 0; start < 50; ++start) {
        std::uint64_t next = first_pn(stored);
        REQUIRE(next >= used_up_to);
        std::uint64_t ceiling = stored;
        for (int turn = 0; turn < 100; ++turn) {
            const std::uint64_t rate = below(random, 40'000'000);
            if (const auto more = next_ceiling(kWide, ceiling, next, rate)) {
                REQUIRE(*more > ceiling);
                ceiling = stored = *more;
            }
            next = std::min(ceiling, next + below(random, rate / 4 + 1));
            used_up_to = std::max(used_up_to, next);
        }
    }
}

TEST_CASE("the lowest PN of a receive SA is stored every 2^20") {
    CHECK(!next_lowest(1, kLeaseStep));
    CHECK(next_lowest(1, kLeaseStep + 1) == kLeaseStep + 1);
    CHECK(!next_lowest(kLeaseStep, 5));
}

TEST_CASE("a lease that was written is read back") {
    CHECK(parse_lease(format_lease(kLease)) == kLease);
    const PnLease receive{LeaseDirection::receive, "ffffffffffffffffffffffffffffffff", ~std::uint64_t{0}};
    CHECK(parse_lease(format_lease(receive)) == receive);
    CHECK(format_lease(kLease).starts_with("demarc-pn-lease 1\ndirection transmit\n"
                                           "key 00112233445566778899aabbccddeeff\npn 1048577\nchecksum "));
}

TEST_CASE("a lease that is torn at any octet is refused with the remedy") {
    const std::string whole = format_lease(kLease);
    for (std::size_t n = 0; n < whole.size(); ++n) {
        const auto torn = parse_lease(std::string_view(whole).substr(0, n));
        INFO(n);
        REQUIRE(!torn.has_value());
        CHECK(torn.error().find("install a new key") != std::string::npos);
    }
}

TEST_CASE("a lease in which one octet changed is refused") {
    const std::string whole = format_lease(kLease);
    for (std::size_t i = 0; i < whole.size(); ++i)
        for (const char c : {'\0', ' ', '\n', '0', '7', 'a', '~'}) {
            if (whole[i] == c) continue;
            std::string changed = whole;
            changed[i] = c;
            INFO(i << " " << static_cast<int>(c));
            CHECK(!parse_lease(changed).has_value());
        }
}

TEST_CASE("a lease with a right checksum still needs sensible content") {
    const auto refuse = [](PnLease lease) { return !parse_lease(format_lease(lease)).has_value(); };
    CHECK(refuse({LeaseDirection::transmit, kLease.key, 0}));
    CHECK(refuse({LeaseDirection::transmit, "short", 5}));
    CHECK(refuse({LeaseDirection::transmit, "00112233445566778899AABBCCDDEEFF", 5}));
    CHECK(!parse_lease(format_lease(kLease) + "\n").has_value());
    CHECK(!parse_lease(std::string(100'000, 'x')).has_value());
    CHECK(!parse_lease(std::string(4096, '\0')).has_value());
}
