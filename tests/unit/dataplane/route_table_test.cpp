#include "dataplane/route_table.h"

#include "fib_oracle.h"
#include "qsbr_stub.h"
#include "tests/unit/catch.h"

namespace {

using namespace dataplane;
using namespace fib_test;

net::Prefix4 p4(const char* text) { return net::parse_prefix(text)->v4(); }
net::Ipv4Address a4(const char* text) { return net::parse_ip(text)->v4(); }

struct Fixture {
    std::uint64_t started{}, ended{};
    std::unique_ptr<Fib4> fib;
    RouteTable4 table;

    explicit Fixture(std::size_t nodes = 64, std::size_t max_routes = 1000)
        : fib(Fib4::make({16, nodes}, {[this] { return ++started; }, [this](auto t) { return t <= ended; }}).value()),
          table(*fib, max_routes) {}
    Leaf lookup(const char* address) const { return fib->lookup(a4(address)); }
};

// A record of what each source says, and the trie of the best of it.
template <class Address>
void random_changes(std::uint64_t seed, std::size_t nodes) {
    Random random(seed);
    QsbrStub qsbr(0);
    const auto fib = Fib<Address>::make({16, nodes}, qsbr.grace()).value();
    RouteTable<Address> table(*fib);
    const auto prefixes = nested_prefixes<Address>(random, 300, 8);
    std::vector<std::array<Leaf, kSources>> said(prefixes.size());
    Trie<Address> oracle;
    for (int step = 0; step < 8000; ++step) {
        const std::size_t i = random() % prefixes.size();
        const std::size_t s = random() % kSources;
        const Leaf l = leaf(random() % 2 ? 1 + static_cast<std::uint32_t>(random() % 5) : 0);
        const auto source = static_cast<Source>(s);
        const auto outcome = l.bits ? table.set(prefixes[i], source, l) : table.remove(prefixes[i], source);
        REQUIRE(outcome.previous == said[i][s]);
        said[i][s] = l;
        const Leaf best = RouteRecord{said[i], true}.best();
        best.bits ? oracle.set(prefixes[i], best) : oracle.remove(prefixes[i]);
        table.pump();
        if (table.pending() > 0) continue;
        const Address a = inside(prefixes[random() % prefixes.size()], random);
        REQUIRE(fib->lookup(a) == oracle.lookup(a));
    }
    for (const auto& p : prefixes)
        for (std::size_t s = 0; s < kSources; ++s) table.remove(p, static_cast<Source>(s));
    CHECK(table.size() == 0);
    CHECK(table.pending() == 0);
    CHECK(fib->nodes().used == 0);
}

}  // namespace

TEST_CASE("the most preferred source answers and the next one takes its place") {
    Fixture f;
    const auto p = p4("10.1.1.0/24");
    CHECK(f.table.set(p, Source::fpm, leaf(4)).result == RouteResult::applied);
    CHECK(f.table.set(p, Source::connected, leaf(3)).result == RouteResult::applied);
    CHECK(f.table.set(p, Source::local, leaf(1)).result == RouteResult::applied);
    CHECK(f.table.set(p, Source::neighbor, leaf(2)).result == RouteResult::unchanged);
    CHECK(f.lookup("10.1.1.1") == leaf(1));
    CHECK(f.table.remove(p, Source::local).result == RouteResult::applied);
    CHECK(f.lookup("10.1.1.1") == leaf(2));
    CHECK(f.table.remove(p, Source::connected).result == RouteResult::unchanged);
    CHECK(f.table.remove(p, Source::neighbor).result == RouteResult::applied);
    CHECK(f.lookup("10.1.1.1") == leaf(4));
    f.table.remove(p, Source::fpm);
    CHECK(f.lookup("10.1.1.1") == Leaf{});
    CHECK(f.table.size() == 0);
}

TEST_CASE("the caller gets back the leaf that a source no longer uses") {
    Fixture f;
    const auto p = p4("10.1.1.0/24");
    CHECK(f.table.set(p, Source::fpm, leaf(1)).previous == Leaf{});
    CHECK(f.table.set(p, Source::fpm, leaf(1)).previous == leaf(1));
    CHECK(f.table.set(p, Source::fpm, leaf(2)).previous == leaf(1));
    CHECK(f.table.remove(p, Source::local).previous == Leaf{});
    CHECK(f.table.remove(p, Source::fpm).previous == leaf(2));
    CHECK(f.table.remove(p, Source::fpm).previous == Leaf{});
}

