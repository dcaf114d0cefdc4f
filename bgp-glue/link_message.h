// Links as rtnetlink tells them, and requests about them. Pure; any thread. Used by the control thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "bgp-glue/netlink_message.h"
#include "dataplane/net/address.h"

namespace bgp_glue {

// RFC 2863 ifOperStatus as Linux numbers it (IF_OPER_*).
enum class OperState : std::uint8_t { unknown, not_present, down, lower_layer_down, testing, dormant, up };
enum class LinkMode : std::uint8_t { default_mode, dormant };
enum class AddressGeneration : std::uint8_t { eui64, none };

// RTM_NEWLINK, RTM_DELLINK of the link itself (family AF_UNSPEC).
struct LinkChange {
    std::uint32_t ifindex{};
    std::string name;
    bool removed{};
    bool up{};        // IFF_UP: administratively
    bool running{};   // IFF_RUNNING: operationally up
    bool lower_up{};  // IFF_LOWER_UP: there is carrier
    OperState operstate{};
    LinkMode mode{};
    std::uint32_t mtu{};
    bool has_mac{};
    net::MacAddress mac;
    std::string kind;            // "veth", "tun", ...; empty: a device without rtnl_link_ops
    std::uint32_t master{};      // ifindex of the bridge or bond; 0: none
    bool operator==(const LinkChange&) const = default;
};

// Nothing: a message about a bridge port or an address family's view of a link. An AF_BRIDGE RTM_DELLINK says that a
// port left its bridge, not that the link is gone.
std::expected<std::optional<LinkChange>, MessageError> decode_link(const NetlinkMessage& message);

// What to change of one link; what is not set stays.
struct LinkSettings {
    std::uint32_t ifindex{};
    std::string name{};                 // at most 15 octets; empty: stays
    std::optional<bool> up{};
    std::optional<bool> arp{};          // IFF_NOARP cleared or set
    std::optional<std::uint32_t> mtu{};
    std::optional<net::MacAddress> mac{};
    std::optional<LinkMode> mode{};
    std::optional<OperState> operstate{};  // the kernel heeds dormant and up
    std::optional<AddressGeneration> address_generation{};  // of IPv6 link-local addresses
    std::optional<int> netns_fd{};         // move it there
};

std::vector<std::uint8_t> set_link_request(const LinkSettings& settings, std::uint32_t sequence);
std::vector<std::uint8_t> dump_links_request(std::uint32_t sequence);
std::vector<std::uint8_t> remove_link_request(std::uint32_t ifindex, std::uint32_t sequence);

}  // namespace bgp_glue
