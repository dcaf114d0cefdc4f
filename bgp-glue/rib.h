// The RIB: what zebra wants, over connections. Messages in, one FPM frame at a time; changes of the final state out.
//
// Mark and sweep. FPM has no end-of-sync mark and a reconnect never says what is gone, so: a connection marks every
// route stale; the replay refreshes; at the end of the replay the still-stale are removed. The end is the sentinel, a
// blackhole that sorts last in zebra's walk, or quiet. A disconnection keeps everything.
// A zebra that has just been restarted replays what its daemons have told it so far, and their BGP sessions come up one
// by one, each family and neighbour in its own time: while routes of theirs are stale only a cap is an end.
//
// Pure: time is an argument. routes thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "bgp-glue/next_hop_groups.h"
#include "bgp-glue/route_change.h"
#include "bgp-glue/route_key.h"
#include "bgp-glue/route_message.h"

namespace bgp_glue {

using Time = std::chrono::steady_clock::time_point;

// fec0:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128: last in zebra's walk, from our FRR configuration. Never a route.
inline constexpr const char* kSentinelText = "fec0:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128";
bool is_sentinel(const net::IpPrefix& prefix) noexcept;

struct RibLimits {
    std::size_t routes{4'194'304};
    std::size_t next_hops{262'144};
};

struct SyncTimes {
    // zebra's walk sleeps one second when its buffer is full: quiet must be longer.
    std::chrono::milliseconds quiet{1500};
    std::chrono::milliseconds cap{60'000};
};

enum class SyncState : std::uint8_t {
    disconnected,   // nobody feeds us; everything is stale and stays
    synchronizing,  // a replay is under way
    synchronized,   // what is here is what zebra has
};
const char* to_string(SyncState state) noexcept;

struct RibCounters {
    std::uint64_t announcements{};
    std::uint64_t withdrawals{};
    std::uint64_t next_hops{};   // messages about next hops and groups
    std::uint64_t sentinels{};
    std::uint64_t set{};         // SetRoute given out
    std::uint64_t removed{};     // RemoveRoute given out, swept ones too
    std::uint64_t swept{};
    std::uint64_t refused{};     // announcements beyond RibLimits::routes
    std::uint64_t unknown_withdrawals{};
};

class Rib {
public:
    explicit Rib(RibLimits limits = {}, SyncTimes times = {})
        : limits_(limits), times_(times), groups_(limits.next_hops) {}

    // A new connection took the place of whatever was. zebra's next-hop ids begin anew; resolved routes stay.
    void connected();
    void disconnected();

    // The messages of one frame, as a unit: at most one change per prefix, none where nothing changed. A route whose
    // next hop is yet unknown keeps what it had.
    RouteChanges apply(std::span<const ZebraMessage> frame, Time now);

    // Ends the replay when it is due; gives the removals of what it did not mention.
    RouteChanges tick(Time now);
    std::optional<Time> next_deadline() const;

    SyncState state() const noexcept { return state_; }
    std::size_t size() const noexcept { return entries_.size(); }
    std::size_t stale() const noexcept { return stale_; }
    std::size_t unresolved() const noexcept { return unresolved_; }  // known, waiting for a next hop
    std::size_t next_hop_objects() const noexcept { return groups_.size(); }
    std::uint64_t next_hops_refused() const noexcept { return groups_.refused(); }
    const RibCounters& counters() const noexcept { return counters_; }

    // What has been given out and not removed, sorted by table, family, prefix.
    std::vector<SetRoute> routes() const;
    std::optional<Route> find(const RouteKey& key) const;

private:
    struct Entry {
        RouteKey key;
        std::optional<Route> route;    // as given out; none: announced, never resolvable so far
        bool announced{};              // false within a frame: withdrawn
        std::uint8_t protocol{};       // as announced
        std::uint32_t metric{};        // as announced
        std::uint32_t next_hop_id{};   // 0: the route's hops are its own
        std::uint32_t user_index{};    // where users_[next_hop_id] has us
        std::uint32_t generation{};    // of the connection that last announced it
        std::uint64_t touched_in{};    // frame number
    };
    // What a prefix was before the frame.
    struct Touched {
        Entry* entry;
        std::optional<Route> before;
    };

    void apply_route(const RouteMessage& message);
    void apply_next_hop(const NextHopMessage& message);
    void take_sentinel(const RouteMessage& message);
    Entry* find_or_make(const RouteKey& key);
    void refresh(Entry& entry);
    void touch(Entry& entry);
    void no_longer_stale(const Entry& entry) noexcept;
    void resolve(Entry& entry);
    void use_next_hop(Entry& entry, std::uint32_t id);
    RouteChanges settle();
    void forget(Entry& entry);
    void drop_unresolved();
    std::optional<Time> end_of_sync() const;
    void sweep(RouteChanges& changes);

    RibLimits limits_;
    SyncTimes times_;
    NextHopGroups groups_;
    std::unordered_map<RouteKey, Entry, RouteKeyHash> entries_;
    std::unordered_map<std::uint32_t, std::vector<Entry*>> users_;  // next-hop id -> routes by it
    std::vector<Touched> touched_;
    RibCounters counters_;
    SyncState state_{SyncState::disconnected};
    std::uint32_t generation_{};
    std::uint64_t frame_{};
    std::size_t stale_{};
    std::size_t stale_told_{};  // of them: not zebra's own, but told to it by another daemon
    std::size_t unresolved_{};
    std::optional<Time> first_frame_;  // of this connection; the cap counts from here
    Time last_frame_{};
    bool sentinel_seen_{};  // in this replay
};

// "254 10.1.0.0/16 unicast proto 186 metric 20 via 10.0.0.1 dev 2 weight 1 ...", hops joined by ", ".
std::string to_string(const SetRoute& route);
const char* to_string(RouteKind kind) noexcept;

}  // namespace bgp_glue
