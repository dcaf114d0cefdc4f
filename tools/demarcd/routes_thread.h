// The thread that owns the routes: reads FPM without ever keeping zebra waiting, changes RIB and FIB, answers queries.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "bgp-glue/fpm_routes.h"
#include "tools/demarcd/channel.h"
#include "tools/demarcd/event_loop.h"
#include "tools/demarcd/route_values.h"
#include "tools/demarcd/routes.h"

namespace demarcd {

class RoutesThread {
public:
    // control. The server listens already, in the namespace it shall; none: no FPM.
    RoutesThread(std::unique_ptr<Routes> routes, bgp_glue::FpmServer server);
    ~RoutesThread();

    void send(ToRoutes value) { in_.send(std::move(value)); }
    // control reads it when its event() is readable.
    Channel<FromRoutes>& events() { return out_; }

    // Constant parts, and the slots that control writes.
    Routes& shared() { return *routes_; }

private:
    void run();
    void watch_connection();
    void on_messages();
    void take(const ToRoutes& value);
    void answer(const Query& query);
    void turn(bool also_when_full = false);

    std::unique_ptr<Routes> routes_;  // routes thread: rw
    bgp_glue::FpmRoutes fpm_;         // routes thread: rw
    int watched_connection_{-1};
    bool turn_planned_{};
    EventLoop loop_;
    Channel<ToRoutes> in_;
    Channel<FromRoutes> out_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace demarcd
