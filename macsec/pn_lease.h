// The PN lease, its pure part: a static SAK may be used only under a lease. One key uses a PN once, ever, also across
// crashes: a file holds a ceiling below which PNs may have been used; it is raised and on disk before the worker sees
// it; a start begins at the ceiling. Of a receive SA the file holds lowestPN. Here are the numbers and the text;
// files, fsync and time belong to the caller. Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "macsec/types.h"

namespace macsec {

inline constexpr std::uint64_t kLeaseStep = std::uint64_t{1} << 20;  // PNs

// How many PNs a new ceiling adds: kLeaseStep, or one second at the measured rate.
constexpr std::uint64_t lease_step(std::uint64_t pns_per_second) noexcept {
    return pns_per_second > kLeaseStep ? pns_per_second : kLeaseStep;
}

// The first PN after a start: PNs below the stored ceiling may have been used. stored: none if there never was a lease.
constexpr std::uint64_t first_pn(std::optional<std::uint64_t> stored) noexcept {
    return stored && *stored > 1 ? *stored : 1;
}

// True when the stored ceiling leaves no PN at all: the key is spent and must be replaced.
constexpr bool is_spent(CipherSuite suite, std::uint64_t stored) noexcept { return stored >= pn_end(suite); }

// The ceiling to store now, or nothing while half a step is left or the end is reached already. Never beyond pn_end.
constexpr std::optional<std::uint64_t> next_ceiling(CipherSuite suite, std::uint64_t ceiling, std::uint64_t next_pn,
                                                    std::uint64_t pns_per_second) noexcept {
    const std::uint64_t end = pn_end(suite);
    if (ceiling >= end) return std::nullopt;
    const std::uint64_t step = lease_step(pns_per_second);
    const std::uint64_t left = ceiling > next_pn ? ceiling - next_pn : 0;
    if (left >= step / 2) return std::nullopt;
    const std::uint64_t from = ceiling > next_pn ? ceiling : next_pn;
    return from >= end || end - from <= step ? end : from + step;
}

// lowestPN of a receive SA to store now, or nothing until it has advanced by kLeaseStep.
constexpr std::optional<std::uint64_t> next_lowest(std::uint64_t stored, std::uint64_t lowest_pn) noexcept {
    if (lowest_pn < stored || lowest_pn - stored < kLeaseStep) return std::nullopt;
    return lowest_pn;
}

enum class LeaseDirection : std::uint8_t { transmit, receive };

// What a lease file says.
struct PnLease {
    LeaseDirection direction{};
    std::string key;     // fingerprint: 32 lower-case hexadecimal digits
    std::uint64_t pn{};  // transmit: ceiling; receive: lowestPN; at least 1
    bool operator==(const PnLease&) const = default;
};

// The whole content of the file, with a checksum in its last line.
std::string format_lease(const PnLease&);

// Accepts exactly what format_lease() writes. Error: what is wrong and the remedy. A lease that cannot be read means
// that nobody knows which PNs the key has used: do not transmit with it.
std::expected<PnLease, std::string> parse_lease(std::string_view text);

}  // namespace macsec
