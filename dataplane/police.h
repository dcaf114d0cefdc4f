// A connection's bandwidth: one atomic word per direction. Workers take quanta, so that the word is touched seldom.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace dataplane {

enum class Direction : std::uint8_t { in, out };

// Shared by all workers; control changes the rate in place. The burst is at least one frame of the largest MTU, or such
// frames never pass.
struct Policer {
    std::atomic<std::uint64_t> rate_bps{};      // control: w, workers: r. 0: no policing
    std::atomic<std::uint64_t> burst_octets{};  // control: w, workers: r
    // workers: rw. Virtual time in nanoseconds at which the bucket is full again (GCRA).
    alignas(64) std::atomic<std::uint64_t> full_at[2]{};
};

inline constexpr std::uint64_t kMaxQuantum = 65536;        // octets
inline constexpr std::uint64_t kTurnSkew = 10'000'000;     // nanoseconds: how far the turns of two workers may be apart

__extension__ typedef unsigned __int128 Wide;

// Nanoseconds that `octets` take at `rate_bps`, which is not 0; rounded up.
constexpr std::uint64_t nanoseconds_of(std::uint64_t octets, std::uint64_t rate_bps) noexcept {
    return static_cast<std::uint64_t>((Wide{octets} * 8'000'000'000u + rate_bps - 1) / rate_bps);
}
constexpr std::uint64_t octets_in(std::uint64_t nanoseconds, std::uint64_t rate_bps) noexcept {
    return static_cast<std::uint64_t>(Wide{nanoseconds} * rate_bps / 8'000'000'000u);
}

// Takes a quantum, min(burst / 8, 64 KiB) but not less than `need` octets; what is there when that is less; nothing
// when `need` is not there. Returns the octets taken. now: nanoseconds on a clock that all workers share. Any worker.
inline std::uint64_t take(Policer& p, Direction d, std::uint64_t need, std::uint64_t now) noexcept {
    const std::uint64_t rate = p.rate_bps.load(std::memory_order_relaxed);
    const std::uint64_t burst = p.burst_octets.load(std::memory_order_relaxed);
    if (rate == 0) return need;
    const std::uint64_t limit = nanoseconds_of(burst, rate);
    const std::uint64_t want = std::max(std::min(burst / 8, kMaxQuantum), need);
    auto& full_at = p.full_at[static_cast<std::size_t>(d)];
    std::uint64_t seen = full_at.load(std::memory_order_relaxed);
    for (;;) {
        if (seen > now + limit) {  // a debt from before a rate change becomes an empty bucket
            if (seen > now + limit + kTurnSkew)
                full_at.compare_exchange_strong(seen, now + limit, std::memory_order_relaxed);
            return 0;
        }
        const std::uint64_t from = std::max(seen, now);
        const std::uint64_t room = octets_in(now + limit - from, rate);
        if (room < need) return 0;
        const std::uint64_t taken = std::min(room, want);
        if (full_at.compare_exchange_weak(seen, from + nanoseconds_of(taken, rate), std::memory_order_relaxed))
            return taken;
    }
}

// Events per second with a burst, for one thread: the same arithmetic without sharing.
struct Gate {
    std::uint64_t full_at{};  // nanoseconds

    // One event; false when it comes too early. interval: nanoseconds between events; burst: how many may come at once.
    bool pass(std::uint64_t now, std::uint64_t interval, std::uint64_t burst) noexcept {
        const std::uint64_t next = std::max(full_at, now) + interval;
        if (next > now + interval * burst) return false;
        full_at = next;
        return true;
    }
};

// At most `events` in any `span` nanoseconds, all of them at once if need be: it remembers when the last ones were.
template <std::size_t events, std::uint64_t span>
struct Recent {
    std::array<std::uint64_t, events> at{};  // 0: never
    std::uint8_t oldest{};

    bool pass(std::uint64_t now) noexcept {
        if (at[oldest] != 0 && now - at[oldest] < span) return false;
        at[oldest] = now;
        oldest = static_cast<std::uint8_t>((oldest + 1) % events);
        return true;
    }
};

}  // namespace dataplane
