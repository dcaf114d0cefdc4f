// 1. a worker and its rings come and go
// 2. what control publishes and reads
// 3. the thread: poll until stopped; idle, it sleeps if it may, offline and with its vector registers cleared
#include "dataplane/worker.h"

#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_mempool.h>
#include <rte_pause.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <sys/prctl.h>

#include <cstdlib>
#include <ctime>

#include "dataplane/pipeline.h"
#include "dataplane/worker_impl.h"
#include "macsec/secret.h"

namespace dataplane {

namespace {

constexpr unsigned kRingFrames = 1024;  // of each ring; a power of two, one place stays free

// Private memory rather than a memzone: no name that could clash. Null: no memory.
rte_ring* make_ring() noexcept {
    const auto octets = static_cast<std::size_t>(rte_ring_get_memsize(kRingFrames));
    auto* ring = static_cast<rte_ring*>(
        std::aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN(octets, std::size_t{RTE_CACHE_LINE_SIZE})));
    if (ring == nullptr) return nullptr;
    if (rte_ring_init(ring, "worker", kRingFrames, RING_F_SP_ENQ | RING_F_SC_DEQ) == 0) return ring;
    std::free(ring);
    return nullptr;
}

void free_ring(rte_ring* ring) noexcept {
    if (ring == nullptr) return;
    void* m;
    while (rte_ring_sc_dequeue(ring, &m) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(m));
    std::free(ring);
}

template <class Rings>
std::size_t frames_in(const Rings& rings) noexcept {
    std::size_t n = 0;
    for (const rte_ring* ring : rings)
        if (ring != nullptr) n += rte_ring_count(ring);
    return n;
}

std::string no_memory(const WorkerSetup& s) {
    return fmt::format("worker {}: no memory for its rings; lower the number of workers or add memory", s.id.value);
}

}  // namespace

Worker::Worker(const WorkerSetup& s)
    : id(s.id),
      setup(s),
      unresolved_gates(s.interfaces + 1),
      credits(s.connections),
      egress(kMaxPorts),
      interface_counters(s.interfaces + 1) {}

Worker::~Worker() {
    for (rte_ring* ring : punt) free_ring(ring);
    for (rte_ring* ring : inject) free_ring(ring);
    for (rte_ring* ring : from) free_ring(ring);
    for (Egress& e : egress) {
        rte_pktmbuf_free_bulk(e.held.data(), e.held_count);
        for (std::size_t i = e.ours_sent; i < e.ours_count; ++i) rte_pktmbuf_free(e.ours[i].mbuf);
        for (std::size_t i = e.transit_sent; i < e.transit_count; ++i) rte_pktmbuf_free(e.transit[i].mbuf);
    }
}

const Forwarding* Worker::begin_turn(std::uint64_t now_ns) noexcept {
    now = now_ns;
    moved = 0;
    ++turn;
    counters.turns.add(1);
    return published.load(std::memory_order_acquire);
}

std::size_t Worker::end_turn() noexcept {
    if (moved == 0) counters.idle_turns.add(1);
    return moved;
}

void DestroyWorker::operator()(Worker* w) const noexcept { delete w; }

std::expected<WorkerPtr, std::string> make_worker(const WorkerSetup& s) {
    if (s.workers == 0 || s.workers > kMaxWorkers || s.id.value >= s.workers)
        return std::unexpected(
            fmt::format("worker {} of {}: there can be 1 to {} workers", s.id.value, s.workers, kMaxWorkers));
    if (s.pool != nullptr && rte_pktmbuf_priv_size(s.pool) < kMbufPrivate)
        return std::unexpected(fmt::format("worker {}: the buffer pool has no private area; make it with {} octets",
                                           s.id.value, kMbufPrivate));
    WorkerPtr w(new Worker(s));
    for (rte_ring*& ring : w->punt)
        if ((ring = make_ring()) == nullptr) return std::unexpected(no_memory(s));
    for (rte_ring*& ring : w->inject)
        if ((ring = make_ring()) == nullptr) return std::unexpected(no_memory(s));
    if (s.qsbr != nullptr && rte_rcu_qsbr_thread_register(s.qsbr, s.id.value) != 0)
        return std::unexpected(
            fmt::format("worker {}: the grace-period domain has no place for it; make it larger", s.id.value));
    return w;
}

