#include "macsec/mka/peers.h"

#include <algorithm>
#include <tuple>

namespace macsec::mka {
namespace {

constexpr std::size_t kMaxGone = 2 * kMaxPeers;

void note_basic(PeerEntry& entry, const BasicSet& basic, Time now) noexcept {
    entry.mn = basic.mn;
    entry.mka_version = basic.mka_version;
    entry.priority = basic.key_server_priority;
    entry.key_server = basic.key_server;
    entry.macsec_desired = basic.macsec_desired;
    entry.capability = basic.capability;
    entry.last_heard = now;
}

// As key servers rank (9.5); one that cannot do MACsec comes last.
auto rank(const PeerEntry& e) noexcept { return std::tuple(e.capability == Capability::none, e.priority, e.sci); }

}  // namespace

PeerEntry* PeerTable::find(const MemberId& mi) noexcept {
    const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const PeerEntry& e) { return e.mi == mi; });
    return it == entries_.end() ? nullptr : &*it;
}

const PeerEntry* PeerTable::find(const MemberId& mi) const noexcept { return const_cast<PeerTable*>(this)->find(mi); }

std::size_t PeerTable::live() const noexcept {
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](const PeerEntry& e) { return e.live; }));
}

bool PeerTable::any_does_macsec() const noexcept {
    return std::any_of(entries_.begin(), entries_.end(),
                       [](const PeerEntry& p) { return p.live && p.capability != Capability::none; });
}

std::uint8_t PeerTable::lowest_version() const noexcept {
    const bool any_live = live() != 0;
    std::uint8_t lowest = 0;
    for (const PeerEntry& e : entries_)
        if (e.live || !any_live) lowest = lowest == 0 ? e.mka_version : std::min(lowest, e.mka_version);
    return lowest;
}

bool PeerTable::reaches(Sci sci) const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [&](const PeerEntry& e) { return e.live && e.sci == sci; });
}

// A full table gives up the potential peer that has waited longest: nobody who proves liveness is kept out by those
// who do not. A potential peer is not refreshed: it proves liveness within MKA Life Time, or begins again.
PeerEntry* PeerTable::add(const BasicSet& basic, Time now, const Timers& timers) {
    if (entries_.size() >= kMaxPeers) {
        const auto oldest =
            std::min_element(entries_.begin(), entries_.end(), [](const PeerEntry& a, const PeerEntry& b) {
                return std::pair(a.live, a.expires) < std::pair(b.live, b.expires);
            });
        if (oldest->live) return nullptr;
        note_gone({oldest->mi, oldest->mn, Gone::Why::expired, now + timers.life()}, now);
        entries_.erase(oldest);
    }
    PeerEntry entry;
    entry.mi = basic.mi;
    entry.sci = basic.sci;
    entry.first_heard = now;
    entry.expires = now + timers.life();
    return &entries_.emplace_back(entry);
}

// The live peer that has this SCI by another MI.
const PeerEntry* PeerTable::successor_of(const MemberId& mi, Sci sci) const noexcept {
    const auto is_it = [&](const PeerEntry& e) { return e.live && e.sci == sci && e.mi != mi; };
    const auto it = std::find_if(entries_.begin(), entries_.end(), is_it);
    return it == entries_.end() ? nullptr : &*it;
}

// A late PDU may still echo a young MN of ours: while that is so no MN is taken twice, and an MI whose station has
// another one comes back only, and once, if by a younger echo it shows that the other one is the older.
std::optional<Heard> PeerTable::stays_away(const BasicSet& basic, std::optional<Time> echo, Time now) const noexcept {
    for (const Gone& g : gone_) {
        if (g.mi != basic.mi || g.until <= now) continue;
        if (basic.mn <= g.mn) return Heard::replayed_mn;
        const PeerEntry* other = successor_of(basic.mi, basic.sci);
        const bool is_newer = other != nullptr && echo && *echo > other->echoed;
        const bool may_be_alone = g.why == Gone::Why::expired && other == nullptr;
        if (g.why == Gone::Why::replaced_by_older || !(is_newer || may_be_alone)) return Heard::replaced_mi;
    }
    return std::nullopt;
}

void PeerTable::note_gone(const Gone& gone, Time now) {
    std::erase_if(gone_, [&](const Gone& g) { return g.until <= now || g.mi == gone.mi; });
    const auto sooner = [](const Gone& a, const Gone& b) { return a.until < b.until; };
    if (gone_.size() >= kMaxGone) gone_.erase(std::min_element(gone_.begin(), gone_.end(), sooner));
    gone_.push_back(gone);
}

bool PeerTable::replace_older(const PeerEntry& entry, Time now, const Timers& timers) {
    const bool comes_back = std::any_of(gone_.begin(), gone_.end(), [&](const Gone& g) {
        return g.mi == entry.mi && g.until > now && g.why == Gone::Why::replaced;
    });
    const auto why = comes_back ? Gone::Why::replaced_by_older : Gone::Why::replaced;
    bool was_live = false;
    for (const PeerEntry& other : entries_) {
        if (other.sci != entry.sci || other.mi == entry.mi) continue;
        was_live = was_live || other.live;
        note_gone({other.mi, other.mn, why, now + timers.life() + timers.hello()}, now);
    }
    const MemberId mi = entry.mi;
    const Sci sci = entry.sci;
    std::erase_if(entries_, [&](const PeerEntry& e) { return e.sci == sci && e.mi != mi; });
    return was_live;
}

