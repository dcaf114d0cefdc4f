#include "bgp-glue/neighbor_message.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace bgp_glue {

bool NeighborChange::usable() const noexcept {
    constexpr unsigned kUsable = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
    return !removed && has_mac && (state & kUsable) != 0;
}

std::expected<std::optional<NeighborChange>, MessageError> decode_neighbor(const NetlinkMessage& message) {
    const auto bad = [&](MessageFault f) { return std::unexpected(MessageError{f, message.type}); };
    if (message.type != RTM_NEWNEIGH && message.type != RTM_DELNEIGH) return std::nullopt;
    const auto s = split<ndmsg>(message.body);
    if (!s) return bad(MessageFault::truncated);
    const auto family = family_of(s->header.ndm_family);
    if (!family || (s->header.ndm_flags & NTF_PROXY) != 0) return std::nullopt;
    NeighborChange n;
    n.ifindex = static_cast<std::uint32_t>(s->header.ndm_ifindex);
    n.state = s->header.ndm_state;
    n.removed = message.type == RTM_DELNEIGH;
    bool named = false;
    Attributes walk(s->attributes);
    while (const auto a = walk.next()) {
        if (a->type == NDA_DST) {
            const auto address = a->address(*family);
            if (!address) return bad(MessageFault::value);
            n.address = *address;
            named = true;
        } else if (a->type == NDA_LLADDR && a->value.size() == n.mac.octets.size()) {
            std::copy(a->value.begin(), a->value.end(), n.mac.octets.begin());
            n.has_mac = true;
        }
    }
    if (walk.malformed()) return bad(MessageFault::attribute);
    if (!named) return bad(MessageFault::missing);
    return n;
}

std::vector<std::uint8_t> probe_neighbor_request(std::uint32_t ifindex, const net::IpAddress& address,
                                                 std::uint32_t sequence) {
    NetlinkRequest request(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, sequence);
    ndmsg header{};
    header.ndm_family = address_family(address.family);
    header.ndm_ifindex = static_cast<int>(ifindex);
    header.ndm_flags = NTF_USE;
    request.fixed(header);
    request.put(NDA_DST, octets_of(address));
    return request.take();
}

std::vector<std::uint8_t> dump_neighbors_request(std::uint32_t sequence) {
    NetlinkRequest request(RTM_GETNEIGH, NLM_F_DUMP, sequence);
    request.fixed(ndmsg{});
    return request.take();
}

}  // namespace bgp_glue
