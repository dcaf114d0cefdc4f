// The outside of a KaY: configuration, the ring of keys over the wall clock, ticks.
#include "macsec/mka/kay.h"

#include <algorithm>
#include <utility>

#include "macsec/mka/kay_state.h"

namespace macsec::mka {
namespace {

std::string check_timers(const Timers& t) {
    if (t.hello_ms == 0 || t.bounded_hello_ms == 0 || t.retire_ms == 0) return "MKA timers are above zero";
    if (t.life_ms / 3 < t.hello_ms) return "MKA Life Time is at least three times MKA Hello Time";
    return {};
}

std::string check_keys(const std::vector<RingKey>& keys) {
    const auto fallbacks = std::count_if(keys.begin(), keys.end(), [](const RingKey& k) { return k.fallback; });
    if (fallbacks > 1) return "there is one fallback key at most";
    if (keys.size() - static_cast<std::size_t>(fallbacks) > kMaxRingKeys)
        return "a key ring has up to " + std::to_string(kMaxRingKeys) + " keys";
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!keys[i].cak || (keys[i].cak->size() != 16 && keys[i].cak->size() != 32))
            return "a CAK has 16 or 32 octets";
        for (std::size_t j = 0; j < i; ++j)
            if (keys[j].ckn == keys[i].ckn) return "CKN " + text_of(keys[i].ckn) + " is there twice";
    }
    return {};
}

bool is_same_key(const RingEntry& entry, const RingKey& key) noexcept {
    return entry.key.ckn == key.ckn && equal_secrets(entry.key.cak->octets(), key.cak->octets());
}

}  // namespace

Kay::Kay(const Identity& identity, Random random, const Primitives& primitives)
    : state_(std::make_unique<State>(identity, std::move(random), primitives)) {}
Kay::Kay(Kay&&) noexcept = default;
Kay& Kay::operator=(Kay&&) noexcept = default;
Kay::~Kay() = default;

std::expected<void, std::string> Kay::configure(Settings settings, Time now, std::int64_t wall, Actions& out) {
    State& s = *state_;
    std::string wrong = check_timers(settings.timers);
    if (wrong.empty()) wrong = check_keys(settings.keys);
    if (!wrong.empty()) return std::unexpected(std::move(wrong));
    std::vector<RingEntry> ring;
    for (const RingKey& key : settings.keys) {
        RingEntry& fresh = ring.emplace_back();
        fresh.key = key;
        const RingEntry* known = s.entry(key.ckn);
        if (known != nullptr && is_same_key(*known, key)) {
            fresh.keys = known->keys;
            continue;
        }
        auto keys = s.primitives.derive_keys(key.cak->octets(), key.ckn);
        if (!keys) return std::unexpected(std::move(keys.error()));
        fresh.keys = std::make_shared<const CakKeys>(std::move(*keys));
    }
    // Nothing fails from here on.
    s.set_clock(now, wall);
    for (RingEntry& fresh : ring) {
        RingEntry* known = s.entry(fresh.key.ckn);
        if (known == nullptr || known->keys != fresh.keys) continue;
        fresh.state = known->state;
        fresh.wrong_cak = known->wrong_cak;
        fresh.live_at = known->live_at;
        fresh.heard_at = known->heard_at;
        fresh.by_step = known->by_step && known->key.start == fresh.key.start && known->key.end == fresh.key.end;
        fresh.participant = std::move(known->participant);
        if (fresh.participant) fresh.participant->key = fresh.key;
    }
    s.ring = std::move(ring);
    settings.keys.clear();
    s.settings = std::move(settings);
    s.cp.set_timers(s.settings.timers);
    s.turn_ring(now, out);
    s.settle(now, out);
    return {};
}

void Kay::receive(ConstOctets frame, Time now, Actions& out) {
    state_->hear(frame, now, out);
    state_->settle(now, out);
}

void Kay::tick(Time now, std::int64_t wall, std::span<const SaReport> reports, Actions& out) {
    State& s = *state_;
    s.set_clock(now, wall);
    for (const SaReport& r : reports)
        for (Sak& sak : s.saks)
            if (sak.key == r.key) note_report(sak, r, now, s.settings.timers);
    s.turn_ring(now, out);
    s.settle(now, out);
}

