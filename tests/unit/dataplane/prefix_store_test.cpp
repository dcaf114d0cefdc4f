#include "dataplane/prefix_store.h"

#include <map>

#include "fib_oracle.h"
#include "tests/unit/catch.h"

namespace {

using namespace dataplane;
using namespace fib_test;

// std::map orders the same way; its covering prefix is found by trying every length.
template <class Address>
struct Reference {
    std::map<net::Prefix<Address>, int> map;

    const std::pair<const net::Prefix<Address>, int>* covering(const net::Prefix<Address>& p, int divisor) const {
        for (unsigned length = p.length; length-- > 0;) {
            const auto i = map.find(prefix_of(p.address, length));
            if (i != map.end() && i->second % divisor == 0) return &*i;
        }
        return nullptr;
    }
};

template <class Address>
void agree(const PrefixStore<Address, int>& store, const Reference<Address>& reference, const net::Prefix<Address>& p,
           int divisor) {
    const auto got = store.covering(p, [&](int v) { return v % divisor == 0; });
    const auto* want = reference.covering(p, divisor);
    REQUIRE(got.has_value() == (want != nullptr));
    if (got) REQUIRE((got->prefix == want->first && *got->value == want->second));
    const int* value = store.find(p);
    REQUIRE((value != nullptr) == reference.map.contains(p));
    if (value) REQUIRE(*value == reference.map.at(p));
}

template <class Address>
void agree_in_order(const PrefixStore<Address, int>& store, const Reference<Address>& reference,
                    const net::Prefix<Address>& from) {
    auto i = reference.map.lower_bound(from);
    std::size_t differing = 0;
    store.visit(from, [&](const auto& p, int v) {
        differing += i == reference.map.end() || i->first != p || i->second != v;
        if (i != reference.map.end()) ++i;
        return true;
    });
    CHECK(differing == 0);
    CHECK(i == reference.map.end());
}

template <class Address>
void random_changes(std::uint64_t seed) {
    Random random(seed);
    const auto prefixes = nested_prefixes<Address>(random, 800, 12);
    PrefixStore<Address, int> store;
    Reference<Address> reference;
    for (int step = 0; step < 12'000; ++step) {
        const auto& p = prefixes[random() % prefixes.size()];
        if (random() % 5 < 3)
            store.insert(p) = reference.map[p] = step;
        else
            REQUIRE(store.erase(p) == (reference.map.erase(p) > 0));
        REQUIRE(store.size() == reference.map.size());
        agree(store, reference, prefixes[random() % prefixes.size()], 1 + step % 3);
        if (step % 500 == 0) agree_in_order(store, reference, prefixes[random() % prefixes.size()]);
    }
    agree_in_order(store, reference, {});
    for (const auto& p : prefixes) store.erase(p);
    CHECK(store.size() == 0);
    store.visit({}, [](const auto&, int) {
        FAIL("a prefix is left");
        return false;
    });
}

}  // namespace

TEST_CASE("an IPv4 store agrees with an ordered map under random changes") { random_changes<net::Ipv4Address>(4); }
TEST_CASE("an IPv6 store agrees with an ordered map under random changes") { random_changes<net::Ipv6Address>(6); }

TEST_CASE("the longest match of an address may be the host route itself") {
    PrefixStore<net::Ipv4Address, int> store;
    store.insert({{0}, 0}) = 1;
    store.insert({{0x0A00'0000}, 8}) = 2;
    store.insert({{0x0A00'0001}, 32}) = 3;
    CHECK(*store.match({0x0A00'0001})->value == 3);
    CHECK(*store.match({0x0A00'0002})->value == 2);
    CHECK(*store.match({0x0B00'0000})->value == 1);
    store.erase({{0}, 0});
    CHECK(!store.match({0x0B00'0000}));
}

TEST_CASE("a visit stops where its caller says so and can go on there") {
    PrefixStore<net::Ipv4Address, int> store;
    for (std::uint32_t i = 0; i < 1000; ++i) store.insert({{i << 8}, 24}) = static_cast<int>(i);
    net::Prefix4 next{};
    int seen = 0, pieces = 0;
    for (bool more = true; more; ++pieces) {
        more = false;
        int left = 64;
        store.visit(next, [&](const net::Prefix4& p, int v) {
            next = p;
            more = left-- == 0;
            if (!more) CHECK(v == seen++);
            return !more;
        });
    }
    CHECK(seen == 1000);
    CHECK(pieces == 16);
}

TEST_CASE("a pointer to a value survives other prefixes' changes") {
    PrefixStore<net::Ipv4Address, int> store;
    int* value = &store.insert({{0x0A00'0000}, 8});
    *value = 7;
    for (std::uint32_t i = 0; i < 50'000; ++i) store.insert({{i << 12}, 20}) = 1;
    for (std::uint32_t i = 0; i < 50'000; i += 2) store.erase({{i << 12}, 20});
    CHECK(value == store.find({{0x0A00'0000}, 8}));
    CHECK(*value == 7);
}
