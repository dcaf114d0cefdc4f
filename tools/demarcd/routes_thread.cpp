// One turn: 1. what control said; 2. what zebra said, into the queue; 3. a bounded number of changes into the FIB; 4.
// what waited for room; 5. what control must know.
#include "tools/demarcd/routes_thread.h"

#include <pthread.h>
#include <sys/epoll.h>

namespace demarcd {

namespace {

constexpr std::size_t kChangesPerTurn = 4096;
constexpr auto kWaitForGrace = std::chrono::milliseconds(2);
constexpr auto kTick = std::chrono::milliseconds(200);

template <class... F>
struct Overload : F... {
    using F::operator()...;
};

}  // namespace

RoutesThread::RoutesThread(std::unique_ptr<Routes> routes, bgp_glue::FpmServer server)
    : routes_(std::move(routes)), fpm_(std::move(server)) {
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "routes");
        run();
    });
}

RoutesThread::~RoutesThread() {
    stop_ = true;
    in_.send(NextHopEmptied{});  // wakes it
    thread_.join();
}

void RoutesThread::run() {
    loop_.watch(in_.event(), EPOLLIN, [this](std::uint32_t) { on_messages(); });
    loop_.watch(fpm_.listen_fd(), EPOLLIN, [this](std::uint32_t) {
        fpm_.on_listen_readable(Clock::now());
        watch_connection();
    });
    loop_.every(kTick, [this] {
        fpm_.tick(Clock::now());
        turn(true);
    });
    loop_.run();
}

// The server closes and replaces its connection by itself; a closed descriptor has left epoll already.
void RoutesThread::watch_connection() {
    const int now = fpm_.connection_fd();
    if (watched_connection_ >= 0) loop_.unwatch(watched_connection_);
    watched_connection_ = now;
    if (now < 0) return;
    loop_.watch(now, EPOLLIN, [this, now](std::uint32_t) {
        fpm_.on_connection_readable(Clock::now());
        if (fpm_.connection_fd() != now) watch_connection();
        turn();
    });
}

void RoutesThread::on_messages() {
    for (const auto& value : in_.take()) take(value);
    if (stop_) return loop_.stop();
    turn();
}

void RoutesThread::take(const ToRoutes& value) {
    std::visit(Overload{[this](const InterfaceMap& m) { routes_->set_interfaces(m, fpm_.rib()); },
                        [this](const OwnRoute& own) { routes_->set_own(own); },
                        [this](const NeighborRoute& neighbor) { routes_->set_neighbor(neighbor); },
                        [this](const NextHopEmptied& emptied) {
                            if (emptied.id != dataplane::NextHopId{}) routes_->confirm_gone(emptied.id);
                        },
                        [this](const Query& query) { answer(query); }},
               value);
}

void RoutesThread::answer(const Query& query) {
    Answer a{query.id, routes_->stats(), {}, false};
    const auto& status = fpm_.status();
    a.stats.fpm_listening = status.listening;
    a.stats.fpm_last_error = status.last_error;
    a.stats.fpm_connected = status.connected;
    a.stats.fpm_state = bgp_glue::to_string(fpm_.rib().state());
    a.stats.fpm_synced = fpm_.rib().state() == bgp_glue::SyncState::synchronized;
    a.stats.fpm_connections = status.counters.connections;
    a.stats.fpm_frames = status.counters.frames;
    a.stats.fpm_octets = status.counters.octets;
    a.stats.fpm_messages = fpm_.messages().messages;
    a.stats.fpm_skipped = fpm_.messages().skipped;
    a.stats.fpm_errors = fpm_.messages().errors();
    for (const auto n : status.counters.faults) a.stats.fpm_errors += n;
    a.stats.pending += fpm_.queue().size();
    a.stats.stale = fpm_.rib().stale();
    a.stats.longest_turn_us =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(loop_.longest_turn()).count());
    if (query.what == Query::What::lookup) a.routes = routes_->lookup(query.address);
    if (query.what == Query::What::list) a.routes = routes_->list(query.within, query.most, a.more);
    out_.send(std::move(a));
}

void RoutesThread::turn(bool also_when_full) {
    for (const auto& change : fpm_.drain(kChangesPerTurn)) routes_->apply(change);
    const bool waits = routes_->pump(also_when_full);
    for (const auto& event : routes_->take_events()) out_.send(event);
    if (turn_planned_ || (fpm_.queue().empty() && !waits)) return;
    turn_planned_ = true;
    loop_.after(fpm_.queue().empty() ? Clock::duration(kWaitForGrace) : Clock::duration{}, [this] {
        turn_planned_ = false;
        turn();
    });
}

}  // namespace demarcd