std::size_t PeerTable::better_than(std::uint8_t priority, Sci sci) const noexcept {
    return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [&](const PeerEntry& e) {
        return rank(e) < std::tuple(false, priority, sci);
    }));
}

bool PeerTable::displace_worse(const PeerEntry& entry, Time now, const Timers& timers) noexcept {
    PeerEntry* worst = nullptr;
    for (PeerEntry& e : entries_)
        if (e.live && (worst == nullptr || rank(*worst) < rank(e))) worst = &e;
    if (worst == nullptr || rank(*worst) < rank(entry)) return false;
    worst->live = false;
    worst->expires = now + timers.life();
    return true;
}

Heard PeerTable::hear(const BasicSet& basic, std::optional<Time> echo, Time now, const Timers& timers) {
    if (const auto away = stays_away(basic, echo, now)) return *away;
    PeerEntry* entry = find(basic.mi);
    Heard heard = Heard::refreshed;
    if (entry == nullptr) {
        entry = add(basic, now, timers);
        if (entry == nullptr) return Heard::too_many_peers;
        heard = Heard::new_potential;
    } else if (entry->sci != basic.sci) {
        return Heard::duplicate_mi;
    } else if (basic.mn <= entry->mn) {
        return Heard::replayed_mn;  // 9.4.2
    }
    note_basic(*entry, basic, now);
    if (!echo) return heard;
    if (!entry->live) {
        const PeerEntry* successor = successor_of(entry->mi, entry->sci);
        // A new MI begins to count anew: of two that echo the same the one that has counted further is the older.
        if (successor != nullptr && std::pair(successor->echoed, entry->mn) > std::pair(*echo, successor->mn))
            return Heard::replaced_mi;
        const bool crowded = live() >= kMaxLivePeers && !reaches(entry->sci);
        if (crowded && !displace_worse(*entry, now, timers)) return Heard::too_many_peers;
        heard = replace_older(*entry, now, timers) ? Heard::restarted : crowded ? Heard::displaces : Heard::now_live;
        entry = find(basic.mi);
        entry->live = true;
        entry->expires = 0;
    }
    // 9.4.3: between MKA Life Time and that plus MKA Hello Time after the echoed MN was sent.
    entry->echoed = std::max(entry->echoed, *echo);
    entry->expires = std::max(entry->expires, std::min(now + timers.life(), *echo + timers.life() + timers.hello()));
    return heard;
}

std::vector<PeerEntry> PeerTable::expire(Time now, const Timers& timers) {
    std::vector<PeerEntry> lost;
    if (now < next_expiry()) return lost;
    for (const PeerEntry& e : entries_) {
        if (e.expires > now) continue;
        note_gone({e.mi, e.mn, Gone::Why::expired, now + timers.life()}, now);
        if (e.live) lost.push_back(e);
    }
    std::erase_if(entries_, [&](const PeerEntry& e) { return e.expires <= now; });
    return lost;
}

Time PeerTable::next_expiry() const noexcept {
    Time next = kNever;
    for (const PeerEntry& e : entries_) next = std::min(next, e.expires);
    return next;
}

std::optional<UseOfKey> use_of(const SakUse& use, const KeyIdentifier& key) noexcept {
    if (use.empty) return std::nullopt;
    if (use.latest.key == key) return UseOfKey{use.latest.receives, use.latest.transmits};
    if (use.old.key == key) return UseOfKey{use.old.receives, use.old.transmits};
    return std::nullopt;
}

std::optional<std::uint64_t> lowest_pn(const KeyUse& use, std::optional<std::uint32_t> high) noexcept {
    if (use.key == KeyIdentifier{} || !(use.receives || use.transmits)) return std::nullopt;
    return std::uint64_t{high.value_or(0)} << 32 | use.lowest_pn;
}

void note_use(PeerEntry& peer, const SakUse& use, const std::optional<XpnSet>& xpn, Time now) {
    peer.use = use;
    if (use.empty) return;
    const bool latest = use.latest.transmits;
    const KeyUse& key = latest ? use.latest : use.old;
    const auto high = xpn ? std::optional(latest ? xpn->latest_lowest_pn_high : xpn->old_lowest_pn_high) : std::nullopt;
    const auto pn = lowest_pn(key, high);
    if (!pn) return;
    if (peer.pn.key != key.key) {
        peer.pn = {key.key, *pn, 0, now};
        return;
    }
    const Time passed = now - peer.pn.at;
    if (passed < 200 * kMillisecond || *pn < peer.pn.next_pn) return;
    const std::uint64_t sent = *pn - peer.pn.next_pn;
    peer.pn = {key.key, *pn, sent / (passed / kMillisecond) * 1000, now};
}

}  // namespace macsec::mka
