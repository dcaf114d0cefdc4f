// The frame's path. For each port that is ours to receive from:
//   1. receive  2. classify  3. verify  4. pop_vlan  5. route  6. police  7. rewrite  8. hand_over
// then what other workers handed us and what control injects, then for each port that is ours to transmit on:
//   9. the order: the KaY's, then the host's, then transit  10. push_vlan, protect  11. transmit
#include "dataplane/pipeline.h"

#include <rte_cycles.h>

#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

constexpr std::uint64_t kSampledTurns =
    64;  // one in so many has its stages timed: reading the clock costs as much as a stage

using StageFunction = void(Worker&, const Forwarding&, Batch&) noexcept;

void count_cycles(Worker& w, Stage stage, std::size_t frames, std::uint64_t start) noexcept {
    StageClock& clock = w.counters.clocks[static_cast<std::size_t>(stage)];
    clock.cycles.add(rte_rdtsc() - start);
    clock.frames.add(frames);
}

// A stage that is timed or looked at. Not inlined: it would only take room from those that are not.
[[gnu::noinline]] void step_watched(Worker& w, const Forwarding& f, Batch& b, Stage stage,
                                    StageFunction& function) noexcept {
    const std::size_t frames = b.count;
    const std::uint64_t start = rte_rdtsc();
    if (f.watched && stage == Stage::transmit) trace_before_transmit(w, f, b);
    function(w, f, b);
    if (f.watched) {
        capture(w, f, b, stage);
        trace(w, f, b, stage);
    }
    if (b.unsettled) settle(w, f, b);
    if (w.timed) count_cycles(w, stage, frames != 0 ? frames : b.count, start);
}

inline void step(Worker& w, const Forwarding& f, Batch& b, Stage stage, StageFunction& function) noexcept {
    if (w.watched) [[unlikely]]
        return step_watched(w, f, b, stage, function);
    function(w, f, b);
    if (b.unsettled) [[unlikely]]
        settle(w, f, b);
}

}  // namespace

std::size_t poll(Worker& w, std::uint64_t now) noexcept {
    const Forwarding* const published = w.begin_turn(now);
    if (published == nullptr) return 0;
    const Forwarding& f = *published;
    Batch& b = w.batch;
    w.timed = f.stage_clocks && w.turn % kSampledTurns == 0;
    w.watched = w.timed || f.watched;
    for (const PortId port : f.workers[w.id.value].receive) {
        b.port = port;
        step(w, f, b, Stage::receive, receive);
        if (b.count == 0) continue;
        step(w, f, b, Stage::classify, classify);
        step(w, f, b, Stage::verify, verify);
        step(w, f, b, Stage::pop_vlan, pop_vlan);
        step(w, f, b, Stage::route, route);
        step(w, f, b, Stage::police, police);
        step(w, f, b, Stage::rewrite, rewrite);
        step(w, f, b, Stage::hand_over, hand_over);
    }
    step(w, f, b, Stage::collect, collect);
    step(w, f, b, Stage::inject, inject);
    for (const PortId port : f.workers[w.id.value].transmit) {
        b.port = port;
        while (next_egress(w, f, b)) {
            step(w, f, b, Stage::push_vlan, push_vlan);
            step(w, f, b, Stage::protect, protect);
            step(w, f, b, Stage::transmit, transmit);
        }
    }
    if (w.held.load(std::memory_order_relaxed) != 0) [[unlikely]]
        drop_held_of_gone_ports(w, f);
    return w.end_turn();
}

}  // namespace dataplane
