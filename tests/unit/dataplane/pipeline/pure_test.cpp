// The parts of the pipeline that are functions of their arguments.
#include <random>
#include <set>

#include "dataplane/flow_hash.h"
#include "dataplane/ip_checks.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/police.h"
#include "tests/unit/catch.h"
#include "tests/unit/dataplane/pipeline/packet.h"

using namespace packet;

TEST_CASE("the incremental checksum equals the computed one for every hop limit and many headers") {
    std::mt19937 generator{1};
    for (int i = 0; i < 20'000; ++i) {
        Octets o = Ipv4{.payload = {}}.octets();
        for (auto& octet : o) octet = static_cast<std::uint8_t>(i % 7 == 0 ? (generator() & 1) * 0xFF : generator());
        o[8] = static_cast<std::uint8_t>(1 + i % 255);
        o[10] = o[11] = 0;
        const auto sum = checksum(o);
        o[10] = static_cast<std::uint8_t>(sum >> 8);
        o[11] = static_cast<std::uint8_t>(sum);
        REQUIRE(net::checksum_ok(o.data(), 20));
        net::Ipv4Header(o.data()).decrement_hop_limit();
        REQUIRE(net::checksum_ok(o.data(), 20));
        REQUIRE(net::checksum_ok_20(o.data()));
        Octets again = o;
        again[10] = again[11] = 0;
        REQUIRE(checksum(again) == (o[10] << 8 | o[11]));
    }
}

TEST_CASE("a single wrong bit in a header never passes the checksum") {
    const Octets good = Ipv4{.options = zeros(40, 1), .payload = {}}.octets();
    REQUIRE(net::checksum_ok(good.data(), 60));
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        Octets bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        CHECK_FALSE(net::checksum_ok(bad.data(), 60));
    }
}

