// Which CAKs of the ring are used now. The wall clock starts and ends them, but a clock that steps neither takes away
// the key in use nor starts all: a key that spoke goes on until another one carries the traffic. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "macsec/mka/settings.h"
#include "macsec/mka/status.h"

namespace macsec::mka {

// What a key of the ring does at the moment.
struct KeyInUse {
    bool speaks{};   // it has a participant
    bool carries{};  // it is principal and has a live peer
    bool by_step{};  // a step of the wall clock, not time that passed, has begun or ended its times
    bool live{};     // it has, or had lately, a live peer
    bool heard{};    // by_step and silent, but somebody else has spoken it lately, with a good ICV
};

// One answer per key: it speaks exactly if the answer is active, kept or standby.
//
// 1. The fallback key stands by, whatever the time. It carrying the traffic ends no other key, and holds none back.
// 2. A key within its times is active. One whose times began by a step is held back while another carries, unless it is
//    the newest of those within their times and newer than the one that carries, or is heard.
// 3. A key outside of its times is kept while it carries the traffic, or while it speaks and no key carries: with the
//    peer away, it alone may be what both ends have in common. One that a step took out of its times is kept as long as
//    it speaks with a live peer: what the other end holds by its clock is not known.
// 4. While no key carries, one that a step took out of its times is kept when it is heard: the other end has moved to
//    it meanwhile.
// 5. When no key speaks by 2 to 4: the one that ended last. So after a start in the past of all keys nobody speaks: a
//    key is not used before its start.
// With `hard`, no key that has ended is kept.
std::vector<KeyState> judge_keys(std::span<const RingKey> keys, std::span<const KeyInUse> use, std::int64_t wall,
                                 bool hard);

constexpr bool speaks(KeyState s) noexcept {
    return s == KeyState::active || s == KeyState::kept || s == KeyState::standby;
}

// The wall clock alone says that it is to be used; never of the fallback key.
bool is_within_times(const RingKey&, std::int64_t wall) noexcept;

// The clock has stepped: it reads otherwise than the seconds that passed explain. Less is what an NTP daemon slews.
inline constexpr std::int64_t kClockStep = 60;
constexpr bool has_stepped(std::int64_t wall, std::int64_t expected) noexcept {
    return wall > expected + kClockStep || wall < expected - kClockStep;
}

// Seconds until a start or an end comes; nothing if none does.
std::optional<std::int64_t> next_turn(std::span<const RingKey> keys, std::int64_t wall) noexcept;

// True if a is to carry the traffic rather than b, both having live peers: the newest start, fallback last. Both ends
// of a link come to the same order.
bool is_preferred(const RingKey& a, const RingKey& b) noexcept;

}  // namespace macsec::mka
