// An FPM server with a RIB and nothing behind it, for smoke tests: writes what it knows as JSON, whole and by rename,
// to FILE whenever it changed. Runs until it is killed.
//
//   fpm_dump ADDRESS PORT FILE [QUIET_MS CAP_MS]
#include <fmt/format.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bgp-glue/fpm_routes.h"

using namespace bgp_glue;

namespace {

Time now() { return std::chrono::steady_clock::now(); }

nlohmann::json to_json(const FpmRoutes& fpm, std::size_t at_first_sync) {
    const auto& rib = fpm.rib().counters();
    nlohmann::json routes = nlohmann::json::array();
    for (const auto& route : fpm.rib().routes()) routes.push_back(to_string(route));
    return {{"state", to_string(fpm.rib().state())},
            {"connected", fpm.status().connected},
            {"connections", fpm.status().counters.connections},
            {"replaced", fpm.status().counters.replaced},
            {"frames", fpm.status().counters.frames},
            {"last_error", fpm.status().last_error},
            {"errors", fpm.messages().errors()},
            {"skipped", fpm.messages().skipped},
            {"sentinels", rib.sentinels},
            {"next_hops", rib.next_hops},
            {"removed", rib.removed},
            {"swept", rib.swept},
            {"stale", fpm.rib().stale()},
            {"unresolved", fpm.rib().unresolved()},
            {"routes_at_first_synchronization", at_first_sync},
            {"routes", routes}};
}

void write(const std::string& file, const nlohmann::json& json) {
    std::ofstream(file + ".new") << json.dump(1) << '\n';
    std::rename((file + ".new").c_str(), file.c_str());
}

void turn(FpmRoutes& fpm) {
    pollfd fds[]{{fpm.listen_fd(), POLLIN, 0}, {fpm.connection_fd(), POLLIN, 0}};
    ::poll(fds, 2, 50);
    if (fds[1].revents) fpm.on_connection_readable(now());
    if (fds[0].revents) fpm.on_listen_readable(now());
    fpm.tick(now());
    while (!fpm.drain(1024).empty()) {}
}

}  // namespace

int main(int argc, char** argv) {
    const auto address = argc >= 4 ? net::parse_ip(argv[1]) : std::nullopt;
    if (!address) {
        fmt::print(stderr, "usage: fpm_dump ADDRESS PORT FILE [QUIET_MS CAP_MS]\n");
        return 2;
    }
    auto server = FpmServer::listen(*address, static_cast<std::uint16_t>(std::atoi(argv[2])));
    if (!server) {
        fmt::print(stderr, "{}\n", server.error());
        return 1;
    }
    SyncTimes times;
    using std::chrono::milliseconds;
    if (argc >= 6) times = {milliseconds(std::atol(argv[4])), milliseconds(std::atol(argv[5]))};
    FpmRoutes fpm(std::move(*server), {}, times);
    nlohmann::json written;
    std::size_t at_first_sync = 0;
    for (;;) {
        auto json = to_json(fpm, at_first_sync);
        if (json != written) write(argv[3], written = std::move(json));
        const bool before = fpm.rib().state() == SyncState::synchronized;
        turn(fpm);
        if (!before && at_first_sync == 0 && fpm.rib().state() == SyncState::synchronized)
            at_first_sync = fpm.rib().routes().size();
    }
}
