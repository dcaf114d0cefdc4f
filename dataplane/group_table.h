// Next hops and groups: who is interned under which number, how often it is used, and the arrays workers read.
//
// One group per distinct set of weighted next hops, or a full table makes a million groups. Groups and next hops are
// counted; a number is used again only after no worker can still see it and, for next hops, control no longer writes
// its slot.
//
//  routes                                        control
//  acquire() -> take_events(): appeared(id) -->  resolves the neighbor, writes slots()[id]
//  release() -> reclaim(): gone(id)         -->  stores 0 in slots()[id], answers
//  confirm_gone(id)                         <--
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/grace.h"
#include "dataplane/leaf.h"
#include "dataplane/next_hop.h"

namespace dataplane {

struct WeightedHop {
    NextHop hop{};
    std::uint16_t weight{1};  // 0 counts as 1
};

// What control must know. In the order in which it happened.
struct NextHopEvent {
    NextHopId id{};
    NextHop hop{};
    bool appeared{};  // false: gone
};

struct AcquiredGroup {
    GroupId id{};
    std::size_t left_out{};  // members beyond kMaxMembers: the lightest ones
};

struct GroupSizes {
    std::size_t groups{4096}, next_hops{4096};
};
struct GroupCounts {
    std::size_t groups{}, next_hops{};                    // in use
    std::size_t groups_awaiting{}, next_hops_awaiting{};  // not in use, not reusable yet
    bool operator==(const GroupCounts&) const = default;
};

// kBuckets shared by weight: every member has at least one; shares are within one bucket of exact where that allows it.
// Which buckets is drawn by (bucket, next hop), so that sets with common members agree on most of them, and a change of
// membership moves few flows between the members that stay. 1 to kMaxMembers members, weights above 0. Pure.
std::array<std::uint8_t, kBuckets> share_buckets(std::span<const NextHopId>, std::span<const std::uint16_t> weights);

// routes thread only, but for slots(). Made and freed by control.
class GroupTable {
public:
    // At most 65535 next hops and 2^28 groups. Error: a sentence with the remedy.
    static std::expected<std::unique_ptr<GroupTable>, std::string> make(GroupSizes, Grace);

    // One more reference to the group of these members; equal members are added up, weights reduced by their common
    // divisor. Error: busy, full, or invalid (no members); nothing has changed then.
    std::expected<AcquiredGroup, TableResult> acquire(std::span<const WeightedHop>);
    // One reference less. Call it when the FIB no longer holds the group.
    void release(GroupId);

    // Takes back what no worker can still see; may produce events. Once per turn.
    void reclaim();
    std::vector<NextHopEvent> take_events();
    // Control has stored 0 in the slot of a next hop that is gone and will not write it again.
    void confirm_gone(NextHopId);

    // For workers, constant for the table's life.
    NextHopArrays arrays() const noexcept;
    // control: w, workers: r. A new next hop's word is 0: down.
    std::span<std::atomic<std::uint64_t>> slots() noexcept { return {slots_.get(), next_hops_.size()}; }

    GroupCounts counts() const noexcept;
    // The members a group in use was made of, by interface and neighbor, weights reduced.
    std::span<const WeightedHop> members(GroupId) const noexcept;

private:
    // By interface and neighbor, merged and reduced.
    using Set = std::vector<WeightedHop>;
    struct SetLess {
        bool operator()(const Set&, const Set&) const noexcept;
    };
    struct HopLess {
        bool operator()(const NextHop&, const NextHop&) const noexcept;
    };
    struct GroupUse {
        std::uint32_t references{};
        Set set;
    };
    struct HopUse {
        std::uint32_t groups{};  // that it is a member of
        bool leaving{};          // gone, and control has not confirmed it
    };
    struct Awaiting {
        std::uint64_t token;
        GroupId id;
    };

    GroupTable(GroupSizes, Grace);
    static Set canonical(std::span<const WeightedHop>, std::size_t& left_out);
    TableResult has_room(const Set&) const;
    NextHopId intern(const NextHop&);
    void write_group(GroupId, const Set&);
    void drop_hop(NextHopId);

    Grace grace_;
    std::vector<NextHop> next_hops_;                       // routes: w before publication, workers: r
    std::vector<Group> groups_;                            // routes: w before publication, workers: r
    std::unique_ptr<std::atomic<std::uint64_t>[]> slots_;  // control: w, workers: r
    std::vector<HopUse> hop_uses_;
    std::vector<GroupUse> group_uses_;
    std::map<NextHop, NextHopId, HopLess> hop_ids_;
    std::map<Set, GroupId, SetLess> group_ids_;
    std::vector<NextHopId> free_hops_;
    std::vector<GroupId> free_groups_;
    std::size_t leaving_hops_{};
    std::deque<Awaiting> awaiting_;  // groups without references, oldest first
    std::vector<NextHopEvent> events_;
};

}  // namespace dataplane
