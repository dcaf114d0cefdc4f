// A worker: what it owns, how it starts and stops, and its ends of the rings to control and to the other workers.
//
// Only the worker's own thread calls run(); control uses the `punt` rings' consumer end, the `inject` rings' producer
// end, `published`, `stop` and reads counters.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/batch.h"
#include "dataplane/crossing.h"
#include "dataplane/forwarding.h"
#include "dataplane/stage.h"
#include "macsec/secy.h"

struct rte_mempool;
struct rte_rcu_qsbr;
struct rte_ring;

namespace dataplane {

using macsec::Counter;

// Of one turn in 64, while Forwarding::stage_clocks is set. owning worker: rw, control: ro
struct StageClock {
    Counter cycles, frames;  // of the time-stamp counter
};

// owning worker: rw, control: ro
struct alignas(64) WorkerCounters {
    std::array<Counter, kVerdicts> verdicts;     // drops and punts by reason
    Counter received, injected, collected;       // frames in: from ports, from control, from other workers
    Counter transmitted, punted, handed_over;    // frames out: to ports, to control, to other workers
    Counter turns, idle_turns, sleeps;
    std::array<StageClock, kStages> clocks;
};
// received + injected + collected = transmitted + punted + handed_over + sum of drop verdicts (once quiet).

// owning worker: rw, control: ro. Per interface and direction. Octets are those of the frame without tags and MACsec.
// In: frames that found their interface. Out: frames that reached the egress port's turn; what MACsec or the device
// refuses afterwards is in the verdicts.
struct alignas(64) InterfaceCounters {
    Counter in_packets, in_octets, out_packets, out_octets;
};
struct alignas(64) PortCounters {
    Counter in_frames, in_octets, out_frames, out_octets;
};

struct WorkerSetup {
    WorkerId id{};
    std::size_t workers{1};          // how many there are
    bool sleep{};                    // idle policy
    rte_mempool* pool{};
    rte_rcu_qsbr* qsbr{};            // registered under the worker's id
    std::array<std::uint32_t, kPuntClasses> punt_rates{};  // packets per second; 0: nothing of that class is punted
    std::size_t interfaces{256};     // room of per-interface counters: InterfaceIds are smaller
    std::size_t connections{256};    // whose quanta are kept; more are policed frame by frame
    int control_event{-1};           // eventfd: written when a punt ring gets something and control may sleep
};

struct Worker;  // worker_impl.h: for the stages

struct DestroyWorker {
    void operator()(Worker*) const noexcept;
};
using WorkerPtr = std::unique_ptr<Worker, DestroyWorker>;

// control. Makes the worker and its rings; error: a sentence with the remedy.
std::expected<WorkerPtr, std::string> make_worker(const WorkerSetup&);
// control, before any worker runs: gives every pair of workers its hand-over ring.
std::expected<void, std::string> connect_workers(const std::vector<Worker*>&);

// The worker's thread: polls until stop(). Goes QSBR-offline before it sleeps and when it returns.
void run(Worker&) noexcept;
// control. Asks run() to return.
void stop(Worker&) noexcept;

// Now, in nanoseconds, on the clock of workers' turns. Any thread.
std::uint64_t turn_clock() noexcept;

// control. One store; the old snapshot may be freed once a QSBR token taken afterwards has passed.
void publish(Worker&, const Forwarding*) noexcept;

// control. Ends of the rings.
rte_ring* punt_ring(Worker&, PuntClass) noexcept;       // control: the only consumer
rte_ring* inject_ring(Worker&, InjectClass) noexcept;   // control: the only producer
// control: before it drains the rings, so that the next punt writes the event.
void acknowledge_punts(Worker&) noexcept;

const WorkerCounters& counters(const Worker&) noexcept;
const InterfaceCounters& counters(const Worker&, InterfaceId) noexcept;
const PortCounters& counters(const Worker&, PortId) noexcept;

// control: frames waiting in rings that belong to this worker (hand-over towards it, inject, punt), for a quiet
// shutdown.
std::size_t frames_in_rings(const Worker&) noexcept;

}  // namespace dataplane
