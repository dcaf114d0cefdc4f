#include "dataplane/next_hop.h"

#include <map>
#include <random>

#include "dataplane/group_table.h"
#include "tests/unit/catch.h"

namespace {

using namespace dataplane;

std::vector<NextHopId> hops(std::initializer_list<int> ids) {
    std::vector<NextHopId> r;
    for (const int i : ids) r.push_back({static_cast<std::uint16_t>(i)});
    return r;
}

std::vector<std::size_t> shares(std::span<const std::uint16_t> weights) {
    std::vector<NextHopId> ids;
    for (std::size_t i = 0; i < weights.size(); ++i) ids.push_back({static_cast<std::uint16_t>(i * 3)});
    std::vector<std::size_t> n(weights.size());
    for (const auto m : share_buckets(ids, weights)) ++n.at(m);
    return n;
}
std::vector<std::size_t> shares(std::initializer_list<std::uint16_t> w) { return shares({w.begin(), w.size()}); }

// A group of four equal members over slots the test sets.
struct Four {
    std::array<std::atomic<std::uint64_t>, 4> slots{};
    std::array<NextHop, 4> next_hops{};
    std::array<Group, 2> groups{};
    NextHopArrays arrays{next_hops, groups, slots};

    Four() {
        Group& g = groups[1];
        for (std::uint16_t i = 0; i < 4; ++i) g.member[g.count++] = {i}, slots[i] = up(i);
        const std::array<std::uint16_t, 4> weights{1, 1, 1, 1};
        g.bucket = share_buckets({g.member.data(), 4}, weights);
    }
    static std::uint64_t up(std::uint64_t mac) { return Slot::kUsable | Slot::kResolved | mac; }
    Choice operator()(std::uint32_t hash) const { return choose(arrays, groups[1], hash); }
};

}  // namespace

TEST_CASE("buckets are shared by weight and every member has one") {
    CHECK(shares({1}) == std::vector<std::size_t>{64});
    CHECK(shares({1, 1, 1, 1}) == std::vector<std::size_t>{16, 16, 16, 16});
    CHECK(shares({3, 1}) == std::vector<std::size_t>{48, 16});
    CHECK(shares({1, 65535}) == std::vector<std::size_t>{1, 63});
    CHECK(shares({1, 1, 1}) == std::vector<std::size_t>{22, 21, 21});
    CHECK(shares(std::vector<std::uint16_t>(64, 9)) == std::vector<std::size_t>(64, 1));
}

TEST_CASE("random weights get shares within a bucket of exact, or the one bucket everybody has") {
    std::mt19937 random(1);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::uint16_t> weights(1 + random() % 8);
        std::size_t total = 0;
        for (auto& w : weights) total += w = static_cast<std::uint16_t>(16 + random() % 16);
        const auto got = shares(weights);
        std::size_t sum = 0;
        for (std::size_t i = 0; i < got.size(); ++i) {
            sum += got[i];
            const double exact = 64.0 * weights[i] / static_cast<double>(total);
            CHECK(std::abs(static_cast<double>(got[i]) - exact) < 1.0);
        }
        CHECK(sum == 64);
    }
}

TEST_CASE("a member that leaves or joins moves few buckets between the members that stay") {
    std::size_t moved = 0, rounds = 0;
    for (int base = 0; base < 200; base += 5, ++rounds) {
        const std::array<std::uint16_t, 4> w{1, 1, 1, 1};
        const auto four = hops({base, base + 1, base + 2, base + 3});
        const auto three = hops({base, base + 1, base + 2});
        const auto a = share_buckets(four, w);
        const auto b = share_buckets(three, std::span(w).first(3));
        for (std::size_t i = 0; i < kBuckets; ++i) moved += a[i] != 3 && a[i] != b[i];
    }
    CHECK(static_cast<double>(moved) / static_cast<double>(rounds) < 6);  // of 48
}

TEST_CASE("a usable member takes its own buckets and answers with its slot") {
    const Four f;
    std::map<std::uint16_t, int> n;
    for (std::uint32_t h = 0; h < 640; ++h) {
        const Choice c = f(h);
        CHECK(c.slot == Four::up(c.next_hop.value));
        ++n[c.next_hop.value];
    }
    for (std::uint16_t i = 0; i < 4; ++i) CHECK(n[i] == 160);
}

TEST_CASE("a member that is down moves only its own flows, to all others, and takes them back") {
    Four f;
    std::map<std::uint32_t, std::uint16_t> before;
    for (std::uint32_t h = 0; h < 6400; ++h) before[h] = f(h).next_hop.value;
    f.slots[2] = Slot::kResolved;
    std::map<std::uint16_t, int> heirs;
    for (const auto& [h, member] : before) {
        const auto now = f(h).next_hop.value;
        if (member != 2)
            REQUIRE(now == member);
        else
            ++heirs[now];
    }
    CHECK(heirs.size() == 3);
    CHECK(!heirs.contains(2));
    for (const auto& [member, n] : heirs) CHECK(n > 200);
    f.slots[2] = Four::up(2);
    for (const auto& [h, member] : before) REQUIRE(f(h).next_hop.value == member);
}

TEST_CASE("with all members down the choice carries no usable bit") {
    Four f;
    for (auto& s : f.slots) s = Slot::kResolved;
    for (std::uint32_t h = 0; h < 64; ++h) CHECK((f(h).slot & Slot::kUsable) == 0);
}

TEST_CASE("the last usable member takes every flow") {
    Four f;
    for (const std::size_t i : {0, 1, 3}) f.slots[i] = 0;
    for (std::uint32_t h = 0; h < 640; ++h) CHECK(f(h).next_hop.value == 2);
}
