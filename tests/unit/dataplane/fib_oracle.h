// What the FIB is compared with: one bit per level, one leaf per node, nothing shared with the code under test.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "dataplane/fib.h"

namespace fib_test {

using dataplane::Cover;
using dataplane::Leaf;
using dataplane::LeafKind;

inline unsigned bit(net::Ipv4Address a, unsigned i) { return a.value >> (31 - i) & 1; }
inline unsigned bit(const net::Ipv6Address& a, unsigned i) { return a.octets[i / 8] >> (7 - i % 8) & 1; }
inline void flip(net::Ipv4Address& a, unsigned i) { a.value ^= std::uint32_t{1} << (31 - i); }
inline void flip(net::Ipv6Address& a, unsigned i) { a.octets[i / 8] ^= static_cast<std::uint8_t>(0x80 >> i % 8); }

using Random = std::mt19937_64;

template <class Address>
Address random_address(Random& random) {
    Address a{};
    for (unsigned i = 0; i < Address::kBits; ++i)
        if (random() & 1) flip(a, i);
    return a;
}

template <class Address>
net::Prefix<Address> prefix_of(Address a, unsigned length) {
    for (unsigned i = length; i < Address::kBits; ++i)
        if (bit(a, i)) flip(a, i);
    return {a, static_cast<std::uint8_t>(length)};
}

inline Leaf leaf(std::uint32_t group) { return group == 0 ? Leaf{} : Leaf::make(LeafKind::group, group); }

template <class Address>
class Trie {
public:
    using Prefix = net::Prefix<Address>;

    void set(const Prefix& p, Leaf l) { nodes_[make(p)].leaf = l; }
    void remove(const Prefix& p) { nodes_[make(p)].leaf = {}; }

    Leaf lookup(const Address& a) const { return walk(a, Address::kBits + 1).leaf; }
    // The longest prefix around p that is shorter, the default excepted.
    Cover cover(const Prefix& p) const {
        const Cover c = walk(p.address, p.length);
        return c.length == 0 ? Cover{} : c;
    }

private:
    struct Node {
        std::array<std::uint32_t, 2> child{};
        Leaf leaf{};
    };

    // The longest match among the lengths below `end`.
    Cover walk(const Address& a, unsigned end) const {
        Cover best;
        std::uint32_t n = 0;
        for (unsigned depth = 0; depth < end; ++depth) {
            if (nodes_[n].leaf.bits != 0) best = {nodes_[n].leaf, static_cast<std::uint8_t>(depth)};
            if (depth == Address::kBits || (n = nodes_[n].child[bit(a, depth)]) == 0) break;
        }
        return best;
    }
    std::size_t make(const Prefix& p) {
        std::size_t n = 0;
        for (unsigned i = 0; i < p.length; ++i) {
            const unsigned side = bit(p.address, i);
            if (nodes_[n].child[side] == 0) {
                nodes_[n].child[side] = static_cast<std::uint32_t>(nodes_.size());
                nodes_.emplace_back();
            }
            n = nodes_[n].child[side];
        }
        return n;
    }

    std::vector<Node> nodes_{1};
};

// Distinct prefixes of all lengths, many inside each other: along a few spines, some bits changed. The default is among
// them.
template <class Address>
std::vector<net::Prefix<Address>> nested_prefixes(Random& random, std::size_t count, std::size_t spines,
                                                  unsigned shortest = 0) {
    std::vector<Address> spine;
    for (std::size_t i = 0; i < spines; ++i) spine.push_back(random_address<Address>(random));
    std::vector<net::Prefix<Address>> prefixes{prefix_of(spine[0], 0)};
    std::set<net::Prefix<Address>> known(prefixes.begin(), prefixes.end());
    while (prefixes.size() < count) {
        Address a = spine[random() % spines];
        const auto length = static_cast<unsigned>(shortest + random() % (Address::kBits + 1 - shortest));
        if (length > 0 && random() % 2) flip(a, static_cast<unsigned>(length - 1 - random() % std::min(length, 8u)));
        if (const auto p = prefix_of(a, length); known.insert(p).second) prefixes.push_back(p);
    }
    return prefixes;
}

// An address inside the prefix.
template <class Address>
Address inside(const net::Prefix<Address>& p, Random& random) {
    Address a = p.address;
    for (unsigned i = p.length; i < Address::kBits; ++i)
        if (random() & 1) flip(a, i);
    return a;
}

}  // namespace fib_test
