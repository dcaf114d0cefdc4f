#include "bgp-glue/link_message.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

namespace bgp_glue {

namespace {

static_assert(static_cast<int>(OperState::dormant) == IF_OPER_DORMANT && static_cast<int>(OperState::up) == IF_OPER_UP);
static_assert(static_cast<int>(LinkMode::dormant) == IF_LINK_MODE_DORMANT);
static_assert(static_cast<int>(AddressGeneration::none) == IN6_ADDR_GEN_MODE_NONE);

using Status = std::expected<void, MessageFault>;

Status take_u32(std::uint32_t& into, const Attribute& a) {
    const auto v = a.u32();
    if (!v) return std::unexpected(MessageFault::value);
    into = *v;
    return {};
}

Status take_kind(LinkChange& link, const Attribute& info) {
    Attributes walk(info.value);
    while (const auto a = walk.next())
        if (a->type == IFLA_INFO_KIND) link.kind = a->text();
    return walk.malformed() ? Status(std::unexpected(MessageFault::attribute)) : Status();
}

// A hardware address of another size (tunnels, InfiniBand) is none of ours.
void take_mac(LinkChange& link, const Attribute& a) {
    link.has_mac = a.value.size() == link.mac.octets.size();
    if (link.has_mac) std::copy(a.value.begin(), a.value.end(), link.mac.octets.begin());
}

Status take_attribute(LinkChange& link, const Attribute& a) {
    switch (a.type) {
        case IFLA_IFNAME: link.name = a.text(); return {};
        case IFLA_ADDRESS: take_mac(link, a); return {};
        case IFLA_MTU: return take_u32(link.mtu, a);
        case IFLA_MASTER: return take_u32(link.master, a);
        case IFLA_OPERSTATE:
            link.operstate = static_cast<OperState>(std::min<int>(a.u8().value_or(0), IF_OPER_UP));
            return {};
        case IFLA_LINKMODE:
            link.mode = a.u8() == IF_LINK_MODE_DORMANT ? LinkMode::dormant : LinkMode::default_mode;
            return {};
        case IFLA_LINKINFO: return take_kind(link, a);
        default: return {};
    }
}

void put_flag(ifinfomsg& header, unsigned flag, bool on) {
    header.ifi_change |= flag;
    if (on) header.ifi_flags |= flag;
}

void put_address_generation(NetlinkRequest& request, AddressGeneration mode) {
    const auto spec = request.begin_nested(IFLA_AF_SPEC);
    const auto inet6 = request.begin_nested(AF_INET6);
    request.put_u8(IFLA_INET6_ADDR_GEN_MODE, static_cast<std::uint8_t>(mode));
    request.end_nested(inet6);
    request.end_nested(spec);
}

}  // namespace

std::expected<std::optional<LinkChange>, MessageError> decode_link(const NetlinkMessage& message) {
    const auto bad = [&](MessageFault f) { return std::unexpected(MessageError{f, message.type}); };
    if (message.type != RTM_NEWLINK && message.type != RTM_DELLINK) return std::nullopt;
    const auto s = split<ifinfomsg>(message.body);
    if (!s) return bad(MessageFault::truncated);
    if (s->header.ifi_family != AF_UNSPEC) return std::nullopt;
    LinkChange link;
    link.ifindex = static_cast<std::uint32_t>(s->header.ifi_index);
    link.removed = message.type == RTM_DELLINK;
    link.up = s->header.ifi_flags & IFF_UP;
    link.running = s->header.ifi_flags & IFF_RUNNING;
    link.lower_up = s->header.ifi_flags & IFF_LOWER_UP;
    Attributes walk(s->attributes);
    while (const auto a = walk.next())
        if (const auto ok = take_attribute(link, *a); !ok) return bad(ok.error());
    if (walk.malformed()) return bad(MessageFault::attribute);
    return link;
}

std::vector<std::uint8_t> set_link_request(const LinkSettings& settings, std::uint32_t sequence) {
    NetlinkRequest request(RTM_NEWLINK, NLM_F_ACK, sequence);
    ifinfomsg header{};
    header.ifi_family = AF_UNSPEC;
    header.ifi_index = static_cast<int>(settings.ifindex);
    if (settings.up) put_flag(header, IFF_UP, *settings.up);
    if (settings.arp) put_flag(header, IFF_NOARP, !*settings.arp);
    request.fixed(header);
    if (!settings.name.empty()) request.put_text(IFLA_IFNAME, settings.name);
    if (settings.mtu) request.put_u32(IFLA_MTU, *settings.mtu);
    if (settings.mac) request.put(IFLA_ADDRESS, settings.mac->octets);
    if (settings.operstate) request.put_u8(IFLA_OPERSTATE, static_cast<std::uint8_t>(*settings.operstate));
    if (settings.mode) request.put_u8(IFLA_LINKMODE, static_cast<std::uint8_t>(*settings.mode));
    if (settings.address_generation) put_address_generation(request, *settings.address_generation);
    if (settings.netns_fd) request.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(*settings.netns_fd));
    return request.take();
}

std::vector<std::uint8_t> dump_links_request(std::uint32_t sequence) {
    NetlinkRequest request(RTM_GETLINK, NLM_F_DUMP, sequence);
    request.fixed(ifinfomsg{});
    return request.take();
}

std::vector<std::uint8_t> remove_link_request(std::uint32_t ifindex, std::uint32_t sequence) {
    NetlinkRequest request(RTM_DELLINK, NLM_F_ACK, sequence);
    ifinfomsg header{};
    header.ifi_index = static_cast<int>(ifindex);
    request.fixed(header);
    return request.take();
}

}  // namespace bgp_glue
