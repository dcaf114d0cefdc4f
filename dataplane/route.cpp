// 1. by EtherType: ARP to the host, IPv4, IPv6, nothing else
// 2. the header's checks (ip_checks.h); link-local, multicast and broadcast destinations are decided per ingress
//    interface
// 3. one bulk lookup per family
// 4. ours: to the host, by protocol; no route: dropped, never punted
// 5. a group: the member of the flow's bucket; hop limit and MTU: to the host, as received
// 6. only what is forwarded has its hop limit decremented
//
// Options of transit packets are neither processed nor a reason to punt (RFC 7126 3, RFC 8200 4: hop-by-hop options
// only where configured, and none are); packets with an IPv4 source route are dropped (RFC 7126 4.3, 4.4).
#include "dataplane/flow_hash.h"
#include "dataplane/ip_checks.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

Verdict prepare_ipv4(const Forwarding& f, rte_mbuf* m, Meta& meta) noexcept {
    const std::uint32_t octets = m->data_len - std::uint32_t{net::kEthernetOctets};
    if (octets < net::kIpv4HeaderOctets) return Verdict::ip_truncated;
    const net::Ipv4Header h(frame_of(m) + net::kEthernetOctets);
    const Verdict v = check_header(h, octets);
    if (v != Verdict::forward) return v;
    cut_padding(m, h.packet_octets());
    if (h.has_options() && net::has_source_route(h)) [[unlikely]]
        return Verdict::ip_source_route;
    return check_addresses(h, f, meta);
}

Verdict prepare_ipv6(const Forwarding& f, rte_mbuf* m, Meta& meta) noexcept {
    const std::uint32_t octets = m->data_len - std::uint32_t{net::kEthernetOctets};
    if (octets < net::kIpv6HeaderOctets) return Verdict::ip_truncated;
    const net::Ipv6Header h(frame_of(m) + net::kEthernetOctets);
    const Verdict v = check_header(h, octets);
    if (v != Verdict::forward) return v;
    cut_padding(m, h.packet_octets());
    return check_addresses(h, f, meta);
}

// Every frame's verdict, and what is to be looked up. The counts are kept aside: a store to the lists would make the
// compiler read them again.
void prepare(Worker& w, const Forwarding& f, Batch& b) noexcept {
    std::size_t four = 0, six = 0;
    for (std::size_t i = 0, n = b.count; i < n; ++i) {
        rte_mbuf* m = b.mbuf[i];
        std::uint8_t* packet = frame_of(m) + net::kEthernetOctets;
        Verdict v = Verdict::unknown_ethertype;
        switch (net::type_at(frame_of(m), net::kAddressOctets)) {
            case net::kEtherTypeIpv4:
                v = prepare_ipv4(f, m, b.meta[i]);
                if (v == Verdict::forward) [[likely]]
                    w.lookups4.put(four++, i, net::Ipv4Header(packet).destination());
                break;
            case net::kEtherTypeIpv6:
                v = prepare_ipv6(f, m, b.meta[i]);
                if (v == Verdict::forward) [[likely]]
                    w.lookups6.put(six++, i, net::Ipv6Header(packet).destination());
                break;
            case net::kEtherTypeArp: v = Verdict::punt_arp_nd; break;
            default: break;
        }
        if (v != Verdict::forward) [[unlikely]]
            b.stop(i, v);
    }
    w.lookups4.count = four;
    w.lookups6.count = six;
}

// The kernel resolves the neighbour; a few packets a second are enough for that.
Verdict unresolved(Worker& w, InterfaceId egress) noexcept {
    UnresolvedGate& gate = w.unresolved_gates[std::min<std::size_t>(egress.value, w.unresolved_gates.size() - 1)];
    return gate.pass(w.now) ? Verdict::punt_unresolved : Verdict::unresolved;
}

template <class Header>
Choice choose_member(const NextHopArrays& hops, const Group& g, Header h) noexcept {
    return choose(hops, g, g.count == 1 ? 0 : flow_hash(h));
}

template <class Header>
Verdict to_group(Worker& w, const Forwarding& f, const Group& g, Header h, Meta& meta) noexcept {
    const Choice choice = choose_member(f.hops, g, h);
    const InterfaceId egress = f.hops.next_hops[choice.next_hop.value].interface;
    meta.slot = choice.slot;
    meta.egress = egress;
    if (!(choice.slot & Slot::kUsable)) [[unlikely]]
        return choice.slot & Slot::kResolved ? Verdict::next_hop_down : unresolved(w, egress);
    const InterfaceEntry* out = find(f, egress);
    if (out == nullptr) [[unlikely]]
        return Verdict::egress_gone;
    if (h.packet_octets() > out->mtu) [[unlikely]]
        return Verdict::punt_too_big;  // RFC 1812 5.2.7.1, RFC 8200 5: the kernel answers or fragments
    return Verdict::forward;
}

constexpr Verdict not_forwarded(LeafKind kind) noexcept {
    switch (kind) {
        case LeafKind::blackhole: return Verdict::blackhole;
        case LeafKind::unreachable: return Verdict::unreachable;
        case LeafKind::foreign: return Verdict::foreign_route;
        default: return Verdict::no_route;
    }
}

// A packet that goes to no group, or may not.
template <class Header>
[[gnu::noinline]] Verdict decide_without_group(Worker& w, const Forwarding& f, Leaf leaf, Header h,
                                               const Meta& meta) noexcept {
    const LeafKind kind = leaf.kind();
    if (kind == LeafKind::local) return to_host(f.interfaces[meta.ingress.value], h);
    if (meta.local_only) return Verdict::link_local_not_forwarded;
    if (kind != LeafKind::group && kind != LeafKind::connected) return not_forwarded(kind);
    if (h.hop_limit() <= 1) return Verdict::punt_ttl;  // RFC 1812 5.3.1, RFC 8200 3
    return unresolved(w, InterfaceId{static_cast<std::uint16_t>(leaf.index())});
}

template <class Header>
Verdict decide(Worker& w, const Forwarding& f, Leaf leaf, Header h, Meta& meta) noexcept {
    if (leaf.kind() == LeafKind::group && !meta.local_only && h.hop_limit() > 1) [[likely]]
        return to_group(w, f, f.hops.groups[leaf.index()], h, meta);
    return decide_without_group(w, f, leaf, h, meta);
}

template <class Header, class Fib, class Address>
void look_up(Worker& w, const Forwarding& f, Batch& b, const Fib& fib, Lookups<Address>& l) noexcept {
    if (l.count == 0) return;
    fib.lookup(l.destination.data(), l.leaf.data(), l.count);
    for (std::size_t k = 0, n = l.count; k < n; ++k) {
        const std::size_t i = l.frame[k];
        Header h(frame_of(b.mbuf[i]) + net::kEthernetOctets);
        const Verdict v = decide(w, f, l.leaf[k], h, b.meta[i]);
        if (v == Verdict::forward) [[likely]]
            h.decrement_hop_limit();
        else
            b.stop(i, v);
    }
}

}  // namespace

void route(Worker& w, const Forwarding& f, Batch& b) noexcept {
    prepare(w, f, b);
    look_up<net::Ipv4Header>(w, f, b, *f.fib4, w.lookups4);
    look_up<net::Ipv6Header>(w, f, b, *f.fib6, w.lookups6);
}

}  // namespace dataplane
