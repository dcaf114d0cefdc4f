// How a writer learns that no worker can still see what it took away. The router plugs rte_rcu_qsbr in, tests a stub.
#pragma once

#include <cstdint>
#include <functional>

namespace dataplane {

// Called on the writer's thread only; neither call waits.
struct Grace {
    // Taken after the store that detached something. Tokens never fall, and pass in the order they were taken.
    std::function<std::uint64_t()> start;
    // True when every worker has been quiescent since `token` was taken.
    std::function<bool(std::uint64_t token)> passed;
};

// What a table of fixed size says to a change. `busy`: room comes when a grace period ends, queue it and try again;
// `full`: nothing awaits grace, only removals or larger sizes in the configuration make room; `invalid`: not a change
// at all.
enum class TableResult : std::uint8_t { ok, busy, full, invalid };

}  // namespace dataplane
