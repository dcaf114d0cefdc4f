// An ordered map from prefix to Value that also answers "which prefix is around this one": a path-compressed binary
// trie. A step per bit at most, so every operation is bounded by the family's bits. Memory per prefix: one Value and at
// most two nodes of 20 (IPv4) or 32 (IPv6) octets. Pure; one thread at a time (the routes thread).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "dataplane/address_key.h"

namespace dataplane {

// Elements by a small number, in chunks that never move.
template <class T>
class Pool {
public:
    static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

    std::uint32_t add(const T& value) {
        if (free_.empty() && used_ % kChunk == 0) chunks_.push_back(std::make_unique<T[]>(kChunk));
        const std::uint32_t i = free_.empty() ? used_++ : free_.back();
        if (!free_.empty()) free_.pop_back();
        (*this)[i] = value;
        return i;
    }
    void remove(std::uint32_t i) { free_.push_back(i); }
    T& operator[](std::uint32_t i) noexcept { return chunks_[i / kChunk][i % kChunk]; }
    const T& operator[](std::uint32_t i) const noexcept { return chunks_[i / kChunk][i % kChunk]; }
    std::size_t size() const noexcept { return used_ - free_.size(); }

private:
    static constexpr std::uint32_t kChunk = 4096;
    std::vector<std::unique_ptr<T[]>> chunks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t used_{};
};

template <class Address, class Value>
class PrefixStore {
public:
    using Prefix = net::Prefix<Address>;
    struct Found {
        Prefix prefix;
        const Value* value;
    };

    // The prefixes given are prefixes (is_prefix). Pointers stay valid until that prefix is erased.
    Value* find(const Prefix& p) noexcept {
        const std::uint32_t i = node_of(p);
        return i == kNone || nodes_[i].value == kNone ? nullptr : &values_[nodes_[i].value];
    }
    const Value* find(const Prefix& p) const noexcept { return const_cast<PrefixStore*>(this)->find(p); }

    // The prefix's value, a new Value{} if it was not there.
    Value& insert(const Prefix&);
    bool erase(const Prefix&);
    std::size_t size() const noexcept { return values_.size(); }

    // The longest prefix that contains `p`, is shorter, and whose value `accept` takes.
    template <class Accept>
    std::optional<Found> covering(const Prefix& p, Accept accept) const;
    // The longest prefix that contains the address.
    std::optional<Found> match(const Address&) const;

    // Calls f(prefix, value) in order of address, then length, from `from` on, until f returns false.
    template <class F>
    void visit(const Prefix& from, F f) const;

private:
    using Key = AddressKey<Address>;
    static constexpr std::uint32_t kNone = Pool<int>::kNone;

    struct Node {
        Prefix prefix{};
        std::array<std::uint32_t, 2> child{kNone, kNone};
        std::uint32_t value{kNone};  // kNone: the node only joins its two children
    };

    std::uint32_t node_of(const Prefix&) const noexcept;
    std::uint32_t add(const Prefix& p) { return nodes_.add({p, {kNone, kNone}, kNone}); }
    std::uint32_t split(std::uint32_t below, const Prefix&, unsigned common);
    bool splice(std::uint32_t& link);
    static Prefix cut(const Prefix&, unsigned length);

