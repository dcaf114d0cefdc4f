// The flow of a packet as 32 bits: packets of one flow have one hash, fragments too. Taken after decryption. Pure;
// any thread.
#pragma once

#include <cstdint>

#include "dataplane/net/ipv4.h"
#include "dataplane/net/ipv6.h"

namespace dataplane {

// 64 x 64 -> 128 bits, both halves folded: every bit of the product depends on bits of both.
__extension__ typedef unsigned __int128 Product;
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    const auto product = static_cast<Product>(a ^ 0x9E37'79B9'7F4A'7C15u) * (b ^ 0xD1B5'4A32'D192'ED03u);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Both ports of TCP, UDP or SCTP and the protocol. A fragment counts without ports: only the first one has them.
template <class Header>
std::uint64_t ports_and_protocol(const Header& h) noexcept {
    const std::uint8_t protocol = h.protocol();
    const bool has_ports =
        protocol == net::kProtocolTcp || protocol == net::kProtocolUdp || protocol == net::kProtocolSctp;
    if (!has_ports || h.is_fragment() || h.upper_layer_octets() < 4) return protocol;
    return std::uint64_t{macsec::load_be32(h.upper_layer())} << 8 | protocol;
}

inline std::uint32_t flow_hash(const net::Ipv4Header& h) noexcept {
    const std::uint64_t addresses = macsec::load_be64(h.octets() + 12);
    const std::uint64_t m = mix(addresses, ports_and_protocol(h));
    return static_cast<std::uint32_t>(m >> 32 ^ m);
}

// IPv6 without its flow label: hosts set it per packet often enough to reorder a flow (RFC 6438 leaves it to the
// operator).
inline std::uint32_t flow_hash(const net::Ipv6Header& h) noexcept {
    const std::uint8_t* p = h.octets() + 8;
    const std::uint64_t source = mix(macsec::load_be64(p), macsec::load_be64(p + 8));
    const std::uint64_t destination = mix(macsec::load_be64(p + 16), macsec::load_be64(p + 24) + 1);
    const std::uint64_t m = mix(source ^ (destination << 1 | destination >> 63), ports_and_protocol(h));
    return static_cast<std::uint32_t>(m >> 32 ^ m);
}

}  // namespace dataplane
