// The arrows from zebra's octets to changes for the FIB, joined: FPM frame -> messages -> RIB -> queue. routes thread.
//
// A loop: epoll on the fds; the matching on_... function; tick(now) when next_deadline() has come; then drain() in
// batches, reading again between them, so that zebra is never kept waiting.
#pragma once

#include <cstdint>
#include <optional>

#include "bgp-glue/fpm_server.h"
#include "bgp-glue/rib.h"
#include "bgp-glue/route_queue.h"

namespace bgp_glue {

class FpmRoutes {
public:
    explicit FpmRoutes(FpmServer server, RibLimits limits = {}, SyncTimes times = {})
        : server_(std::move(server)), rib_(limits, times) {}

    int listen_fd() const noexcept { return server_.listen_fd(); }
    int connection_fd() const noexcept { return server_.connection_fd(); }  // -1: none; ask after each call

    void on_listen_readable(Time now);
    void on_connection_readable(Time now);
    void tick(Time now);
    std::optional<Time> next_deadline() const { return rib_.next_deadline(); }

    RouteChanges drain(std::size_t most) { return queue_.drain(most); }
    const RouteQueue& queue() const noexcept { return queue_; }
    const Rib& rib() const noexcept { return rib_; }
    const FpmStatus& status() const noexcept { return server_.status(); }
    const DecodeCounters& messages() const noexcept { return decoded_; }

private:
    FpmEvents events();

    FpmServer server_;
    Rib rib_;
    RouteQueue queue_;
    DecodeCounters decoded_;
};

}  // namespace bgp_glue
