#include "dataplane/group_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace dataplane {
namespace {

// Buckets per member: exact shares rounded so that they are at least one and kBuckets together.
std::vector<int> quotas(std::span<const std::uint16_t> weights) {
    const int buckets = static_cast<int>(kBuckets);
    const int total = std::accumulate(weights.begin(), weights.end(), 0);
    std::vector<int> quota;
    for (const int w : weights) quota.push_back(std::max(1, buckets * w / total));
    const auto owed = [&](std::size_t i) { return buckets * weights[i] - quota[i] * total; };
    for (int left = buckets - std::accumulate(quota.begin(), quota.end(), 0); left != 0; left += left > 0 ? -1 : 1) {
        std::size_t best = quota.size();
        for (std::size_t i = 0; i < quota.size(); ++i) {
            if (left < 0 && quota[i] == 1) continue;
            if (best == quota.size() || (left > 0 ? owed(i) > owed(best) : owed(i) < owed(best))) best = i;
        }
        quota[best] += left > 0 ? 1 : -1;
    }
    return quota;
}

// How much a next hop wants a bucket.
std::uint32_t affinity(std::size_t bucket, NextHopId hop) {
    std::uint64_t x = (std::uint64_t{hop.value} << 8 | bucket) + 0x9E37'79B9'7F4A'7C15;
    x = (x ^ x >> 30) * 0xBF58'476D'1CE4'E5B9;
    x = (x ^ x >> 27) * 0x94D0'49BB'1331'11EB;
    return static_cast<std::uint32_t>(x >> 32);
}

}  // namespace

std::array<std::uint8_t, kBuckets> share_buckets(std::span<const NextHopId> hops,
                                                 std::span<const std::uint16_t> weights) {
    struct Wish {
        std::uint32_t affinity;
        std::uint8_t bucket, member;
    };
    std::vector<Wish> wishes;
    for (std::size_t b = 0; b < kBuckets; ++b)
        for (std::size_t m = 0; m < hops.size(); ++m)
            wishes.push_back({affinity(b, hops[m]), static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(m)});
    std::sort(wishes.begin(), wishes.end(), [](const Wish& a, const Wish& b) {
        return std::tuple(b.affinity, a.bucket, a.member) < std::tuple(a.affinity, b.bucket, b.member);
    });
    std::array<std::uint8_t, kBuckets> bucket;
    std::array<bool, kBuckets> given{};
    std::vector<int> quota = quotas(weights);
    for (const Wish& w : wishes) {
        if (given[w.bucket] || quota[w.member] == 0) continue;
        given[w.bucket] = true;
        --quota[w.member];
        bucket[w.bucket] = w.member;
    }
    return bucket;
}

bool GroupTable::HopLess::operator()(const NextHop& a, const NextHop& b) const noexcept {
    return std::tie(a.interface, a.neighbor) < std::tie(b.interface, b.neighbor);
}

bool GroupTable::SetLess::operator()(const Set& a, const Set& b) const noexcept {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return std::tie(x.hop.interface, x.hop.neighbor, x.weight) <
               std::tie(y.hop.interface, y.hop.neighbor, y.weight);
    });
}

std::expected<std::unique_ptr<GroupTable>, std::string> GroupTable::make(GroupSizes sizes, Grace grace) {
    if (sizes.next_hops == 0 || sizes.next_hops > 65535)
        return std::unexpected(fmt::format("room for {} next hops; write 1 to 65535", sizes.next_hops));
    if (sizes.groups == 0 || sizes.groups > Leaf::kIndexMask)
        return std::unexpected(fmt::format("room for {} groups; write 1 to {}", sizes.groups, Leaf::kIndexMask));
    return std::unique_ptr<GroupTable>(new GroupTable(sizes, std::move(grace)));
}

// GroupId 0 is never used.
GroupTable::GroupTable(GroupSizes sizes, Grace grace)
    : grace_(std::move(grace)),
      next_hops_(sizes.next_hops),
      groups_(sizes.groups + 1),
      slots_(std::make_unique<std::atomic<std::uint64_t>[]>(sizes.next_hops)),
      hop_uses_(sizes.next_hops),
      group_uses_(sizes.groups + 1) {
    for (std::size_t i = sizes.next_hops; i-- > 0;) free_hops_.push_back({static_cast<std::uint16_t>(i)});
    for (std::size_t i = sizes.groups; i > 0; --i) free_groups_.push_back({static_cast<std::uint32_t>(i)});
}

