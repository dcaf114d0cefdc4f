// Octets as zebra would write them, built for tests.
#pragma once

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "bgp-glue/route_message.h"

namespace zebra_says {

using Octets = std::vector<std::uint8_t>;

inline net::IpPrefix prefix(const char* text) { return net::parse_prefix(text).value(); }
inline net::IpAddress ip(const char* text) { return net::parse_ip(text).value(); }

struct Via {
    const char* gateway;  // nullptr: none
    std::uint32_t oif;
    std::uint8_t weight{1};
};

inline bgp_glue::NetlinkRequest begin_route(std::uint16_t type, const char* dst, std::uint8_t kind = RTN_UNICAST,
                                            std::uint8_t protocol = 186) {
    const auto p = prefix(dst);
    bgp_glue::NetlinkRequest m(type, 0, 0);
    rtmsg header{};
    header.rtm_family = bgp_glue::address_family(p.address.family);
    header.rtm_dst_len = p.length;
    header.rtm_table = 254;
    header.rtm_protocol = protocol;
    header.rtm_type = kind;
    m.fixed(header);
    if (p.length != 0) m.put(RTA_DST, bgp_glue::octets_of(p.address));
    m.put_u32(RTA_PRIORITY, 20);
    return m;
}

inline void put_hop(bgp_glue::NetlinkRequest& m, const Via& via) {
    if (via.gateway) m.put(RTA_GATEWAY, bgp_glue::octets_of(ip(via.gateway)));
    m.put_u32(RTA_OIF, via.oif);
}

inline Octets announce(const char* dst, Via via, std::uint8_t protocol = 186) {
    auto m = begin_route(RTM_NEWROUTE, dst, RTN_UNICAST, protocol);
    put_hop(m, via);
    return m.take();
}

inline Octets announce_multipath(const char* dst, const std::vector<Via>& hops) {
    auto m = begin_route(RTM_NEWROUTE, dst);
    const auto nested = m.begin_nested(RTA_MULTIPATH);
    for (const auto& via : hops) {
        const auto gateway = ip(via.gateway);
        rtnexthop header{};
        header.rtnh_len = static_cast<std::uint16_t>(sizeof header + 4 + gateway.bits() / 8);
        header.rtnh_hops = static_cast<std::uint8_t>(via.weight - 1);
        header.rtnh_ifindex = static_cast<int>(via.oif);
        m.fixed(header);
        m.put(RTA_GATEWAY, bgp_glue::octets_of(gateway));
    }
    m.end_nested(nested);
    return m.take();
}

inline Octets announce_by_id(const char* dst, std::uint32_t id) {
    auto m = begin_route(RTM_NEWROUTE, dst);
    m.put_u32(RTA_NH_ID, id);
    return m.take();
}

inline Octets announce_kind(const char* dst, std::uint8_t kind) {
    return begin_route(RTM_NEWROUTE, dst, kind, 196).take();
}
inline Octets withdraw(const char* dst) { return begin_route(RTM_DELROUTE, dst, 0).take(); }

inline bgp_glue::NetlinkRequest begin_next_hop(std::uint16_t type, std::uint32_t id, std::uint8_t family = AF_INET) {
    bgp_glue::NetlinkRequest m(type, 0, 0);
    nhmsg header{};
    header.nh_family = family;
    m.fixed(header);
    m.put_u32(NHA_ID, id);
    return m;
}

inline Octets next_hop(std::uint32_t id, Via via) {
    const auto family = via.gateway ? ip(via.gateway).family : net::Family::ipv4;
    auto m = begin_next_hop(RTM_NEWNEXTHOP, id, bgp_glue::address_family(family));
    if (via.gateway) m.put(NHA_GATEWAY, bgp_glue::octets_of(ip(via.gateway)));
    m.put_u32(NHA_OIF, via.oif);
    return m.take();
}

inline Octets blackhole_next_hop(std::uint32_t id) {
    auto m = begin_next_hop(RTM_NEWNEXTHOP, id);
    m.put(NHA_BLACKHOLE, {});
    return m.take();
}

inline Octets group(std::uint32_t id, const std::vector<bgp_glue::GroupMember>& members) {
    auto m = begin_next_hop(RTM_NEWNEXTHOP, id, AF_UNSPEC);
    std::vector<nexthop_grp> grp(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
        grp[i].id = members[i].id;
        grp[i].weight = static_cast<std::uint8_t>(members[i].weight - 1);
    }
    m.put(NHA_GROUP, {reinterpret_cast<const std::uint8_t*>(grp.data()), grp.size() * sizeof(nexthop_grp)});
    return m.take();
}

inline Octets remove_next_hop(std::uint32_t id) { return begin_next_hop(RTM_DELNEXTHOP, id).take(); }

// One frame's payload.
inline Octets together(const std::vector<Octets>& messages) {
    Octets all;
    for (const auto& m : messages) all.insert(all.end(), m.begin(), m.end());
    return all;
}

inline Octets fpm_frame(const Octets& payload) {
    Octets frame{1, 1, 0, 0};
    macsec::store_be16(frame.data() + 2, static_cast<std::uint16_t>(payload.size() + 4));
    frame.insert(frame.end(), payload.begin(), payload.end());
    return frame;
}

inline std::vector<bgp_glue::ZebraMessage> decoded(const std::vector<Octets>& messages) {
    bgp_glue::DecodeCounters counters;
    return bgp_glue::decode_frame(together(messages), counters);
}

inline bgp_glue::RouteHop hop(const char* gateway, std::uint32_t oif, std::uint16_t weight = 1) {
    if (!gateway) return {oif, false, {}, weight};
    return {oif, true, ip(gateway), weight};
}

inline bgp_glue::Route bgp_route(std::vector<bgp_glue::RouteHop> hops) {
    return {bgp_glue::RouteKind::unicast, 186, 20, std::move(hops)};
}

inline Octets golden(const std::string& name) {
    std::ifstream file(std::string(DEMARC_GOLDEN_DIR) + '/' + name, std::ios::binary);
    return Octets(std::istreambuf_iterator<char>(file), {});
}

}  // namespace zebra_says
