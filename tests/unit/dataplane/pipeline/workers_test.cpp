// Two workers, driven in one thread; and one worker's thread.
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <chrono>
#include <thread>

#include "tests/unit/catch.h"
#include "tests/unit/dataplane/pipeline/rig.h"

using namespace packet;
using namespace rig;
using dataplane::PuntClass;

namespace {

Octets to_wan() { return padded(ethernet(our_mac(kLan), kHostMac, 0x0800, Ipv4{}.octets())); }

}  // namespace

TEST_CASE("a frame for another worker's port crosses a ring and leaves as it should") {
    Rig r(2);
    r.send(kLan, to_wan());
    r.turn();
    CHECK(r.counters(0).handed_over.get() == 1);
    CHECK(r.counters(1).collected.get() == 1);
    const auto sent = r.sent(kWan);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0] == padded(ethernet(neighbor_mac(1), our_mac(kWan), 0x0800, Ipv4{.ttl = 63}.octets())));
    r.send(kLan, padded(ethernet(our_mac(kLan), kHostMac, 0x0800, Ipv4{.destination = "10.30.0.2"}.octets())));
    r.turn();
    CHECK(r.sent(kCh1).size() == 1);
}

TEST_CASE("a frame whose interface went while it crossed is dropped on the other side") {
    Rig r(2);
    r.send(kLan, to_wan());
    poll_worker(r.worker(0), 20'000'000'000);
    CHECK(dataplane::frames_in_rings(r.worker(1)) == 1);
    r.forwarding().interfaces[kWan0.value].present = false;
    poll_worker(r.worker(1), 20'000'000'000);
    CHECK(r.count(Verdict::egress_gone) == 1);
    r.forwarding().interfaces[kWan0.value].present = true;
    r.send(kLan, to_wan());
    poll_worker(r.worker(0), 20'000'000'000);
    r.forwarding().ports[kWan.value].transmit_worker = {0};
    poll_worker(r.worker(1), 20'000'000'000);
    CHECK(r.count(Verdict::egress_gone) == 2);
}

TEST_CASE("a full hand-over ring drops and counts") {
    Rig r(2);
    for (int i = 0; i < 20; ++i) {
        for (int k = 0; k < 64; ++k) r.send(kLan, to_wan());
        poll_worker(r.worker(0), 20'000'000'000);
    }
    CHECK(r.counters(0).handed_over.get() == 1023);
    CHECK(r.count(Verdict::hand_over_full) == 20 * 64 - 1023);
    for (int i = 0; i < 20; ++i) {
        poll_worker(r.worker(1), 20'000'000'000);
        r.sent(kWan);
    }
    CHECK(r.counters(1).transmitted.get() == 1023);
}

TEST_CASE("a worker's thread sleeps when idle, wakes for a frame, and stops") {
    Rig r;   // ports and snapshot
    const auto size = rte_rcu_qsbr_get_memsize(1);
    auto* qsbr = static_cast<rte_rcu_qsbr*>(rte_zmalloc(nullptr, size, RTE_CACHE_LINE_SIZE));
    REQUIRE(rte_rcu_qsbr_init(qsbr, 1) == 0);
    dataplane::WorkerSetup s;
    s.sleep = true;
    s.qsbr = qsbr;
    auto worker = dataplane::make_worker(s).value();
    dataplane::publish(*worker, &r.forwarding());
    std::thread thread([&] { dataplane::run(*worker); });
    const auto sleeps = [&] { return dataplane::counters(*worker).sleeps.get(); };
    for (int i = 0; i < 5'000 && sleeps() <= 10; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(sleeps() > 10);
    const auto token = rte_rcu_qsbr_start(qsbr);
    CHECK(rte_rcu_qsbr_check(qsbr, token, true) == 1);
    r.send(kLan, to_wan());
    std::vector<Octets> sent;
    for (int i = 0; i < 5'000 && sent.empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        sent = r.sent(kWan);
    }
    CHECK(sent.size() == 1);
    dataplane::stop(*worker);
    thread.join();
    CHECK(rte_rcu_qsbr_check(qsbr, rte_rcu_qsbr_start(qsbr), false) == 1);   // offline: nobody waits for it
    worker.reset();
    rte_free(qsbr);
}

TEST_CASE("a worker that cannot be made says why") {
    dataplane::WorkerSetup s;
    s.workers = 17;
    CHECK(dataplane::make_worker(s).error().find("1 to 16") != std::string::npos);
    s.workers = 1;
    s.id = {3};
    CHECK_FALSE(dataplane::make_worker(s));
}
