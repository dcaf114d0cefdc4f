#include "bgp-glue/route_message.h"

#include <linux/lwtunnel.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace bgp_glue {

namespace {

static_assert(kProtocolKernel == RTPROT_KERNEL && kProtocolBgp == RTPROT_BGP);

using Status = std::expected<void, MessageFault>;
template <class T>
using Result = std::expected<T, MessageFault>;
constexpr std::unexpected<MessageFault> fault(MessageFault f) { return std::unexpected(f); }

// A hop while its attributes come in.
struct HopParts {
    RouteHop hop;
    bool named{};         // an oif or a gateway was there
    bool encapsulated{};  // we could not do what it asks for
};

Status take_gateway(HopParts& parts, const std::optional<net::IpAddress>& gateway) {
    if (!gateway) return fault(MessageFault::value);
    parts.hop.gateway = *gateway;
    parts.hop.has_gateway = parts.named = true;
    return {};
}

// RTA_VIA: a family in host order, then the address.
std::optional<net::IpAddress> via(const Attribute& a) {
    std::uint16_t af;
    if (a.value.size() < sizeof af) return std::nullopt;
    std::memcpy(&af, a.value.data(), sizeof af);
    const auto family = af < 256 ? family_of(static_cast<std::uint8_t>(af)) : std::nullopt;
    return family ? Attribute{0, a.value.subspan(sizeof af)}.address(*family) : std::nullopt;
}

Status take_oif(HopParts& parts, const Attribute& a) {
    const auto oif = a.u32();
    if (!oif || *oif > INT32_MAX) return fault(MessageFault::value);
    parts.hop.oif = *oif;
    parts.named = true;
    return {};
}

// The attributes that a route and each hop of RTA_MULTIPATH have in common.
Status take_hop_attribute(HopParts& parts, net::Family family, const Attribute& a) {
    switch (a.type) {
        case RTA_GATEWAY: return take_gateway(parts, a.address(family));
        case RTA_VIA: return take_gateway(parts, via(a));
        case RTA_OIF: return take_oif(parts, a);
        case RTA_ENCAP_TYPE:
            parts.encapsulated = a.u16().value_or(1) != LWTUNNEL_ENCAP_NONE;
            return {};
        default: return {};
    }
}

Result<HopParts> take_multipath_hop(const rtnexthop& header, net::Family family, macsec::ConstOctets attributes) {
    if (header.rtnh_ifindex < 0) return fault(MessageFault::value);  // no interface has such a number
    HopParts parts;
    parts.hop.oif = static_cast<std::uint32_t>(header.rtnh_ifindex);
    parts.hop.weight = static_cast<std::uint16_t>(header.rtnh_hops + 1);
    Attributes walk(attributes);
    while (const auto a = walk.next())
        if (const auto ok = take_hop_attribute(parts, family, *a); !ok) return fault(ok.error());
    if (walk.malformed()) return fault(MessageFault::attribute);
    return parts;
}

Result<std::vector<HopParts>> take_multipath(net::Family family, macsec::ConstOctets rest) {
    std::vector<HopParts> hops;
    while (!rest.empty()) {
        const auto s = split<rtnexthop>(rest);
        if (!s || s->header.rtnh_len < sizeof(rtnexthop) || s->header.rtnh_len > rest.size())
            return fault(MessageFault::attribute);
        auto hop = take_multipath_hop(s->header, family, s->attributes.first(s->header.rtnh_len - sizeof(rtnexthop)));
        if (!hop) return fault(hop.error());
        hops.push_back(*hop);
        rest = rest.subspan(std::min<std::size_t>(rest.size(), RTNH_ALIGN(s->header.rtnh_len)));
    }
    return hops;
}

// A route while its attributes come in.
struct RouteParts {
    RouteMessage message;
    HopParts own;
    std::vector<HopParts> multipath;
    bool source_specific{};
};

template <class Into>
Status take_u32(Into& into, const Attribute& a) {
    const auto v = a.u32();
    if (!v) return fault(MessageFault::value);
    into = *v;
    return {};
}

Status take_destination(RouteParts& parts, net::Family family, const Attribute& a) {
    const auto address = a.address(family);
    if (!address) return fault(MessageFault::value);
    parts.message.prefix.address = net::masked(*address, parts.message.prefix.length);
    return {};
}

Status take_route_attribute(RouteParts& parts, net::Family family, bool& destination, const Attribute& a) {
    switch (a.type) {
        case RTA_DST: destination = true; return take_destination(parts, family, a);
        case RTA_SRC: parts.source_specific = true; return {};
        case RTA_TABLE: return take_u32(parts.message.table, a);
        case RTA_PRIORITY: return take_u32(parts.message.route.metric, a);
        case RTA_NH_ID: return take_u32(parts.message.next_hop_id, a);
        case RTA_MULTIPATH: {
            auto hops = take_multipath(family, a.value);
            if (!hops) return fault(hops.error());
            parts.multipath = std::move(*hops);
            return {};
        }
        default: return take_hop_attribute(parts.own, family, a);
    }
}

std::optional<RouteKind> kind_of(std::uint8_t rtm_type) {
    switch (rtm_type) {
        case RTN_UNICAST: return RouteKind::unicast;
        case RTN_BLACKHOLE: return RouteKind::blackhole;
        case RTN_UNREACHABLE:
        case RTN_PROHIBIT: return RouteKind::unreachable;
        default: return std::nullopt;
    }
}

Result<Route> finish_route(RouteParts& parts) {
    Route& route = parts.message.route;
    if (route.kind != RouteKind::unicast) parts.message.next_hop_id = 0;
    if (route.kind != RouteKind::unicast || parts.message.next_hop_id != 0) return std::move(route);
    if (parts.own.named) parts.multipath.push_back(parts.own);
    if (parts.multipath.empty()) return fault(MessageFault::missing);
    for (const auto& hop : parts.multipath)
        if (!hop.encapsulated) route.hops.push_back(hop.hop);
    if (route.hops.empty()) route.kind = RouteKind::unreachable;
    normalize(route.hops);
    return std::move(route);
}

// A withdrawal names what it withdraws; its rtm_type is 0 (zebra 8.4), so only an announcement's is looked at.
bool of_no_concern(const rtmsg& header, bool removed) {
    return !family_of(header.rtm_family) || (header.rtm_flags & RTM_F_CLONED) != 0 || header.rtm_src_len != 0 ||
           (!removed && !kind_of(header.rtm_type));
}

Result<ZebraMessage> decode_route(const NetlinkMessage& message) {
    const auto s = split<rtmsg>(message.body);
    if (!s) return fault(MessageFault::truncated);
    const rtmsg& header = s->header;
    RouteParts parts;
    parts.message.removed = message.type == RTM_DELROUTE;
    if (of_no_concern(header, parts.message.removed)) return SkippedMessage{message.type};
    const auto family = *family_of(header.rtm_family);
    parts.message.prefix = {{family, {}}, header.rtm_dst_len};
    if (header.rtm_dst_len > parts.message.prefix.address.bits()) return fault(MessageFault::value);
    parts.message.table = header.rtm_table;
    parts.message.route.protocol = header.rtm_protocol;
    parts.message.route.kind = kind_of(header.rtm_type).value_or(RouteKind::unicast);
    bool destination = header.rtm_dst_len == 0;
    Attributes walk(s->attributes);
    while (const auto a = walk.next())
        if (const auto ok = take_route_attribute(parts, family, destination, *a); !ok) return fault(ok.error());
    if (walk.malformed()) return fault(MessageFault::attribute);
    if (!destination) return fault(MessageFault::missing);
    if (parts.source_specific) return SkippedMessage{message.type};
    if (parts.message.removed) return RouteMessage{true, parts.message.table, parts.message.prefix, {}, 0};
    auto route = finish_route(parts);
    if (!route) return fault(route.error());
    parts.message.route = std::move(*route);
    return std::move(parts.message);
}

Result<std::vector<GroupMember>> group_members(const Attribute& a) {
    if (a.value.empty() || a.value.size() % sizeof(nexthop_grp) != 0) return fault(MessageFault::value);
    std::vector<GroupMember> members;
    for (std::size_t at = 0; at < a.value.size(); at += sizeof(nexthop_grp)) {
        nexthop_grp member;
        std::memcpy(&member, a.value.data() + at, sizeof member);
        members.push_back({member.id, static_cast<std::uint16_t>(member.weight + 1)});
    }
    return members;
}

Status take_next_hop_attribute(NextHopMessage& out, HopParts& parts, std::uint8_t af, const Attribute& a) {
    switch (a.type) {
        case NHA_ID: return take_u32(out.id, a);
        case NHA_OIF: return take_oif(parts, a);
        case NHA_BLACKHOLE: out.kind = RouteKind::blackhole; return {};
        case NHA_ENCAP_TYPE: parts.encapsulated = a.u16().value_or(1) != LWTUNNEL_ENCAP_NONE; return {};
        case NHA_GATEWAY:
            return take_gateway(parts, family_of(af) ? a.address(*family_of(af)) : std::nullopt);
        case NHA_GROUP: {
            auto members = group_members(a);
            if (!members) return fault(members.error());
            out.members = std::move(*members);
            return {};
        }
        default: return {};
    }
}

Result<ZebraMessage> decode_next_hop(const NetlinkMessage& message) {
    const auto s = split<nhmsg>(message.body);
    if (!s) return fault(MessageFault::truncated);
    NextHopMessage out;
    HopParts parts;
    out.removed = message.type == RTM_DELNEXTHOP;
    Attributes walk(s->attributes);
    while (const auto a = walk.next())
        if (const auto ok = take_next_hop_attribute(out, parts, s->header.nh_family, *a); !ok)
            return fault(ok.error());
    if (walk.malformed()) return fault(MessageFault::attribute);
    if (out.id == 0) return fault(MessageFault::missing);
    if (out.removed) return NextHopMessage{true, out.id, {}, {}, {}};
    if (std::ranges::count(out.members, out.id, &GroupMember::id) != 0) return fault(MessageFault::value);
    if (out.members.empty() && out.kind == RouteKind::unicast) {
        if (!parts.named) return fault(MessageFault::missing);
        if (parts.encapsulated) out.kind = RouteKind::unreachable;
        else out.hop = parts.hop;
    }
    return out;
}

}  // namespace