std::expected<void, std::string> Kay::rekey(Time now, Actions& out) {
    State& s = *state_;
    const Participant* p = s.principal_participant();
    if (p == nullptr || p->peers.live() == 0)
        return std::unexpected(std::string("there is no live peer to agree with"));
    if (p->election.result != Election::Result::self)
        return std::unexpected("the key server is " + text_of(p->election.sci) + ": ask there");
    s.rekey_asked = true;
    s.settle(now, out);
    return {};
}

// A settling leaves nothing due. What fails and is tried again must not keep the caller busy.
Time Kay::next_deadline() const noexcept { return std::max(state_->next_deadline(), state_->last_tick + kMillisecond); }

void Kay::stop(Time now, Actions& out) {
    state_->ring.clear();
    state_->settle(now, out);
}

KayStatus Kay::status(Time now) const { return state_->status(now); }

RingEntry* Kay::State::entry(const Ckn& ckn) noexcept {
    const auto it = std::find_if(ring.begin(), ring.end(), [&](const RingEntry& e) { return e.key.ckn == ckn; });
    return it == ring.end() ? nullptr : &*it;
}

Participant* Kay::State::participant(const Ckn& ckn) noexcept {
    RingEntry* e = entry(ckn);
    return e == nullptr ? nullptr : e->participant.get();
}

const Participant* Kay::State::participant_of(const Sak& sak) const noexcept {
    const Participant* p = participant(sak.ckn);
    return p != nullptr && p->serial == sak.participant ? p : nullptr;
}

// Which keys have come into or out of their times by a step, not by the time that passed since the last tick.
void Kay::State::set_clock(Time now, std::int64_t to) noexcept {
    const std::int64_t expected = wall + static_cast<std::int64_t>((now - last_tick) / kSecond);
    const bool stepped = last_tick != 0 && has_stepped(to, expected);
    for (RingEntry& e : ring) {
        const bool is_within = is_within_times(e.key, to);
        if (is_within_times(e.key, wall) != is_within)
            e.by_step = stepped && is_within_times(e.key, expected) != is_within;
    }
    wall = to;
    last_tick = now;
}

// Keys start and end by the wall clock, and by what they are used for.
void Kay::State::turn_ring(Time now, Actions& out) {
    std::vector<RingKey> keys;
    std::vector<KeyInUse> use;
    for (RingEntry& e : ring) {
        keys.push_back(e.key);
        const bool live = e.participant && e.participant->peers.live() > 0;
        if (live) e.live_at = now;
        // A peer that is gone is missed under one key before the other.
        const auto lately = [&](Time at) { return at != 0 && now < at + settings.timers.patience(); };
        use.push_back({e.participant != nullptr, live && principal == e.key.ckn, e.by_step, lately(e.live_at),
                       e.by_step && e.participant == nullptr && lately(e.heard_at)});
    }
    const std::vector<KeyState> states = judge_keys(keys, use, wall, settings.hard_expiry);
    for (std::size_t i = 0; i < ring.size(); ++i) {
        RingEntry& e = ring[i];
        const KeyState was = std::exchange(e.state, states[i]);
        if (speaks(states[i]) && !e.participant)
            e.participant = std::make_unique<Participant>(e.key, e.keys, random_mi(), ++participants);
        if (!speaks(states[i])) e.participant.reset();
        if (was != states[i]) tell(now, "key " + text_of(e.key.ckn) + " is " + std::string(word(states[i])), out);
    }
}

MemberId Kay::State::random_mi() const {
    MemberId mi;
    random(mi.octets);
    return mi;
}

void Kay::State::renew(Participant& p, Time now, std::string_view why, Actions& out) {
    ++counters.identity_renewed;
    p.renew(random_mi(), now, settings.timers);
    tell(now, "new MI for key " + text_of(p.key.ckn) + ": " + std::string(why), out);
}

// An event that is no transition of the CP machine.
void Kay::State::tell(Time now, std::string text, Actions& out) const {
    out.emplace_back(Transition{now, word(cp.state()), word(cp.state()), std::move(text)});
}

}  // namespace macsec::mka
