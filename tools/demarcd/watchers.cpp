// 1. a client comes: its rings enter the next snapshot
// 2. every few milliseconds records go from the rings to the sockets, the oldest first, as much as these take
// 3. a client goes, or its port does: out of the snapshot, grace period, the rest, the end record, closed
#include "tools/demarcd/watchers.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "tools/demarcd/log.h"

namespace demarcd {

using namespace dataplane;

namespace {

constexpr auto kTick = std::chrono::milliseconds(2);
constexpr auto kClockAge = std::chrono::seconds(1);
constexpr auto kFarewell = std::chrono::seconds(10);  // for the last records of a client that is slow
constexpr std::size_t kAtOnce = 64 << 10;             // octets from rings to one send()
constexpr std::size_t kOfOneTick = 512 << 10;         // octets for one client: within a millisecond
constexpr std::size_t kWordsOfOneTick = 32 << 10;     // the same of a trace, whose words take longer
constexpr int kSocketBuffer = 4 << 20;                // what a client may lag behind

// "capture of port ch1, before MACsec", "trace of port ch1"
std::string name_of(const WatchWish& w) {
    if (w.trace) return fmt::format("trace of port {}", w.name);
    return fmt::format("capture of port {}, {} MACsec", w.name, w.point == CapturePoint::clear ? "before" : "after");
}

template <class Raw, class Owned>
void point_to(std::array<Raw*, kMaxWorkers>& to, const std::array<Owned, kMaxWorkers>& from) {
    std::ranges::transform(from, to.begin(), [](const auto& owned) { return owned.get(); });
}

std::uint64_t when_of(std::span<const std::uint8_t> record) {
    std::uint64_t when;
    std::memcpy(&when, record.data() + sizeof(RecordHead), sizeof when);
    return when;
}

// Nanoseconds from the workers' clock to CLOCK_REALTIME: the closest of some pairs of readings.
std::int64_t realtime_offset(const std::function<std::uint64_t()>& turn_clock) {
    std::int64_t offset = 0, closest = INT64_MAX;
    for (int i = 0; i < 5; ++i) {
        timespec t;
        const auto before = static_cast<std::int64_t>(turn_clock());
        clock_gettime(CLOCK_REALTIME, &t);
        const auto took = static_cast<std::int64_t>(turn_clock()) - before;
        if (took >= closest) continue;
        closest = took;
        offset = t.tv_sec * 1'000'000'000 + t.tv_nsec - (before + took / 2);
    }
    return offset;
}

}  // namespace

std::uint64_t Watchers::Watcher::sum(macsec::Counter RecordRing::*counter) const {
    std::uint64_t n = 0;
    for (const auto& ring : rings)
        if (ring) n += ((*ring).*counter).get();
    return n;
}

Watchers::Watchers(EventLoop& loop, std::size_t workers, Actions actions)
    : loop_(loop), workers_(workers), actions_(std::move(actions)) {}

Watchers::~Watchers() {
    *alive_ = false;
    for (const auto& w : all_) hang_up(*w);
}

std::optional<Refusal> Watchers::refusal(const WatchWish& wish) const {
    constexpr const char* remedy = "end one of those that `demarc status` shows";
    if (all_.size() >= kMaxWatchers)
        return Refusal{fmt::format("{} captures and traces run already", all_.size()), remedy};
    for (const auto& w : all_) {
        if (w->leaving || w->wish.trace != wish.trace || (!wish.trace && w->wish.port != wish.port)) continue;
        return Refusal{fmt::format("a {} runs already, of pid {}", name_of(w->wish), w->pid), remedy};
    }
    if (!wish.trace) return std::nullopt;
    if (const auto mark = actions_.trace_mark(); !mark) return Refusal{mark.error(), "restart demarcd"};
    return std::nullopt;
}

void Watchers::start(WatchWish wish, int fd, std::string first) {
    auto w = std::make_shared<Watcher>();
    w->wish = std::move(wish);
    w->fd = fd;
    w->began = Clock::now();
    w->waiting = std::move(first);
    ucred peer{};
    socklen_t size = sizeof peer;
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    w->uid = peer.uid;
    w->pid = peer.pid;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBuffer, sizeof kSocketBuffer);
    spdlog::info("{}, begins for uid {}, pid {}", name_of(w->wish), w->uid, w->pid);
    loop_.watch(fd, EPOLLIN, [this, w](std::uint32_t) { hear(w); });
    all_.push_back(std::move(w));
    actions_.publish();
    tick_later();
}