std::expected<void, std::string> connect_workers(const std::vector<Worker*>& workers) {
    for (Worker* producer : workers) {
        for (Worker* consumer : workers) {
            if (producer == consumer) continue;
            rte_ring* ring = make_ring();
            if (ring == nullptr) return std::unexpected(no_memory(consumer->setup));
            consumer->from[producer->id.value] = ring;
            producer->to[consumer->id.value] = ring;
        }
    }
    return {};
}

void stop(Worker& w) noexcept { w.stopping.store(true, std::memory_order_relaxed); }
void publish(Worker& w, const Forwarding* f) noexcept { w.published.store(f, std::memory_order_release); }

rte_ring* punt_ring(Worker& w, PuntClass c) noexcept { return w.punt[static_cast<std::size_t>(c)]; }
rte_ring* inject_ring(Worker& w, InjectClass c) noexcept { return w.inject[static_cast<std::size_t>(c)]; }
void acknowledge_punts(Worker& w) noexcept { w.control_listens.exchange(true, std::memory_order_acq_rel); }

const WorkerCounters& counters(const Worker& w) noexcept { return w.counters; }
const InterfaceCounters& counters(const Worker& w, InterfaceId id) noexcept {
    return w.interface_counters[std::min<std::size_t>(id.value, w.interface_counters.size() - 1)];
}
const PortCounters& counters(const Worker& w, PortId id) noexcept { return w.port_counters[id.value]; }

std::size_t frames_in_rings(const Worker& w) noexcept {
    return frames_in(w.punt) + frames_in(w.inject) + frames_in(w.from) + w.held.load(std::memory_order_relaxed);
}

namespace {

// The time-stamp counter as nanoseconds: one clock for all workers (it is invariant and synchronous between cores).
class Clock {
public:
    Clock() noexcept : factor_(static_cast<std::uint64_t>((Wide{kSecond} << 32) / rte_get_tsc_hz())) {}
    std::uint64_t now() const noexcept { return static_cast<std::uint64_t>(Wide{rte_rdtsc()} * factor_ >> 32); }

private:
    std::uint64_t factor_;
};

// After some empty turns it sleeps, longer each time, but always less than a millisecond: a frame waits no longer.
class Idle {
public:
    Idle(Worker& w) noexcept : w_(w) {
        if (w.setup.sleep) prctl(PR_SET_TIMERSLACK, kTimerSlack);
    }
    void after(std::size_t moved) noexcept {
        if (moved != 0) {
            empty_turns_ = 0;
            return;
        }
        if (!w_.setup.sleep) return rte_pause();
        if (++empty_turns_ <= kPatience) return rte_pause();
        sleep(std::min(kShortest << std::min(empty_turns_ - kPatience - 1, 8u), kLongest));
    }

private:
    static constexpr unsigned kPatience = 16;               // empty turns before the first sleep
    static constexpr std::uint64_t kShortest = 20'000;      // nanoseconds
    static constexpr std::uint64_t kLongest = 700'000;
    static constexpr unsigned long kTimerSlack = 20'000;

    void sleep(std::uint64_t nanoseconds) noexcept {
        rte_rcu_qsbr* const qsbr = w_.setup.qsbr;
        if (qsbr != nullptr) rte_rcu_qsbr_thread_offline(qsbr, w_.id.value);
        macsec::clear_vector_registers();  // plain text is in them, too
        const timespec duration{0, static_cast<long>(nanoseconds)};
        nanosleep(&duration, nullptr);
        if (qsbr != nullptr) rte_rcu_qsbr_thread_online(qsbr, w_.id.value);
        w_.counters.sleeps.add(1);
    }

    Worker& w_;
    unsigned empty_turns_{};
};

}  // namespace

std::uint64_t turn_clock() noexcept {
    static const Clock clock;
    return clock.now();
}

void run(Worker& w) noexcept {
    rte_rcu_qsbr* const qsbr = w.setup.qsbr;
    const Clock clock;
    Idle idle(w);
    if (qsbr != nullptr) rte_rcu_qsbr_thread_online(qsbr, w.id.value);
    while (!w.stopping.load(std::memory_order_relaxed)) {
        const std::size_t moved = poll(w, clock.now());
        if (qsbr != nullptr) rte_rcu_qsbr_quiescent(qsbr, w.id.value);
        idle.after(moved);
    }
    if (qsbr != nullptr) rte_rcu_qsbr_thread_offline(qsbr, w.id.value);
    macsec::clear_vector_registers();
}

}  // namespace dataplane
