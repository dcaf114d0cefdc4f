// 1. control's rings in order: KaY, first, rest
// 2. a KaY's frame is checked to be nothing but a PDU of that KaY, and goes to its SecY's port
// 3. a frame of the kernel's from an address of ours goes to its interface's port, before transit
// 4. any other frame of the kernel's is transit that it sent back: policed, and ranked so
#include "dataplane/inject.h"

#include <rte_ring.h>

#include "dataplane/egress.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/police_credit.h"

namespace dataplane {

namespace {

constexpr std::size_t kEapolHeaderOctets = 4;      // 802.1X 11.3
constexpr std::uint8_t kEapolMka = 5;              // 802.1X table 11-3

// A wrong configuration must not turn these into frames that pass in clear.
bool carries_data(std::uint16_t type) noexcept {
    return type == net::kEtherTypeIpv4 || type == net::kEtherTypeIpv6 || type == net::kEtherTypeArp ||
           type == macsec::kEtherTypeMacsec || net::is_tpid(type);
}

}  // namespace

bool is_kay_pdu(const SecYEntry& secy, const net::MacAddress& port_mac, macsec::ConstOctets frame,
                std::size_t tags) noexcept {
    const std::size_t eapol = net::kEthernetOctets + tags;
    if (!secy.has_kay || carries_data(secy.eapol_ethertype) || frame.size() < eapol + kEapolHeaderOctets) return false;
    net::MacAddress source;
    std::memcpy(source.octets.data(), frame.data() + source.octets.size(), source.octets.size());
    return net::destination(frame.data()) == secy.eapol_destination.number() && source == port_mac &&
           net::type_at(frame.data(), eapol - 2) == secy.eapol_ethertype && frame[eapol + 1] == kEapolMka;
}

namespace {

Verdict inject_kay(Worker& w, const Forwarding& f, rte_mbuf* m) noexcept {
    const Crossing& c = crossing(m);
    if (c.secy >= f.secys.size() || f.secys[c.secy].port != c.port) return Verdict::inject_bad;
    const PortEntry& port = f.ports[c.port.value];
    if (!is_kay_pdu(f.secys[c.secy], port.mac, {frame_of(m), m->data_len}, 0)) return Verdict::inject_bad;
    if (!port.present) return Verdict::port_down;
    if (port.transmit_worker != w.id) return Verdict::egress_gone;
    return add_ours(w.egress[c.port.value], {m, {}, c.secy}) ? Verdict::forward : Verdict::egress_full;
}

Verdict inject_from_kernel(Worker& w, const Forwarding& f, rte_mbuf* m) noexcept {
    const Crossing& c = crossing(m);
    const Exit exit = exit_of(f, c.interface);
    if (exit.verdict != Verdict::forward) return exit.verdict;
    if (exit.worker != w.id) return Verdict::egress_gone;
    const InterfaceEntry& out = f.interfaces[c.interface.value];
    if (m->data_len > net::kEthernetOctets + out.mtu) return Verdict::inject_bad;
    Egress& e = w.egress[exit.port.value];
    if (c.from_host) return add_ours(e, {m, c.interface, kNoSecY}) ? Verdict::forward : Verdict::egress_full;
    if (!spend(w, f, out.connection, Direction::out, m->pkt_len)) return Verdict::policed;
    return add_transit(e, m, c.interface) ? Verdict::forward : Verdict::egress_full;
}

Verdict inject_one(Worker& w, const Forwarding& f, rte_mbuf* m, InjectClass ring) noexcept {
    if (m->nb_segs != 1 || m->data_len < net::kEthernetOctets) return Verdict::inject_bad;
    return ring == InjectClass::kay ? inject_kay(w, f, m) : inject_from_kernel(w, f, m);
}

}  // namespace

void inject(Worker& w, const Forwarding& f, Batch& b) noexcept {
    b.count = 0;
    b.port = {};
    for (std::size_t ring = 0; ring < kInjectClasses; ++ring) {
        std::array<rte_mbuf*, kBatch> frames;
        const unsigned n =
            rte_ring_sc_dequeue_burst(w.inject[ring], reinterpret_cast<void**>(frames.data()), kBatch, nullptr);
        if (n == 0) continue;
        w.moved += n;
        w.counters.injected.add(n);
        for (unsigned i = 0; i < n; ++i) {
            const Verdict v = inject_one(w, f, frames[i], static_cast<InjectClass>(ring));
            if (v != Verdict::forward) drop(w, std::span(frames).subspan(i, 1), v);
        }
    }
}

}  // namespace dataplane
