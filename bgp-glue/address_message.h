// Interface addresses as rtnetlink tells them, and requests about them. Pure; any thread. Used by the control thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "bgp-glue/netlink_message.h"
#include "dataplane/net/address.h"

namespace bgp_glue {

// RTM_NEWADDR, RTM_DELADDR.
struct AddressChange {
    std::uint32_t ifindex{};
    net::InterfaceAddress address;
    bool removed{};
    bool tentative{};         // duplicate address detection has not ended, or has failed
    bool operator==(const AddressChange&) const = default;
};

// Nothing: another message, or a family that is neither IPv4 nor IPv6.
std::expected<std::optional<AddressChange>, MessageError> decode_address(const NetlinkMessage& message);

// Adding what is there is no error. An IPv6 address is usable at once: no duplicate address detection.
std::vector<std::uint8_t> add_address_request(std::uint32_t ifindex, const net::InterfaceAddress& address,
                                              std::uint32_t sequence);
std::vector<std::uint8_t> remove_address_request(std::uint32_t ifindex, const net::InterfaceAddress& address,
                                                 std::uint32_t sequence);
std::vector<std::uint8_t> dump_addresses_request(std::uint32_t sequence);

}  // namespace bgp_glue
