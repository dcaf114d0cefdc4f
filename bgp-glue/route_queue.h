// Changes on their way from the RIB to the FIB, coalesced: of several changes of one prefix only the last is kept, at
// the place of the first. Bounded by the number of prefixes. routes thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "bgp-glue/route_change.h"
#include "bgp-glue/route_key.h"

namespace bgp_glue {

RouteKey key_of(const RouteChange& change);

class RouteQueue {
public:
    void push(RouteChanges changes);
    // The oldest `most` changes.
    RouteChanges drain(std::size_t most);

    bool empty() const noexcept { return changes_.empty(); }
    std::size_t size() const noexcept { return changes_.size(); }
    std::size_t peak() const noexcept { return peak_; }
    std::uint64_t coalesced() const noexcept { return coalesced_; }  // changes that a later one made needless

private:
    std::deque<RouteChange> changes_;
    std::unordered_map<RouteKey, std::uint64_t, RouteKeyHash> place_;  // prefix -> first_ + index in changes_
    std::uint64_t first_{};
    std::size_t peak_{};
    std::uint64_t coalesced_{};
};

}  // namespace bgp_glue
