#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "bgp-glue/address_message.h"
#include "bgp-glue/link_message.h"
#include "bgp-glue/neighbor_message.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;

namespace {

using Octets = std::vector<std::uint8_t>;
const auto kMac = net::parse_mac("02:00:00:0a:0b:0c").value();

NetlinkMessage message(const Octets& octets) {
    macsec::ConstOctets rest(octets);
    const auto m = take_message(rest);
    REQUIRE(m);
    return *m;
}

NetlinkRequest begin_link(std::uint16_t type, std::uint8_t family = AF_UNSPEC) {
    NetlinkRequest m(type, 0, 0);
    ifinfomsg header{};
    header.ifi_family = family;
    header.ifi_index = 12;
    header.ifi_flags = IFF_UP | IFF_LOWER_UP;
    m.fixed(header);
    return m;
}

}  // namespace

TEST_CASE("a link with its state, MTU, MAC and kind") {
    auto m = begin_link(RTM_NEWLINK);
    m.put_text(IFLA_IFNAME, "ch1-1101");
    m.put_u32(IFLA_MTU, 9001);
    m.put(IFLA_ADDRESS, kMac.octets);
    m.put_u8(IFLA_OPERSTATE, IF_OPER_DORMANT);
    m.put_u8(IFLA_LINKMODE, IF_LINK_MODE_DORMANT);
    const auto info = m.begin_nested(IFLA_LINKINFO);
    m.put_text(IFLA_INFO_KIND, "tun");
    m.end_nested(info);
    const auto octets = m.take();
    const auto link = decode_link(message(octets));
    REQUIRE(link);
    REQUIRE(*link);
    CHECK(**link == LinkChange{12, "ch1-1101", false, true, false, true, OperState::dormant, LinkMode::dormant, 9001,
                               true, kMac, "tun", 0});
}

TEST_CASE("a port leaving its bridge is no removed link") {
    CHECK(decode_link(message(begin_link(RTM_DELLINK, AF_BRIDGE).take())).value() == std::nullopt);
    CHECK(decode_link(message(begin_link(RTM_DELLINK).take())).value()->removed);
}

TEST_CASE("malformed links, addresses and neighbours are errors") {
    auto link = begin_link(RTM_NEWLINK);
    link.put(IFLA_MTU, Octets(3));
    CHECK(decode_link(message(link.take())).error() == MessageError{MessageFault::value, RTM_NEWLINK});
    CHECK(decode_link(message(NetlinkRequest(RTM_NEWLINK, 0, 0).take())).error().fault == MessageFault::truncated);
    CHECK(decode_address(message(NetlinkRequest(RTM_NEWADDR, 0, 0).take())).error().fault == MessageFault::truncated);
    CHECK(decode_neighbor(message(NetlinkRequest(RTM_NEWNEIGH, 0, 0).take())).error().fault == MessageFault::truncated);
    NetlinkRequest no_address(RTM_NEWNEIGH, 0, 0);
    ndmsg header{};
    header.ndm_family = AF_INET;
    no_address.fixed(header);
    CHECK(decode_neighbor(message(no_address.take())).error().fault == MessageFault::missing);
    NetlinkRequest long_prefix(RTM_NEWADDR, 0, 0);
    ifaddrmsg address{};
    address.ifa_family = AF_INET;
    address.ifa_prefixlen = 33;
    long_prefix.fixed(address);
    long_prefix.put(IFA_LOCAL, Octets(4));
    CHECK(decode_address(message(long_prefix.take())).error().fault == MessageFault::value);
}

TEST_CASE("what we ask to add is what we read back") {
    for (const char* text : {"169.254.101.1/30", "fd00:1:101::1/126"}) {
        const auto wanted = net::parse_interface_address(text).value();
        const auto octets = add_address_request(7, wanted, 3);
        const auto m = message(octets);
        CHECK(m.flags == (NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE));
        CHECK(m.sequence == 3);
        CHECK(decode_address(m).value() == AddressChange{7, wanted, false, false});
        CHECK(decode_address(message(remove_address_request(7, wanted, 4))).value()->removed);
    }
}

TEST_CASE("a point-to-point address is IFA_LOCAL, not the peer's; 32-bit flags say tentative") {
    NetlinkRequest m(RTM_NEWADDR, 0, 0);
    ifaddrmsg header{};
    header.ifa_family = AF_INET6;
    header.ifa_prefixlen = 128;
    m.fixed(header);
    m.put(IFA_ADDRESS, octets_of(net::parse_ip("fd00::2").value()));
    m.put(IFA_LOCAL, octets_of(net::parse_ip("fd00::1").value()));
    m.put_u32(IFA_FLAGS, IFA_F_TENTATIVE);
    const auto octets = m.take();
    const auto a = decode_address(message(octets)).value();
    CHECK(net::to_string(a->address) == "fd00::1/128");
    CHECK(a->tentative);
}

TEST_CASE("a neighbour is usable with a MAC and a state that vouches for it") {
    const auto neighbor = [](std::uint16_t state, bool mac, std::uint16_t type = RTM_NEWNEIGH, std::uint8_t flags = 0) {
        NetlinkRequest m(type, 0, 0);
        ndmsg header{};
        header.ndm_family = AF_INET6;
        header.ndm_ifindex = 5;
        header.ndm_state = state;
        header.ndm_flags = flags;
        m.fixed(header);
        m.put(NDA_DST, octets_of(net::parse_ip("fe80::2").value()));
        if (mac) m.put(NDA_LLADDR, kMac.octets);
        return decode_neighbor(message(m.take())).value();
    };
    CHECK(neighbor(NUD_REACHABLE, true)->usable());
    CHECK(neighbor(NUD_STALE, true)->mac == kMac);
    CHECK_FALSE(neighbor(NUD_INCOMPLETE, false)->usable());
    CHECK_FALSE(neighbor(NUD_FAILED, true)->usable());
    CHECK_FALSE(neighbor(NUD_REACHABLE, false)->usable());
    CHECK_FALSE(neighbor(NUD_REACHABLE, true, RTM_DELNEIGH)->usable());
    CHECK_FALSE(neighbor(NUD_REACHABLE, true, RTM_NEWNEIGH, NTF_PROXY));
}

TEST_CASE("a link request says only what is to change") {
    LinkSettings settings{.ifindex = 12, .up = false};
    const auto down = set_link_request(settings, 1);
    ifinfomsg header;
    std::memcpy(&header, message(down).body.data(), sizeof header);
    CHECK(header.ifi_change == IFF_UP);
    CHECK(header.ifi_flags == 0);
    CHECK(message(down).body.size() == sizeof header);
    settings = {.ifindex = 12, .mtu = 9001, .mac = kMac, .mode = LinkMode::dormant, .operstate = OperState::dormant};
    const auto octets = set_link_request(settings, 1);
    const auto link = decode_link(message(octets)).value();
    CHECK(link->mtu == 9001);
    CHECK(link->mac == kMac);
    CHECK(link->mode == LinkMode::dormant);
    CHECK(link->operstate == OperState::dormant);
}

TEST_CASE("a probe asks for use, creating the entry") {
    const auto octets = probe_neighbor_request(5, net::parse_ip("169.254.1.2").value(), 9);
    const auto m = message(octets);
    CHECK(m.flags == (NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE));
    ndmsg header;
    std::memcpy(&header, m.body.data(), sizeof header);
    CHECK(header.ndm_flags == NTF_USE);
    CHECK(decode_neighbor(m).value()->address == net::parse_ip("169.254.1.2"));
}
