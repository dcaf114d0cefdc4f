// How many octets the parts of an MKPDU have (802.1X 11.11.3): what decoder and encoder share. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "macsec/mka/mkpdu.h"
#include "macsec/types.h"

namespace macsec::mka {

inline constexpr std::size_t kEapolHeaderOctets = 4;
inline constexpr std::size_t kSetHeaderOctets = 4;
inline constexpr std::size_t kSetAlignment = 4;
inline constexpr std::size_t kBodyLengthMask = 0x0FFF;  // of octets 3 and 4 of a set

inline constexpr std::size_t kBasicFixedOctets = 28;  // SCI, MI, MN, algorithm agility; the CKN follows
inline constexpr std::size_t kMaxCknOctets = 32;
inline constexpr std::size_t kPeerOctets = 16;    // MI, MN
inline constexpr std::size_t kKeyUseOctets = 20;  // MI, KN, lowest PN
inline constexpr std::size_t kSakUseOctets = 2 * kKeyUseOctets;
inline constexpr std::size_t kKeyNumberOctets = 4;
inline constexpr std::size_t kSuiteOctets = 8;
inline constexpr std::size_t kWrapOctets = 8;         // that AES Key Wrap adds
inline constexpr std::size_t kUnnamedSakOctets = 28;  // KN, wrapped SAK of GCM-AES-128
inline constexpr std::size_t kMaxWrappedOctets = 40;
inline constexpr std::size_t kXpnOctets = 8;

inline constexpr std::uint8_t kSsciVersion = 3;  // first MKA version whose live peer list tells the key server's SSCI

// A body with its filling.
constexpr std::size_t filled(std::size_t octets) noexcept {
    return (octets + kSetAlignment - 1) / kSetAlignment * kSetAlignment;
}

// 802.1AE table 14-1: 00-80-C2-00-01-00-00-0n.
inline constexpr std::uint64_t kSuiteIdentifierBase = 0x0080'C200'0100'0001;

constexpr std::uint64_t suite_identifier(CipherSuite suite) noexcept {
    return kSuiteIdentifierBase + static_cast<std::uint64_t>(suite);
}
constexpr std::optional<CipherSuite> suite_from_identifier(std::uint64_t identifier) noexcept {
    for (const auto suite : {CipherSuite::gcm_aes_128, CipherSuite::gcm_aes_256, CipherSuite::gcm_aes_xpn_128,
                             CipherSuite::gcm_aes_xpn_256})
        if (identifier == suite_identifier(suite)) return suite;
    return std::nullopt;
}

// Sets that are a member of Mkpdu of their own, at most once in a PDU.
constexpr bool is_understood(SetType type) noexcept {
    return (type >= SetType::live_peer_list && type <= SetType::xpn && type != SetType::distributed_cak) ||
           type == SetType::icv_indicator;
}

}  // namespace macsec::mka
