// Clients that watch a port's frames: who they are, the rings that workers fill for them, and what of these goes to
// their sockets. A client that does not read costs frames, which are counted, and nobody waits for it. Its watch ends
// when it says no more (shutdown or close): it leaves the snapshot, and after the grace period the rest of its rings
// and the end record go out. Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/forwarding.h"
#include "dataplane/watch.h"
#include "tools/demarcd/event_loop.h"

namespace demarcd {

inline constexpr std::size_t kMaxWatchers = 4;
inline constexpr std::size_t kWatchRing = 2 << 20;    // octets, of each worker that has a direction of the port
inline constexpr std::size_t kTraceRing = 256 << 10;  // octets, of each worker
inline constexpr std::uint32_t kMaxTraced = 1'000'000;
inline constexpr std::uint32_t kMinSnaplen = 14, kMaxSnaplen = 65535;

// Frames are told of, stage by stage, or their octets are kept.
struct WatchWish {
    dataplane::PortId port{};
    std::string name;  // of the port
    bool trace{};
    std::uint32_t frames{10};   // trace: tell of so many
    bool drops_only{};          // trace: of those that are dropped
    dataplane::Verdict only{};  // trace: of those that this stops; forward: no such filter
    dataplane::CapturePoint point{};
    bool in{}, out{};
    std::uint32_t snaplen{kMaxSnaplen};
};

// Why a wish is not granted, and the remedy.
using Refusal = std::pair<std::string, std::string>;

struct WatchView {
    WatchWish wish;
    bool plaintext{};  // of a port that is secured
    std::uint32_t uid{};
    int pid{};
    double seconds{};
    std::uint64_t kept{}, dropped{};
};

class Watchers {
public:
    struct Actions {
        std::function<void()> publish;                      // a new snapshot: calls enter() and published()
        std::function<void(std::function<void()>)> retire;  // after the grace period
        std::function<std::uint64_t()> turn_clock;          // nanoseconds, as workers count them
        // A trace's record in words, a newline behind it.
        std::function<std::string(std::span<const std::uint8_t>)> trace_line;
        // The bit of mbufs that marks a traced frame; error: why there is none.
        std::function<std::expected<std::uint64_t, std::string>()> trace_mark;
    };
    Watchers(EventLoop& loop, std::size_t workers, Actions actions);
    ~Watchers();
    Watchers(const Watchers&) = delete;
    Watchers& operator=(const Watchers&) = delete;

    std::optional<Refusal> refusal(const WatchWish&) const;
    // What refusal() lets pass. `fd`: the client's connection, ours from here on; `first` goes there before records.
    void start(WatchWish, int fd, std::string first);
    std::vector<WatchView> all() const;

    // The router: into a snapshot before it is published, and after it was.
    void enter(dataplane::Forwarding&);
    void published();
    // After the last turn of every worker: what fits the sockets goes out, then they are closed.
    void stop();

private:
    struct Watcher {
        WatchWish wish;
        int fd{-1};
        std::uint32_t uid{};
        int pid{};
        Clock::time_point began, left;
        bool plaintext{};
        bool leaving{}, retiring{}, quiet{};  // not in the next snapshot; in none that a worker reads
        bool gone{};                          // the client does not take any more
        bool ended{};                         // the end record is out or on its way
        std::array<std::unique_ptr<dataplane::RecordRing>, dataplane::kMaxWorkers> rings;
        std::array<dataplane::TraceNotesPtr, dataplane::kMaxWorkers> notes;  // of a trace
        std::string waiting;                                                 // for the socket
        std::size_t sent{};                                                  // of `waiting`

        std::uint64_t sum(macsec::Counter dataplane::RecordRing::*counter) const;
    };
    using WatcherPtr = std::shared_ptr<Watcher>;

    bool add_rings(Watcher&, const dataplane::PortEntry&);
    bool add_notes(Watcher&);
    void enter(const WatcherPtr&, const dataplane::PortEntry&, dataplane::Forwarding&);
    void add_record(Watcher&, std::span<std::uint8_t>);
    void hear(const WatcherPtr&);
    void leave(Watcher&);
    void tick();
    void tick_later();
    void hang_up(Watcher&);
    void serve(Watcher&);
    bool fill(Watcher&);
    bool send_some(Watcher&);

    EventLoop& loop_;
    const std::size_t workers_;
    Actions actions_;
    std::vector<WatcherPtr> all_;
    bool ticking_{};
    std::int64_t to_realtime_{};  // what is added to workers' nanoseconds
    Clock::time_point clock_read_{};
    std::shared_ptr<bool> alive_{std::make_shared<bool>(true)};
};

}  // namespace demarcd
