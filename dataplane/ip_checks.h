// What a router checks of an IP header before it looks the destination up, and what it decides without a lookup:
// link-local, multicast and broadcast destinations belong to the ingress link and are never forwarded. Pure but for
// the frame's padding, which it cuts off. Any worker.
#pragma once

#include <algorithm>

#include "dataplane/batch.h"
#include "dataplane/forwarding.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

// The frame without what follows the packet. Padding up to the shortest frame stays: it costs less than to pad again.
inline void cut_padding(rte_mbuf* m, std::uint32_t packet_octets) noexcept {
    const std::uint32_t wanted = std::max<std::uint32_t>(net::kMinFrameOctets, net::kEthernetOctets + packet_octets);
    if (m->data_len > wanted) [[unlikely]]
        set_length(m, static_cast<std::uint16_t>(wanted));
}

// 1. the header's shape (RFC 1812 5.2.2)
inline Verdict check_header(net::Ipv4Header h, std::uint32_t octets) noexcept {
    std::uint32_t header = net::kIpv4HeaderOctets;
    if (h.has_options()) [[unlikely]] {  // or no IPv4 header at all
        header = h.header_octets();
        if (h.version() != 4) return Verdict::ip_bad_version;
        if (header < net::kIpv4HeaderOctets) return Verdict::ip_bad_header_length;
    }
    if (h.packet_octets() < header) return Verdict::ip_bad_header_length;
    if (h.packet_octets() > octets) return Verdict::ip_truncated;
    const bool ok = h.has_options() ? net::checksum_ok(h.octets(), header) : net::checksum_ok_20(h.octets());
    return ok ? Verdict::forward : Verdict::ip_bad_checksum;
}

// RFC 8200 3. A jumbogram (RFC 2675: length 0 and a hop-by-hop option) does not fit any of our links.
inline Verdict check_header(net::Ipv6Header h, std::uint32_t octets) noexcept {
    if (h.version() != 6) return Verdict::ip_bad_version;
    if (h.packet_octets() > octets) return Verdict::ip_truncated;
    if (h.upper_layer_octets() == 0 && h.has_options()) return Verdict::ip_bad_header_length;
    return Verdict::forward;
}

// 2. the source address (RFC 1812 5.3.7; RFC 1122 3.2.1.3: 0.0.0.0 only while a host learns its own address, to
//    255.255.255.255)
inline Verdict check_source(net::Ipv4Header h, Meta& meta) noexcept {
    const net::Ipv4Address source = h.source();
    if (net::is_above_unicast(source) || net::is_loopback(source)) [[unlikely]]
        return Verdict::ip_bad_source;
    if (net::is_this_network(source)) [[unlikely]]
        return source.value == 0 && net::is_limited_broadcast(h.destination()) ? Verdict::forward
                                                                               : Verdict::ip_bad_source;
    meta.local_only = net::is_link_local(source);  // RFC 3927 2.7
    return Verdict::forward;
}

// RFC 4291 2.5.2, 2.5.3, 2.5.6, 2.7: never a multicast or loopback source; the unspecified one only on the link.
inline Verdict check_source(net::Ipv6Header h, Meta& meta) noexcept {
    const net::Ipv6Address source = h.source();
    if (source.is_multicast() || net::is_loopback(source)) [[unlikely]]
        return Verdict::ip_bad_source;
    if (net::is_unspecified(source)) [[unlikely]]
        return h.destination().is_multicast() ? Verdict::forward : Verdict::ip_bad_source;
    meta.local_only = source.is_link_local();
    return Verdict::forward;
}