auto GroupTable::canonical(std::span<const WeightedHop> hops, std::size_t& left_out) -> Set {
    std::map<NextHop, std::uint32_t, HopLess> merged;
    for (const auto& h : hops) {
        auto& weight = merged[h.hop];
        weight = std::min<std::uint32_t>(weight + std::max<std::uint16_t>(h.weight, 1), 65535);
    }
    Set set;
    for (const auto& [hop, weight] : merged) set.push_back({hop, static_cast<std::uint16_t>(weight)});
    left_out = set.size() > kMaxMembers ? set.size() - kMaxMembers : 0;
    if (left_out > 0) {
        std::stable_sort(set.begin(), set.end(), [](const auto& a, const auto& b) { return a.weight > b.weight; });
        set.resize(kMaxMembers);
        std::sort(set.begin(), set.end(), [](const auto& a, const auto& b) { return HopLess{}(a.hop, b.hop); });
    }
    std::uint16_t divisor = 0;
    for (const auto& m : set) divisor = std::gcd(divisor, m.weight);
    for (auto& m : set) m.weight = static_cast<std::uint16_t>(m.weight / divisor);
    return set;
}

std::expected<AcquiredGroup, TableResult> GroupTable::acquire(std::span<const WeightedHop> hops) {
    if (hops.empty()) return std::unexpected(TableResult::invalid);
    AcquiredGroup group;
    Set set = canonical(hops, group.left_out);
    if (const auto known = group_ids_.find(set); known != group_ids_.end()) {
        group.id = known->second;
        ++group_uses_[group.id.value].references;
        return group;
    }
    TableResult room = has_room(set);
    if (room == TableResult::busy) {
        reclaim();
        room = has_room(set);
    }
    if (room != TableResult::ok) return std::unexpected(room);
    group.id = free_groups_.back();
    free_groups_.pop_back();
    write_group(group.id, set);
    group_ids_.emplace(set, group.id);
    group_uses_[group.id.value] = {1, std::move(set)};
    return group;
}

TableResult GroupTable::has_room(const Set& set) const {
    const auto is_new = [&](const WeightedHop& m) { return !hop_ids_.contains(m.hop); };
    const auto new_hops = static_cast<std::size_t>(std::count_if(set.begin(), set.end(), is_new));
    const bool group_fits = !free_groups_.empty(), hops_fit = new_hops <= free_hops_.size();
    if (group_fits && hops_fit) return TableResult::ok;
    return awaiting_.empty() && (leaving_hops_ == 0 || !group_fits) ? TableResult::full : TableResult::busy;
}

NextHopId GroupTable::intern(const NextHop& hop) {
    const auto [at, is_new] = hop_ids_.try_emplace(hop);
    if (is_new) {
        at->second = free_hops_.back();
        free_hops_.pop_back();
        next_hops_[at->second.value] = hop;
        events_.push_back({at->second, hop, true});
    }
    ++hop_uses_[at->second.value].groups;
    return at->second;
}

void GroupTable::write_group(GroupId id, const Set& set) {
    std::array<std::uint16_t, kMaxMembers> weights;
    Group& g = groups_[id.value];
    g = {};
    for (const auto& m : set) {
        weights[g.count] = m.weight;
        g.member[g.count++] = intern(m.hop);
    }
    g.bucket = share_buckets({g.member.data(), g.count}, {weights.data(), g.count});
}

// The set is forgotten at once: who wants it again before the grace period ends gets a new group.
void GroupTable::release(GroupId id) {
    if (id.value == 0 || id.value >= group_uses_.size()) return;
    GroupUse& use = group_uses_[id.value];
    if (use.references == 0 || --use.references > 0) return;
    group_ids_.erase(use.set);
    use.set.clear();
    awaiting_.push_back({grace_.start(), id});
}

// Workers reach next hops through groups only: a member outlives its groups' grace periods, then nobody sees it.
void GroupTable::reclaim() {
    while (!awaiting_.empty() && grace_.passed(awaiting_.front().token)) {
        const GroupId id = awaiting_.front().id;
        awaiting_.pop_front();
        const Group& g = groups_[id.value];
        for (std::size_t i = 0; i < g.count; ++i) drop_hop(g.member[i]);
        free_groups_.push_back(id);
    }
}

void GroupTable::drop_hop(NextHopId id) {
    HopUse& use = hop_uses_[id.value];
    if (--use.groups > 0) return;
    use.leaving = true;
    ++leaving_hops_;
    hop_ids_.erase(next_hops_[id.value]);
    events_.push_back({id, next_hops_[id.value], false});
}

std::vector<NextHopEvent> GroupTable::take_events() { return std::exchange(events_, {}); }

void GroupTable::confirm_gone(NextHopId id) {
    if (id.value >= hop_uses_.size() || !hop_uses_[id.value].leaving) return;
    hop_uses_[id.value].leaving = false;
    --leaving_hops_;
    free_hops_.push_back(id);
}

NextHopArrays GroupTable::arrays() const noexcept { return {next_hops_, groups_, {slots_.get(), next_hops_.size()}}; }

GroupCounts GroupTable::counts() const noexcept {
    return {group_ids_.size(), hop_ids_.size(), awaiting_.size(), leaving_hops_};
}

std::span<const WeightedHop> GroupTable::members(GroupId id) const noexcept {
    if (id.value >= group_uses_.size()) return {};
    return group_uses_[id.value].set;
}

}  // namespace dataplane
