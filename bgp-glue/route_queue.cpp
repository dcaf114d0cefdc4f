#include "bgp-glue/route_queue.h"

#include <algorithm>

namespace bgp_glue {

RouteKey key_of(const RouteChange& change) {
    return std::visit([](const auto& c) { return RouteKey{c.table, c.prefix}; }, change);
}

void RouteQueue::push(RouteChanges changes) {
    for (auto& change : changes) {
        const auto [place, fresh] = place_.try_emplace(key_of(change), first_ + changes_.size());
        if (fresh) {
            changes_.push_back(std::move(change));
        } else {
            changes_[place->second - first_] = std::move(change);
            ++coalesced_;
        }
    }
    peak_ = std::max(peak_, changes_.size());
}

RouteChanges RouteQueue::drain(std::size_t most) {
    RouteChanges batch;
    batch.reserve(std::min(most, changes_.size()));
    while (batch.size() < most && !changes_.empty()) {
        place_.erase(key_of(changes_.front()));
        batch.push_back(std::move(changes_.front()));
        changes_.pop_front();
        ++first_;
    }
    return batch;
}

}  // namespace bgp_glue