TEST_CASE("twenty octets are judged as headers of any length are, carries and zeros included") {
    std::mt19937 generator{2};
    std::array<int, 2> seen{};
    for (int i = 0; i < 200'000; ++i) {
        Octets o = zeros(20);
        const auto kind = generator() % 4;
        for (auto& octet : o)
            octet = static_cast<std::uint8_t>(kind == 0 ? generator() : (generator() % (2 + 6 * kind) != 0) * 0xFF);
        if (i % 2 == 0) {
            o[10] = o[11] = 0;
            const auto sum = checksum(o);
            o[10] = static_cast<std::uint8_t>(sum >> 8);
            o[11] = static_cast<std::uint8_t>(sum);
        }
        const bool ok = net::checksum_ok(o.data(), 20);
        REQUIRE(net::checksum_ok_20(o.data()) == ok);
        ++seen[ok];
    }
    CHECK(seen[0] > 50'000);
    CHECK(seen[1] > 50'000);
    const Octets none = zeros(20), ones(20, 0xFF);
    CHECK_FALSE(net::checksum_ok_20(none.data()));
    CHECK(net::checksum_ok_20(ones.data()));
}

template <class Header, class Packet>
void no_rule_is_skipped(Packet packet, std::size_t source, std::size_t destination) {
    std::mt19937 generator{5};
    int ordinary = 0;
    for (unsigned i = 0; i < 65'536; ++i) {
        Octets o = packet.octets();
        for (std::size_t at = source; at < destination + destination - source; ++at)
            o[at] = static_cast<std::uint8_t>(generator());
        o[source] = static_cast<std::uint8_t>(i >> 8);
        o[destination] = static_cast<std::uint8_t>(i);
        const Header h(o.data());
        if (!net::is_ordinary(h.source()) || !net::is_ordinary(h.destination())) continue;
        ++ordinary;
        dataplane::Meta meta;
        REQUIRE(dataplane::check_source(h, meta) == dataplane::Verdict::forward);
        REQUIRE_FALSE(meta.local_only);
        REQUIRE(dataplane::check_destination(h, dataplane::InterfaceEntry{}, meta) == dataplane::Verdict::forward);
    }
    CHECK(ordinary > 40'000);
}

TEST_CASE("two ordinary addresses break no rule for any first octet") {
    no_rule_is_skipped<net::Ipv4Header>(Ipv4{.payload = {}}, 12, 16);
    no_rule_is_skipped<net::Ipv6Header>(Ipv6{.payload = {}}, 8, 24);
}

TEST_CASE("options that do not parse are no source route and end the search") {
    for (const Octets& options : {Octets{7, 0, 131, 3}, Octets{7, 1, 131, 3}, Octets{0, 131, 3, 4},
                                  Octets{7, 200, 131, 3}, Octets{1, 1, 1, 7}}) {
        Octets o = Ipv4{.options = options}.octets();
        CHECK_FALSE(net::has_source_route(net::Ipv4Header(o.data())));
    }
}

TEST_CASE("a flow has one hash, and fragments of one packet have one too") {
    const auto hash = [](const Ipv4& p) {
        Octets o = p.octets();
        return dataplane::flow_hash(net::Ipv4Header(o.data()));
    };
    CHECK(hash({.ttl = 3}) == hash({.ttl = 64}));
    CHECK(hash({.payload = ports(1, 2)}) != hash({.payload = ports(1, 3)}));
    CHECK(hash({.payload = ports(1, 2)}) != hash({.payload = ports(2, 1)}));
    CHECK(hash({.fragment = 0x2000, .payload = ports(1, 2)}) == hash({.fragment = 0x0010, .payload = ports(9, 9)}));
    CHECK(hash({.payload = {}}) == hash({.payload = {1, 2, 3}}));
    const auto hash6 = [](const Ipv6& p) {
        Octets o = p.octets();
        return dataplane::flow_hash(net::Ipv6Header(o.data()));
    };
    CHECK(hash6({.payload = ports(1, 2)}) != hash6({.payload = ports(1, 3)}));
    CHECK(hash6({.source = "fd00::1", .destination = "fd00::2"}) !=
          hash6({.source = "fd00::2", .destination = "fd00::1"}));
    CHECK(hash6({.hop_limit = 1}) == hash6({.hop_limit = 2}));
}

TEST_CASE("256 flows that differ in one port spread over four members within 15 to 35 percent") {
    for (const unsigned base : {1024u, 5000u, 40000u, 49152u}) {
        std::array<int, 4> v4{}, v6{};
        for (unsigned i = 0; i < 256; ++i) {
            Octets o = Ipv4{.payload = ports(base + i, 5201)}.octets();
            ++v4[dataplane::flow_hash(net::Ipv4Header(o.data())) % 64 / 16];
            Octets o6 = Ipv6{.payload = ports(base + i, 5201)}.octets();
            ++v6[dataplane::flow_hash(net::Ipv6Header(o6.data())) % 64 % 4];
        }
        for (const auto& shares : {v4, v6})
            for (const int n : shares) {
                CHECK(n >= 39);
                CHECK(n <= 89);
            }
    }
}

TEST_CASE("a policer grants its rate and burst to any number of workers, less than a quantum off for each") {
    constexpr std::uint64_t kRate = 1'000'000'000, kBurst = 100'000, kSecond = 1'000'000'000;
    dataplane::Policer p;
    p.rate_bps = kRate;
    p.burst_octets = kBurst;
    std::array<std::uint64_t, 4> credit{};
    std::uint64_t passed = 0;
    for (std::uint64_t now = kSecond; now < 2 * kSecond; now += 10'000)
        for (auto& left : credit)
            for (int k = 0; k < 2; ++k) {   // twice the rate is offered
                if (left < 1'000) left += dataplane::take(p, dataplane::Direction::out, 1'000 - left, now);
                if (left < 1'000) continue;
                left -= 1'000;
                passed += 1'000;
            }
    const std::uint64_t sold = kRate / 8 + kBurst;
    CHECK(passed <= sold + 1'000);
    CHECK(passed + 4 * (kBurst / 8) + 10'000 * (kRate / kSecond) / 8 >= sold);
}

TEST_CASE("a policer grants what is there when a quantum is not, and a debt does not outlive a rate change") {
    dataplane::Policer p;
    p.rate_bps = 8'000;   // an octet per millisecond
    p.burst_octets = 8'000;
    const auto take = [&](std::uint64_t need, std::uint64_t now) {
        return dataplane::take(p, dataplane::Direction::in, need, now);
    };
    std::uint64_t now = 1'000'000'000'000;
    CHECK(take(7'500, now) == 7'500);
    CHECK(take(100, now) == 500);
    CHECK(take(100, now) == 0);
    CHECK(dataplane::take(p, dataplane::Direction::out, 100, now) == 1'000);
    p.rate_bps = 8'000'000'000;
    CHECK(take(100, now) == 0);
    CHECK(take(100, now + 2'000) == 1'000);
}

TEST_CASE("eight in any second pass, all at once if need be") {
    dataplane::Recent<8, 1'000'000'000> gate;
    std::multiset<std::uint64_t> passed;
    std::mt19937 generator{3};
    std::uint64_t now = 1;
    for (int i = 0; i < 20'000; ++i) {
        now += generator() % 50'000'000;
        if (gate.pass(now)) passed.insert(now);
    }
    for (auto first = passed.begin(); std::distance(first, passed.end()) > 8; ++first)
        REQUIRE(*std::next(first, 8) - *first >= 1'000'000'000);
    CHECK(passed.size() > 3'500);
}

TEST_CASE("a gate passes its burst and then its rate") {
    dataplane::Gate gate;
    int passed = 0;
    for (int i = 0; i < 100; ++i) passed += gate.pass(1'000'000, 1'000, 10);
    CHECK(passed == 10);
    for (int i = 0; i < 100; ++i) passed += gate.pass(1'000'000 + 1'000u * static_cast<unsigned>(i), 1'000, 10);
    CHECK(passed >= 10 + 98);
}

TEST_CASE("addresses move over each other without harm, and tags are compared without their priority") {
    Octets o = ethernet(mac("01:02:03:04:05:06"), mac("07:08:09:0a:0b:0c"), 0x0800, zeros(8));
    const Octets before = o;
    net::move_addresses(o.data() + 4, o.data());
    CHECK(Octets(o.begin() + 4, o.begin() + 16) == Octets(before.begin(), before.begin() + 12));
    const net::VlanStack seven{1, {{{net::kTpidCustomer, 7}, {}}}};
    const Octets tagged = zeros(12) + tag(0x8100, 0xE007) + be16(0x0800);
    CHECK(net::has_tags(tagged.data(), tagged.size(), seven));
    CHECK_FALSE(net::has_tags(tagged.data(), 17, seven));
    CHECK(net::has_tags(tagged.data(), tagged.size(), {}));
}
