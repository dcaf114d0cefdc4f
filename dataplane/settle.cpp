// 1. frames whose verdict is `forward` move together; the others leave the batch
// 2. a drop is freed and counted
// 3. a punt passes its class's policer, or is dropped; values travel with it; its ring is full: dropped
// 4. control is woken once, if it asked to be
#include <rte_ring.h>
#include <unistd.h>

#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

constexpr PuntClass class_of(Verdict v) noexcept {
    switch (v) {
        case Verdict::punt_eapol: return PuntClass::eapol;
        case Verdict::punt_bfd: return PuntClass::bfd;
        case Verdict::punt_bgp: return PuntClass::bgp;
        case Verdict::punt_arp_nd: return PuntClass::arp_nd;
        default: return PuntClass::other;
    }
}

// A tenth of a second's packets may come at once.
bool within_rate(Worker& w, std::size_t c) noexcept {
    const std::uint64_t rate = w.setup.punt_rates[c];
    return rate != 0 && w.punt_gates[c].pass(w.now, kSecond / rate, std::max<std::uint64_t>(rate / 10, 8));
}

// At layer 3 as received. The kernel takes what is addressed to its TAP; a KaY's PDU keeps its address.
void prepare_punt(const Forwarding& f, PortId port, rte_mbuf* m, const Meta& meta) noexcept {
    crossing(m) = Crossing{};
    crossing(m).interface = meta.ingress;
    crossing(m).port = port;
    crossing(m).secy = meta.secy;
    crossing(m).reason = meta.verdict;
    if (const InterfaceEntry* in = find(f, meta.ingress)) {
        const net::MacAddress& mac = in->mac;
        std::memcpy(frame_of(m), mac.octets.data(), mac.octets.size());
    }
}

bool punt(Worker& w, const Forwarding& f, PortId port, rte_mbuf* m, const Meta& meta) noexcept {
    const auto c = static_cast<std::size_t>(class_of(meta.verdict));
    Verdict refused = Verdict::punt_policed;
    if (within_rate(w, c)) {
        prepare_punt(f, port, m, meta);
        if (rte_ring_sp_enqueue(w.punt[c], m) == 0) {
            count_verdict(w, meta.verdict);
            w.counters.punted.add(1);
            return true;
        }
        refused = Verdict::punt_ring_full;
    }
    drop(w, {&m, 1}, refused);
    return false;
}

// The exchange orders this worker's enqueues before control's next look at the rings, or the event's write after them.
void wake_control(Worker& w) noexcept {
    if (!w.control_listens.exchange(false, std::memory_order_acq_rel)) return;
    if (w.setup.control_event < 0) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(w.setup.control_event, &one, sizeof one);
}

}  // namespace

void drop(Worker& w, std::span<rte_mbuf* const> frames, Verdict v) noexcept {
    for (rte_mbuf* m : frames) rte_pktmbuf_free(m);
    if (!frames.empty()) count_verdict(w, v, frames.size());
}

void settle(Worker& w, const Forwarding& f, Batch& b) noexcept {
    if (!b.unsettled) return;
    std::uint16_t kept = 0;
    bool punted = false;
    for (std::size_t i = 0; i < b.count; ++i) {
        const Meta& meta = b.meta[i];
        rte_mbuf* m = b.mbuf[i];
        if (meta.verdict == Verdict::forward) {
            b.mbuf[kept] = m;
            if (kept != i) b.meta[kept] = meta;
            ++kept;
        } else if (is_punt(meta.verdict)) {
            punted |= punt(w, f, b.port, m, meta);
        } else {
            drop(w, {&m, 1}, meta.verdict);
        }
    }
    b.count = kept;
    b.unsettled = false;
    if (punted) wake_control(w);
}

}  // namespace dataplane
