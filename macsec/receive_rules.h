// The receive rules of a SecY (802.1AE-2018 10.6, 10.7.8) as one table: what was found about a frame, under which
// validateFrames, with which C and E -> delivered or dropped, and what is counted. verify() asks it for every frame
// that is not simply good. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace macsec {

// 802.1AE 10.7.8, in the standard's order. Configuration reaches `strict` (must-secure) and `null` (off) only.
enum class ValidateFrames : std::uint8_t {
    null,      // frames pass as they are, SecTAG and ICV too
    disabled,  // SecTAG and ICV off, nothing is checked
    check,     // checked and counted; what is not valid is delivered if it can be read
    strict,    // only what is valid is delivered
};

// What is known about a frame when its fate is decided, in the order in which it becomes known.
enum class Finding : std::uint8_t {
    untagged,       // no SecTAG
    bad_tag,        // 9.12
    e_without_c,    // 9.5: not for the user of the Controlled Port
    unknown_sci,    // no SC of this SCI
    unused_an,      // the SC has no SA with this AN
    late,           // replay protection on, behind the lowest acceptable PN
    duplicate,      // replay protection on, this PN was seen; ours, beyond the standard
    not_encrypted,  // the SA was agreed for confidentiality and E is clear; ours, beyond the standard
    unchecked,      // the ICV was not looked at
    not_valid,      // the ICV is wrong
    valid,
    count_
};

enum class Fate : std::uint8_t { deliver, drop };

// The counter of 802.1AE 10.7.9.
enum class InPkts : std::uint8_t {
    none,
    untagged,     // InPktsUntagged
    no_tag,       // InPktsNoTag
    bad_tag,      // InPktsBadTag
    no_sa,        // InPktsNoSA
    no_sa_error,  // InPktsNoSAError
    late,         // InPktsLate
    duplicate,    // ours
    unchecked,    // InPktsUnchecked, or InPktsDelayed behind the lowest acceptable PN
    invalid,      // InPktsInvalid
    not_valid,    // InPktsNotValid
    ok,           // InPktsOK, or InPktsDelayed behind the lowest acceptable PN
};

struct Decision {
    Fate fate{Fate::drop};
    InPkts counted{InPkts::none};
    bool operator==(const Decision&) const = default;
};

