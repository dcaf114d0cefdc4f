// The full-size root: 2^24 entries, as the main table has it in a deployment.
#include "fib_oracle.h"
#include "qsbr_stub.h"
#include "tests/unit/catch.h"

namespace {

using namespace fib_test;

template <class Address>
void compare_with_oracle(std::size_t count, unsigned shortest) {
    QsbrStub qsbr(0);
    Random random(24);
    const auto fib = dataplane::Fib<Address>::make({24, 8192}, qsbr.grace()).value();
    Trie<Address> oracle;
    std::vector<net::Prefix<Address>> prefixes;
    for (const auto& p : nested_prefixes<Address>(random, count, 16))
        if (p.length == 0 || p.length >= shortest) prefixes.push_back(p);
    const auto agree = [&] {
        std::size_t differing = 0;
        for (const auto& p : prefixes) {
            const Address a = inside(p, random);
            differing += fib->lookup(a) != oracle.lookup(a);
        }
        return differing == 0;
    };
    for (const auto& p : prefixes) {
        const Leaf l = leaf(1 + static_cast<std::uint32_t>(random() % 1000));
        oracle.set(p, l);
        REQUIRE(fib->set(p, l) == dataplane::TableResult::ok);
    }
    CHECK(agree());
    for (std::size_t i = 0; i < prefixes.size(); i += 2) {
        oracle.remove(prefixes[i]);
        fib->remove(prefixes[i], oracle.cover(prefixes[i]));
    }
    CHECK(agree());
    for (const auto& p : prefixes) {
        oracle.remove(p);
        fib->remove(p, oracle.cover(p));
    }
    CHECK(agree());
    fib->reclaim();
    CHECK(fib->nodes().used + fib->nodes().awaiting == 0);
}

}  // namespace

TEST_CASE("a root of 24 bits agrees with the trie for IPv4") { compare_with_oracle<net::Ipv4Address>(2000, 6); }
TEST_CASE("a root of 24 bits agrees with the trie for IPv6") { compare_with_oracle<net::Ipv6Address>(600, 6); }

TEST_CASE("the first and the last entry of a root of 24 bits are reached") {
    QsbrStub qsbr(0);
    const auto fib = dataplane::Fib4::make({24, 4}, qsbr.grace()).value();
    fib->set({{0}, 24}, leaf(1));
    fib->set({{0xFFFF'FF00}, 24}, leaf(2));
    fib->set({{0xFFFF'FFFF}, 32}, leaf(3));
    fib->set({{0}, 1}, leaf(4));
    CHECK(fib->lookup({0x0000'00FF}) == leaf(1));
    CHECK(fib->lookup({0x0000'0100}) == leaf(4));
    CHECK(fib->lookup({0x7FFF'FFFF}) == leaf(4));
    CHECK(fib->lookup({0x8000'0000}) == Leaf{});
    CHECK(fib->lookup({0xFFFF'FFFE}) == leaf(2));
    CHECK(fib->lookup({0xFFFF'FFFF}) == leaf(3));
}
