#include "tests/unit/catch.h"

#include <atomic>
#include <thread>

#include <unistd.h>

#include "tools/flow/payload.h"
#include "tools/flow/report.h"
#include "tools/flow/sequence_tracker.h"

using flow::Arrival;
using flow::SequenceTracker;

TEST_CASE("a flow that arrives whole and in order has lost nothing") {
    SequenceTracker t;
    for (std::uint64_t s = 0; s < 1000; ++s)
        REQUIRE(t.accept(s, static_cast<std::int64_t>(s) * 10) == Arrival::in_order);
    CHECK(t.received() == 1000);
    CHECK(t.lost() == 0);
    CHECK(t.reordered() == 0);
    CHECK(t.duplicates() == 0);
    CHECK(t.holes().empty());
    CHECK(t.longest_gap_ns() == 10);
}

TEST_CASE("a hole is lost, with the times around it") {
    SequenceTracker t;
    t.accept(0, 100);
    t.accept(1, 200);
    t.accept(5, 900);
    CHECK(t.lost() == 3);
    CHECK(t.longest_gap_ns() == 700);
    REQUIRE(t.holes().size() == 1);
    CHECK(t.holes()[0] == flow::Hole{.first = 2, .count = 3, .missing = 3, .before_ns = 200, .after_ns = 900});
}

TEST_CASE("packets lost before the first arrival are lost") {
    SequenceTracker t;
    t.accept(4, 100);
    CHECK(t.lost() == 4);
    REQUIRE(t.holes().size() == 1);
    CHECK(t.holes()[0].before_ns == -1);
}

TEST_CASE("a late packet is reordered, not lost") {
    SequenceTracker t;
    t.accept(0, 1);
    t.accept(2, 2);
    CHECK(t.lost() == 1);
    CHECK(t.accept(1, 3) == Arrival::reordered);
    CHECK(t.lost() == 0);
    CHECK(t.reordered() == 1);
    CHECK(t.holes().empty());
}

TEST_CASE("a packet that comes twice is a duplicate and hides no loss") {
    SequenceTracker t;
    t.accept(0, 1);
    CHECK(t.accept(0, 2) == Arrival::duplicate);
    t.accept(2, 3);
    CHECK(t.accept(2, 4) == Arrival::duplicate);
    CHECK(t.duplicates() == 2);
    CHECK(t.received() == 2);
    CHECK(t.lost() == 1);
}

TEST_CASE("a sequence number beyond belief changes nothing and takes no memory") {
    SequenceTracker t;
    t.accept(0, 1);
    CHECK(t.accept(~std::uint64_t{0}, 2) == Arrival::out_of_range);
    CHECK(t.accept(SequenceTracker::kMaxJump + 2, 2) == Arrival::out_of_range);
    CHECK(t.out_of_range() == 2);
    CHECK(t.lost() == 0);
    CHECK(t.accept(1, 3) == Arrival::in_order);
}

TEST_CASE("a payload survives encoding, and what is not ours is refused") {
    const flow::Payload payload{
        .session = 7, .flow = 255, .sequence = 0x1122334455667788, .sent_ns = 1'700'000'000'123'456'789};
    std::array<std::uint8_t, flow::kPayloadOctets> octets{};
    flow::encode(payload, octets);
    CHECK(flow::decode(octets) == payload);
    CHECK_FALSE(flow::decode(std::span(octets).first(flow::kPayloadOctets - 1)));
    CHECK_FALSE(flow::decode({}));
    auto wrong = octets;
    wrong[0] ^= 1;
    CHECK_FALSE(flow::decode(wrong));
    flow::encode({.session = 7, .flow = flow::kMaxFlows, .sequence = 0, .sent_ns = 0}, octets);
    CHECK_FALSE(flow::decode(octets));
}

TEST_CASE("a sender that is late catches up in bursts of at most a millisecond") {
    CHECK(flow::due_now(20000, 0, 0, 200000) == 1);
    CHECK(flow::due_now(20000, 500'000, 1, 200000) == 10);
    CHECK(flow::due_now(20000, 100'000'000, 11, 200000) == 20);
    CHECK(flow::due_now(20000, 20'000'000'000, 199'995, 200000) == 5);
    CHECK(flow::due_now(20000, 20'000'000'000, 200'000, 200000) == 0);
    CHECK(flow::due_now(2, 10'000'000, 0, 2) == 1);
}

TEST_CASE("what is sent over loopback is received, per flow, over both families") {
    for (const auto* address : {"127.0.0.1", "::1"}) {
        std::atomic<bool> stop{false}, never{false};
        std::expected<flow::ReceiveResult, std::string> received;
        int ready[2];
        REQUIRE(pipe(ready) == 0);
        const auto port = static_cast<std::uint16_t>(30000 + getpid() % 10000);
        const auto source = static_cast<std::uint16_t>(port + 10001);
        std::jthread receiver(
            [&] { received = flow::receive({.port = port, .seconds = 5, .session = 9}, ready[1], stop); });
        char word[6];
        REQUIRE(read(ready[0], word, sizeof word) == 6);
        const auto sent = flow::send({.to = address, .port = port, .source_port = source, .flows = 8, .rate = 4000,
                                      .seconds = 0.1, .size = 64, .session = 9}, never);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        stop = true;
        receiver.join();
        close(ready[0]);
        close(ready[1]);
        REQUIRE(sent.has_value());
        REQUIRE(received.has_value());
        const auto document = flow::report(*received);
        CHECK(sent->sent == 400);
        CHECK(document["received"] == 400);
        CHECK(document["lost"] == 0);
        CHECK(document["flows"].size() == 8);
        CHECK(document["flows"][3]["source_port"] == source + 3);
        CHECK(document["flows"][3]["received"] == sent->per_flow[3]);
    }
}
