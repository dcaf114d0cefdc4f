// 1. the egress interface is looked up: gone since the frame was queued, it is dropped
// 2. the interface's counters
// 3. its tags, and before them the clear tags of its SecY; a PDU of a KaY gets the clear tags only
#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

bool push(rte_mbuf* m, const net::VlanStack* clear, const net::VlanStack* inside) noexcept {
    const std::uint32_t octets = (clear ? clear->octets() : 0) + (inside ? inside->octets() : 0);
    if (octets == 0) return true;
    if (m->data_off < octets) return false;
    std::uint8_t* addresses = frame_of(m);
    lengthen_front(m, static_cast<std::uint16_t>(octets));
    net::move_addresses(frame_of(m), addresses);
    std::uint8_t* at = frame_of(m) + net::kAddressOctets;
    if (clear) at = net::write_tags(at, *clear);
    if (inside) net::write_tags(at, *inside);
    return true;
}

Verdict push_kay(const Forwarding& f, PortId port, rte_mbuf* m, const Meta& meta) noexcept {
    if (meta.secy >= f.secys.size() || f.secys[meta.secy].port != port) return Verdict::inject_bad;
    return push(m, &f.secys[meta.secy].clear_tags, nullptr) ? Verdict::forward : Verdict::no_headroom;
}

// Where frames of one interface go: frames of one batch leave by few interfaces, so it is looked up once a run.
struct Way {
    InterfaceId egress{};
    const InterfaceEntry* out{};  // null: gone, or not on this port
    const net::VlanStack* clear{};
};

Way way_of(const Forwarding& f, PortId port, InterfaceId egress) noexcept {
    const InterfaceEntry* out = find(f, egress);
    if (out == nullptr || out->port != port) return {egress, nullptr, nullptr};
    return {egress, out, out->secy < f.secys.size() ? &f.secys[out->secy].clear_tags : nullptr};
}

Verdict push_data(const Way& way, rte_mbuf* m, Meta& meta, CountOut& count) noexcept {
    if (way.out == nullptr) [[unlikely]]
        return Verdict::egress_gone;
    count.add(way.egress, m->data_len);
    meta.secy = way.out->secy;
    return push(m, way.clear, &way.out->tags) ? Verdict::forward : Verdict::no_headroom;
}

}  // namespace

void push_vlan(Worker& w, const Forwarding& f, Batch& b) noexcept {
    CountOut count(w);
    Way way;
    for (std::size_t i = 0; i < b.count; ++i) {
        Meta& meta = b.meta[i];
        if (meta.egress != way.egress) way = way_of(f, b.port, meta.egress);
        const Verdict v = meta.kay ? push_kay(f, b.port, b.mbuf[i], meta) : push_data(way, b.mbuf[i], meta, count);
        if (v != Verdict::forward) [[unlikely]]
            b.stop(i, v);
    }
}

}  // namespace dataplane
