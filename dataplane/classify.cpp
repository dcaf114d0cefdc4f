// A plain port:
// 1. MACsec and EAPOL have no business there
// 2. the destination address is ours or a group's
// A secured port, per SecY, behind exactly its clear tags:
// 3. 0x88E5 goes on to verify, if the destination address is ours or a group's
// 4. EAPOL for the KaY, tags off, goes to it
// 5. everything else is dropped; LLDP, LACP and PTP have their own counters
#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

// Addresses are compared at the outer frame; MACsec does not change them.
Verdict judge_address(const std::uint8_t* frame, std::uint64_t mac, Meta& meta) noexcept {
    const std::uint64_t destination = net::destination(frame);
    meta.group_mac = net::is_group(destination);
    return destination == mac || meta.group_mac ? Verdict::forward : Verdict::not_our_mac;
}

Verdict classify_plain(const std::uint8_t* frame, std::uint64_t mac, Meta& meta) noexcept {
    const std::uint16_t type = net::type_at(frame, net::kAddressOctets);
    if (type == macsec::kEtherTypeMacsec) [[unlikely]]
        return Verdict::unexpected_macsec;
    if (type == macsec::kEtherTypeEapol) [[unlikely]]
        return Verdict::unexpected_eapol;
    return judge_address(frame, mac, meta);
}

Verdict judge_eapol(const SecYEntry& secy, const std::uint8_t* frame, std::uint16_t type) noexcept {
    const bool wanted =
        secy.has_kay && type == secy.eapol_ethertype && net::destination(frame) == secy.eapol_destination.number();
    return wanted ? Verdict::punt_eapol : Verdict::unexpected_eapol;
}

// 802.1AE 10.7.9 InPktsNoTag: of the SecY behind the most clear tags that the frame has.
void count_clear_frame(const Forwarding& f, const PortEntry& port, const std::uint8_t* frame,
                       std::uint32_t octets) noexcept {
    const SecYEntry* nearest = nullptr;
    for (const std::uint16_t index : port.secys) {
        const SecYEntry& secy = f.secys[index];
        if (!net::has_tags(frame, octets, secy.clear_tags)) continue;
        if (nearest == nullptr || secy.clear_tags.depth > nearest->clear_tags.depth) nearest = &secy;
    }
    if (nearest != nullptr) nearest->receive.counters->in_pkts_no_tag.add(1);
}

Verdict name_of_clear_frame(const std::uint8_t* frame, std::size_t octets) noexcept {
    std::size_t at = net::kAddressOctets;
    for (int tags = 0; tags < 2 && at + net::kTagOctets + 2 <= octets && net::is_tpid(net::type_at(frame, at)); ++tags)
        at += net::kTagOctets;
    switch (net::type_at(frame, at)) {
        case net::kEtherTypeLldp: return Verdict::secured_port_lldp;
        case net::kEtherTypeSlowProtocols: return Verdict::secured_port_lacp;
        case net::kEtherTypePtp: return Verdict::secured_port_ptp;
        default: return Verdict::secured_port_clear;
    }
}

Verdict classify_secured(const Forwarding& f, const PortEntry& port, rte_mbuf* m, std::uint64_t mac,
                         Meta& meta) noexcept {
    const std::uint8_t* frame = frame_of(m);
    for (std::size_t i = 0; i < port.secys.size(); ++i) {
        const SecYEntry& secy = f.secys[port.secys[i]];
        if (!net::has_tags(frame, m->data_len, secy.clear_tags)) continue;
        const std::uint16_t type = net::type_at(frame, net::kAddressOctets + secy.clear_tags.octets());
        if (type != macsec::kEtherTypeMacsec && type != macsec::kEtherTypeEapol && type != secy.eapol_ethertype)
            continue;
        meta.secy = port.secys[i];
        meta.secy_of_port = static_cast<std::uint8_t>(i);
        if (type == macsec::kEtherTypeMacsec) [[likely]]
            return judge_address(frame, mac, meta);
        const Verdict verdict = judge_eapol(secy, frame, type);
        strip_tags(m, static_cast<std::uint16_t>(secy.clear_tags.octets()));
        return verdict;
    }
    count_clear_frame(f, port, frame, m->data_len);
    return name_of_clear_frame(frame, m->data_len);
}

}  // namespace

void classify(Worker&, const Forwarding& f, Batch& b) noexcept {
    const PortEntry& port = f.ports[b.port.value];
    const std::uint64_t mac = port.mac.number();
    for (std::size_t i = 0; i < b.count; ++i) {
        const Verdict v = port.secured ? classify_secured(f, port, b.mbuf[i], mac, b.meta[i])
                                       : classify_plain(frame_of(b.mbuf[i]), mac, b.meta[i]);
        if (v != Verdict::forward) [[unlikely]]
            b.stop(i, v);
    }
}

}  // namespace dataplane
