#include "dataplane/group_table.h"

#include "tests/unit/catch.h"

namespace {

using namespace dataplane;

struct Fixture {
    std::uint64_t started{}, ended{};
    std::unique_ptr<GroupTable> table;

    explicit Fixture(GroupSizes sizes = {8, 8})
        : table(
              GroupTable::make(sizes, {[this] { return ++started; }, [this](auto t) { return t <= ended; }}).value()) {}
    // Ends the grace periods and answers every `gone` as control does.
    void settle() {
        ended = started;
        table->reclaim();
        for (const auto& e : table->take_events())
            if (!e.appeared) table->confirm_gone(e.id);
    }
};

NextHop hop(std::uint16_t n) { return {{n}, net::IpAddress::from(net::Ipv4Address{0x0A00'0000u + n})}; }

std::vector<WeightedHop> set(std::initializer_list<std::pair<int, int>> members) {
    std::vector<WeightedHop> r;
    for (const auto& [n, w] : members) r.push_back({hop(static_cast<std::uint16_t>(n)), static_cast<std::uint16_t>(w)});
    return r;
}

std::array<std::size_t, kMaxMembers> buckets_of(const Group& g) {
    std::array<std::size_t, kMaxMembers> n{};
    for (const auto m : g.bucket) ++n[m];
    return n;
}

}  // namespace

TEST_CASE("equal sets are one group whatever their order, and its references are counted") {
    Fixture f;
    const auto a = f.table->acquire(set({{1, 1}, {2, 1}})).value();
    CHECK(a.id.value != 0);
    CHECK(f.table->acquire(set({{2, 1}, {1, 1}})).value().id == a.id);
    CHECK(f.table->acquire(set({{2, 7}, {1, 7}})).value().id == a.id);
    CHECK(f.table->acquire(set({{1, 1}, {2, 2}})).value().id != a.id);
    CHECK(f.table->acquire(set({{1, 1}})).value().id != a.id);
    CHECK(f.table->counts() == GroupCounts{3, 2, 0, 0});
    f.table->release(a.id);
    f.table->release(a.id);
    CHECK(f.table->counts().groups == 3);
    f.table->release(a.id);
    CHECK(f.table->counts().groups == 2);
}

TEST_CASE("a member named twice counts with both weights and weight zero is one") {
    Fixture f;
    const auto a = f.table->acquire(set({{1, 1}, {2, 2}, {1, 1}})).value();
    CHECK(f.table->acquire(set({{1, 1}, {2, 1}})).value().id == a.id);
    CHECK(f.table->acquire(set({{1, 0}, {2, 1}})).value().id == a.id);
    CHECK(f.table->members(a.id).size() == 2);
}

TEST_CASE("a group's arrays name its next hops and their slots are down") {
    Fixture f;
    const auto id = f.table->acquire(set({{3, 1}, {1, 3}})).value().id;
    const NextHopArrays a = f.table->arrays();
    const Group& g = a.groups[id.value];
    REQUIRE(g.count == 2);
    std::size_t of_hop1 = 0;
    for (const auto m : g.bucket) of_hop1 += a.next_hops[g.member[m].value].interface == InterfaceId{1};
    CHECK(of_hop1 == 48);
    for (std::size_t i = 0; i < g.count; ++i) CHECK(a.slots[g.member[i].value].load() == 0);
}

TEST_CASE("control hears of a next hop when it appears and when no worker can see it any more") {
    Fixture f;
    const auto a = f.table->acquire(set({{1, 1}})).value().id;
    const auto b = f.table->acquire(set({{1, 1}, {2, 1}})).value().id;
    const auto appeared = f.table->take_events();
    REQUIRE(appeared.size() == 2);
    CHECK((appeared[0].appeared && appeared[0].hop.interface == InterfaceId{1}));
    CHECK((appeared[1].appeared && appeared[1].hop.interface == InterfaceId{2}));
    f.table->release(b);
    f.table->reclaim();
    CHECK(f.table->take_events().empty());
    f.ended = f.started;
    f.table->reclaim();
    const auto gone = f.table->take_events();
    REQUIRE(gone.size() == 1);
    CHECK((!gone[0].appeared && gone[0].id == appeared[1].id && gone[0].hop.interface == InterfaceId{2}));
    f.table->release(a);
    CHECK(f.table->counts() == GroupCounts{0, 1, 1, 1});
}

TEST_CASE("a group's number is used again only after its grace period") {
    Fixture f({1, 8});
    const auto a = f.table->acquire(set({{1, 1}})).value().id;
    CHECK(f.table->acquire(set({{2, 1}})).error() == TableResult::full);
    f.table->release(a);
    CHECK(f.table->acquire(set({{2, 1}})).error() == TableResult::busy);
    CHECK(f.table->arrays().groups[a.value].count == 1);
    f.ended = f.started;
    CHECK(f.table->acquire(set({{2, 1}})).value().id == a);
}

TEST_CASE("a next hop's number is used again only after control has confirmed that it is gone") {
    Fixture f({8, 1});
    const auto a = f.table->acquire(set({{1, 1}})).value().id;
    const NextHopId id = f.table->take_events().at(0).id;
    CHECK(f.table->acquire(set({{2, 1}})).error() == TableResult::full);
    f.table->release(a);
    CHECK(f.table->acquire(set({{2, 1}})).error() == TableResult::busy);
    f.ended = f.started;
    CHECK(f.table->acquire(set({{2, 1}})).error() == TableResult::busy);
    f.table->confirm_gone(id);
    f.table->confirm_gone(id);
    CHECK(f.table->acquire(set({{2, 1}})).has_value());
    CHECK(f.table->acquire(set({{3, 1}})).error() == TableResult::full);
}

TEST_CASE("a set that finds no room leaves nothing behind") {
    Fixture f({8, 3});
    f.table->acquire(set({{1, 1}, {2, 1}})).value();
    const auto before = f.table->counts();
    f.table->take_events();
    CHECK(f.table->acquire(set({{2, 1}, {3, 1}, {4, 1}})).error() == TableResult::full);
    CHECK(f.table->acquire({}).error() == TableResult::invalid);
    CHECK(f.table->counts() == before);
    CHECK(f.table->take_events().empty());
    CHECK(f.table->acquire(set({{2, 1}, {3, 1}})).has_value());
}

TEST_CASE("of more members than a group holds the lightest are left out and reported") {
    Fixture f({8, 200});
    std::vector<WeightedHop> many;
    for (std::uint16_t i = 0; i < 100; ++i) many.push_back({hop(i), static_cast<std::uint16_t>(i < 36 ? 1 : 2)});
    const auto g = f.table->acquire(many).value();
    CHECK(g.left_out == 36);
    REQUIRE(f.table->members(g.id).size() == 64);
    CHECK(f.table->members(g.id)[0].hop.interface == InterfaceId{36});
    for (const std::size_t n : buckets_of(f.table->arrays().groups[g.id.value])) CHECK(n == 1);
    CHECK(f.table->counts().next_hops == 64);
}

TEST_CASE("references to what is not in use are ignored") {
    Fixture f;
    f.table->release({0});
    f.table->release({5});
    f.table->release({1'000'000});
    f.table->confirm_gone({3});
    f.table->confirm_gone({0xFFFF});
    CHECK(f.table->counts() == GroupCounts{});
    CHECK(f.table->members({1'000'000}).empty());
}

TEST_CASE("groups and next hops that come and go at random leave nothing in use") {
    Fixture f({16, 12});
    std::vector<GroupId> held;
    std::uint32_t random = 1;
    std::size_t refused = 0;
    for (int i = 0; i < 5000; ++i) {
        random = random * 1664525 + 1013904223;
        const int n = static_cast<int>(random >> 8);
        const auto got = f.table->acquire(set({{n % 7, 1 + n % 3}, {n % 11, 1}}));
        got ? held.push_back(got->id) : void(++refused);
        if (held.size() > 10 || (n & 3) == 0) {
            const std::size_t at = static_cast<std::size_t>(n >> 4) % std::max<std::size_t>(held.size(), 1);
            if (!held.empty()) f.table->release(held[at]), held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
        }
        if (n % 5 == 0) f.settle();
    }
    CHECK(refused > 0);
    for (const GroupId id : held) f.table->release(id);
    f.settle();
    CHECK(f.table->counts() == GroupCounts{});
    for (int i = 0; i < 12; ++i) CHECK(f.table->acquire(set({{100 + i, 1}})).has_value());
}

TEST_CASE("sizes of the tables out of range are errors") {
    CHECK(!GroupTable::make({1, 65536}, {}).has_value());
    CHECK(!GroupTable::make({1, 0}, {}).has_value());
    CHECK(!GroupTable::make({0, 1}, {}).has_value());
    CHECK(!GroupTable::make({std::size_t{1} << 28, 1}, {}).has_value());
}
