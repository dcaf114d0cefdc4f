// Live objects and the model -> the Forwarding that workers read. Pure; control thread.
#pragma once

#include <cstdint>
#include <memory>

#include "config/model.h"
#include "dataplane/forwarding.h"
#include "tools/demarcd/live.h"

namespace demarcd {

struct Tables {
    const dataplane::Fib4* fib4{};
    const dataplane::Fib6* fib6{};
    dataplane::NextHopArrays hops;
};

// A SecY as a port's workers see it. Its receive SCs are those that have an SA; what it protects is at most
// `largest_frame` octets long, FCS excluded: what the device was set up for.
dataplane::SecYEntry secy_entry(dataplane::PortId port, const LiveSecY& live, std::uint32_t largest_frame);

std::unique_ptr<dataplane::Forwarding> build_forwarding(const Live& live, const config::Model& model,
                                                        const Tables& tables, std::uint64_t generation);

}  // namespace demarcd
