#include "bgp-glue/rib.h"

#include <fmt/format.h>

#include <algorithm>

namespace bgp_glue {

namespace {

// By bgpd, staticd and others. zebra itself has the kernel's routes and the connected ones, and has them at once.
bool is_told(std::uint8_t protocol) noexcept { return protocol != kProtocolKernel; }

}  // namespace

bool is_sentinel(const net::IpPrefix& prefix) noexcept {
    static const auto sentinel = net::parse_prefix(kSentinelText);
    return prefix == sentinel;
}

void Rib::connected() {
    disconnected();
    state_ = SyncState::synchronizing;
    first_frame_.reset();
    sentinel_seen_ = false;
}

void Rib::disconnected() {
    if (state_ == SyncState::disconnected) return;
    state_ = SyncState::disconnected;
    groups_.clear();
    users_.clear();
    drop_unresolved();
    for (auto& [key, entry] : entries_) entry.next_hop_id = 0;
    ++generation_;
    stale_ = entries_.size();
    stale_told_ = static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const auto& e) { return is_told(e.second.protocol); }));
}

RouteChanges Rib::apply(std::span<const ZebraMessage> frame, Time now) {
    ++frame_;
    last_frame_ = now;
    if (!first_frame_) first_frame_ = now;
    for (const auto& message : frame) {
        if (const auto* route = std::get_if<RouteMessage>(&message)) apply_route(*route);
        else if (const auto* next_hop = std::get_if<NextHopMessage>(&message)) apply_next_hop(*next_hop);
    }
    auto changes = settle();
    const auto end = end_of_sync();
    if (end && now >= *end) sweep(changes);
    return changes;
}

RouteChanges Rib::tick(Time now) {
    RouteChanges changes;
    const auto end = end_of_sync();
    if (end && now >= *end) sweep(changes);
    return changes;
}

std::optional<Time> Rib::next_deadline() const { return end_of_sync(); }

std::vector<SetRoute> Rib::routes() const {
    std::vector<SetRoute> all;
    all.reserve(entries_.size());
    for (const auto& [key, entry] : entries_)
        if (entry.route) all.push_back({key.table, key.prefix, *entry.route});
    std::sort(all.begin(), all.end(), [](const SetRoute& a, const SetRoute& b) {
        return RouteKey{a.table, a.prefix} < RouteKey{b.table, b.prefix};
    });
    return all;
}

std::optional<Route> Rib::find(const RouteKey& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? std::nullopt : found->second.route;
}

void Rib::apply_route(const RouteMessage& message) {
    if (is_sentinel(message.prefix)) return take_sentinel(message);
    const RouteKey key{message.table, message.prefix};
    if (message.removed) {
        ++counters_.withdrawals;
        const auto found = entries_.find(key);
        if (found == entries_.end()) {
            ++counters_.unknown_withdrawals;
            return;
        }
        touch(found->second);
        found->second.announced = false;
        return;
    }
    ++counters_.announcements;
    Entry* entry = find_or_make(key);
    if (!entry) return;
    touch(*entry);
    refresh(*entry);
    entry->announced = true;
    entry->protocol = message.route.protocol;
    entry->metric = message.route.metric;
    use_next_hop(*entry, message.next_hop_id);
    if (message.next_hop_id == 0) entry->route = message.route;
}

// Every route by the next hop, or by a group it is in, is looked at anew when the frame ends.
void Rib::apply_next_hop(const NextHopMessage& message) {
    ++counters_.next_hops;
    for (const std::uint32_t id : groups_.apply(message)) {
        const auto users = users_.find(id);
        if (users == users_.end()) continue;
        for (Entry* entry : users->second) {
            touch(*entry);
            // The kernel takes a next hop's routes with it; a group not yet complete keeps what its routes had.
            if (message.removed && !groups_.resolve(id)) entry->route.reset();
        }
    }
}

void Rib::take_sentinel(const RouteMessage& message) {
    if (message.removed) return;
    ++counters_.sentinels;
    sentinel_seen_ = true;
}

Rib::Entry* Rib::find_or_make(const RouteKey& key) {
    if (const auto found = entries_.find(key); found != entries_.end()) return &found->second;
    if (entries_.size() >= limits_.routes) {
        ++counters_.refused;
        return nullptr;
    }
    Entry& entry = entries_[key];
    entry.key = key;
    entry.generation = generation_;
    ++unresolved_;
    return &entry;
}

void Rib::refresh(Entry& entry) {
    if (entry.generation == generation_) return;
    no_longer_stale(entry);
    entry.generation = generation_;
}

