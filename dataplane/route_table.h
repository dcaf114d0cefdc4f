// All routes of one table and family, merged by preference, and what of them is in the FIB. Routes thread only.
//
// A prefix may be known from several sources; the most preferred one's leaf is in the FIB. The table owns no groups:
// the caller holds one reference per (prefix, source) and gets the leaf that is out of use back.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>

#include "dataplane/fib.h"
#include "dataplane/prefix_store.h"

namespace dataplane {

// Most preferred first.
enum class Source : std::uint8_t { local, neighbor, connected, fpm, count_ };
inline constexpr std::size_t kSources = static_cast<std::size_t>(Source::count_);

// What is known of one prefix.
struct RouteRecord {
    std::array<Leaf, kSources> leaf{};  // by source; zero: not from there
    bool installed{};                   // best() is in the FIB; false: waits for room

    Leaf best() const noexcept {
        for (const Leaf l : leaf)
            if (l.bits != 0) return l;
        return {};
    }
};

enum class RouteResult : std::uint8_t {
    unchanged,  // the FIB already answers this way
    applied,    // the FIB answers the new way from now on
    // waits for room in the FIB; pump() tries again. Until then the address falls to what is around the prefix
    pending,
    refused,  // no prefix, a leaf of kind none, or more prefixes than max_routes: nothing was stored
};
struct RouteOutcome {
    RouteResult result{};
    Leaf previous{};  // this source's leaf until now: out of use; zero: there was none
};

template <class Address>
class RouteTable {
public:
    using Prefix = net::Prefix<Address>;
    using Store = PrefixStore<Address, RouteRecord>;

    // The FIB outlives the table and is changed by nobody else.
    explicit RouteTable(Fib<Address>& fib, std::size_t max_routes = 4'000'000) : fib_(fib), max_routes_(max_routes) {}

    RouteOutcome set(const Prefix&, Source, Leaf);
    RouteOutcome remove(const Prefix&, Source);

    // Tries up to `budget` of the pending prefixes again. Returns how many are still pending.
    std::size_t pump(std::size_t budget = 256);
    std::size_t pending() const noexcept { return pending_.size(); }
    // The FIB has no room that time will bring: an alarm, naming `fib:` sizes.
    bool full() const noexcept { return full_ && !pending_.empty(); }

    std::size_t size() const noexcept { return store_.size(); }
    const RouteRecord* find(const Prefix& p) const { return store_.find(p); }
    // The longest prefix known around the address, installed or not: what `demarc lookup` shows.
    std::optional<typename Store::Found> match(const Address& a) const { return store_.match(a); }
    // f(prefix, record) -> bool in order from `from` on, until it returns false: a dump in bounded pieces.
    template <class F>
    void visit(const Prefix& from, F f) const {
        store_.visit(from, f);
    }

private:
    RouteResult install(const Prefix&, RouteRecord&);
    void withdraw(const Prefix&, const RouteRecord&);

    Fib<Address>& fib_;
    const std::size_t max_routes_;
    Store store_;
    std::set<Prefix> pending_;
    Prefix next_pending_{};  // where pump() goes on
    bool full_{};
};

using RouteTable4 = RouteTable<net::Ipv4Address>;
using RouteTable6 = RouteTable<net::Ipv6Address>;

template <class Address>
RouteOutcome RouteTable<Address>::set(const Prefix& prefix, Source source, Leaf leaf) {
    if (!is_prefix(prefix) || leaf.kind() == LeafKind::none) return {RouteResult::refused, {}};
    leaf = Leaf::make(leaf.kind(), leaf.index());
    RouteRecord* record = store_.find(prefix);
    if (!record && store_.size() >= max_routes_) return {RouteResult::refused, {}};
    if (!record) record = &store_.insert(prefix);
    const Leaf before = record->best();
    const Leaf previous = std::exchange(record->leaf[static_cast<std::size_t>(source)], leaf);
    if (record->best() == before && record->installed) return {RouteResult::unchanged, previous};
    return {install(prefix, *record), previous};
}

template <class Address>
RouteOutcome RouteTable<Address>::remove(const Prefix& prefix, Source source) {
    RouteRecord* record = is_prefix(prefix) ? store_.find(prefix) : nullptr;
    if (!record) return {RouteResult::unchanged, {}};
    const Leaf before = record->best();
    const Leaf previous = std::exchange(record->leaf[static_cast<std::size_t>(source)], {});
    if (record->best() == before) return {RouteResult::unchanged, previous};
    if (record->best().bits != 0) return {install(prefix, *record), previous};
    withdraw(prefix, *record);
    store_.erase(prefix);
    return {RouteResult::applied, previous};
}

template <class Address>
RouteResult RouteTable<Address>::install(const Prefix& prefix, RouteRecord& record) {
    const TableResult r = fib_.set(prefix, record.best());
    record.installed = r == TableResult::ok;
    if (record.installed) {
        pending_.erase(prefix);
        return RouteResult::applied;
    }
    full_ = r == TableResult::full;
    pending_.insert(prefix);
    return RouteResult::pending;
}

// What shows in its place is the longest *installed* prefix around it.
template <class Address>
void RouteTable<Address>::withdraw(const Prefix& prefix, const RouteRecord& record) {
    pending_.erase(prefix);
    if (!record.installed) return;
    const auto around = store_.covering(prefix, [](const RouteRecord& r) { return r.installed; });
    fib_.remove(prefix, around ? Cover{around->value->best(), around->prefix.length} : Cover{});
}

template <class Address>
std::size_t RouteTable<Address>::pump(std::size_t budget) {
    fib_.reclaim();
    budget = std::min(budget, pending_.size());
    for (auto i = pending_.lower_bound(next_pending_); budget > 0; --budget) {
        if (i == pending_.end()) i = pending_.begin();
        const Prefix prefix = *i++;
        install(prefix, *store_.find(prefix));
        next_pending_ = i == pending_.end() ? Prefix{} : *i;
    }
    return pending_.size();
}

}  // namespace dataplane