// For us, by protocol: what keeps the router alive has classes of its own. A fragment has no ports that could be
// trusted.
template <class Header>
Verdict to_host(const InterfaceEntry& in, Header h) noexcept {
    constexpr std::uint16_t kBgp = 179, kBfdControl = 3784, kBfdEcho = 3785, kBfdMultihop = 4784;
    if (h.has_options()) return Verdict::punt_options;
    if (h.is_fragment() || h.upper_layer_octets() < 4) return Verdict::punt_local;
    const std::uint16_t from = macsec::load_be16(h.upper_layer()), to = macsec::load_be16(h.upper_layer() + 2);
    if (h.protocol() == net::kProtocolTcp && (from == kBgp || to == kBgp)) {
        const auto source = net::IpAddress::from(h.source());
        return std::ranges::find(in.bgp_neighbors, source) != in.bgp_neighbors.end() ? Verdict::punt_bgp
                                                                                     : Verdict::punt_local;
    }
    if (h.protocol() == net::kProtocolUdp && (to == kBfdControl || to == kBfdEcho || to == kBfdMultihop))
        return Verdict::punt_bfd;
    // Neighbour discovery (RFC 4861 4): types 133 to 137
    const bool nd = h.protocol() == net::kProtocolIcmpv6 && h.upper_layer()[0] >= 133 && h.upper_layer()[0] <= 137;
    return nd ? Verdict::punt_arp_nd : Verdict::punt_local;
}

// 3. destinations that need no lookup; `forward`: look it up.
inline Verdict check_destination(net::Ipv4Header h, const InterfaceEntry& in, const Meta& meta) noexcept {
    const net::Ipv4Address to = h.destination();
    if (net::is_limited_broadcast(to) || net::is_local_multicast(to)) return to_host(in, h);  // RFC 1812 5.3.5.1
    if (net::is_multicast(to)) return Verdict::multicast_not_wanted;
    if (net::is_this_network(to) || net::is_loopback(to) || net::is_above_unicast(to))
        return Verdict::ip_bad_destination;
    if (meta.group_mac) return Verdict::multicast_not_wanted;  // RFC 1812 5.3.4: unicast in a link-layer broadcast
    if (!net::is_link_local(to)) return Verdict::forward;
    const bool own = std::ranges::find(in.own, net::IpAddress::from(to)) != in.own.end();
    return own ? to_host(in, h) : Verdict::link_local_not_forwarded;  // RFC 3927 2.7
}

inline Verdict check_destination(net::Ipv6Header h, const InterfaceEntry& in, const Meta& meta) noexcept {
    constexpr std::uint8_t kLinkScope = 2;
    const net::Ipv6Address to = h.destination();
    if (to.is_multicast()) {  // RFC 4291 2.7: scopes 0 and 1 never leave a node; we forward no multicast
        const std::uint8_t scope = net::multicast_scope(to);
        return scope == kLinkScope ? to_host(in, h)
               : scope < kLinkScope ? Verdict::ip_bad_destination : Verdict::multicast_not_wanted;
    }
    if (net::is_unspecified(to) || net::is_loopback(to)) return Verdict::ip_bad_destination;  // RFC 4291 2.5.2, 2.5.3
    if (meta.group_mac) return Verdict::multicast_not_wanted;
    if (!to.is_link_local()) return Verdict::forward;
    const bool own = std::ranges::find(in.link_local, to) != in.link_local.end();
    return own ? to_host(in, h) : Verdict::link_local_not_forwarded;  // RFC 4291 2.5.6
}

template <class Header>
[[gnu::noinline]] Verdict check_each_address(Header h, const Forwarding& f, Meta& meta) noexcept {
    const Verdict v = check_source(h, meta);
    return v == Verdict::forward ? check_destination(h, f.interfaces[meta.ingress.value], meta) : v;
}
// Rules 2 and 3. Two ordinary addresses break none of them.
template <class Header>
Verdict check_addresses(Header h, const Forwarding& f, Meta& meta) noexcept {
    const bool ordinary = net::is_ordinary(h.source()) && net::is_ordinary(h.destination()) && !meta.group_mac;
    return ordinary ? Verdict::forward : check_each_address(h, f, meta);
}

}  // namespace dataplane
