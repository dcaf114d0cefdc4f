// Watchers between rings that a test fills and a socket that a test reads.
#include "tools/demarcd/watchers.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "tests/unit/catch.h"

using namespace dataplane;
using namespace demarcd;

namespace {

constexpr PortId kPort{3};

struct World {
    World() {
        port.present = true;
        port.receive_worker = WorkerId{0};
        port.transmit_worker = WorkerId{1};
    }
    // A client's end of a connection whose other end is watched.
    int start(CapturePoint point = CapturePoint::wire, bool trace = false) {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        WatchWish wish;
        wish.port = kPort;
        wish.name = "ch1";
        wish.trace = trace;
        wish.point = point;
        wish.in = wish.out = true;
        watchers.start(wish, ends[1], "{}\n");
        return ends[0];
    }
    // So many steps of 2 ms one after the other, each with a turn of the watchers in it, however late the machine is.
    void run(int steps = 10) {
        for (int i = 0; i < steps; ++i) {
            loop.after(std::chrono::milliseconds(2), [this] { loop.stop(); });
            loop.run();
        }
    }
    RecordRing& ring(std::size_t worker) {
        REQUIRE(forwarding->watches.size() == 1);
        REQUIRE(forwarding->watches[0].rings[worker] != nullptr);
        return *forwarding->watches[0].rings[worker];
    }
    void frame(std::size_t worker, std::uint64_t when, std::size_t octets = 5) {
        auto& r = ring(worker);
        FrameRecord record;
        record.when = when;
        record.captured = record.length = static_cast<std::uint32_t>(octets);
        auto* to = r.add(sizeof record + octets, static_cast<std::uint32_t>(RecordKind::frame));
        if (to == nullptr) return r.dropped.add(1);
        std::memcpy(to + sizeof record.head, &record.when, sizeof record - sizeof record.head);
        r.kept.add(1);
        r.publish();
    }

    EventLoop loop;
    PortEntry port;
    std::unique_ptr<Forwarding> forwarding;
    std::vector<std::function<void()>> retired;
    bool grace{true};  // it passes at once
    Watchers watchers{
        loop,
        3,
        {[this] {
             auto f = std::make_unique<Forwarding>();
             f->ports[kPort.value] = port;
             watchers.enter(*f);
             forwarding = std::move(f);
             watchers.published();
         },
         [this](std::function<void()> gone) {
             if (grace) return gone();
             retired.push_back(std::move(gone));
         },
         [] { return std::uint64_t{1000}; }, [](std::span<const std::uint8_t>) { return std::string("told\n"); },
                       [] { return std::uint64_t{1}; }}};
};

struct Heard {
    std::string octets;
    bool ended{};
};
Heard hear(int fd) {
    Heard h;
    char buffer[4096];
    ssize_t n;
    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) h.octets.append(buffer, static_cast<std::size_t>(n));
    h.ended = n == 0;
    return h;
}

template <class Record>
Record read(const std::string& octets, std::size_t at) {
    REQUIRE(octets.size() >= at + sizeof(Record));
    Record record;
    std::memcpy(&record, octets.data() + at, sizeof record);
    return record;
}

}  // namespace

TEST_CASE("a watch is in the snapshot, its records reach the client in the order of time, behind the answer") {
    World w;
    const int client = w.start();
    w.frame(0, 10);
    w.frame(0, 30);
    w.frame(1, 20);
    w.run();
    const auto heard = hear(client);
    CHECK(heard.octets.starts_with("{}\n"));
    REQUIRE(heard.octets.size() == 3 + 3 * 40);
    const auto first = read<FrameRecord>(heard.octets, 3), second = read<FrameRecord>(heard.octets, 43),
               third = read<FrameRecord>(heard.octets, 83);
    CHECK((second.when - first.when == 10 && third.when - second.when == 10));
    CHECK(first.when > std::uint64_t{1} << 60);  // since 1970
    CHECK(w.watchers.all().at(0).kept == 3);
    CHECK(w.watchers.all().at(0).pid == getpid());
    close(client);
}

