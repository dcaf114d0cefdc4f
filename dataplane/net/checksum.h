// The Internet checksum (RFC 1071). Pure; any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "macsec/octets.h"

namespace net {

// Folds the end-around carries of a one's complement sum of 16-bit words into 16 bits.
constexpr std::uint16_t fold(std::uint64_t sum) noexcept {
    sum = (sum & 0xFFFF'FFFF) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

// One's complement sum of `octets` octets, a multiple of 4, in the order of the machine: a sum that is 0xFFFF is so in
// either order (RFC 1071 2 B).
inline std::uint16_t sum_words(const std::uint8_t* p, std::size_t octets) noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i + 4 <= octets; i += 4) {
        std::uint32_t word;
        std::memcpy(&word, p + i, sizeof word);
        sum += word;
    }
    return fold(sum);
}

// A header over which the sum, checksum included, is right.
inline bool checksum_ok(const std::uint8_t* header, std::size_t octets) noexcept {
    return sum_words(header, octets) == 0xFFFF;
}

// The same for 20 octets, the IPv4 header that nearly every packet has: sums of 64-bit words, whose carries come round
// to the lowest bit, and a rotation per halving, which brings the carry of the lower half into the upper.
inline bool checksum_ok_20(const std::uint8_t* header) noexcept {
    std::uint64_t first, second;
    std::uint32_t third;
    std::memcpy(&first, header, sizeof first);
    std::memcpy(&second, header + 8, sizeof second);
    std::memcpy(&third, header + 16, sizeof third);
    std::uint64_t two = first + second;
    two += two < first;
    std::uint64_t all = two + third;
    all += all < two;
    const auto half = static_cast<std::uint32_t>((all + std::rotl(all, 32)) >> 32);
    return (half + std::rotl(half, 16)) >> 16 == 0xFFFF;
}

}  // namespace net
