// A route's identity, table and prefix, and its hash. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/net/address.h"

namespace bgp_glue {

struct RouteKey {
    std::uint32_t table{};
    net::IpPrefix prefix;
    auto operator<=>(const RouteKey&) const = default;
};

struct RouteKeyHash {
    std::size_t operator()(const RouteKey& key) const noexcept {
        std::uint64_t half[2];
        std::memcpy(half, key.prefix.address.octets.data(), sizeof half);
        const std::uint64_t rest = std::uint64_t{key.table} << 16 | std::uint64_t{key.prefix.length} << 8 |
                                   static_cast<std::uint64_t>(key.prefix.address.family);
        return mix(mix(mix(rest) ^ half[0]) ^ half[1]);
    }

private:
    // Both halves of a 128-bit product: every bit of the input reaches the low bits that choose a bucket.
    static std::uint64_t mix(std::uint64_t x) noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{x ^ 0x9E3779B97F4A7C15} * 0xD6E8FEB86659FD93;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
};

}  // namespace bgp_glue
