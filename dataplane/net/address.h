// MAC and IP addresses and prefixes as values. Pure; any thread. Text forms for control code only.
#pragma once

#include <arpa/inet.h>

#include <array>
#include <compare>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "macsec/octets.h"

namespace net {

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};
    auto operator<=>(const MacAddress&) const = default;

    bool is_group() const noexcept { return octets[0] & 1; }
    // The 48 bits as a number, first octet most significant.
    std::uint64_t number() const noexcept {
        return std::uint64_t{macsec::load_be16(octets.data())} << 32 | macsec::load_be32(octets.data() + 2);
    }
    static MacAddress from_number(std::uint64_t n) noexcept {
        MacAddress m;
        macsec::store_be16(m.octets.data(), static_cast<std::uint16_t>(n >> 32));
        macsec::store_be32(m.octets.data() + 2, static_cast<std::uint32_t>(n));
        return m;
    }
};

enum class Family : std::uint8_t { ipv4, ipv6 };

// IPv4 as a host-order number, so that prefixes compare and mask as numbers.
struct Ipv4Address {
    std::uint32_t value{};
    auto operator<=>(const Ipv4Address&) const = default;
    static constexpr unsigned kBits = 32;
    static constexpr Family kFamily = Family::ipv4;
};

struct Ipv6Address {
    std::array<std::uint8_t, 16> octets{};
    auto operator<=>(const Ipv6Address&) const = default;
    static constexpr unsigned kBits = 128;
    static constexpr Family kFamily = Family::ipv6;

    bool is_link_local() const noexcept { return octets[0] == 0xFE && (octets[1] & 0xC0) == 0x80; }
    bool is_multicast() const noexcept { return octets[0] == 0xFF; }
};

// Either family; IPv4 in the first four octets, network order.
struct IpAddress {
    Family family{};
    std::array<std::uint8_t, 16> octets{};
    auto operator<=>(const IpAddress&) const = default;

    static IpAddress from(Ipv4Address a) noexcept {
        IpAddress r{Family::ipv4, {}};
        macsec::store_be32(r.octets.data(), a.value);
        return r;
    }
    static IpAddress from(const Ipv6Address& a) noexcept { return {Family::ipv6, a.octets}; }
    Ipv4Address v4() const noexcept { return {macsec::load_be32(octets.data())}; }
    Ipv6Address v6() const noexcept { return {octets}; }
    unsigned bits() const noexcept { return family == Family::ipv4 ? 32 : 128; }
};

// A prefix whose host bits are zero.
template <class Address>
struct Prefix {
    Address address{};
    std::uint8_t length{};
    auto operator<=>(const Prefix&) const = default;
};
using Prefix4 = Prefix<Ipv4Address>;
using Prefix6 = Prefix<Ipv6Address>;

struct IpPrefix {
    IpAddress address{};
    std::uint8_t length{};
    auto operator<=>(const IpPrefix&) const = default;

    Prefix4 v4() const noexcept { return {address.v4(), length}; }
    Prefix6 v6() const noexcept { return {address.v6(), length}; }
};

// The address with all bits behind `length` cleared.
inline IpAddress masked(IpAddress a, unsigned length) noexcept {
    for (unsigned i = 0; i < a.bits() / 8; ++i) {
        const unsigned keep = length >= 8 * (i + 1) ? 8 : length > 8 * i ? length - 8 * i : 0;
        a.octets[i] &= static_cast<std::uint8_t>(0xFF00 >> keep);
    }
    return a;
}
inline bool contains(const IpPrefix& p, const IpAddress& a) noexcept {
    return p.address.family == a.family && masked(a, p.length) == p.address;
}

inline std::optional<IpAddress> parse_ip(std::string_view text) {
    const std::string s(text);
    IpAddress a;
    if (inet_pton(AF_INET, s.c_str(), a.octets.data()) == 1) return a;
    a.family = Family::ipv6;
    if (inet_pton(AF_INET6, s.c_str(), a.octets.data()) == 1) return a;
    return std::nullopt;
}

// "ADDRESS/LENGTH", host bits kept: an interface's address.
struct InterfaceAddress {
    IpAddress address{};
    std::uint8_t length{};
    auto operator<=>(const InterfaceAddress&) const = default;
    IpPrefix subnet() const noexcept { return {masked(address, length), length}; }
};

inline std::optional<InterfaceAddress> parse_interface_address(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == text.npos || text.size() - slash - 1 < 1 || text.size() - slash - 1 > 3) return std::nullopt;
    const auto address = parse_ip(text.substr(0, slash));
    unsigned length = 0;
    for (char c : text.substr(slash + 1)) {
        if (c < '0' || c > '9') return std::nullopt;
        length = length * 10 + static_cast<unsigned>(c - '0');
    }
    if (!address || length > address->bits()) return std::nullopt;
    return InterfaceAddress{*address, static_cast<std::uint8_t>(length)};
}

// A prefix; host bits that are set make it no prefix.
inline std::optional<IpPrefix> parse_prefix(std::string_view text) {
    const auto a = parse_interface_address(text);
    if (!a || a->subnet().address != a->address) return std::nullopt;
    return a->subnet();
}

inline std::optional<MacAddress> parse_mac(std::string_view text) {
    if (text.size() != 17) return std::nullopt;
    MacAddress m;
    for (std::size_t i = 0; i < 17; ++i) {
        const char c = text[i];
        if (i % 3 == 2) {
            if (c != ':') return std::nullopt;
            continue;
        }
        const int digit = c >= '0' && c <= '9' ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0) return std::nullopt;
        m.octets[i / 3] = static_cast<std::uint8_t>(m.octets[i / 3] << 4 | digit);
    }
    return m;
}

inline std::string to_string(const MacAddress& m) {
    char s[18];
    std::snprintf(s, sizeof s, "%02x:%02x:%02x:%02x:%02x:%02x", m.octets[0], m.octets[1], m.octets[2], m.octets[3],
                  m.octets[4], m.octets[5]);
    return s;
}
inline std::string to_string(const IpAddress& a) {
    char s[INET6_ADDRSTRLEN];
    inet_ntop(a.family == Family::ipv4 ? AF_INET : AF_INET6, a.octets.data(), s, sizeof s);
    return s;
}
inline std::string to_string(const IpPrefix& p) { return to_string(p.address) + '/' + std::to_string(p.length); }
inline std::string to_string(const InterfaceAddress& a) {
    return to_string(a.address) + '/' + std::to_string(a.length);
}

}  // namespace net
