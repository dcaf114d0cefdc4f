#include "dataplane/record_ring.h"

#include <random>
#include <string>
#include <thread>

#include "tests/unit/catch.h"

using dataplane::RecordHead;
using dataplane::RecordRing;

namespace {

constexpr std::size_t kSize = 4096;

// Length and octets follow from the number.
std::size_t length_of(std::uint32_t n) { return sizeof(RecordHead) + n * 37 % 700; }
std::uint8_t octet_of(std::uint32_t n, std::size_t i) { return static_cast<std::uint8_t>(n + i); }

bool add(RecordRing& ring, std::uint32_t n) {
    std::uint8_t* to = ring.add(length_of(n), n);
    if (to == nullptr) return false;
    for (std::size_t i = sizeof(RecordHead); i < length_of(n); ++i) to[i] = octet_of(n, i);
    return true;
}
// Whether the oldest record is that of the number; takes it.
bool take(RecordRing& ring, std::uint32_t n) {
    const auto record = ring.front();
    if (record.size() != dataplane::record_octets(length_of(n))) return false;
    RecordHead head;
    std::memcpy(&head, record.data(), sizeof head);
    bool good = head.kind == n && head.octets == record.size();
    for (std::size_t i = sizeof head; i < length_of(n); ++i) good &= record[i] == octet_of(n, i);
    ring.pop();
    return good;
}

}  // namespace

TEST_CASE("records of all lengths come out whole, in order, many times around") {
    const auto ring = RecordRing::make(kSize);
    REQUIRE(ring);
    std::uint32_t in = 1, out = 1;
    while (out < 5000) {
        while (in - out < 5 && add(*ring, in)) ++in;
        ring->publish();
        while (!ring->front().empty()) REQUIRE(take(*ring, out++));
    }
    CHECK(in == out);
}

TEST_CASE("what is not published is not seen") {
    const auto ring = RecordRing::make(kSize);
    REQUIRE(add(*ring, 1));
    CHECK(ring->front().empty());
    ring->publish();
    CHECK(take(*ring, 1));
    CHECK(ring->front().empty());
}

TEST_CASE("a full ring refuses, keeps what it has, and takes more when there is room") {
    const auto ring = RecordRing::make(kSize);
    std::uint32_t in = 1;
    while (add(*ring, in)) ++in;
    ring->publish();
    CHECK(in > 5);
    CHECK_FALSE(add(*ring, in));
    for (std::uint32_t out = 1; out < in; ++out) REQUIRE(take(*ring, out));
    CHECK(add(*ring, in));
    CHECK(ring->add(kSize + 8, 1) == nullptr);
}

TEST_CASE("a producer and a consumer on two threads lose and mix nothing") {
    const auto ring = RecordRing::make(kSize);
    constexpr std::uint32_t kLast = 50'000;
    std::thread producer([&] {
        for (std::uint32_t n = 1; n <= kLast;) {
            if (add(*ring, n)) {
                ++n;
                if (n % 3 == 0) ring->publish();
            } else {
                ring->publish();
                std::this_thread::yield();
            }
        }
        ring->publish();
    });
    std::uint32_t wrong = 0;
    for (std::uint32_t n = 1; n <= kLast;) {
        if (ring->front().empty()) {
            std::this_thread::yield();
            continue;
        }
        wrong += take(*ring, n) ? 0 : 1;
        ++n;
    }
    producer.join();
    CHECK(wrong == 0);
    CHECK(ring->front().empty());
}