TEST_CASE("a client that says no more gets the rest, the counts and the end, after the grace period") {
    World w;
    w.grace = false;
    const int client = w.start();
    w.run();
    auto& ring = w.ring(0);
    const auto old = std::move(w.forwarding);  // that a worker still reads
    w.forwarding = nullptr;
    shutdown(client, SHUT_WR);
    w.run();
    CHECK(w.forwarding->watches.empty());
    CHECK_FALSE(hear(client).ended);
    std::uint8_t* late = ring.add(sizeof(FrameRecord), static_cast<std::uint32_t>(RecordKind::frame));
    std::memset(late + sizeof(RecordHead), 0, sizeof(FrameRecord) - sizeof(RecordHead));
    ring.kept.add(1);
    ring.publish();
    REQUIRE(w.retired.size() == 1);
    w.retired[0]();
    w.run();
    const auto heard = hear(client);
    CHECK(heard.ended);
    REQUIRE(heard.octets.size() == sizeof(FrameRecord) + sizeof(EndRecord));
    const auto end = read<EndRecord>(heard.octets, sizeof(FrameRecord));
    CHECK((end.kept == 1 && end.dropped == 0));
    CHECK(w.watchers.all().empty());
    close(client);
}

TEST_CASE("a client that goes away takes its watch with it") {
    World w;
    const int client = w.start();
    w.run();
    CHECK(w.forwarding->watches.size() == 1);
    close(client);
    w.run();
    CHECK(w.forwarding->watches.empty());
    CHECK(w.watchers.all().empty());
}

TEST_CASE("a client that does not read costs frames, which are counted, and no time") {
    World w;
    const int client = w.start();
    for (int i = 0; i < 20'000; ++i) {
        w.frame(0, 1, 1000);
        if (i % 1000 == 0) w.run(2);
    }
    w.run();
    const auto view = w.watchers.all().at(0);
    CHECK(view.dropped > 0);
    CHECK(view.kept + view.dropped == 20'000);
    close(client);
    w.run();
    CHECK(w.watchers.all().empty());
}

TEST_CASE("a second watch of a port is refused, another one follows at once when the first has left") {
    World w;
    w.grace = false;
    const int client = w.start();
    WatchWish wish, other;
    wish.port = kPort;
    other.port = PortId{4};
    const auto refused = w.watchers.refusal(wish);
    REQUIRE(refused);
    CHECK(refused->first.find("port ch1") != std::string::npos);
    CHECK_FALSE(w.watchers.refusal(other));
    close(client);
    w.run();
    CHECK_FALSE(w.watchers.refusal(wish));
    for (const auto& gone : w.retired) gone();
}

TEST_CASE("a port that goes ends its watch, a direction that moves gets a ring of its new worker's") {
    World w;
    const int client = w.start();
    CHECK(w.forwarding->watches[0].rings[2] == nullptr);
    w.port.transmit_worker = WorkerId{2};
    const int other = w.start();  // only to publish
    CHECK(w.forwarding->watches[0].rings[2] != nullptr);
    CHECK(w.forwarding->watches[0].rings[1] != nullptr);
    close(other);
    w.port.present = false;
    w.run();
    CHECK(w.forwarding->watches.empty());
    CHECK(hear(client).ended);
    close(client);
}

TEST_CASE("plain text is said to be so: in clear, of a port that is secured") {
    World w;
    const int client = w.start(CapturePoint::clear);
    CHECK_FALSE(w.watchers.all().at(0).plaintext);
    w.port.secured = true;
    close(w.start(CapturePoint::wire));
    CHECK(w.watchers.all().at(0).plaintext);
    CHECK_FALSE(w.watchers.all().at(1).plaintext);
    close(client);
}

TEST_CASE("a trace has notes and a ring with every worker, stands beside a capture, and is told in words") {
    World w;
    const int capture = w.start(), client = w.start(CapturePoint::wire, true);
    CHECK(w.forwarding->watched);
    CHECK(w.forwarding->watches.size() == 1);
    const auto& trace = w.forwarding->trace;
    CHECK(trace.port == kPort);
    for (std::size_t i = 0; i < kMaxWorkers; ++i) {
        CHECK((trace.rings[i] != nullptr) == (i < 3));
        CHECK((trace.notes[i] != nullptr) == (i < 3));
    }
    trace.rings[2]->add(sizeof(TraceRecord), static_cast<std::uint32_t>(RecordKind::trace));
    trace.rings[2]->publish();
    w.run();
    CHECK(hear(client).octets == "{}\ntold\n");
    shutdown(client, SHUT_WR);
    w.run();
    CHECK(hear(client).octets == "{\"end\":true,\"told\":0,\"dropped\":0}\n");
    CHECK(w.forwarding->trace.notes[0] == nullptr);
    CHECK(w.forwarding->watched);
    close(client);
    close(capture);
    w.run();
    CHECK_FALSE(w.forwarding->watched);
}
