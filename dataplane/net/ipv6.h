// An IPv6 header in place (RFC 8200). The constructor's caller has checked that 40 octets are there. Pure; any thread.
#pragma once

#include <cstdint>
#include <cstring>

#include "dataplane/net/address.h"
#include "dataplane/net/ipv4.h"
#include "macsec/octets.h"

namespace net {

inline constexpr std::uint16_t kIpv6HeaderOctets = 40;
inline constexpr std::uint8_t kHopByHop = 0, kRoutingHeader = 43, kFragmentHeader = 44, kDestinationOptions = 60;

class Ipv6Header {
public:
    explicit Ipv6Header(std::uint8_t* p) noexcept : p_(p) {}

    std::uint8_t version() const noexcept { return p_[0] >> 4; }
    std::uint32_t packet_octets() const noexcept {
        return kIpv6HeaderOctets + std::uint32_t{macsec::load_be16(p_ + 4)};
    }
    std::uint8_t protocol() const noexcept { return p_[6]; }
    std::uint8_t hop_limit() const noexcept { return p_[7]; }
    Ipv6Address source() const noexcept { return address(8); }
    Ipv6Address destination() const noexcept { return address(24); }
    bool is_fragment() const noexcept { return p_[6] == kFragmentHeader; }
    bool has_options() const noexcept {
        return p_[6] == kHopByHop || p_[6] == kRoutingHeader || p_[6] == kDestinationOptions;
    }
    const std::uint8_t* octets() const noexcept { return p_; }
    const std::uint8_t* upper_layer() const noexcept { return p_ + kIpv6HeaderOctets; }
    std::uint32_t upper_layer_octets() const noexcept { return macsec::load_be16(p_ + 4); }

    void decrement_hop_limit() noexcept { --p_[7]; }

private:
    Ipv6Address address(std::size_t at) const noexcept {
        Ipv6Address a;
        std::memcpy(a.octets.data(), p_ + at, a.octets.size());
        return a;
    }
    std::uint8_t* p_;
};

inline bool is_unspecified(const Ipv6Address& a) noexcept { return a == Ipv6Address{}; }
inline bool is_loopback(const Ipv6Address& a) noexcept {
    Ipv6Address one;
    one.octets[15] = 1;
    return a == one;
}
// By the first octet alone neither unspecified, loopback, link-local nor multicast.
inline bool is_ordinary(const Ipv6Address& a) noexcept { return a.octets[0] != 0 && a.octets[0] < 0xFE; }
// RFC 4291 2.7: the scope of a multicast address.
inline std::uint8_t multicast_scope(const Ipv6Address& a) noexcept { return a.octets[1] & 0xF; }

}  // namespace net
