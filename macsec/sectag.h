// The SecTAG (802.1AE clause 9): octets to a value and back. Nothing here reads beyond what it is given.
// Pure; any thread.
//
//   octets 0-1  MACsec EtherType 0x88E5          9.8
//   octet  2    TCI and AN: V ES SC SCB E C AN   9.5, 9.6
//   octet  3    0 0 SL                           9.7
//   octets 4-7  PN, its low 32 bits under XPN    9.8
//   octets 8-15 SCI, if SC is set                9.9
#pragma once

#include <array>
#include <cstdint>

#include "macsec/octets.h"
#include "macsec/types.h"
#include "macsec/verdict.h"

namespace macsec {

// TCI bits (802.1AE 9.5).
inline constexpr std::uint8_t kTciVersion = 0x80;
inline constexpr std::uint8_t kTciEndStation = 0x40;
inline constexpr std::uint8_t kTciSci = 0x20;
inline constexpr std::uint8_t kTciScb = 0x10;
inline constexpr std::uint8_t kTciEncrypted = 0x08;
inline constexpr std::uint8_t kTciChanged = 0x04;
inline constexpr std::uint8_t kAnMask = 0x03;

// User data shorter than this is told by SL; otherwise SL is 0 (802.1AE 9.7).
inline constexpr std::uint32_t kShortLengthLimit = 48;

// Port identifiers of an SCI that is not on the wire (802.1AE 9.5): ES, and SCB's reserved one.
inline constexpr std::uint16_t kPortEndStation = 0x0001;
inline constexpr std::uint16_t kPortScb = 0x0000;

constexpr std::uint64_t load_be48(const std::uint8_t* p) noexcept {
    std::uint64_t v = 0;
    for (int i = 0; i < 6; ++i) v = v << 8 | p[i];
    return v;
}

// What is wrong with a TCI, alone.
constexpr Verdict judge_tci(std::uint8_t tci) noexcept {
    // 9.12: V is clear.
    if ((tci & kTciVersion) != 0) return Verdict::rx_bad_tag_version;
    // 9.5: with ES or SCB the SCI is not on the wire.
    if ((tci & kTciEndStation) != 0 && (tci & kTciSci) != 0) return Verdict::rx_bad_tag_es_sc;
    if ((tci & kTciScb) != 0 && (tci & kTciSci) != 0) return Verdict::rx_bad_tag_scb_sc;
    // 9.5: E without C is reserved, such a frame is never for the Controlled Port.
    if ((tci & kTciEncrypted) != 0 && (tci & kTciChanged) == 0) return Verdict::rx_e_without_c;
    return Verdict::ok;
}

// The receive rules of the TCI as a table.
inline constexpr auto kTciVerdicts = [] {
    std::array<Verdict, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = judge_tci(static_cast<std::uint8_t>(i));
    return table;
}();

struct SecTag {
    std::uint8_t tci{};           // TCI and AN as received
    std::uint8_t octets{};        // 8, or 16 with SCI
    std::uint32_t pn{};           // as on the wire
    std::uint32_t user_octets{};  // of user data (9.7): between SecTAG and ICV; at least 1
    Sci explicit_sci{};           // only with kTciSci

    constexpr An an() const noexcept { return An{static_cast<std::uint8_t>(tci & kAnMask)}; }
    constexpr bool changed() const noexcept { return (tci & kTciChanged) != 0; }
    constexpr bool encrypted() const noexcept { return (tci & kTciEncrypted) != 0; }
    constexpr SciForm form() const noexcept {
        if ((tci & kTciSci) != 0) return SciForm::sci;
        if ((tci & kTciScb) != 0) return SciForm::scb;
        return (tci & kTciEndStation) != 0 ? SciForm::es : SciForm::none;
    }
};

// octets: from the MACsec EtherType to the end of the frame. Fills `tag` and returns ok, or says what is malformed and
// leaves `tag` half filled. PN 0 is judged where the cipher suite is known.
Verdict parse_sectag(ConstOctets octets, SecTag& tag) noexcept;

// The SCI of a frame whose form is sci, es or scb; source: the frame's source address, 6 octets.
constexpr Sci sci_of(const SecTag& tag, const std::uint8_t* source) noexcept {
    if ((tag.tci & kTciSci) != 0) return tag.explicit_sci;
    return Sci{load_be48(source) << 16 | ((tag.tci & kTciScb) != 0 ? kPortScb : kPortEndStation)};
}

constexpr std::uint32_t sectag_octets(SciForm form) noexcept {
    return form == SciForm::sci ? kSecTagOctets + kSciOctets : kSecTagOctets;
}

// TCI and AN of what we send. Under the default cipher suites E and C go together (802.1AE 14.5).
constexpr std::uint8_t make_tci(SciForm form, bool confidentiality, An an) noexcept {
    constexpr std::uint8_t of_form[] = {kTciSci, kTciEndStation, kTciScb, 0};
    const std::uint8_t secured = confidentiality ? kTciEncrypted | kTciChanged : 0;
    return static_cast<std::uint8_t>(of_form[static_cast<std::size_t>(form)] | secured | (an.value & kAnMask));
}

constexpr std::uint8_t short_length(std::uint32_t user_octets) noexcept {
    return user_octets < kShortLengthLimit ? static_cast<std::uint8_t>(user_octets) : 0;
}

// Writes the 8 octets before a possible SCI.
inline void store_sectag(std::uint8_t* p, std::uint8_t tci, std::uint8_t sl, std::uint32_t pn) noexcept {
    const std::uint64_t head = std::uint64_t{kEtherTypeMacsec} << 16 | std::uint64_t{tci} << 8 | sl;
    store_be64(p, head << 32 | pn);
}

}  // namespace macsec
