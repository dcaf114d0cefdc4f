#include "dataplane/fib.h"

#include "fib_oracle.h"
#include "qsbr_stub.h"
#include "tests/unit/catch.h"

namespace {

using namespace dataplane;
using namespace fib_test;

// Grace periods end when the test says so.
struct Held {
    std::uint64_t started{}, ended{};
    Grace grace() {
        return {[this] { return ++started; }, [this](std::uint64_t token) { return token <= ended; }};
    }
};

net::Prefix4 p4(const char* text) { return net::parse_prefix(text)->v4(); }
net::Prefix6 p6(const char* text) { return net::parse_prefix(text)->v6(); }
net::Ipv4Address a4(const char* text) { return net::parse_ip(text)->v4(); }
net::Ipv6Address a6(const char* text) { return net::parse_ip(text)->v6(); }

std::unique_ptr<Fib4> fib4(Held& held, std::size_t nodes = 64) { return Fib4::make({16, nodes}, held.grace()).value(); }
std::unique_ptr<Fib6> fib6(Held& held, std::size_t nodes = 64) { return Fib6::make({16, nodes}, held.grace()).value(); }

}  // namespace

TEST_CASE("an empty FIB answers no route") {
    Held held;
    CHECK(fib4(held)->lookup(a4("10.0.0.1")) == Leaf{});
    CHECK(fib6(held)->lookup(a6("2001:db8::1")) == Leaf{});
}

TEST_CASE("the longest prefix answers at every length") {
    Held held;
    const auto fib = fib6(held);
    const auto address = a6("2001:db8:1234:5678:9abc:def0:1122:3344");
    for (unsigned length = 0; length <= 128; ++length) {
        REQUIRE(fib->set(prefix_of(address, length), leaf(length + 1)) == TableResult::ok);
        REQUIRE(fib->lookup(address) == leaf(length + 1));
    }
    for (unsigned length = 128; length > 0; --length) {
        fib->remove(prefix_of(address, length), {leaf(length), static_cast<std::uint8_t>(length - 1)});
        REQUIRE(fib->lookup(address) == leaf(length));
    }
    CHECK(fib->nodes().used == 0);
}

TEST_CASE("the default route answers only where nothing else does") {
    Held held;
    const auto fib = fib4(held);
    fib->set(p4("10.0.0.0/8"), leaf(1));
    fib->set(p4("0.0.0.0/0"), leaf(2));
    CHECK(fib->lookup(a4("10.1.2.3")) == leaf(1));
    CHECK(fib->lookup(a4("11.1.2.3")) == leaf(2));
    CHECK(fib->default_route() == leaf(2));
    fib->remove(p4("0.0.0.0/0"), {});
    CHECK(fib->lookup(a4("11.1.2.3")) == Leaf{});
    CHECK(fib->lookup(a4("10.1.2.3")) == leaf(1));
}

