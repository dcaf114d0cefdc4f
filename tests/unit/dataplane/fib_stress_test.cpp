// DEMARC_FIB_CHANGES: how many random changes per family; a million in the long run.
#include <cstdlib>

#include "fib_stress.h"
#include "tests/unit/catch.h"

namespace {

using namespace fib_test;

std::size_t changes() {
    const char* s = std::getenv("DEMARC_FIB_CHANGES");
    return s ? std::strtoull(s, nullptr, 10) : 4000;
}

template <class Address>
StressReport check(const StressSetup& setup) {
    const StressReport r = Stress<Address>(setup).run();
    CAPTURE(r.judged, r.unjudged, r.busy);
    CHECK(r.wrong == 0);
    CHECK(r.judged > 1000);
    CHECK(r.differing == 0);
    CHECK(r.nodes_left == 0);
    return r;
}

}  // namespace

TEST_CASE("IPv4 answers are the ones before or after a change while prefixes of all lengths come and go") {
    check<net::Ipv4Address>({.changes = changes(), .seed = 4});
}
TEST_CASE("IPv6 answers are the ones before or after a change while prefixes of all lengths come and go") {
    check<net::Ipv6Address>({.changes = changes(), .seed = 6});
}
TEST_CASE("answers stay right with a root that is no multiple of eight bits") {
    check<net::Ipv4Address>({.changes = changes() / 8, .root_bits = 19, .prefixes = 500, .seed = 19});
    check<net::Ipv6Address>({.changes = changes() / 8, .root_bits = 17, .prefixes = 500, .seed = 17});
}
TEST_CASE("a miss and the default that answers for it were true together") {
    check<net::Ipv4Address>({.changes = 3000, .prefixes = 4, .spines = 1, .shortest = 20, .seed = 8});
    check<net::Ipv6Address>({.changes = 3000, .prefixes = 4, .spines = 1, .shortest = 20, .seed = 9});
}
TEST_CASE("answers stay right while inserts wait for nodes that await their grace period") {
    CHECK(check<net::Ipv4Address>({.changes = 2500, .nodes = 0, .prefixes = 300, .seed = 5}).busy > 0);
    CHECK(check<net::Ipv6Address>({.changes = 2500, .nodes = 0, .prefixes = 300, .seed = 3}).busy > 0);
}
