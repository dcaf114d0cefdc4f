// An address as a number that is read from its most significant bit on. Pure; any thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "dataplane/net/address.h"

namespace dataplane {

template <class Address>
struct AddressKey;

template <>
struct AddressKey<net::Ipv4Address> {
    std::uint64_t bits{};

    AddressKey() = default;
    explicit AddressKey(net::Ipv4Address a) noexcept : bits(std::uint64_t{a.value} << 32) {}

    // The first n bits as a number; n is 1 to 32.
    std::size_t top(unsigned n) const noexcept { return bits >> (64 - n); }
    static std::size_t top_of(net::Ipv4Address a, unsigned n) noexcept { return a.value >> (32 - n); }
    // Drops the first n bits, zeros follow; n is 0 to 63.
    void skip(unsigned n) noexcept { bits <<= n; }
    unsigned bit(unsigned i) const noexcept { return bits >> (63 - i) & 1; }
    // The eight bits from the n-th on, zeros behind the last; n is 0 to 31.
    static std::size_t octet_at(net::Ipv4Address a, unsigned n) noexcept {
        return std::uint64_t{a.value} << 32 << n >> 56;
    }
    // How many leading bits are equal.
    unsigned common(const AddressKey& o) const noexcept {
        return std::min(32u, static_cast<unsigned>(std::countl_zero(bits ^ o.bits)));
    }
    // All bits from the n-th on are zero; n is 0 to 32.
    bool zero_from(unsigned n) const noexcept { return bits << n == 0; }
};

template <>
struct AddressKey<net::Ipv6Address> {
    std::uint64_t high{}, low{};

    AddressKey() = default;
    explicit AddressKey(const net::Ipv6Address& a) noexcept
        : high(macsec::load_be64(a.octets.data())), low(macsec::load_be64(a.octets.data() + 8)) {}

    // n is 1 to 64.
    std::size_t top(unsigned n) const noexcept { return high >> (64 - n); }
    static std::size_t top_of(const net::Ipv6Address& a, unsigned n) noexcept {
        return macsec::load_be64(a.octets.data()) >> (64 - n);
    }
    // n is 1 to 63.
    void skip(unsigned n) noexcept {
        high = high << n | low >> (64 - n);
        low <<= n;
    }
    // n is 0 to 127.
    static std::size_t octet_at(const net::Ipv6Address& a, unsigned n) noexcept {
        const unsigned from = std::min(n / 8, 8u);
        return macsec::load_be64(a.octets.data() + from) << (n - 8 * from) >> 56;
    }
    unsigned bit(unsigned i) const noexcept { return (i < 64 ? high >> (63 - i) : low >> (127 - i)) & 1; }
    unsigned common(const AddressKey& o) const noexcept {
        const unsigned n = static_cast<unsigned>(std::countl_zero(high ^ o.high));
        return n < 64 ? n : 64 + static_cast<unsigned>(std::countl_zero(low ^ o.low));
    }
    // n is 0 to 128.
    bool zero_from(unsigned n) const noexcept {
        if (n < 64) return high << n == 0 && low == 0;
        return n == 128 || low << (n - 64) == 0;
    }
};

// All bits behind `length` are zero, and the length is one the family has.
template <class Address>
bool is_prefix(const net::Prefix<Address>& p) noexcept {
    return p.length <= Address::kBits && AddressKey<Address>(p.address).zero_from(p.length);
}

// Address is inside the prefix.
template <class Address>
bool contains(const net::Prefix<Address>& p, const Address& a) noexcept {
    return AddressKey<Address>(p.address).common(AddressKey<Address>(a)) >= p.length;
}

}  // namespace dataplane