TEST_CASE("a bulk of any size answers like single lookups") {
    Held held;
    const auto fib = fib4(held);
    fib->set(p4("0.0.0.0/0"), leaf(9));
    fib->set(p4("10.0.0.0/8"), leaf(1));
    fib->set(p4("10.1.1.128/25"), leaf(2));
    std::vector<net::Ipv4Address> a;
    for (std::uint32_t i = 0; i < 200; ++i) a.push_back({i % 3 ? 0x0A01'0100u + i : i << 24});
    for (const std::size_t n : {0, 1, 2, 31, 32, 63, 64, 65, 128, 200}) {
        std::vector<Leaf> got(n + 1, leaf(77));
        fib->lookup(a.data(), got.data(), n);
        for (std::size_t i = 0; i < n; ++i) CHECK(got[i] == fib->lookup(a[i]));
        CHECK(got[n] == leaf(77));
    }
}

TEST_CASE("sixteen at once answer like one at a time: leaves, links of every depth, misses, with any rest") {
    for (const unsigned root_bits : {16u, 19u, 24u}) {
        Held held;
        const auto fib = Fib4::make({root_bits, 1024}, held.grace()).value();
        Random random(root_bits);
        std::vector<net::Ipv4Address> addresses;
        for (std::uint32_t i = 0; i < 300; ++i) {
            const auto a = random_address<net::Ipv4Address>(random);
            REQUIRE(fib->set(prefix_of(a, 8 + i % 25), leaf(1 + i)) == TableResult::ok);
            addresses.insert(addresses.end(), {a, random_address<net::Ipv4Address>(random)});
        }
        for (const bool with_default : {false, true}) {
            if (with_default) fib->set(p4("0.0.0.0/0"), leaf(777));
            for (const std::size_t n : {16, 17, 31, 33, 63, 64, 600}) {
                std::vector<Leaf> got(n + 1, leaf(888));
                fib->lookup(addresses.data(), got.data(), n);
                for (std::size_t i = 0; i < n; ++i) REQUIRE(got[i] == fib->lookup(addresses[i]));
                REQUIRE(got[n] == leaf(888));
            }
        }
    }
}

TEST_CASE("removing a prefix shows the one around it and spares the more specific ones") {
    Held held;
    const auto fib = fib4(held);
    fib->set(p4("10.0.0.0/8"), leaf(1));
    fib->set(p4("10.1.0.0/17"), leaf(2));
    fib->set(p4("10.1.1.0/30"), leaf(3));
    fib->remove(p4("10.1.0.0/17"), {leaf(1), 8});
    CHECK(fib->lookup(a4("10.1.1.2")) == leaf(3));
    CHECK(fib->lookup(a4("10.1.1.4")) == leaf(1));
    CHECK(fib->lookup(a4("10.1.127.255")) == leaf(1));
}

TEST_CASE("equal leaves of different prefixes stay apart") {
    Held held;
    const auto fib = fib4(held);
    fib->set(p4("10.1.1.0/25"), leaf(5));
    fib->set(p4("10.1.1.128/25"), leaf(5));
    fib->set(p4("10.1.1.0/24"), leaf(5));
    fib->set(p4("10.1.1.0/24"), leaf(6));
    CHECK(fib->lookup(a4("10.1.1.1")) == leaf(5));
    fib->remove(p4("10.1.1.0/25"), {leaf(6), 24});
    CHECK(fib->lookup(a4("10.1.1.1")) == leaf(6));
    CHECK(fib->lookup(a4("10.1.1.129")) == leaf(5));
}

TEST_CASE("a node whose last specific prefix goes collapses with all nodes above it") {
    Held held;
    const auto fib = fib6(held);
    fib->set(p6("2001:db8::/32"), leaf(1));
    const auto before = fib->nodes().used;
    fib->set(p6("2001:db8::1/128"), leaf(2));
    CHECK(fib->nodes().used == before + 12);
    fib->remove(p6("2001:db8::1/128"), {leaf(1), 32});
    CHECK(fib->nodes().used == before);
    CHECK(fib->nodes().awaiting == 12);
    CHECK(held.started == 1);
    CHECK(fib->lookup(a6("2001:db8::1")) == leaf(1));
}

TEST_CASE("an insert that lacks nodes changes nothing and returns every node") {
    Held held;
    const auto fib = fib6(held, 20);
    REQUIRE(fib->set(p6("2001:db8::1/128"), leaf(1)) == TableResult::ok);
    CHECK(fib->nodes() == FibNodeCounts{20, 14, 0});
    CHECK(fib->set(p6("2001:db9::1/128"), leaf(2)) == TableResult::full);
    CHECK(fib->nodes() == FibNodeCounts{20, 14, 0});
    CHECK(fib->lookup(a6("2001:db9::1")) == Leaf{});
    CHECK(fib->set(p6("2001:db9::/64"), leaf(3)) == TableResult::ok);
    CHECK(fib->nodes() == FibNodeCounts{20, 18, 0});
    CHECK(fib->lookup(a6("2001:db9::1")) == leaf(3));
    CHECK(fib->lookup(a6("2001:db8::1")) == leaf(1));
}

TEST_CASE("a detached node is not used again before its grace period ends") {
    Held held;
    const auto fib = fib4(held, 2);
    REQUIRE(fib->set(p4("10.1.1.1/32"), leaf(1)) == TableResult::ok);
    fib->remove(p4("10.1.1.1/32"), {});
    CHECK(fib->nodes() == FibNodeCounts{2, 0, 2});
    CHECK(fib->set(p4("10.2.1.1/32"), leaf(2)) == TableResult::busy);
    CHECK(fib->lookup(a4("10.2.1.1")) == Leaf{});
    held.ended = held.started;
    CHECK(fib->set(p4("10.2.1.1/32"), leaf(2)) == TableResult::ok);
    CHECK(fib->nodes() == FibNodeCounts{2, 2, 0});
    CHECK(fib->set(p4("10.3.1.1/32"), leaf(2)) == TableResult::full);
}

TEST_CASE("replacing a leaf needs no node") {
    Held held;
    const auto fib = fib4(held, 2);
    REQUIRE(fib->set(p4("10.1.1.1/32"), leaf(1)) == TableResult::ok);
    CHECK(fib->set(p4("10.1.1.1/32"), leaf(2)) == TableResult::ok);
    CHECK(fib->set(p4("10.1.1.0/25"), leaf(3)) == TableResult::ok);
    CHECK(fib->lookup(a4("10.1.1.1")) == leaf(2));
    CHECK(fib->lookup(a4("10.1.1.2")) == leaf(3));
}

TEST_CASE("what is no prefix or no leaf is refused") {
    Held held;
    const auto fib = fib4(held);
    CHECK(fib->set({a4("10.0.0.1"), 8}, leaf(1)) == TableResult::invalid);
    CHECK(fib->set({a4("10.0.0.0"), 33}, leaf(1)) == TableResult::invalid);
    CHECK(fib->set(p4("10.0.0.0/8"), {}) == TableResult::invalid);
    CHECK(fib->set(p4("10.0.0.0/8"), {0x8000'0001}) == TableResult::invalid);
    CHECK(fib6(held)->set({a6("::1"), 127}, leaf(1)) == TableResult::invalid);
    CHECK(fib6(held)->set({a6("::"), 129}, leaf(1)) == TableResult::invalid);
    fib->remove({a4("10.0.0.0"), 255}, {});
    CHECK(fib->lookup(a4("10.0.0.1")) == Leaf{});
}

TEST_CASE("removing a prefix that is not there changes nothing") {
    Held held;
    const auto fib = fib4(held);
    fib->set(p4("10.1.0.0/16"), leaf(1));
    fib->remove(p4("10.1.1.0/24"), {});
    fib->remove(p4("10.0.0.0/8"), {});
    CHECK(fib->lookup(a4("10.1.1.1")) == leaf(1));
    fib->set(p4("10.0.0.0/8"), leaf(2));
    fib->remove(p4("10.0.0.0/12"), {});
    CHECK(fib->lookup(a4("10.2.1.1")) == leaf(2));
    CHECK(held.started == 0);
}

TEST_CASE("sizes out of range are errors that say what to write") {
    Held held;
    CHECK(Fib4::make({15, 1}, held.grace()).error().find("16 to 24") != std::string::npos);
    CHECK(Fib4::make({25, 1}, held.grace()).error().find("16 to 24") != std::string::npos);
    CHECK(Fib6::make({16, 0}, held.grace()).error().find("1 to") != std::string::npos);
    CHECK(Fib6::make({16, std::size_t{1} << 30}, held.grace()).error().find("1 to") != std::string::npos);
}