void Rib::no_longer_stale(const Entry& entry) noexcept {
    --stale_;
    stale_told_ -= is_told(entry.protocol);
}

void Rib::touch(Entry& entry) {
    if (entry.touched_in == frame_) return;
    entry.touched_in = frame_;
    touched_.push_back({&entry, entry.route});
}

void Rib::use_next_hop(Entry& entry, std::uint32_t id) {
    if (entry.next_hop_id == id) return;
    if (entry.next_hop_id != 0) {
        const auto found = users_.find(entry.next_hop_id);
        auto& users = found->second;
        users.back()->user_index = entry.user_index;
        users[entry.user_index] = users.back();
        users.pop_back();
        if (users.empty()) users_.erase(found);
    }
    entry.next_hop_id = id;
    if (id == 0) return;
    auto& users = users_[id];
    entry.user_index = static_cast<std::uint32_t>(users.size());
    users.push_back(&entry);
}

// A route by id becomes plain hops, or stays what it was while the id is not known in full.
void Rib::resolve(Entry& entry) {
    if (entry.next_hop_id == 0) return;
    auto next_hop = groups_.resolve(entry.next_hop_id);
    if (next_hop) entry.route = Route{next_hop->kind, entry.protocol, entry.metric, std::move(next_hop->hops)};
}

// The end of a frame: the difference between what each touched prefix was and what it is.
RouteChanges Rib::settle() {
    RouteChanges changes;
    for (auto& [entry, before] : touched_) {
        if (entry->announced) resolve(*entry);
        else entry->route.reset();
        if (entry->route && !before) --unresolved_;
        if (!entry->route && before) ++unresolved_;
        if (entry->route && entry->route != before) {
            changes.push_back(SetRoute{entry->key.table, entry->key.prefix, *entry->route});
            ++counters_.set;
        } else if (!entry->route && before) {
            changes.push_back(RemoveRoute{entry->key.table, entry->key.prefix});
            ++counters_.removed;
        }
        if (!entry->announced) forget(*entry);
    }
    touched_.clear();
    return changes;
}

void Rib::forget(Entry& entry) {
    use_next_hop(entry, 0);
    if (entry.generation != generation_) no_longer_stale(entry);
    unresolved_ -= !entry.route;
    entries_.erase(RouteKey{entry.key});
}

// Without their connection's next hops they can never be resolved; nothing of them was given out.
void Rib::drop_unresolved() {
    std::erase_if(entries_, [](const auto& e) { return !e.second.route; });
    unresolved_ = 0;
}

// When the replay ends if nothing more comes; nothing: not in a replay, or a peer that has not said a word.
std::optional<Time> Rib::end_of_sync() const {
    if (state_ != SyncState::synchronizing || !first_frame_) return std::nullopt;
    const Time cap = *first_frame_ + times_.cap;
    if (stale_told_ > 0) return cap;
    if (sentinel_seen_) return last_frame_;
    return std::min(cap, last_frame_ + times_.quiet);
}

void Rib::sweep(RouteChanges& changes) {
    state_ = SyncState::synchronized;
    if (stale_ == 0) return;
    for (auto at = entries_.begin(); at != entries_.end();) {
        Entry& entry = (at++)->second;
        if (entry.generation == generation_) continue;
        changes.push_back(RemoveRoute{entry.key.table, entry.key.prefix});
        ++counters_.swept;
        ++counters_.removed;
        entry.route.reset();
        ++unresolved_;
        forget(entry);
    }
}

const char* to_string(SyncState state) noexcept {
    switch (state) {
        case SyncState::disconnected: return "disconnected";
        case SyncState::synchronizing: return "synchronizing";
        case SyncState::synchronized: return "synchronized";
    }
    return "unknown";
}

const char* to_string(RouteKind kind) noexcept {
    switch (kind) {
        case RouteKind::unicast: return "unicast";
        case RouteKind::blackhole: return "blackhole";
        case RouteKind::unreachable: return "unreachable";
    }
    return "unknown";
}

std::string to_string(const SetRoute& r) {
    auto text = fmt::format("{} {} {} proto {} metric {}", r.table, net::to_string(r.prefix), to_string(r.route.kind),
                            r.route.protocol, r.route.metric);
    const char* separator = " ";
    for (const auto& hop : r.route.hops) {
        text += separator;
        if (hop.has_gateway) text += "via " + net::to_string(hop.gateway) + ' ';
        text += fmt::format("dev {} weight {}", hop.oif, hop.weight);
        separator = ", ";
    }
    return text;
}

}  // namespace bgp_glue
