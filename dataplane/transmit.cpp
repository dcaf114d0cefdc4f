// next_egress:
// 1. frames of ours that the device refused in an earlier turn go first; after 5 ms they are freed and counted
// 2. the KaYs' frames, then the host's, then transit; while the device refuses ours, transit is dropped
// transmit:
// 3. frames shorter than Ethernet allows are filled up with zeros
// 4. to the device; what it refuses of transit is freed and counted, of ours held for the next turn
// drop_held_of_gone_ports:
// 5. nobody comes back for what is held for a port that a reload removed
#include <rte_ethdev.h>

#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

// Returns how many the device took: always the first ones.
std::uint16_t send(Worker& w, const PortEntry& port, PortId id, rte_mbuf** frames, std::uint16_t count,
                   std::uint64_t octets) noexcept {
    const std::uint16_t sent = port.present ? rte_eth_tx_burst(port.ethdev, 0, frames, count) : std::uint16_t{0};
    for (std::uint16_t i = sent; i < count; ++i) octets -= frames[i]->pkt_len;
    PortCounters& counters = counters_of(w, id);
    counters.out_frames.add(sent);
    counters.out_octets.add(octets);
    w.counters.transmitted.add(sent);
    return sent;
}

void set_held(Worker& w, Egress& e, std::size_t count) noexcept {
    w.held.store(static_cast<std::uint32_t>(w.held.load(std::memory_order_relaxed) + count - e.held_count),
                 std::memory_order_relaxed);
    e.held_count = static_cast<std::uint16_t>(count);
}

void send_held(Worker& w, const Forwarding& f, PortId id) noexcept {
    Egress& e = w.egress[id.value];
    // What was held while the port was plain is in clear: once the port is secured it never leaves.
    if (e.held_clear && f.ports[id.value].secured) [[unlikely]] {
        drop(w, std::span(e.held).first(e.held_count), Verdict::secured_port_clear);
        return set_held(w, e, 0);
    }
    std::uint64_t octets = 0;
    for (const rte_mbuf* m : std::span(e.held).first(e.held_count)) octets += m->pkt_len;
    const std::uint16_t sent = send(w, f.ports[id.value], id, e.held.data(), e.held_count, octets);
    std::copy(e.held.begin() + sent, e.held.begin() + e.held_count, e.held.begin());
    set_held(w, e, e.held_count - std::size_t{sent});
    if (e.held_count == 0 || w.now - e.held_since < kHeldNanoseconds) return;
    drop(w, std::span(e.held).first(e.held_count), Verdict::tx_refused);
    set_held(w, e, 0);
}

// Protected frames keep their order: behind the held ones, even if the device would take them now.
void hold(Worker& w, Egress& e, std::span<rte_mbuf*> frames, bool secured) noexcept {
    if (frames.empty()) return;
    if (e.held_count == 0) {
        e.held_since = w.now;
        e.held_clear = !secured;
    }
    const std::size_t room = std::min(frames.size(), e.held.size() - e.held_count);
    std::copy_n(frames.begin(), room, e.held.begin() + e.held_count);
    set_held(w, e, e.held_count + room);
    drop(w, frames.subspan(room), Verdict::tx_refused);
}

void fill(Batch& b, std::span<const EgressFrame> frames, bool ours) noexcept {
    b.count = static_cast<std::uint16_t>(frames.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
        b.mbuf[i] = frames[i].mbuf;
        Meta& meta = b.meta[i];
        meta = Meta{};
        meta.egress = frames[i].interface;
        if (!ours) [[likely]]
            continue;
        meta.ours = true;
        meta.secy = frames[i].kay_secy;
        meta.kay = frames[i].kay_secy != kNoSecY;
    }
}

template <std::size_t room>
bool next(Batch& b, const std::array<EgressFrame, room>& queue, std::uint16_t& count, std::uint16_t& sent,
          bool ours) noexcept {
    const std::uint16_t n = std::min<std::uint16_t>(kBatch, static_cast<std::uint16_t>(count - sent));
    fill(b, std::span(queue).subspan(sent, n), ours);
    sent = static_cast<std::uint16_t>(sent + n);
    if (n == 0) count = sent = 0;
    return n != 0;
}

void drop_transit(Worker& w, Egress& e) noexcept {
    for (std::size_t i = e.transit_sent; i < e.transit_count; ++i) rte_pktmbuf_free(e.transit[i].mbuf);
    if (e.transit_count != e.transit_sent)
        count_verdict(w, Verdict::tx_refused, static_cast<std::uint64_t>(e.transit_count - e.transit_sent));
    e.transit_count = e.transit_sent = 0;
}

// 802.3 4.2.3.3. Devices that do not pad send what they get.
[[gnu::noinline]] void pad(rte_mbuf* m) noexcept {
    const auto missing = static_cast<std::uint16_t>(net::kMinFrameOctets - m->data_len);
    if (rte_pktmbuf_tailroom(m) < missing) return;
    std::memset(frame_of(m) + m->data_len, 0, missing);
    set_length(m, net::kMinFrameOctets);
}

}  // namespace

bool next_egress(Worker& w, const Forwarding& f, Batch& b) noexcept {
    Egress& e = w.egress[b.port.value];
    if (e.held_count != 0) [[unlikely]]
        if (e.ours_sent == 0 && e.transit_sent == 0) send_held(w, f, b.port);
    if (next(b, e.ours, e.ours_count, e.ours_sent, true)) return true;
    if (e.held_count != 0) [[unlikely]]
        drop_transit(w, e);
    return next(b, e.transit, e.transit_count, e.transit_sent, false);
}

void transmit(Worker& w, const Forwarding& f, Batch& b) noexcept {
    if (b.count == 0) return;
    Egress& e = w.egress[b.port.value];
    std::uint64_t octets = 0;
    for (rte_mbuf* m : std::span(b.mbuf).first(b.count)) {
        if (m->data_len < net::kMinFrameOctets) [[unlikely]]
            pad(m);
        octets += m->pkt_len;
    }
    std::uint16_t sent = 0;
    if (e.held_count == 0) sent = send(w, f.ports[b.port.value], b.port, b.mbuf.data(), b.count, octets);
    const auto refused = std::span(b.mbuf).subspan(sent, b.count - sent);
    if (b.meta[0].ours)
        hold(w, e, refused, f.ports[b.port.value].secured);
    else
        drop(w, refused, Verdict::tx_refused);
    b.count = 0;
}

void drop_held_of_gone_ports(Worker& w, const Forwarding& f) noexcept {
    for (std::size_t i = 0; i < w.egress.size(); ++i) {
        Egress& e = w.egress[i];
        if (e.held_count == 0 || f.ports[i].present) continue;
        drop(w, std::span(e.held).first(e.held_count), Verdict::port_down);
        set_held(w, e, 0);
    }
}

}  // namespace dataplane
