// Which CAKs of the ring are used now. The wall clock starts and ends them, but a clock that steps neither takes away
// the last key nor starts all: what nothing else replaces is kept. Pure.
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
};

// One answer per key: it speaks exactly if the answer is active, kept or standby.
//
// 1. The fallback key stands by, whatever the time.
// 2. A key within its times is active.
// 3. A key outside of them is kept while it carries the traffic.
// 4. When no key is within its times and none is kept by 3: all that spoke are kept; if none did, the one that ended
//    last. So after a start in the past of all keys nobody speaks: a key is not used before its start.
// With `hard`, no key that has ended is kept.
std::vector<KeyState> judge_keys(std::span<const RingKey> keys, std::span<const KeyInUse> use, std::int64_t wall,
                                 bool hard);

constexpr bool speaks(KeyState s) noexcept {
    return s == KeyState::active || s == KeyState::kept || s == KeyState::standby;
}

// Seconds until a start or an end comes; nothing if none does.
std::optional<std::int64_t> next_turn(std::span<const RingKey> keys, std::int64_t wall) noexcept;

// True if a is to carry the traffic rather than b, both having live peers: the newest start, fallback last. Both ends
// of a link come to the same order.
bool is_preferred(const RingKey& a, const RingKey& b) noexcept;

}  // namespace macsec::mka