std::vector<WatchView> Watchers::all() const {
    std::vector<WatchView> views;
    for (const auto& w : all_)
        views.push_back({w->wish, w->plaintext, w->uid, w->pid,
                         std::chrono::duration<double>(Clock::now() - w->began).count(), w->sum(&RecordRing::kept),
                         w->sum(&RecordRing::dropped)});
    return views;
}

// A direction may have moved to another worker: that one gets a ring of its own, the old one's keeps what it holds.
bool Watchers::add_rings(Watcher& w, const PortEntry& port) {
    for (const auto& [wanted, worker] :
         {std::pair(w.wish.in, port.receive_worker), std::pair(w.wish.out, port.transmit_worker)}) {
        auto& ring = w.rings[worker.value];
        if (wanted && !ring) ring = RecordRing::make(kWatchRing);
        if (wanted && !ring) return false;
    }
    return true;
}

// A frame of the port may go on with any worker.
bool Watchers::add_notes(Watcher& w) {
    for (std::size_t i = 0; i < workers_; ++i) {
        if (!w.rings[i]) w.rings[i] = RecordRing::make(kTraceRing);
        if (!w.rings[i]) return false;
        if (!w.notes[i]) w.notes[i] = make_trace_notes(WorkerId{static_cast<std::uint8_t>(i)}, w.wish.frames);
    }
    return true;
}

void Watchers::enter(Forwarding& f) {
    for (const auto& w : all_) {
        const PortEntry& port = f.ports[w->wish.port.value];
        if (w->leaving) continue;
        w->leaving = !port.present || !(w->wish.trace ? add_notes(*w) : add_rings(*w, port));
        if (w->leaving)
            spdlog::warn("{}, ends: {}", name_of(w->wish), port.present ? "no memory for it" : "the port is gone");
        else
            enter(w, port, f);
    }
}

void Watchers::enter(const WatcherPtr& w, const PortEntry& port, Forwarding& f) {
    const WatchWish& wish = w->wish;
    f.watched = true;
    if (wish.trace) {
        f.trace = {wish.port, actions_.trace_mark().value_or(0), wish.drops_only, wish.only, {}, {}, w};
        point_to(f.trace.rings, w->rings);
        point_to(f.trace.notes, w->notes);
        return;
    }
    const bool plaintext = port.secured && wish.point == CapturePoint::clear;
    if (plaintext && !w->plaintext)
        spdlog::warn("plain text of the secured port {} goes to uid {}, pid {}: a capture", wish.name, w->uid, w->pid);
    w->plaintext = plaintext;
    Watch& watch = f.watches.emplace_back(Watch{wish.port, wish.point, wish.in, wish.out, wish.snaplen, {}, w});
    point_to(watch.rings, w->rings);
}

void Watchers::published() {
    for (const auto& w : all_) {
        if (!w->leaving || w->retiring) continue;
        w->retiring = true;
        w->left = Clock::now();
        actions_.retire([w] { w->quiet = true; });
    }
}

// The client has nothing to say: whatever arrives is the end of its connection, or is not read.
void Watchers::hear(const WatcherPtr& w) {
    std::array<char, 4096> ignored;
    const ssize_t n = read(w->fd, ignored.data(), ignored.size());
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) return;
    w->gone = n < 0;
    loop_.unwatch(w->fd);
    leave(*w);
}

void Watchers::leave(Watcher& w) {
    if (w.leaving) return;
    w.leaving = true;
    actions_.publish();
}

