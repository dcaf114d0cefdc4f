// hand_over:
// 1. a frame for a port of ours goes to its queue
// 2. a frame for another worker's port goes to that worker's ring, with values only: the egress interface's id
// 3. what a ring does not take is freed and counted
// collect, on the other side:
// 4. the interface is looked up again in our own snapshot; gone, or not ours to send on: dropped
#include <rte_ring.h>

#include "dataplane/egress.h"

namespace dataplane {

namespace {

Verdict queue(Worker& w, const Exit& exit, rte_mbuf* m, InterfaceId interface) noexcept {
    return add_transit(w.egress[exit.port.value], m, interface) ? Verdict::forward : Verdict::egress_full;
}

void stage_for(Worker& w, WorkerId to, rte_mbuf* m, InterfaceId interface) noexcept {
    crossing(m) = Crossing{};
    crossing(m).interface = interface;
    Outgoing& outgoing = w.outgoing[to.value];
    outgoing.mbuf[outgoing.count++] = m;
}

void send_outgoing(Worker& w, std::size_t to) noexcept {
    Outgoing& o = w.outgoing[to];
    if (o.count == 0) return;
    unsigned sent = 0;
    if (w.to[to] != nullptr)
        sent = rte_ring_sp_enqueue_burst(w.to[to], reinterpret_cast<void**>(o.mbuf.data()), o.count, nullptr);
    w.counters.handed_over.add(sent);
    drop(w, std::span(o.mbuf).subspan(sent, o.count - sent), Verdict::hand_over_full);
    o.count = 0;
}

Verdict collected(Worker& w, const Forwarding& f, rte_mbuf* m) noexcept {
    const InterfaceId interface = crossing(m).interface;
    const Exit exit = exit_of(f, interface);
    if (exit.verdict != Verdict::forward) return exit.verdict;
    return exit.worker == w.id ? queue(w, exit, m, interface) : Verdict::egress_gone;
}

}  // namespace

void hand_over(Worker& w, const Forwarding& f, Batch& b) noexcept {
    std::uint16_t stopped = 0;
    InterfaceId egress{};
    Exit exit = exit_of(f, egress);
    for (std::size_t i = 0; i < b.count; ++i) {
        rte_mbuf* m = b.mbuf[i];
        if (b.meta[i].egress != egress) {  // frames of one batch leave by few interfaces
            egress = b.meta[i].egress;
            exit = exit_of(f, egress);
        }
        Verdict v = exit.verdict;
        if (v == Verdict::forward) {
            if (exit.worker == w.id) v = queue(w, exit, m, egress);
            else stage_for(w, exit.worker, m, egress);
        }
        if (v == Verdict::forward) continue;
        b.mbuf[stopped] = m;
        b.meta[stopped] = b.meta[i];
        b.stop(stopped++, v);
    }
    b.count = stopped;  // the rest is not this batch's any more
    for (std::size_t to = 0; to < w.setup.workers; ++to) send_outgoing(w, to);
}

void collect(Worker& w, const Forwarding& f, Batch& b) noexcept {
    b.count = 0;
    b.port = {};
    for (std::size_t from = 0; from < w.setup.workers; ++from) {
        if (w.from[from] == nullptr) continue;
        std::array<rte_mbuf*, kBatch> frames;
        const unsigned n =
            rte_ring_sc_dequeue_burst(w.from[from], reinterpret_cast<void**>(frames.data()), kBatch, nullptr);
        if (n == 0) continue;
        w.moved += n;
        w.counters.collected.add(n);
        for (unsigned i = 0; i < n; ++i) {
            const Verdict v = collected(w, f, frames[i]);
            if (v != Verdict::forward) drop(w, std::span(frames).subspan(i, 1), v);
        }
    }
}

}  // namespace dataplane
