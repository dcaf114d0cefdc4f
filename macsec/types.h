// The words of IEEE 802.1AE as types that cannot be mixed. Pure; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace macsec {

// Secure Channel Identifier (802.1AE 9.9): 48 bits of MAC address, then 16 bits of port identifier.
struct Sci {
    std::uint64_t value{};
    auto operator<=>(const Sci&) const = default;
};

// Short SCI of an XPN suite (802.1AE 10.7.13). Zero is not an SSCI.
struct Ssci {
    std::uint32_t value{};
    auto operator<=>(const Ssci&) const = default;
};

// Association Number, 0 to 3 (802.1AE 9.6).
struct An {
    std::uint8_t value{};
    auto operator<=>(const An&) const = default;
};
inline constexpr std::size_t kAns = 4;

// 96 bits for XPN suites. Public; a zero salt is refused by configuration.
using Salt = std::array<std::uint8_t, 12>;

inline constexpr std::size_t kIcvOctets = 16;      // all four suites
inline constexpr std::size_t kSecTagOctets = 8;    // with the MACsec EtherType, without SCI
inline constexpr std::size_t kSciOctets = 8;
inline constexpr std::uint16_t kEtherTypeMacsec = 0x88E5;
inline constexpr std::uint16_t kEtherTypeEapol = 0x888E;
// What MACsec with an explicit SCI adds to a frame.
inline constexpr std::size_t kMaxOverhead = kSecTagOctets + kSciOctets + kIcvOctets;

enum class CipherSuite : std::uint8_t { gcm_aes_128, gcm_aes_256, gcm_aes_xpn_128, gcm_aes_xpn_256 };

constexpr bool is_xpn(CipherSuite s) noexcept {
    return s == CipherSuite::gcm_aes_xpn_128 || s == CipherSuite::gcm_aes_xpn_256;
}
constexpr std::size_t sak_octets(CipherSuite s) noexcept {
    return s == CipherSuite::gcm_aes_128 || s == CipherSuite::gcm_aes_xpn_128 ? 16 : 32;
}
constexpr std::string_view to_string(CipherSuite s) noexcept {
    constexpr std::string_view names[] = {"gcm-aes-128", "gcm-aes-256", "gcm-aes-xpn-128", "gcm-aes-xpn-256"};
    return names[static_cast<std::size_t>(s)];
}
constexpr std::optional<CipherSuite> cipher_suite_from(std::string_view name) noexcept {
    for (auto s : {CipherSuite::gcm_aes_128, CipherSuite::gcm_aes_256, CipherSuite::gcm_aes_xpn_128,
                   CipherSuite::gcm_aes_xpn_256})
        if (name == to_string(s)) return s;
    return std::nullopt;
}

// How a SecTAG names its SC (802.1AE 9.3, 9.5): an explicit SCI, ES (end station: the source address
// and port 1), SCB (single copy broadcast), or nothing (point to point: the only SC).
enum class SciForm : std::uint8_t { sci, es, scb, none };

// First PN that is never used: at 2^32 - 1 frames of a 32-bit suite the SA is spent (802.1AE 8.3).
constexpr std::uint64_t pn_end(CipherSuite s) noexcept { return is_xpn(s) ? ~std::uint64_t{0} : 0xFFFF'FFFFu; }

}  // namespace macsec
