// Longest-prefix match for IPv4 and IPv6: one writer, any number of lookups, no locks, no fences.
//
//  1. A lookup indexes the root with the address's first root_bits (16 to 24) bits.
//  2. An entry is a leaf (bit 31 clear), and the answer, or a link (bit 31 set) to a node of 256 entries, indexed with
//     the next 8 bits; and so on. Entries are leaf-pushed: the last one read is the answer.
//  3. Zero is a miss: the table's default route answers, one atomic word.
//
// Every lookup returns what was true at one instant between its beginning and its end: a single entry decides; a chain
// of new nodes is filled whole before one store links it; a collapse stores the leaf before its node is given up; a
// node given up is not written until its grace period ends; the default is read before the walk and, on a miss, after
// it, with a number of its changes, so that a miss and its default were true together.
// A prefix that spans many entries changes one entry at a time: each address sees its own change once.
//
// Depths (the length of the prefix an entry comes from) stand beside the entries for the writer alone: they tell which
// entries a prefix may overwrite. A node collapses when no entry of it comes from a prefix that needs the node, which
// is when all entries are the leaf of one covering prefix; leaves that are equal by chance keep their places.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <utility>

#include "dataplane/address_key.h"
#include "dataplane/fib_gather.h"
#include "dataplane/fib_nodes.h"
#include "dataplane/leaf.h"

namespace dataplane {

struct FibSizes {
    unsigned root_bits{16};    // 16 to 24; the root takes 5 octets times 2^root_bits
    std::size_t nodes{16384};  // 1.25 KiB each, when used
};

// What shows when a prefix goes: the longest installed prefix around it. Length 0: nothing but the default.
struct Cover {
    Leaf leaf{};
    std::uint8_t length{};
};

template <class Address>
class Fib {
public:
    using Prefix = net::Prefix<Address>;
    static constexpr std::size_t kBulk = 64;

    // control. Error: a sentence with the remedy.
    static std::expected<std::unique_ptr<Fib>, std::string> make(FibSizes, Grace);

    // Any worker, between two quiescent states.
    Leaf lookup(const Address&) const noexcept;
    // The same for n addresses, with prefetch; fastest in bulks of 16 to 64.
    void lookup(const Address* addresses, Leaf* leaves, std::size_t n) const noexcept;

    // routes thread only, these and all below. Adds the prefix or replaces its leaf. `busy` and `full` change nothing,
    // and come only for a prefix that is not in the FIB; `invalid`: host bits set, length too large, or a leaf of kind
    // none.
    TableResult set(const Prefix&, Leaf);
    // Takes the prefix out; `cover` shows in its place. Never fails; a prefix that is not in the FIB changes nothing.
    void remove(const Prefix&, Cover cover);

    FibNodeCounts nodes() const noexcept { return nodes_.counts(); }
    void reclaim() { nodes_.reclaim(); }
    Leaf default_route() const noexcept { return leaf_of(default_.load(std::memory_order_relaxed)); }

private:
    using Key = AddressKey<Address>;
    static constexpr std::uint32_t kLink = std::uint32_t{1} << 31;
    static constexpr std::size_t kMaxTables = 1 + (Address::kBits - 16 + kStrideBits - 1) / kStrideBits;

    // The root or a node, as the writer sees it.
    struct Table {
        std::uint32_t* entries;
        std::uint8_t* depths;
        std::uint16_t* specific;  // null for the root
        std::uint32_t node;
        unsigned base, bits;  // address bits before it, and those that index it
        unsigned end() const noexcept { return base + bits; }
    };
    struct Step {
        Table table;
        std::size_t index;
    };
    // The tables on a prefix's way, as deep as they exist.
    struct Path {
        std::array<Step, kMaxTables> step;
        std::size_t count{};
        bool reached{};  // the last table is the prefix's own
        Key key;         // what is left of the address at the last table
        Step& last() noexcept { return step[count - 1]; }
    };

    Fib(unsigned root_bits, MappedArray<std::uint32_t> root, MappedArray<std::uint8_t> depths, FibNodes nodes)
        : root_bits_(root_bits),
          root_(std::move(root)),
          root_depths_(std::move(depths)),
          nodes_(std::move(nodes)),
          gathers_(can_gather(nodes_.counts().total)),
          entries_(root_.data()),
          node_entries_(nodes_.entries(0)) {}

    static std::uint32_t load(std::uint32_t& e) noexcept { return std::atomic_ref(e).load(std::memory_order_acquire); }
    // Release: what the leaf's index leads to, or the node behind a link, was written before.
    static void store(std::uint32_t& e, std::uint32_t v) noexcept {
        std::atomic_ref(e).store(v, std::memory_order_release);
    }
    static Leaf leaf_of(std::uint64_t d) noexcept { return {static_cast<std::uint32_t>(d)}; }

    void bulk(const Address*, Leaf*, std::size_t n) const noexcept;
    unsigned begin(const Address*, Leaf*, std::size_t n) const noexcept;
    bool finish(const Address*, Leaf*, std::size_t n, unsigned base, std::uint64_t before) const noexcept;
    bool read_root(const Address*, Leaf*, std::size_t n) const noexcept;
    static std::size_t links_among(const Leaf*, std::uint8_t* links, std::size_t n) noexcept;
    std::size_t read_nodes(const Address*, Leaf*, std::uint8_t* links, std::size_t n, unsigned base) const noexcept;
    static bool fill_misses(Leaf*, std::size_t n, std::uint64_t fallback) noexcept;

    void set_default(Leaf);
    Path find(const Prefix&);
    Table root_table() noexcept { return {entries_, root_depths_.data(), nullptr, 0, 0, root_bits_}; }
    Table node_table(std::uint32_t entry, unsigned base) noexcept {
        const std::uint32_t n = entry & ~kLink;
        return {nodes_.entries(n), nodes_.depths(n), &nodes_.specific(n), n, base, kStrideBits};
    }
    static std::size_t span_of(const Table& t, unsigned length) noexcept {
        return std::size_t{1} << (t.end() - length);
    }
    TableResult graft(Path&, const Prefix&, Leaf);
    void put(const Table&, std::size_t index, Cover);
    void link(const Table&, std::size_t index, std::uint32_t node);
    static void clear(const Table&, Cover);
    template <class Match>
    void fill(const Table&, std::size_t first, std::size_t count, Cover, Match);
    void collapse(Path&);

    const unsigned root_bits_;
    MappedArray<std::uint32_t> root_;
    MappedArray<std::uint8_t> root_depths_;  // routes only
    FibNodes nodes_;                         // routes only, but for the entries
    const bool gathers_;
    std::uint32_t* const entries_;           // routes: rw, workers: ro
    std::uint32_t* const node_entries_;      // routes: rw, workers: ro
    // Low half the default's leaf, high half how often it changed. routes: rw, workers: ro
    alignas(64) std::atomic<std::uint64_t> default_{};
};

using Fib4 = Fib<net::Ipv4Address>;
using Fib6 = Fib<net::Ipv6Address>;

}  // namespace dataplane

#include "dataplane/fib_change.h"
#include "dataplane/fib_lookup.h"
