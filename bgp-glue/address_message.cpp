#include "bgp-glue/address_message.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

namespace bgp_glue {

namespace {

NetlinkRequest address_request(std::uint16_t type, std::uint16_t flags, std::uint32_t ifindex,
                               const net::InterfaceAddress& address, std::uint32_t sequence) {
    NetlinkRequest request(type, static_cast<std::uint16_t>(flags | NLM_F_ACK), sequence);
    ifaddrmsg header{};
    header.ifa_family = address_family(address.address.family);
    header.ifa_prefixlen = address.length;
    header.ifa_index = ifindex;
    const bool ipv6 = address.address.family == net::Family::ipv6;
    if (ipv6 && type == RTM_NEWADDR) header.ifa_flags = IFA_F_NODAD;
    if (ipv6 && address.address.v6().is_link_local()) header.ifa_scope = RT_SCOPE_LINK;
    request.fixed(header);
    request.put(IFA_LOCAL, octets_of(address.address));
    request.put(IFA_ADDRESS, octets_of(address.address));
    return request;
}

}  // namespace

std::expected<std::optional<AddressChange>, MessageError> decode_address(const NetlinkMessage& message) {
    const auto bad = [&](MessageFault f) { return std::unexpected(MessageError{f, message.type}); };
    if (message.type != RTM_NEWADDR && message.type != RTM_DELADDR) return std::nullopt;
    const auto s = split<ifaddrmsg>(message.body);
    if (!s) return bad(MessageFault::truncated);
    const auto family = family_of(s->header.ifa_family);
    if (!family) return std::nullopt;
    std::optional<net::IpAddress> local, address;
    std::uint32_t flags = s->header.ifa_flags;
    Attributes walk(s->attributes);
    while (const auto a = walk.next()) {
        if (a->type == IFA_FLAGS) flags = a->u32().value_or(flags);
        auto* into = a->type == IFA_LOCAL ? &local : a->type == IFA_ADDRESS ? &address : nullptr;
        if (!into) continue;
        *into = a->address(*family);
        if (!*into) return bad(MessageFault::value);
    }
    if (walk.malformed()) return bad(MessageFault::attribute);
    if (!local && !address) return bad(MessageFault::missing);
    // Point-to-point: IFA_ADDRESS is the peer's, IFA_LOCAL ours.
    const auto ours = local ? *local : *address;
    if (s->header.ifa_prefixlen > ours.bits()) return bad(MessageFault::value);
    return AddressChange{s->header.ifa_index, {ours, s->header.ifa_prefixlen}, message.type == RTM_DELADDR,
                         (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0 && (flags & IFA_F_OPTIMISTIC) == 0};
}

std::vector<std::uint8_t> add_address_request(std::uint32_t ifindex, const net::InterfaceAddress& address,
                                              std::uint32_t sequence) {
    return address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, address, sequence).take();
}

std::vector<std::uint8_t> remove_address_request(std::uint32_t ifindex, const net::InterfaceAddress& address,
                                                 std::uint32_t sequence) {
    return address_request(RTM_DELADDR, 0, ifindex, address, sequence).take();
}

std::vector<std::uint8_t> dump_addresses_request(std::uint32_t sequence) {
    NetlinkRequest request(RTM_GETADDR, NLM_F_DUMP, sequence);
    request.fixed(ifaddrmsg{});
    return request.take();
}

}  // namespace bgp_glue
