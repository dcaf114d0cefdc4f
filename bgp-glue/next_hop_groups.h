// zebra's next-hop objects of one connection: hops and groups of hops, by zebra's ids, resolved to plain hops. The ids
// are zebra's and mean nothing outside one connection. Pure; owned by the routes thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bgp-glue/route_message.h"

namespace bgp_glue {

// What an id comes to.
struct ResolvedNextHop {
    RouteKind kind{};
    std::vector<RouteHop> hops;  // normalized; empty unless unicast
    bool operator==(const ResolvedNextHop&) const = default;
};

class NextHopGroups {
public:
    explicit NextHopGroups(std::size_t limit) : limit_(limit) {}

    // Gives the ids whose resolution may have changed: the message's own and every group with it as member. A removed
    // hop leaves the groups it was in; a group without members is gone (as in the kernel). At the limit a new id is
    // refused: nothing changes, refused() counts.
    std::vector<std::uint32_t> apply(const NextHopMessage& message);

    // Nothing while the id, or a member of the group, has not come: a group may precede its members. A blackhole member
    // takes no traffic while there is another; a group of blackholes is one.
    std::optional<ResolvedNextHop> resolve(std::uint32_t id) const;

    void clear();
    std::size_t size() const noexcept { return objects_.size(); }
    std::uint64_t refused() const noexcept { return refused_; }

private:
    struct Object {
        RouteKind kind{};
        RouteHop hop;
        std::vector<GroupMember> members;
    };
    std::vector<std::uint32_t> remove(std::uint32_t id);
    void leave_groups(std::uint32_t id, Object& object);
    std::vector<std::uint32_t> with_groups_of(std::uint32_t id) const;

    std::size_t limit_;
    std::unordered_map<std::uint32_t, Object> objects_;
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> groups_of_;  // member id, also to come -> groups
    std::uint64_t refused_{};
};

}  // namespace bgp_glue
