#include "dataplane/netlink_request.h"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <net/if.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace dataplane {
namespace {

using Message = std::array<char, 1024>;      // a request
using Answer = std::array<char, 32 * 1024>;  // what the kernel sends at once

template <class Header>
Header* put(Message& m, std::uint16_t type, std::uint16_t flags) {
    auto* h = mnl_nlmsg_put_header(m.data());
    h->nlmsg_type = type;
    h->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    return static_cast<Header*>(mnl_nlmsg_put_extra_header(h, sizeof(Header)));
}
nlmsghdr* header(Message& m) {
    return reinterpret_cast<nlmsghdr*>(m.data());
}

int read_link_attribute(const nlattr* a, void* into) {
    auto& l = *static_cast<LinkState*>(into);
    const auto octets = mnl_attr_get_payload_len(a);
    switch (mnl_attr_get_type(a)) {
        case IFLA_IFNAME: l.name = mnl_attr_get_str(a); break;
        case IFLA_MTU: l.mtu = mnl_attr_get_u32(a); break;
        case IFLA_MASTER: l.master = mnl_attr_get_u32(a); break;
        case IFLA_OPERSTATE: l.operational = mnl_attr_get_u8(a); break;
        case IFLA_CARRIER: l.carrier = mnl_attr_get_u8(a) != 0; break;
        case IFLA_ADDRESS:
            if (octets == l.mac.octets.size()) std::memcpy(l.mac.octets.data(), mnl_attr_get_payload(a), octets);
            break;
        default: break;
    }
    return MNL_CB_OK;
}

int read_link(const nlmsghdr* h, void* into) {
    if (h->nlmsg_type != RTM_NEWLINK) return MNL_CB_OK;
    const auto* info = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(h));
    auto& l = *static_cast<LinkState*>(into);
    l.index = static_cast<std::uint32_t>(info->ifi_index);
    l.flags = info->ifi_flags;
    return mnl_attr_parse(h, sizeof(ifinfomsg), read_link_attribute, into);
}

struct Addresses {
    std::uint32_t index{};
    std::vector<LinkAddress> found;
};

// IFA_LOCAL is ours where both stand; IFA_ADDRESS is then the peer's.
int read_address_attribute(const nlattr* at, void* into) {
    auto& a = *static_cast<LinkAddress*>(into);
    const auto octets = a.address.address.bits() / 8;
    const auto type = mnl_attr_get_type(at);
    if ((type != IFA_LOCAL && type != IFA_ADDRESS) || mnl_attr_get_payload_len(at) != octets) return MNL_CB_OK;
    std::memcpy(a.address.address.octets.data(), mnl_attr_get_payload(at), octets);
    return type == IFA_LOCAL ? MNL_CB_STOP : MNL_CB_OK;
}

int read_address(const nlmsghdr* h, void* into) {
    auto& list = *static_cast<Addresses*>(into);
    const auto* info = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(h));
    if (h->nlmsg_type != RTM_NEWADDR || info->ifa_index != list.index) return MNL_CB_OK;
    if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) return MNL_CB_OK;
    LinkAddress a;
    a.address.address.family = info->ifa_family == AF_INET ? net::Family::ipv4 : net::Family::ipv6;
    a.address.length = info->ifa_prefixlen;
    if (mnl_attr_parse(h, sizeof(ifaddrmsg), read_address_attribute, &a) < MNL_CB_STOP) return MNL_CB_ERROR;
    a.link_local = a.address.address.family == net::Family::ipv6 && a.address.address.v6().is_link_local();
    list.found.push_back(a);
    return MNL_CB_OK;
}

}  // namespace

void Netlink::Close::operator()(mnl_socket* s) const noexcept {
    mnl_socket_close(s);
}

std::expected<Netlink, std::string> Netlink::open() {
    mnl_socket* s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (s && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) == 0) return Netlink(s);
    const int error = errno;
    if (s) mnl_socket_close(s);
    return std::unexpected(fmt::format("cannot open an rtnetlink socket: {}", std::generic_category().message(error)));
}

