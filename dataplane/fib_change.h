// Changes of the FIB: routes thread only. Included by fib.h.
#pragma once

#include <algorithm>

#include "dataplane/fib.h"

namespace dataplane {

template <class Address>
std::expected<std::unique_ptr<Fib<Address>>, std::string> Fib<Address>::make(FibSizes sizes, Grace grace) {
    if (sizes.root_bits < 16 || sizes.root_bits > 24)
        return std::unexpected(fmt::format("a FIB root of {} bits; write 16 to 24", sizes.root_bits));
    if (sizes.nodes == 0 || sizes.nodes > (std::size_t{1} << 24))
        return std::unexpected(fmt::format("a FIB with {} nodes; write 1 to 16777216", sizes.nodes));
    auto root = MappedArray<std::uint32_t>::make(std::size_t{1} << sizes.root_bits);
    if (!root) return std::unexpected(root.error());
    auto depths = MappedArray<std::uint8_t>::make(std::size_t{1} << sizes.root_bits);
    if (!depths) return std::unexpected(depths.error());
    auto nodes = FibNodes::make(sizes.nodes, std::move(grace));
    if (!nodes) return std::unexpected(nodes.error());
    return std::unique_ptr<Fib>(new Fib(sizes.root_bits, std::move(*root), std::move(*depths), std::move(*nodes)));
}

template <class Address>
TableResult Fib<Address>::set(const Prefix& prefix, Leaf leaf) {
    if (!is_prefix(prefix) || leaf.kind() == LeafKind::none || leaf.bits & kLink) return TableResult::invalid;
    if (prefix.length == 0) {
        set_default(leaf);
        return TableResult::ok;
    }
    Path path = find(prefix);
    if (!path.reached) return graft(path, prefix, leaf);
    const auto& [table, index] = path.last();
    fill(table, index, span_of(table, prefix.length), {leaf, prefix.length},
         [&](std::uint8_t depth) { return depth <= prefix.length; });
    return TableResult::ok;
}

template <class Address>
void Fib<Address>::remove(const Prefix& prefix, Cover cover) {
    if (!is_prefix(prefix)) return;
    if (prefix.length == 0) return set_default({});
    if (cover.length == 0 || cover.length >= prefix.length) cover = {};
    Path path = find(prefix);
    if (!path.reached) return;
    const auto& [table, index] = path.last();
    fill(table, index, span_of(table, prefix.length), cover,
         [&](std::uint8_t depth) { return depth == prefix.length; });
    collapse(path);
}

template <class Address>
void Fib<Address>::set_default(Leaf leaf) {
    const std::uint64_t changes = (default_.load(std::memory_order_relaxed) >> 32) + 1;
    default_.store(changes << 32 | leaf.bits, std::memory_order_release);
}

template <class Address>
auto Fib<Address>::find(const Prefix& prefix) -> Path {
    Path path;
    path.key = Key(prefix.address);
    for (Table t = root_table();;) {
        const std::size_t index = path.key.top(t.bits);
        path.step[path.count++] = {t, index};
        path.reached = prefix.length <= t.end();
        const std::uint32_t e = t.entries[index];
        if (path.reached || !(e & kLink)) return path;
        path.key.skip(t.bits);
        t = node_table(e, t.end());
    }
}

// The prefix's own table does not exist: the nodes down to it, filled aside with what showed before, linked by one
// store.
template <class Address>
TableResult Fib<Address>::graft(Path& path, const Prefix& prefix, Leaf leaf) {
    const auto [at, index] = path.last();
    std::array<std::uint32_t, kMaxTables> chain;
    const std::size_t count = (prefix.length - at.end() + kStrideBits - 1) / kStrideBits;
    if (const auto r = nodes_.reserve({chain.data(), count}); r != TableResult::ok) return r;
    const Cover shown{{at.entries[index]}, at.depths[index]};
    for (std::size_t i = 0; i < count; ++i) {
        path.key.skip(i == 0 ? at.bits : kStrideBits);
        const Table t = node_table(chain[i], at.end() + static_cast<unsigned>(i) * kStrideBits);
        const std::size_t first = path.key.top(kStrideBits);
        clear(t, shown);
        if (i + 1 < count)
            link(t, first, chain[i + 1]);
        else
            fill(t, first, span_of(t, prefix.length), {leaf, prefix.length}, [](std::uint8_t) { return true; });
    }
    link(at, index, chain[0]);
    return TableResult::ok;
}

template <class Address>
void Fib<Address>::put(const Table& t, std::size_t index, Cover value) {
    if (t.specific)
        *t.specific = static_cast<std::uint16_t>(*t.specific + (value.length > t.base) - (t.depths[index] > t.base));
    t.depths[index] = value.length;
    store(t.entries[index], value.leaf.bits);
}

// A link counts as specific. Its depth is kept as the largest, so that putting a leaf in its place counts it off.
template <class Address>
void Fib<Address>::link(const Table& t, std::size_t index, std::uint32_t node) {
    if (t.specific) *t.specific = static_cast<std::uint16_t>(*t.specific + 1 - (t.depths[index] > t.base));
    t.depths[index] = 0xFF;
    store(t.entries[index], kLink | node);
}

template <class Address>
void Fib<Address>::clear(const Table& t, Cover value) {
    *t.specific = 0;
    std::fill_n(t.depths, kNodeEntries, value.length);
    for (std::size_t i = 0; i < kNodeEntries; ++i)
        std::atomic_ref(t.entries[i]).store(value.leaf.bits, std::memory_order_relaxed);
}

// Gives `value` to the entries whose depth matches, here and in the nodes below.
template <class Address>
template <class Match>
void Fib<Address>::fill(const Table& t, std::size_t first, std::size_t count, Cover value, Match match) {
    for (std::size_t i = first; i < first + count; ++i) {
        const std::uint32_t e = t.entries[i];
        if (e & kLink)
            fill(node_table(e, t.end()), 0, kNodeEntries, value, match);
        else if (match(t.depths[i]))
            put(t, i, value);
    }
}

template <class Address>
void Fib<Address>::collapse(Path& path) {
    std::array<std::uint32_t, kMaxTables> gone;
    std::size_t n = 0;
    for (; path.count > 1 && *path.last().table.specific == 0; --path.count) {
        const Table& t = path.last().table;
        const Step& parent = path.step[path.count - 2];
        put(parent.table, parent.index, {{t.entries[0]}, t.depths[0]});
        gone[n++] = t.node;
    }
    nodes_.detach({gone.data(), n});
}

}  // namespace dataplane
