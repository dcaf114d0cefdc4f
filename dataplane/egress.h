// From a stage to a port's queue, or to the worker that has it. The worker's own thread only.
#pragma once

#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

// Where a frame for `interface` goes; the verdict when it goes nowhere.
struct Exit {
    Verdict verdict{Verdict::forward};
    PortId port{};
    WorkerId worker{};
};
inline Exit exit_of(const Forwarding& f, InterfaceId interface) noexcept {
    const InterfaceEntry* entry = find(f, interface);
    if (entry == nullptr) return {Verdict::egress_gone, {}, {}};
    const PortEntry& port = f.ports[entry->port.value];
    if (!port.present) return {Verdict::port_down, {}, {}};
    return {Verdict::forward, entry->port, port.transmit_worker};
}

// False: the queue is full, the frame is still the caller's.
inline bool add_transit(Egress& e, rte_mbuf* m, InterfaceId interface) noexcept {
    if (e.transit_count == e.transit.size()) return false;
    e.transit[e.transit_count++] = {m, interface, kNoSecY};
    return true;
}
inline bool add_ours(Egress& e, const EgressFrame& frame) noexcept {
    if (e.ours_count == e.ours.size()) return false;
    e.ours[e.ours_count++] = frame;
    return true;
}

}  // namespace dataplane
