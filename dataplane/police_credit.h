// A worker's own share of a connection's bucket: used frame by frame without touching what workers share.
#pragma once

#include "dataplane/police.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

// True when the frame is within the connection's bandwidth. octets: the untagged frame without FCS.
inline bool spend(Worker& w, const Forwarding& f, std::uint16_t connection, Direction d,
                  std::uint32_t octets) noexcept {
    if (connection >= f.connections.size()) return true;
    Policer& policer = *f.connections[connection];
    if (policer.rate_bps.load(std::memory_order_relaxed) == 0) return true;
    if (connection >= w.credits.size()) return take(policer, d, octets, w.now) != 0;
    Credit& credit = w.credits[connection];
    if (credit.of != &policer) credit = {&policer, {}};  // another snapshot numbers them differently
    std::uint64_t& left = credit.octets[static_cast<std::size_t>(d)];
    if (left < octets) left += take(policer, d, octets - left, w.now);
    if (left < octets) return false;
    left -= octets;
    return true;
}

}  // namespace dataplane
