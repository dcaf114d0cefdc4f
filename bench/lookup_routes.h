// Routes with the length distribution of the Internet's tables, and addresses inside them. Pure; the seed decides.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "dataplane/net/address.h"

namespace bench {

using Random = std::mt19937_64;

template <class Address>
struct Route {
    net::Prefix<Address> prefix;
    std::uint32_t next_hop;
};

// A prefix length and how many in a thousand have it.
struct Share {
    unsigned length, weight;
};
inline constexpr Share kLengths4[] = {{8, 1},    {13, 1},  {14, 2},  {15, 3},  {16, 13},  {17, 8},
                                      {18, 14},  {19, 25}, {20, 45}, {21, 51}, {22, 113}, {23, 98},
                                      {24, 620}, {25, 1},  {28, 2},  {29, 1},  {30, 1},   {32, 1}};
inline constexpr Share kLengths6[] = {{20, 1},   {24, 2},  {28, 4},  {29, 50},  {30, 10}, {32, 135},
                                      {33, 15},  {34, 15}, {36, 50}, {38, 15},  {40, 90}, {42, 25},
                                      {44, 100}, {46, 40}, {47, 20}, {48, 410}, {56, 8},  {64, 10}};

template <std::size_t n>
unsigned draw_length(const Share (&shares)[n], Random& random) {
    unsigned total = 0, i = 0;
    for (const auto& s : shares) total += s.weight;
    for (auto at = static_cast<unsigned>(random() % total); at >= shares[i].weight; ++i) at -= shares[i].weight;
    return shares[i].length;
}

inline net::Prefix4 cut(net::Ipv4Address a, unsigned length) {
    return {net::masked(net::IpAddress::from(a), length).v4(), static_cast<std::uint8_t>(length)};
}
inline net::Prefix6 cut(const net::Ipv6Address& a, unsigned length) {
    return {net::masked(net::IpAddress::from(a), length).v6(), static_cast<std::uint8_t>(length)};
}

inline net::Ipv4Address host_of(const net::Prefix4& p, Random& random) {
    const auto hosts = static_cast<std::uint32_t>((std::uint64_t{1} << (32 - p.length)) - 1);
    return {p.address.value | (static_cast<std::uint32_t>(random()) & hosts)};
}
inline net::Ipv6Address host_of(const net::Prefix6& p, Random& random) {
    net::Ipv6Address a = p.address;
    for (unsigned i = p.length; i < 128; ++i)
        if (random() & 1) a.octets[i / 8] |= static_cast<std::uint8_t>(0x80 >> i % 8);
    return a;
}

// Draws prefixes of one family among 1.0.0.0 to 223.255.255.255.
template <class Address>
class Drawer {
public:
    Drawer(std::size_t, Random&) {}
    net::Prefix4 operator()(Random& random) const {
        const auto first = static_cast<std::uint32_t>(1 + random() % 223);
        const auto rest = static_cast<std::uint32_t>(random()) & 0xFF'FFFF;
        return cut(net::Ipv4Address{first << 24 | rest}, draw_length(kLengths4, random));
    }
};

// IPv6: inside 2000::/3, the more specific ones in a twelfth as many allocations, as providers' customers lie.
template <>
class Drawer<net::Ipv6Address> {
public:
    Drawer(std::size_t routes, Random& random) {
        const net::Prefix6 global = net::parse_prefix("2000::/3")->v6();
        while (allocations_.size() < routes / 12 + 1)
            allocations_.push_back(cut(host_of(global, random), random() % 4 ? 32 : 29));
    }
    net::Prefix6 operator()(Random& random) const {
        const unsigned length = draw_length(kLengths6, random);
        return cut(host_of(allocations_[random() % allocations_.size()], random), length);
    }

private:
    std::vector<net::Prefix6> allocations_;
};

template <class Address>
std::vector<Route<Address>> draw_routes(std::size_t count, Random& random) {
    const Drawer<Address> draw(count, random);
    std::set<net::Prefix<Address>> known;
    std::vector<Route<Address>> routes;
    while (routes.size() < count)
        if (const auto p = draw(random); known.insert(p).second)
            routes.push_back({p, static_cast<std::uint32_t>(1 + random() % 1000)});
    return routes;
}

template <class Address>
std::vector<Address> draw_addresses(std::size_t count, const std::vector<Route<Address>>& routes, Random& random) {
    std::vector<Address> r(count);
    for (auto& a : r) a = host_of(routes[random() % routes.size()].prefix, random);
    return r;
}

}  // namespace bench
