// One turn of a worker.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dataplane {

struct Worker;

// Every stage in order, once for each port and ring of the worker. now: nanoseconds on the clock that all workers
// share. Returns the frames that came in. The worker's own thread only.
std::size_t poll(Worker&, std::uint64_t now) noexcept;

}  // namespace dataplane
