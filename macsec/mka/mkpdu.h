// MKPDUs as values (IEEE 802.1X-2020 clauses 11.11, 11.3): octets to a value and back. Pure; any thread.
//
//   EAPOL header   version, type 5, length               11.3
//   Basic          version, priority, flags, SCI, MI, MN, algorithm agility, CKN
//   other sets     type, flags, length of the body, body, filled up to a multiple of 4 octets
//   ICV            16 octets, over everything from the destination address on   9.4.1
//
// Nothing here knows a key: the ICV is checked and made by the caller (keys.h) over the whole frame.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "macsec/octets.h"
#include "macsec/types.h"

namespace macsec::mka {

// Member Identifier (9.4.2): 96 random bits, new at each start of a participant.
struct MemberId {
    std::array<std::uint8_t, 12> octets{};
    auto operator<=>(const MemberId&) const = default;
};

// Message Number (9.4.2): 1, 2, 3, ... A participant at 2^32 - 1 takes a new MI.
using MessageNumber = std::uint32_t;

// Key Identifier (9.8): who made the SAK, and its Key Number.
struct KeyIdentifier {
    MemberId server;
    std::uint32_t number{};
    auto operator<=>(const KeyIdentifier&) const = default;
};

// CAK Name: 1 to 32 octets. Public. Error to construct another size: nothing.
struct Ckn {
    std::array<std::uint8_t, 32> octets{};
    std::uint8_t size{};  // octets, 1 to 32