void Watchers::tick_later() {
    if (ticking_ || all_.empty()) return;
    ticking_ = true;
    loop_.after(kTick, [this, alive = alive_] {
        if (*alive) tick();
    });
}

void Watchers::tick() {
    ticking_ = false;
    if (Clock::now() - clock_read_ > kClockAge) {
        to_realtime_ = realtime_offset(actions_.turn_clock);
        clock_read_ = Clock::now();
    }
    const auto serving = all_;
    for (const auto& w : serving) serve(*w);
    std::erase_if(all_, [this](const WatcherPtr& w) {
        const bool late = w->retiring && Clock::now() - w->left > kFarewell;
        if (!late && !(w->quiet && (w->gone || (w->ended && w->waiting.empty())))) return false;
        spdlog::info("{}, for pid {} ended: {} records kept, {} dropped", name_of(w->wish), w->pid,
                     w->sum(&RecordRing::kept), w->sum(&RecordRing::dropped));
        hang_up(*w);
        return true;
    });
    tick_later();
}

// Now, not when the last snapshot that knows it is freed.
void Watchers::hang_up(Watcher& w) {
    loop_.unwatch(w.fd);
    close(w.fd);
    w.fd = -1;
}

void Watchers::serve(Watcher& w) {
    const std::size_t most = w.wish.trace ? kWordsOfOneTick : kOfOneTick;
    for (std::size_t octets = 0; octets < most && !w.gone; octets += kAtOnce)
        if ((w.waiting.empty() && !fill(w)) || !send_some(w)) break;
    if (w.gone) {
        w.waiting.clear();
        leave(w);
    }
}

// From the rings, in the order of time, into `waiting`; when nothing can follow any more, the end record, once. False:
// there is nothing.
bool Watchers::fill(Watcher& w) {
    const std::size_t most = w.wish.trace ? kWordsOfOneTick : kAtOnce;
    while (w.waiting.size() < most) {
        RecordRing* oldest = nullptr;
        for (const auto& ring : w.rings)
            if (ring && !ring->front().empty() && (!oldest || when_of(ring->front()) < when_of(oldest->front())))
                oldest = ring.get();
        if (oldest == nullptr) break;
        add_record(w, oldest->front());
        oldest->pop();
    }
    if (w.waiting.empty() && w.quiet && !w.ended) {
        const EndRecord end{{sizeof end, static_cast<std::uint32_t>(RecordKind::end)},
                            w.sum(&RecordRing::kept),
                            w.sum(&RecordRing::dropped)};
        w.waiting = w.wish.trace ? fmt::format(R"({{"end":true,"told":{},"dropped":{}}})"
                                               "\n",
                                               end.kept, end.dropped)
                                 : std::string(reinterpret_cast<const char*>(&end), sizeof end);
        w.ended = true;
    }
    return !w.waiting.empty();
}

void Watchers::add_record(Watcher& w, std::span<std::uint8_t> record) {
    const std::uint64_t when = when_of(record) + static_cast<std::uint64_t>(to_realtime_);
    std::memcpy(record.data() + sizeof(RecordHead), &when, sizeof when);
    if (w.wish.trace)
        w.waiting += actions_.trace_line(record);
    else
        w.waiting.append(reinterpret_cast<const char*>(record.data()), record.size());
}

// False: the socket takes no more now.
bool Watchers::send_some(Watcher& w) {
    const ssize_t n = send(w.fd, w.waiting.data() + w.sent, w.waiting.size() - w.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
        w.gone = errno != EAGAIN && errno != EINTR;
        return false;
    }
    w.sent += static_cast<std::size_t>(n);
    if (w.sent < w.waiting.size()) return false;
    w.waiting.clear();
    w.sent = 0;
    return true;
}

void Watchers::stop() {
    for (const auto& w : all_) {
        w->leaving = w->retiring = w->quiet = true;
        serve(*w);
        hang_up(*w);
    }
    all_.clear();
}

}  // namespace demarcd
