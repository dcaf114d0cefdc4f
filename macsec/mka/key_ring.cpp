#include "macsec/mka/key_ring.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace macsec::mka {
namespace {

std::int64_t start_of(const RingKey& k) noexcept { return k.start.value_or(std::numeric_limits<std::int64_t>::min()); }
std::int64_t end_of(const RingKey& k) noexcept { return k.end.value_or(std::numeric_limits<std::int64_t>::max()); }

KeyState by_clock(const RingKey& key, std::int64_t wall) noexcept {
    if (key.fallback) return KeyState::standby;
    if (wall < start_of(key)) return KeyState::not_started;
    return wall < end_of(key) ? KeyState::active : KeyState::ended;
}

bool may_be_kept(KeyState state, bool hard) noexcept {
    return state == KeyState::not_started || (state == KeyState::ended && !hard);
}

// The key, but not the fallback, that carries the traffic; none: their number.
std::size_t carrier(std::span<const RingKey> keys, std::span<const KeyInUse> use) noexcept {
    std::size_t i = 0;
    while (i < keys.size() && (keys[i].fallback || !use[i].carries)) ++i;
    return i;
}

// Of those within their times.
std::size_t newest(std::span<const RingKey> keys, std::int64_t wall) noexcept {
    std::size_t best = keys.size();
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (is_within_times(keys[i], wall) && (best == keys.size() || is_preferred(keys[i], keys[best]))) best = i;
    return best;
}

// Rule 5: the key that ended last, or none.
std::size_t last_resort(std::span<const RingKey> keys, const std::vector<KeyState>& states) noexcept {
    std::size_t best = keys.size();
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (states[i] == KeyState::ended && (best == keys.size() || end_of(keys[i]) > end_of(keys[best]))) best = i;
    return best;
}

}  // namespace

std::string_view word(KeyState state) noexcept {
    constexpr std::string_view words[] = {"not-started", "active", "kept", "ended", "standby", "held"};
    return words[static_cast<std::size_t>(state)];
}

std::vector<KeyState> judge_keys(std::span<const RingKey> keys, std::span<const KeyInUse> use, std::int64_t wall,
                                 bool hard) {
    const std::size_t carries = carrier(keys, use), latest = newest(keys, wall);
    const bool carried = carries < keys.size();
    std::vector<KeyState> states;
    bool any = false;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        KeyState state = by_clock(keys[i], wall);
        const bool is_newest = i == latest && carried && is_preferred(keys[i], keys[carries]);
        const bool may_start = !carried || use[i].speaks || use[i].heard || is_newest;
        if (state == KeyState::active && use[i].by_step && !may_start) state = KeyState::held;
        const bool stepped_over = use[i].by_step && use[i].live;
        const bool goes_on = use[i].carries || (use[i].speaks && (!carried || stepped_over));
        const bool is_called = use[i].heard && !carried;
        if ((goes_on || is_called) && may_be_kept(state, hard)) state = KeyState::kept;
        any = any || state == KeyState::active || state == KeyState::kept;
        states.push_back(state);
    }
    if (any || hard) return states;
    const std::size_t resort = last_resort(keys, states);
    if (resort < keys.size()) states[resort] = KeyState::kept;
    return states;
}

bool is_within_times(const RingKey& key, std::int64_t wall) noexcept { return by_clock(key, wall) == KeyState::active; }

std::optional<std::int64_t> next_turn(std::span<const RingKey> keys, std::int64_t wall) noexcept {
    std::optional<std::int64_t> next;
    const auto offer = [&](const std::optional<std::int64_t>& turn) {
        if (turn && *turn > wall && (!next || *turn - wall < *next)) next = *turn - wall;
    };
    for (const RingKey& key : keys) {
        if (key.fallback) continue;
        offer(key.start);
        offer(key.end);
    }
    return next;
}

bool is_preferred(const RingKey& a, const RingKey& b) noexcept {
    const auto rank = [](const RingKey& k) { return std::tuple(!k.fallback, start_of(k), k.ckn); };
    return rank(a) > rank(b);
}

}  // namespace macsec::mka