    static std::optional<Ckn> from(ConstOctets) noexcept;
    ConstOctets span() const noexcept { return {octets.data(), size}; }
    auto operator<=>(const Ckn&) const = default;
};

// MACsec Capability (table 11-6).
enum class Capability : std::uint8_t { none, integrity, confidentiality, confidentiality_with_offsets };

// How much user data stays in clear (9.7.1, table 11-6): nothing protected, or the offset.
enum class ConfidentialityOffset : std::uint8_t { no_confidentiality, zero, thirty, fifty };

// Types of parameter sets (table 11-7). The Basic set has none: its version stands there.
enum class SetType : std::uint8_t {
    live_peer_list = 1,
    potential_peer_list,
    sak_use,
    distributed_sak,
    distributed_cak,
    kmd,
    announcement,
    xpn,
    icv_indicator = 255
};
// "live-peer-list", "sak-use", ...; "unknown" for a type not named above.
std::string_view word(SetType) noexcept;

inline constexpr std::uint32_t kAlgorithmAgility = 0x0080'C201;  // AES-CMAC, ICV of 16 octets (table 11-5)

struct BasicSet {
    std::uint8_t mka_version{3};  // 1 to 3; a later one is read as far as we know it
    std::uint8_t key_server_priority{};
    bool key_server{};
    bool macsec_desired{};
    Capability capability{};
    Sci sci;
    MemberId mi;
    MessageNumber mn{};
    std::uint32_t algorithm_agility{kAlgorithmAgility};
    Ckn ckn;
    bool operator==(const BasicSet&) const = default;
};

struct Peer {
    MemberId mi;
    MessageNumber mn{};
    bool operator==(const Peer&) const = default;
};
struct PeerList {
    std::uint8_t key_server_ssci{};  // low octet of the key server's SSCI; live list from MKA version 3 on, else 0
    std::vector<Peer> peers;
    bool operator==(const PeerList&) const = default;
};

// One of the two keys of a SAK Use set. Absent: all zero.
struct KeyUse {
    An an;
    bool transmits{}, receives{};
    KeyIdentifier key;
    std::uint32_t lowest_pn{};  // low 32 bits
    bool operator==(const KeyUse&) const = default;
};
struct SakUse {
    KeyUse latest, old;
    bool plain_transmit{}, plain_receive{}, delay_protect{};
    bool empty{};  // a body of no octets: nobody uses MACsec; both keys' identifiers and PNs are zero
    bool operator==(const SakUse&) const = default;
};

// A SAK, wrapped with the KEK. No wrapped octets: the key server wants no MACsec (9.16).
struct DistributedSak {
    An an;
    ConfidentialityOffset offset{};
    std::uint32_t key_number{};
    CipherSuite suite{};                // only GCM-AES-128 can travel without its name
    std::uint64_t unknown_suite{};      // the identifier of a cipher suite that we have not; `suite` then says nothing
    bool named{};                       // the cipher suite stands in the set; others than GCM-AES-128 always
    std::vector<std::uint8_t> wrapped;  // 24 or 40 octets, 8 more than the suite's SAK; an unknown suite's: 1 to 40
    bool operator==(const DistributedSak&) const = default;
};

// XPN parameter set (type 8): the upper halves of the lowest PNs of SAK Use.
struct XpnSet {
    std::uint8_t suspension_time{};
    std::uint32_t latest_lowest_pn_high{}, old_lowest_pn_high{};
    bool operator==(const XpnSet&) const = default;
};

// A set that is carried but not understood, Distributed CAK included.
struct OtherSet {
    std::uint8_t type{};
    std::uint16_t flags{};  // the 12 bits beside the length
    std::vector<std::uint8_t> body;
    bool operator==(const OtherSet&) const = default;
};

struct Mkpdu {
    std::uint8_t eapol_version{3};
    BasicSet basic;
    std::optional<PeerList> live, potential;
    std::optional<SakUse> sak_use;
    std::optional<DistributedSak> distributed_sak;
    std::optional<std::vector<std::uint8_t>> kmd, announcement;
    std::optional<XpnSet> xpn;
    std::vector<OtherSet> others;
    bool icv_indicator{};             // always last
    std::vector<std::uint8_t> order;  // types of the sets as received; encode() keeps it, without it goes by type
    bool operator==(const Mkpdu&) const = default;
};

inline constexpr std::size_t kMkaIcvOctets = 16;
inline constexpr std::size_t kMaxMkpduOctets = 1500;  // EAPOL header and ICV included
inline constexpr std::uint8_t kEapolTypeMka = 5;

// Why octets are no MKPDU (11.11.2). One counter and one word each.
#define MKA_DECODE_ERRORS(X)                        \
    X(short_header, "short-header")                 \
    X(not_mka, "not-an-mkpdu")                      \
    X(length_mismatch, "length-mismatch")           \
    X(too_long, "too-long")                         \
    X(bad_version, "bad-mka-version")               \
    X(no_basic_set, "no-basic-parameter-set")       \
    X(bad_ckn, "bad-ckn")                           \
    X(set_too_long, "parameter-set-too-long")       \
    X(bad_body_length, "bad-body-length")           \
    X(duplicate_set, "duplicate-parameter-set")     \
    X(no_icv, "no-icv")
enum class DecodeError : std::uint8_t {
#define X(enumerator, word) enumerator,
    MKA_DECODE_ERRORS(X)
#undef X
};
std::string_view word(DecodeError) noexcept;

// The CKN and SCI of a PDU, to find whose it is before anything else is believed. eapol: from the EAPOL header on.
// Errors are those of decode() up to the first set behind it.
std::expected<BasicSet, DecodeError> peek_basic(ConstOctets eapol) noexcept;

// eapol: from the EAPOL header on; octets behind its length (Ethernet padding) are ignored. The last 16 octets of the
// body are the ICV and are not looked at. Sets of unknown types are kept in `others`; reserved bits and filling are
// ignored. Any EAPOL version. The caller judges the destination address, algorithm agility, MN, and what the sets say
// of each other.
std::expected<Mkpdu, DecodeError> decode(ConstOctets eapol);

// How many octets of `eapol` the PDU has, ICV included; the ICV is the last 16 of them. Never more than there are.
std::size_t pdu_octets(ConstOctets eapol) noexcept;

// From the EAPOL header on, with room for the ICV at the end (zero). A decoded PDU gives the same octets again, but for
// the ICV, and reserved bits and filling, which are zero. Sets that `order` forgets follow by type, those it names in
// vain are skipped. What does not fit kMaxMkpduOctets is cut: from the end of the potential peers, then of the live
// ones; then `others`, announcement and KMD are left out.
std::vector<std::uint8_t> encode(const Mkpdu&);

}  // namespace macsec::mka
