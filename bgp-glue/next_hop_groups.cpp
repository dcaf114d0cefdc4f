#include "bgp-glue/next_hop_groups.h"

#include <algorithm>

namespace bgp_glue {

std::vector<std::uint32_t> NextHopGroups::apply(const NextHopMessage& message) {
    if (message.removed) return remove(message.id);
    if (!objects_.contains(message.id) && objects_.size() >= limit_) {
        ++refused_;
        return {};
    }
    Object& object = objects_[message.id];
    leave_groups(message.id, object);
    object = {message.kind, message.hop, message.members};
    for (const auto& member : object.members) groups_of_[member.id].push_back(message.id);
    return with_groups_of(message.id);
}

std::optional<ResolvedNextHop> NextHopGroups::resolve(std::uint32_t id) const {
    const auto found = objects_.find(id);
    if (found == objects_.end()) return std::nullopt;
    const Object& object = found->second;
    if (object.members.empty()) {
        if (object.kind != RouteKind::unicast) return ResolvedNextHop{object.kind, {}};
        return ResolvedNextHop{RouteKind::unicast, {object.hop}};
    }
    ResolvedNextHop group{RouteKind::blackhole, {}};
    for (const auto& member : object.members) {
        const auto m = objects_.find(member.id);
        if (m == objects_.end() || !m->second.members.empty()) return std::nullopt;
        if (m->second.kind != RouteKind::unicast) {
            group.kind = m->second.kind;
            continue;
        }
        group.hops.push_back(m->second.hop);
        group.hops.back().weight = member.weight;
    }
    if (!group.hops.empty()) group.kind = RouteKind::unicast;
    normalize(group.hops);
    return group;
}

void NextHopGroups::clear() {
    objects_.clear();
    groups_of_.clear();
}

std::vector<std::uint32_t> NextHopGroups::remove(std::uint32_t id) {
    const auto found = objects_.find(id);
    if (found == objects_.end()) return {};
    const auto changed = with_groups_of(id);
    leave_groups(id, found->second);
    objects_.erase(found);
    for (const std::uint32_t group_id : changed) {
        const auto group = objects_.find(group_id);
        if (group == objects_.end()) continue;
        std::erase_if(group->second.members, [&](const GroupMember& m) { return m.id == id; });
        if (group->second.members.empty()) objects_.erase(group);
    }
    groups_of_.erase(id);
    return changed;
}

// The object is about to have other members, or none.
void NextHopGroups::leave_groups(std::uint32_t id, Object& object) {
    for (const auto& member : object.members) {
        const auto found = groups_of_.find(member.id);
        if (found == groups_of_.end()) continue;
        std::erase(found->second, id);
        if (found->second.empty()) groups_of_.erase(found);
    }
    object.members.clear();
}

std::vector<std::uint32_t> NextHopGroups::with_groups_of(std::uint32_t id) const {
    std::vector<std::uint32_t> ids{id};
    if (const auto found = groups_of_.find(id); found != groups_of_.end())
        ids.insert(ids.end(), found->second.begin(), found->second.end());
    std::sort(ids.begin() + 1, ids.end());
    ids.erase(std::unique(ids.begin() + 1, ids.end()), ids.end());
    return ids;
}

}  // namespace bgp_glue
