// Frames for tests, built by hand: nothing here is shared with the code under test but addresses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/net/address.h"

namespace packet {

using Octets = std::vector<std::uint8_t>;

inline Octets operator+(Octets a, const Octets& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
inline Octets be16(unsigned v) { return {static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)}; }
inline Octets zeros(std::size_t n, std::uint8_t fill = 0) { return Octets(n, fill); }

// What stands behind an IP header: two ports and so many octets more.
inline Octets ports(unsigned source, unsigned destination, std::size_t more = 16) {
    return be16(source) + be16(destination) + zeros(more, 0x77);
}

inline net::MacAddress mac(const char* text) { return net::parse_mac(text).value(); }
inline net::IpAddress ip(const char* text) { return net::parse_ip(text).value(); }
inline Octets octets_of(const net::MacAddress& m) { return {m.octets.begin(), m.octets.end()}; }
inline Octets octets_of(const net::IpAddress& a) {
    return {a.octets.begin(), a.octets.begin() + (a.family == net::Family::ipv4 ? 4 : 16)};
}

inline Octets ethernet(const net::MacAddress& to, const net::MacAddress& from, unsigned type, const Octets& rest) {
    return octets_of(to) + octets_of(from) + be16(type) + rest;
}
// What stands behind the addresses: a tag and the rest, which begins with an EtherType.
inline Octets tag(unsigned tpid, unsigned tci) { return be16(tpid) + be16(tci); }

inline std::uint16_t checksum(const Octets& o) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < o.size(); i += 2) sum += static_cast<std::uint32_t>(o[i] << 8 | o[i + 1]);
    while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

struct Ipv4 {
    const char* source{"10.10.0.2"};
    const char* destination{"10.20.0.2"};
    std::uint8_t ttl{64};
    std::uint8_t protocol{17};
    std::uint16_t fragment{};          // flags and offset
    Octets options{};                  // a multiple of 4
    Octets payload{ports(0x1000, 0x2000, 22)};

    Octets octets() const {
        const auto header = 20 + options.size();
        Octets o{static_cast<std::uint8_t>(0x40 | header / 4), 0};
        o = o + be16(static_cast<unsigned>(header + payload.size())) + be16(0x1234) + be16(fragment) +
            Octets{ttl, protocol, 0, 0} + octets_of(ip(source)) + octets_of(ip(destination)) + options;
        const std::uint16_t sum = checksum(o);
        o[10] = static_cast<std::uint8_t>(sum >> 8);
        o[11] = static_cast<std::uint8_t>(sum);
        return o + payload;
    }
};

struct Ipv6 {
    const char* source{"fd00:10::2"};
    const char* destination{"fd00:20::2"};
    std::uint8_t hop_limit{64};
    std::uint8_t next_header{17};
    Octets payload{ports(0x1000, 0x2000, 12)};

    Octets octets() const {
        return Octets{0x60, 0, 0, 0} + be16(static_cast<unsigned>(payload.size())) + Octets{next_header, hop_limit} +
               octets_of(ip(source)) + octets_of(ip(destination)) + payload;
    }
};

// As transmitted on Ethernet: at least 60 octets.
inline Octets padded(Octets o) {
    if (o.size() < 60) o.resize(60);
    return o;
}

}  // namespace packet
