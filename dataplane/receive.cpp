// 1. a burst from the device, counted; metadata as new
// 2. frames in several segments and frames without a whole Ethernet header are stopped
// 3. a tag that the driver took off is put back
#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

constexpr std::uint64_t kStripped = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED;

bool put_back(rte_mbuf* m, std::uint16_t tpid, std::uint16_t tci) noexcept {
    if (m->data_off < net::kTagOctets) return false;
    lengthen_front(m, net::kTagOctets);
    std::uint8_t* p = frame_of(m);
    net::move_addresses(p, p + net::kTagOctets);
    macsec::store_be16(p + net::kAddressOctets, tpid);
    macsec::store_be16(p + net::kAddressOctets + 2, tci);
    return true;
}

// With QINQ_STRIPPED both tags are off and VLAN_STRIPPED is set too: the inner one is in vlan_tci.
bool put_back_tags(rte_mbuf* m) noexcept {
    const std::uint64_t flags = m->ol_flags;
    m->ol_flags &= ~kStripped;
    if (!put_back(m, net::kTpidCustomer, m->vlan_tci)) return false;
    return !(flags & RTE_MBUF_F_RX_QINQ_STRIPPED) || put_back(m, net::kTpidService, m->vlan_tci_outer);
}

}  // namespace

void receive(Worker& w, const Forwarding& f, Batch& b) noexcept {
    const PortEntry& port = f.ports[b.port.value];
    b.count = port.present ? rte_eth_rx_burst(port.ethdev, 0, b.mbuf.data(), kBatch) : std::uint16_t{0};
    if (b.count == 0) return;
    std::uint64_t octets = 0;
    for (std::size_t i = 0; i < b.count; ++i) rte_prefetch0(frame_of(b.mbuf[i]));
    for (std::size_t i = 0; i < b.count; ++i) {
        rte_mbuf* m = b.mbuf[i];
        b.meta[i] = Meta{};
        octets += m->pkt_len;
        if (m->nb_segs != 1) [[unlikely]]
            b.stop(i, Verdict::oversized);
        else if (m->data_len < net::kEthernetOctets) [[unlikely]]
            b.stop(i, Verdict::runt);
        else if (m->ol_flags & kStripped) [[unlikely]]
            if (!put_back_tags(m)) b.stop(i, Verdict::no_headroom);
    }
    w.moved += b.count;
    w.counters.received.add(b.count);
    PortCounters& counters = counters_of(w, b.port);
    counters.in_frames.add(b.count);
    counters.in_octets.add(octets);
}

}  // namespace dataplane
