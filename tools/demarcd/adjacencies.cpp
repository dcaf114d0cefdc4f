#include "tools/demarcd/adjacencies.h"

namespace demarcd {

using dataplane::InterfaceId;
using dataplane::NextHopId;
using dataplane::Slot;

namespace {

// Link-local neighbours are next hops of routes, but have no route of their own.
bool routable(const net::IpAddress& a) { return a.family == net::Family::ipv4 || !a.v6().is_link_local(); }

}  // namespace

void Adjacencies::neighbor(const NeighborKey& key, std::optional<net::MacAddress> mac) {
    if (dumping_ && mac) dumped_.insert(key);
    const auto known = neighbors_.find(key);
    if (mac) {
        if (known != neighbors_.end() && known->second == *mac) return;
        const bool fresh = known == neighbors_.end();
        neighbors_[key] = *mac;
        update_all(key);
        if (fresh && routable(key.second)) actions_.host_route(key, true);
        return;
    }
    if (known == neighbors_.end()) return;
    neighbors_.erase(known);
    if (routable(key.second)) actions_.host_route(key, false);
    update_all(key);
}

void Adjacencies::begin_dump() {
    dumping_ = true;
    dumped_.clear();
}

void Adjacencies::end_dump() {
    if (!dumping_) return;
    dumping_ = false;
    std::vector<NeighborKey> gone;
    for (const auto& [key, mac] : neighbors_)
        if (!dumped_.contains(key)) gone.push_back(key);
    for (const auto& key : gone) neighbor(key, std::nullopt);
}

void Adjacencies::next_hop_added(NextHopId id, const NeighborKey& key) {
    by_id_[id] = key;
    by_key_[key] = id;
    update(id, key);
    if (!neighbors_.contains(key) && usable(key.first)) actions_.probe(key);
}

void Adjacencies::next_hop_removed(NextHopId id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;
    const auto by_key = by_key_.find(found->second);
    if (by_key != by_key_.end() && by_key->second == id) by_key_.erase(by_key);
    by_id_.erase(found);
    actions_.store_slot(id, 0);
}

void Adjacencies::interface_usable(InterfaceId interface, bool now) {
    if (now == usable(interface)) return;
    if (now)
        usable_.insert(interface);
    else
        usable_.erase(interface);
    for (const auto& [id, key] : by_id_)
        if (key.first == interface) update(id, key);
}

void Adjacencies::interface_gone(InterfaceId interface) {
    interface_usable(interface, false);
    std::vector<NeighborKey> gone;
    for (const auto& [key, mac] : neighbors_)
        if (key.first == interface) gone.push_back(key);
    for (const auto& key : gone) neighbor(key, std::nullopt);
}

void Adjacencies::probe_unresolved() {
    for (const auto& [id, key] : by_id_)
        if (usable(key.first) && !neighbors_.contains(key)) actions_.probe(key);
}

void Adjacencies::update(NextHopId id, const NeighborKey& key) {
    const auto mac = neighbors_.find(key);
    std::uint64_t word = 0;
    if (mac != neighbors_.end()) {
        word = mac->second.number() | Slot::kResolved;
        if (usable(key.first)) word |= Slot::kUsable;
    }
    actions_.store_slot(id, word);
}

void Adjacencies::update_all(const NeighborKey& key) {
    const auto id = by_key_.find(key);
    if (id != by_key_.end()) update(id->second, key);
}

std::vector<NextHopView> Adjacencies::next_hops() const {
    std::vector<NextHopView> all;
    for (const auto& [id, key] : by_id_) {
        const auto mac = neighbors_.find(key);
        const bool resolved = mac != neighbors_.end();
        all.push_back({id, key, resolved ? std::optional(mac->second) : std::nullopt, resolved && usable(key.first)});
    }
    return all;
}

}  // namespace demarcd