    Pool<Node> nodes_;
    Pool<Value> values_;
    std::uint32_t root_{kNone};
};

template <class Address, class Value>
std::uint32_t PrefixStore<Address, Value>::node_of(const Prefix& p) const noexcept {
    const Key key(p.address);
    for (std::uint32_t i = root_; i != kNone;) {
        const Node& n = nodes_[i];
        if (n.prefix == p) return i;
        if (n.prefix.length >= p.length) return kNone;
        i = n.child[key.bit(n.prefix.length)];
    }
    return kNone;
}

template <class Address, class Value>
Value& PrefixStore<Address, Value>::insert(const Prefix& p) {
    const Key key(p.address);
    std::uint32_t* link = &root_;
    while (*link != kNone) {
        Node& n = nodes_[*link];
        const unsigned common = std::min<unsigned>({key.common(Key(n.prefix.address)), n.prefix.length, p.length});
        if (common < n.prefix.length) {
            *link = split(*link, p, common);
            link = common == p.length ? link : &nodes_[*link].child[key.bit(common)];
            break;
        }
        if (n.prefix.length == p.length) break;
        link = &n.child[key.bit(n.prefix.length)];
    }
    if (*link == kNone) *link = add(p);
    Node& n = nodes_[*link];
    if (n.value == kNone) n.value = values_.add(Value{});
    return values_[n.value];
}

// A node above `below` with the bits it shares with `p`; p's own side stays empty.
template <class Address, class Value>
std::uint32_t PrefixStore<Address, Value>::split(std::uint32_t below, const Prefix& p, unsigned common) {
    const std::uint32_t i = add(cut(p, common));
    nodes_[i].child[Key(nodes_[below].prefix.address).bit(common)] = below;
    return i;
}

template <class Address, class Value>
auto PrefixStore<Address, Value>::cut(const Prefix& p, unsigned length) -> Prefix {
    Prefix r{{}, static_cast<std::uint8_t>(length)};
    const auto masked = net::masked(net::IpAddress::from(p.address), length);
    if constexpr (Address::kFamily == net::Family::ipv4)
        r.address = masked.v4();
    else
        r.address = masked.v6();
    return r;
}

template <class Address, class Value>
bool PrefixStore<Address, Value>::erase(const Prefix& p) {
    const Key key(p.address);
    std::uint32_t *link = &root_, *above = nullptr;
    while (*link != kNone && nodes_[*link].prefix.length < p.length) {
        above = link;
        link = &nodes_[*link].child[key.bit(nodes_[*link].prefix.length)];
    }
    if (*link == kNone || nodes_[*link].prefix != p || nodes_[*link].value == kNone) return false;
    values_.remove(std::exchange(nodes_[*link].value, kNone));
    if (splice(*link) && above) splice(*above);
    return true;
}

// Takes a node without value and with less than two children out. True when it left an empty link behind.
template <class Address, class Value>
bool PrefixStore<Address, Value>::splice(std::uint32_t& link) {
    const Node& n = nodes_[link];
    if (n.value != kNone || (n.child[0] != kNone && n.child[1] != kNone)) return false;
    const std::uint32_t gone = std::exchange(link, n.child[0] != kNone ? n.child[0] : n.child[1]);
    nodes_.remove(gone);
    return link == kNone;
}

template <class Address, class Value>
template <class Accept>
auto PrefixStore<Address, Value>::covering(const Prefix& p, Accept accept) const -> std::optional<Found> {
    const Key key(p.address);
    std::optional<Found> best;
    for (std::uint32_t i = root_; i != kNone;) {
        const Node& n = nodes_[i];
        if (n.prefix.length >= p.length || key.common(Key(n.prefix.address)) < n.prefix.length) break;
        if (n.value != kNone && accept(values_[n.value])) best = Found{n.prefix, &values_[n.value]};
        i = n.child[key.bit(n.prefix.length)];
    }
    return best;
}

template <class Address, class Value>
auto PrefixStore<Address, Value>::match(const Address& a) const -> std::optional<Found> {
    const Prefix host{a, Address::kBits};
    if (const Value* v = find(host)) return Found{host, v};
    return covering(host, [](const Value&) { return true; });
}

template <class Address, class Value>
template <class F>
void PrefixStore<Address, Value>::visit(const Prefix& from, F f) const {
    std::array<std::uint32_t, Address::kBits + 2> todo;
    std::size_t n = 0;
    if (root_ != kNone) todo[n++] = root_;
    while (n > 0) {
        const Node& node = nodes_[todo[--n]];
        if (node.prefix.address < from.address && !contains(node.prefix, from.address)) continue;  // all before `from`
        if (node.value != kNone && node.prefix >= from && !f(node.prefix, values_[node.value])) return;
        for (const unsigned side : {1u, 0u})
            if (node.child[side] != kNone) todo[n++] = node.child[side];
    }
}

}  // namespace dataplane
