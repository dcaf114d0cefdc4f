// 1. the egress interface is looked up: gone since the frame was queued, it is dropped
// 2. the interface's counters
// 3. its tags, and before them the clear tags of its SecY; a PDU of a KaY gets the clear tags only
#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

// Up to four tags as on the wire.
struct Tags {
    std::uint16_t octets{};
    std::array<std::uint8_t, 4 * net::kTagOctets> on_wire{};
};

Tags tags_of(const net::VlanStack& clear, const net::VlanStack& inside) noexcept {
    Tags t;
    t.octets = static_cast<std::uint16_t>(clear.octets() + inside.octets());
    net::write_tags(net::write_tags(t.on_wire.data(), clear), inside);
    return t;
}

// The addresses and the first tag are one store, and nearly always the only one.
Verdict push(rte_mbuf* m, const Tags& tags) noexcept {
    if (tags.octets == 0) return Verdict::forward;
    if (m->data_off < tags.octets) [[unlikely]]
        return Verdict::no_headroom;
    std::array<std::uint8_t, net::kAddressOctets + net::kTagOctets> head;
    std::memcpy(head.data(), frame_of(m), head.size());
    std::memcpy(head.data() + net::kAddressOctets, tags.on_wire.data(), net::kTagOctets);
    lengthen_front(m, tags.octets);
    std::memcpy(frame_of(m), head.data(), head.size());
    for (std::size_t at = net::kTagOctets; at < tags.octets; at += net::kTagOctets) [[unlikely]]
        std::memcpy(frame_of(m) + net::kAddressOctets + at, tags.on_wire.data() + at, net::kTagOctets);
    return Verdict::forward;
}

[[gnu::noinline]] Verdict push_kay(const Forwarding& f, PortId port, rte_mbuf* m, const Meta& meta) noexcept {
    if (meta.secy >= f.secys.size() || f.secys[meta.secy].port != port) return Verdict::inject_bad;
    return push(m, tags_of(f.secys[meta.secy].clear_tags, {}));
}

// Where frames of one interface go: frames of one batch leave by few interfaces, so it is looked up once a run.
struct Way {
    InterfaceId egress{};
    bool exists{};  // on this port
    std::uint16_t secy{};
    Tags tags;
};

Way way_of(const Forwarding& f, PortId port, InterfaceId egress) noexcept {
    const InterfaceEntry* out = find(f, egress);
    if (out == nullptr || out->port != port) return {.egress = egress, .tags = {}};
    const net::VlanStack clear = out->secy < f.secys.size() ? f.secys[out->secy].clear_tags : net::VlanStack{};
    return {egress, true, out->secy, tags_of(clear, out->tags)};
}

Verdict push_data(const Way& way, rte_mbuf* m, Meta& meta, CountOut& count) noexcept {
    if (!way.exists) [[unlikely]]
        return Verdict::egress_gone;
    count.add(way.egress, m->data_len);
    meta.secy = way.secy;
    return push(m, way.tags);
}

}  // namespace

void push_vlan(Worker& w, const Forwarding& f, Batch& b) noexcept {
    CountOut count(w);
    Way way;
    for (std::size_t i = 0, n = b.count; i < n; ++i) {
        Meta& meta = b.meta[i];
        if (meta.egress != way.egress) [[unlikely]]
            way = way_of(f, b.port, meta.egress);
        const Verdict v = meta.kay ? push_kay(f, b.port, b.mbuf[i], meta) : push_data(way, b.mbuf[i], meta, count);
        if (v != Verdict::forward) [[unlikely]]
            b.stop(i, v);
    }
}

}  // namespace dataplane