namespace receive_rules {

inline constexpr std::uint8_t kNull = 1, kDisabled = 2, kCheck = 4, kStrict = 8;
inline constexpr std::uint8_t kAny = kNull | kDisabled | kCheck | kStrict;
inline constexpr std::uint8_t kSecured = kDisabled | kCheck | kStrict;
inline constexpr std::uint8_t kClear = 1, kSet = 2, kEither = kClear | kSet;

struct Rule {
    std::uint8_t validate;  // of kNull to kStrict
    Finding finding;
    std::uint8_t c, e;  // kClear, kSet, kEither: changed text, encryption
    Decision decision;
    std::string_view clause;
};

// The first row that fits decides; none: dropped, nothing counted.
inline constexpr Rule kRules[] = {
    // Nothing is done to frames of a null SecY; with a SecTAG they are of no use to anybody here.
    {kNull, Finding::untagged, kEither, kEither, {Fate::deliver, InPkts::untagged}, "10.7.8 Null"},
    {kDisabled | kCheck, Finding::untagged, kEither, kEither, {Fate::deliver, InPkts::untagged}, "10.6.1"},
    {kStrict, Finding::untagged, kEither, kEither, {Fate::drop, InPkts::no_tag}, "10.6.1"},
    {kSecured, Finding::bad_tag, kEither, kEither, {Fate::drop, InPkts::bad_tag}, "10.6.1, 9.12"},
    {kSecured, Finding::e_without_c, kClear, kSet, {Fate::drop, InPkts::none}, "9.5"},
    // User data that was changed by protection is of no use to the user of the Controlled Port.
    {kStrict, Finding::unknown_sci, kEither, kEither, {Fate::drop, InPkts::no_sa_error}, "10.6.1"},
    {kSecured, Finding::unknown_sci, kSet, kEither, {Fate::drop, InPkts::no_sa_error}, "10.6.1"},
    {kDisabled | kCheck, Finding::unknown_sci, kClear, kClear, {Fate::deliver, InPkts::no_sa}, "10.6.1"},
    {kStrict, Finding::unused_an, kEither, kEither, {Fate::drop, InPkts::no_sa_error}, "10.6.1"},
    {kSecured, Finding::unused_an, kSet, kEither, {Fate::drop, InPkts::no_sa_error}, "10.6.1"},
    {kDisabled | kCheck, Finding::unused_an, kClear, kClear, {Fate::deliver, InPkts::no_sa}, "10.6.1"},
    // Replay protection is a control of its own, whatever validateFrames says.
    {kSecured, Finding::late, kEither, kEither, {Fate::drop, InPkts::late}, "10.6.2, 10.6.4"},
    {kSecured, Finding::duplicate, kEither, kEither, {Fate::drop, InPkts::duplicate}, "10.6.4"},
    // An attacker must not choose integrity only where the SA was agreed for confidentiality: ours, no clause says so.
    {kStrict, Finding::not_encrypted, kEither, kClear, {Fate::drop, InPkts::not_valid}, "ours"},
    {kDisabled | kCheck, Finding::not_encrypted, kSet, kClear, {Fate::drop, InPkts::not_valid}, "10.6.5"},
    {kDisabled, Finding::not_encrypted, kClear, kClear, {Fate::deliver, InPkts::unchecked}, "10.6.5"},
    {kCheck, Finding::not_encrypted, kClear, kClear, {Fate::deliver, InPkts::invalid}, "10.6.5"},
    {kDisabled, Finding::unchecked, kSet, kEither, {Fate::drop, InPkts::not_valid}, "10.6.5"},
    {kDisabled, Finding::unchecked, kClear, kClear, {Fate::deliver, InPkts::unchecked}, "10.6.5"},
    {kStrict, Finding::not_valid, kEither, kEither, {Fate::drop, InPkts::not_valid}, "10.6.5"},
    {kSecured, Finding::not_valid, kSet, kEither, {Fate::drop, InPkts::not_valid}, "10.6.5"},
    {kCheck, Finding::not_valid, kClear, kClear, {Fate::deliver, InPkts::invalid}, "10.6.5"},
    {kCheck | kStrict, Finding::valid, kEither, kClear, {Fate::deliver, InPkts::ok}, "10.6.5"},
    {kCheck | kStrict, Finding::valid, kSet, kSet, {Fate::deliver, InPkts::ok}, "10.6.5"},
};

constexpr bool fits(const Rule& r, ValidateFrames v, Finding f, bool c, bool e) noexcept {
    return r.finding == f && (r.validate >> static_cast<unsigned>(v) & 1) != 0 && (r.c & (c ? kSet : kClear)) != 0 &&
           (r.e & (e ? kSet : kClear)) != 0;
}

inline constexpr std::size_t kFindings = static_cast<std::size_t>(Finding::count_);
using Table = std::array<Decision, 4 * kFindings * 4>;

constexpr std::size_t place(ValidateFrames v, Finding f, bool c, bool e) noexcept {
    return (static_cast<std::size_t>(v) * kFindings + static_cast<std::size_t>(f)) * 4 + (c ? 2 : 0) + (e ? 1 : 0);
}

inline constexpr Table kTable = [] {
    Table table{};
    for (std::size_t i = 0; i < table.size(); ++i)
        for (const Rule& r : kRules) {
            const auto v = static_cast<ValidateFrames>(i / 4 / kFindings);
            const auto f = static_cast<Finding>(i / 4 % kFindings);
            if (!fits(r, v, f, (i & 2) != 0, (i & 1) != 0)) continue;
            table[i] = r.decision;
            break;
        }
    return table;
}();

}  // namespace receive_rules

// changed, encrypted: the SecTAG's C and E; of an untagged frame both are clear.
constexpr Decision decide(ValidateFrames validate, Finding finding, bool changed, bool encrypted) noexcept {
    return receive_rules::kTable[receive_rules::place(validate, finding, changed, encrypted)];
}

}  // namespace macsec
