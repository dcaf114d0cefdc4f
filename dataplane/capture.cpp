// 1. a stage that is no capture's point, or another port: nothing
// 2. which frames count there: all as received; else those that go on
// 3. each is copied, as much as is wanted, into this worker's ring; a full ring counts it and nobody waits
#include <rte_mbuf.h>

#include <algorithm>

#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

enum class Side : std::uint8_t { none, in, out };

// The stage after which a frame looks as the watch wants it.
Side side_of(const Watch& watch, bool secured, Stage stage) noexcept {
    const bool clear = watch.point == CapturePoint::clear;
    if (stage == (clear && secured ? Stage::verify : Stage::receive)) return watch.in ? Side::in : Side::none;
    if (stage == (clear ? Stage::push_vlan : Stage::protect)) return watch.out ? Side::out : Side::none;
    return Side::none;
}

bool counts(const Meta& meta, Stage stage) noexcept {
    if (stage == Stage::receive) return true;
    return meta.verdict == Verdict::forward && !(stage == Stage::push_vlan && meta.kay);
}

void keep(RecordRing& ring, const rte_mbuf* m, std::uint64_t now, std::uint32_t snaplen, Side side) noexcept {
    FrameRecord record;
    record.when = now;
    record.length = m->pkt_len;
    record.captured = std::min(m->pkt_len, snaplen);
    record.out = side == Side::out;
    std::uint8_t* to = ring.add(sizeof record + record.captured, static_cast<std::uint32_t>(RecordKind::frame));
    if (to == nullptr) return ring.dropped.add(1);
    std::memcpy(to + sizeof record.head, &record.when, sizeof record - sizeof record.head);
    std::uint8_t* octets = to + sizeof record;
    const void* from = rte_pktmbuf_read(m, 0, record.captured, octets);  // copies only what lies in several segments
    if (from != nullptr && from != octets) std::memcpy(octets, from, record.captured);
    ring.kept.add(1);
}

}  // namespace

void capture(Worker& w, const Forwarding& f, const Batch& b, Stage stage) noexcept {
    for (const Watch& watch : f.watches) {
        if (watch.port != b.port) continue;
        const Side side = side_of(watch, f.ports[b.port.value].secured, stage);
        RecordRing* ring = watch.rings[w.id.value];
        if (side == Side::none || ring == nullptr) continue;
        for (std::size_t i = 0; i < b.count; ++i)
            if (counts(b.meta[i], stage)) keep(*ring, b.mbuf[i], w.now, watch.snaplen, side);
        ring->publish();
    }
}

}  // namespace dataplane
