// An IPv4 header in place (RFC 791). The constructor's caller has checked that 20 octets are there; what the
// header says of itself, check_header() of ip_checks.h judges. Pure; any thread.
#pragma once

#include <cstdint>

#include "dataplane/net/address.h"
#include "dataplane/net/checksum.h"
#include "macsec/octets.h"

namespace net {

inline constexpr std::uint16_t kIpv4HeaderOctets = 20;
inline constexpr std::uint8_t kProtocolTcp = 6, kProtocolUdp = 17, kProtocolIcmpv6 = 58, kProtocolSctp = 132;

class Ipv4Header {
public:
    explicit Ipv4Header(std::uint8_t* p) noexcept : p_(p) {}

    std::uint8_t version() const noexcept { return p_[0] >> 4; }
    std::uint16_t header_octets() const noexcept { return static_cast<std::uint16_t>((p_[0] & 0xF) * 4); }
    std::uint16_t packet_octets() const noexcept { return macsec::load_be16(p_ + 2); }
    std::uint8_t hop_limit() const noexcept { return p_[8]; }
    std::uint8_t protocol() const noexcept { return p_[9]; }
    Ipv4Address source() const noexcept { return {macsec::load_be32(p_ + 12)}; }
    Ipv4Address destination() const noexcept { return {macsec::load_be32(p_ + 16)}; }
    // Any fragment, the first included.
    bool is_fragment() const noexcept { return macsec::load_be16(p_ + 6) & 0x3FFF; }
    bool has_options() const noexcept { return p_[0] != 0x45; }
    const std::uint8_t* octets() const noexcept { return p_; }
    const std::uint8_t* upper_layer() const noexcept { return p_ + header_octets(); }
    std::uint16_t upper_layer_octets() const noexcept {
        return static_cast<std::uint16_t>(packet_octets() - header_octets());
    }

    // RFC 1812 5.3.1; the limit is not 0. RFC 1624 equation 3 for a word that falls by 0x0100: the checksum rises by as
    // much, a carry comes round, 0xFFFF is never the result. In the order of the machine the hop limit is the lowest of
    // four octets, the checksum the upper half: minus 1 and plus 0x1'0000.
    void decrement_hop_limit() noexcept {
        std::uint32_t word;
        std::memcpy(&word, p_ + 8, sizeof word);
        const std::uint64_t sum = std::uint64_t{word} + 0x1'0000 - 1;
        word = static_cast<std::uint32_t>(sum + (std::uint64_t{sum >= 0xFFFF'0000} << 16));
        std::memcpy(p_ + 8, &word, sizeof word);
    }

private:
    std::uint8_t* p_;
};

inline bool is_this_network(Ipv4Address a) noexcept { return a.value >> 24 == 0; }          // RFC 1122 3.2.1.3
inline bool is_loopback(Ipv4Address a) noexcept { return a.value >> 24 == 127; }
inline bool is_link_local(Ipv4Address a) noexcept { return a.value >> 16 == 0xA9FE; }       // RFC 3927
inline bool is_multicast(Ipv4Address a) noexcept { return a.value >> 28 == 0xE; }           // RFC 5771
inline bool is_local_multicast(Ipv4Address a) noexcept { return a.value >> 8 == 0xE0'0000; }  // 224.0.0.0/24
inline bool is_limited_broadcast(Ipv4Address a) noexcept { return a.value == 0xFFFF'FFFF; }
inline bool is_above_unicast(Ipv4Address a) noexcept { return a.value >> 29 == 7; }         // 224.0.0.0/3

// By the first octet alone none of the above, as the addresses of nearly all packets in transit.
inline constexpr auto kOrdinary4 = [] {
    std::array<bool, 256> ordinary{};
    for (std::size_t i = 0; i < ordinary.size(); ++i) ordinary[i] = i != 0 && i != 127 && i != 0xA9 && i < 0xE0;
    return ordinary;
}();
inline bool is_ordinary(Ipv4Address a) noexcept { return kOrdinary4[a.value >> 24]; }

// A source-route option among the options (RFC 791 3.1); options that do not parse end the search.
inline bool has_source_route(const Ipv4Header& h) noexcept {
    constexpr std::uint8_t kEnd = 0, kNoOperation = 1, kLoose = 131, kStrict = 137;
    const std::uint8_t* p = h.octets() + kIpv4HeaderOctets;
    const std::uint8_t* end = h.octets() + h.header_octets();
    while (p < end && *p != kEnd) {
        if (*p == kLoose || *p == kStrict) return true;
        if (*p == kNoOperation) {
            ++p;
            continue;
        }
        if (end - p < 2 || p[1] < 2) return false;
        p += p[1];
    }
    return false;
}

}  // namespace net
