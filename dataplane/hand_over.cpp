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

// The way out of one interface. While it is a queue of ours, the queue's end is kept here: a store to its count after
// each frame would be read back for the next.
class Way {
public:
    Way(Worker& w, const Forwarding& f) noexcept : w_(w), f_(f) { turn_to({}); }
    ~Way() { settle(); }
    Way(const Way&) = delete;
    Way& operator=(const Way&) = delete;

    bool leads_to(InterfaceId interface) const noexcept { return interface == interface_; }
    void turn_to(InterfaceId interface) noexcept {
        settle();
        interface_ = interface;
        exit_ = exit_of(f_, interface);
        const bool ours = exit_.verdict == Verdict::forward && exit_.worker == w_.id;
        queue_ = ours ? &w_.egress[exit_.port.value] : nullptr;
        next_ = ours ? queue_->transit.data() + queue_->transit_count : nullptr;
        end_ = ours ? queue_->transit.data() + queue_->transit.size() : nullptr;
    }
    // False: not into a queue of ours, or it is full.
    bool add(rte_mbuf* m) noexcept {
        if (next_ == end_) [[unlikely]]
            return false;
        *next_++ = {m, interface_, kNoSecY};
        return true;
    }
    // For what add() did not take.
    Verdict elsewhere(rte_mbuf* m) noexcept {
        if (exit_.verdict != Verdict::forward) return exit_.verdict;
        if (queue_ != nullptr) return Verdict::egress_full;
        stage_for(w_, exit_.worker, m, interface_);
        return Verdict::forward;
    }

private:
    void settle() noexcept {
        if (queue_ != nullptr) queue_->transit_count = static_cast<std::uint16_t>(next_ - queue_->transit.data());
    }

    Worker& w_;
    const Forwarding& f_;
    InterfaceId interface_{};
    Exit exit_;
    Egress* queue_{};      // null: not ours
    EgressFrame* next_{};  // its end
    EgressFrame* end_{};   // of its room
};

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
    Way way(w, f);
    for (std::size_t i = 0, n = b.count; i < n; ++i) {
        rte_mbuf* m = b.mbuf[i];
        const InterfaceId egress = b.meta[i].egress;
        if (!way.leads_to(egress)) way.turn_to(egress);  // frames of one batch leave by few interfaces
        if (way.add(m)) [[likely]]
            continue;
        const Verdict v = way.elsewhere(m);
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