std::expected<void, int> Netlink::request(nlmsghdr* h, Callback callback, void* into) {
    h->nlmsg_seq = ++sequence_;
    const bool dump = (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    if (!dump) h->nlmsg_flags |= NLM_F_ACK;
    if (mnl_socket_sendto(socket_.get(), h, h->nlmsg_len) < 0) return std::unexpected(errno);
    Answer answer;
    for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
        const auto n = mnl_socket_recvfrom(socket_.get(), answer.data(), answer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::unexpected(errno);
        more = mnl_cb_run(answer.data(), static_cast<std::size_t>(n), sequence_, mnl_socket_get_portid(socket_.get()),
                          callback, into);
        if (more < 0) return std::unexpected(errno);
    }
    return {};
}

std::expected<LinkState, int> Netlink::link(const std::string& name) {
    if (name.empty() || name.size() >= IFNAMSIZ) return std::unexpected(ENODEV);
    Message m;
    put<ifinfomsg>(m, RTM_GETLINK, 0);
    mnl_attr_put_strz(header(m), IFLA_IFNAME, name.c_str());
    LinkState l;
    if (const auto done = request(header(m), read_link, &l); !done) return std::unexpected(done.error());
    return l;
}

std::expected<void, int> Netlink::change(std::uint32_t index, const LinkChange& c) {
    Message m;
    auto* info = put<ifinfomsg>(m, RTM_SETLINK, 0);
    info->ifi_index = static_cast<int>(index);
    info->ifi_flags = c.flags & c.flag_mask;
    info->ifi_change = c.flag_mask;
    if (c.mtu) mnl_attr_put_u32(header(m), IFLA_MTU, *c.mtu);
    if (c.mac) mnl_attr_put(header(m), IFLA_ADDRESS, c.mac->octets.size(), c.mac->octets.data());
    if (c.mode) mnl_attr_put_u8(header(m), IFLA_LINKMODE, *c.mode);
    if (c.operational) mnl_attr_put_u8(header(m), IFLA_OPERSTATE, *c.operational);
    return request(header(m));
}

std::expected<std::vector<LinkAddress>, int> Netlink::addresses(std::uint32_t index) {
    std::expected<void, int> done;
    for (int i = 0; i < 3; ++i) {  // a dump that others' changes interrupted ends in EINTR
        Message m;
        put<ifaddrmsg>(m, RTM_GETADDR, NLM_F_DUMP);
        Addresses list{index, {}};
        done = request(header(m), read_address, &list);
        if (done) return list.found;
        if (done.error() != EINTR) break;
    }
    return std::unexpected(done.error());
}

std::expected<void, int> Netlink::address_request(std::uint16_t type, std::uint16_t flags, std::uint32_t index,
                                                  const net::InterfaceAddress& a) {
    Message m;
    auto* info = put<ifaddrmsg>(m, type, flags);
    info->ifa_family = a.address.family == net::Family::ipv4 ? AF_INET : AF_INET6;
    info->ifa_prefixlen = a.length;
    info->ifa_index = index;
    const std::size_t octets = a.address.bits() / 8;
    mnl_attr_put(header(m), IFA_LOCAL, octets, a.address.octets.data());
    mnl_attr_put(header(m), IFA_ADDRESS, octets, a.address.octets.data());
    if (a.address.family == net::Family::ipv6) mnl_attr_put_u32(header(m), IFA_FLAGS, IFA_F_NODAD);
    return request(header(m));
}

std::expected<void, int> Netlink::add_address(std::uint32_t index, const net::InterfaceAddress& a) {
    return address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, a);
}

std::expected<void, int> Netlink::remove_address(std::uint32_t index, const net::InterfaceAddress& a) {
    return address_request(RTM_DELADDR, 0, index, a);
}

bool link_up(const std::string& name) {
    auto netlink = Netlink::open();
    if (!netlink) return false;
    const auto l = netlink->link(name);
    return l && (l->flags & IFF_UP) && l->carrier;
}

}  // namespace dataplane