TEST_CASE("a prefix without room waits and is tried again when nodes come back") {
    Fixture f(2);
    f.table.set(p4("10.0.0.0/8"), Source::fpm, leaf(1));
    CHECK(f.table.set(p4("10.1.1.1/32"), Source::fpm, leaf(2)).result == RouteResult::applied);
    CHECK(f.table.set(p4("10.2.1.1/32"), Source::fpm, leaf(3)).result == RouteResult::pending);
    CHECK(f.table.full());
    CHECK(f.lookup("10.2.1.1") == leaf(1));
    f.table.remove(p4("10.1.1.1/32"), Source::fpm);
    CHECK(f.table.pump() == 1);
    CHECK(!f.table.full());
    f.ended = f.started;
    CHECK(f.table.pump() == 0);
    CHECK(f.lookup("10.2.1.1") == leaf(3));
    CHECK(f.lookup("10.1.1.1") == leaf(1));
}

TEST_CASE("a waiting prefix can be removed and is never shown in place of another") {
    Fixture f(2);
    f.table.set(p4("10.1.1.1/32"), Source::fpm, leaf(2));
    CHECK(f.table.set(p4("10.2.0.0/20"), Source::fpm, leaf(3)).result == RouteResult::pending);
    f.table.remove(p4("10.1.1.1/32"), Source::fpm);
    f.ended = f.started;
    CHECK(f.table.set(p4("10.2.1.1/32"), Source::fpm, leaf(4)).result == RouteResult::applied);
    f.table.remove(p4("10.2.1.1/32"), Source::fpm);
    CHECK(f.lookup("10.2.1.1") == Leaf{});
    CHECK(f.table.remove(p4("10.2.0.0/20"), Source::fpm).previous == leaf(3));
    CHECK(f.table.pending() == 0);
    CHECK(f.table.pump() == 0);
    CHECK(f.lookup("10.2.1.1") == Leaf{});
}

TEST_CASE("pumping in small budgets reaches every waiting prefix") {
    Fixture f(2);
    f.table.set(p4("10.1.1.1/32"), Source::fpm, leaf(2));
    f.table.set(p4("10.0.1.0/32"), Source::fpm, leaf(1));
    f.table.set(p4("10.0.2.0/32"), Source::fpm, leaf(1));
    CHECK(f.table.set(p4("10.1.1.0/32"), Source::fpm, leaf(3)).result == RouteResult::applied);
    CHECK(f.table.pending() == 2);
    f.table.remove(p4("10.1.1.1/32"), Source::fpm);
    f.table.remove(p4("10.1.1.0/32"), Source::fpm);
    f.ended = f.started;
    CHECK(f.table.pump(1) == 1);
    CHECK(f.table.pump(1) == 1);
    f.table.remove(p4("10.0.1.0/32"), Source::fpm);
    f.ended = f.started;
    f.table.pump(1);
    f.table.pump(1);
    CHECK(f.table.pending() == 0);
    CHECK(f.lookup("10.0.2.0") == leaf(1));
}

TEST_CASE("what cannot be a route is refused and not stored") {
    Fixture f(64, 2);
    CHECK(f.table.set({a4("10.0.0.1"), 24}, Source::fpm, leaf(1)).result == RouteResult::refused);
    CHECK(f.table.set(p4("10.0.0.0/24"), Source::fpm, {}).result == RouteResult::refused);
    CHECK(f.table.remove({a4("10.0.0.1"), 200}, Source::fpm).result == RouteResult::unchanged);
    f.table.set(p4("10.0.0.0/24"), Source::fpm, leaf(1));
    f.table.set(p4("10.0.1.0/24"), Source::fpm, leaf(1));
    CHECK(f.table.set(p4("10.0.2.0/24"), Source::fpm, leaf(1)).result == RouteResult::refused);
    CHECK(f.table.set(p4("10.0.1.0/24"), Source::fpm, leaf(2)).result == RouteResult::applied);
    CHECK(f.table.size() == 2);
}

TEST_CASE("IPv4 routes of all sources end in the FIB as the trie says") { random_changes<net::Ipv4Address>(4, 4096); }
TEST_CASE("IPv6 routes of all sources end in the FIB as the trie says") { random_changes<net::Ipv6Address>(6, 4096); }
TEST_CASE("routes end in the FIB as the trie says when it is often full") { random_changes<net::Ipv6Address>(7, 400); }