std::expected<ZebraMessage, MessageError> decode_zebra_message(const NetlinkMessage& message) {
    const auto decoded = [&]() -> Result<ZebraMessage> {
        switch (message.type) {
            case RTM_NEWROUTE:
            case RTM_DELROUTE: return decode_route(message);
            case RTM_NEWNEXTHOP:
            case RTM_DELNEXTHOP: return decode_next_hop(message);
            default: return SkippedMessage{message.type};
        }
    }();
    if (!decoded) return std::unexpected(MessageError{decoded.error(), message.type});
    return *decoded;
}

std::uint64_t DecodeCounters::errors() const noexcept {
    return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

std::vector<ZebraMessage> decode_frame(macsec::ConstOctets payload, DecodeCounters& counters) {
    std::vector<ZebraMessage> messages;
    while (!payload.empty()) {
        ++counters.messages;
        const auto message = take_message(payload);
        auto decoded = message ? decode_zebra_message(*message) : std::unexpected(message.error());
        if (!decoded) {
            ++counters.faults[static_cast<std::size_t>(decoded.error().fault)];
            continue;
        }
        counters.skipped += std::holds_alternative<SkippedMessage>(*decoded);
        messages.push_back(std::move(*decoded));
    }
    return messages;
}

void normalize(std::vector<RouteHop>& hops) {
    std::sort(hops.begin(), hops.end());
    hops.erase(std::unique(hops.begin(), hops.end()), hops.end());
}

}  // namespace bgp_glue
