// FRRouting's configuration for a Demarc router, as text for FRR 8.4 and later. Pure; any thread.
//
// Three daemons: zebra (-M dplane_fpm_nl), bgpd, and staticd, whose one route is the sentinel that ends an FPM replay.
// Each text is for `DAEMON -f FILE`; integrated() is the same as one frr.conf for vtysh. The texts hold BGP passwords:
// files of them are 0640 at most, owned by root and readable by FRR's group.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "dataplane/net/address.h"

namespace bgp_glue {

struct FrrNeighbor {
    net::IpAddress address;
    std::uint32_t asn{};
    std::string interface;   // used when the address is link-local
    std::string password;    // TCP MD5 (RFC 2385); empty: none
    std::uint32_t maximum_prefix{100};
};

struct FrrRouter {
    std::string hostname;
    std::uint32_t asn{};
    net::IpAddress router_id;
    std::uint32_t hold_s{30}, keepalive_s{10}, connect_s{2};
    std::uint32_t maximum_paths{8};             // ECMP width
    std::vector<net::IpPrefix> announce;        // exactly these
    std::vector<net::IpPrefix> accept;          // these and more specific ones
    std::vector<FrrNeighbor> neighbors;         // eBGP; each in the family of its address
    net::IpAddress fpm_address;
    std::uint16_t fpm_port{2620};
};

struct FrrTexts {
    std::string zebra, bgpd, staticd;
    std::string integrated() const { return zebra + bgpd + staticd; }
};

// Refused, naming the field: what would break out of its line (spaces, control characters), a password above 80 octets,
// a router ID that is no IPv4 address, AS 0, BGP timers that FRR would not take, an FPM address that is not IPv4.
// A refused password is not shown.
std::expected<FrrTexts, std::string> frr_config(const FrrRouter& router);

}  // namespace bgp_glue
