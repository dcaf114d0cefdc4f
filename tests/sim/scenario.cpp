#include "tests/sim/scenario.h"

#include <algorithm>
#include <optional>

#include "tests/sim/random.h"

namespace sim {
namespace {

using What = Reload::What;

// Of runs with any faults, how many are to have this one. Some need an occasion, which does not always come.
unsigned percent_of(FaultKind kind) noexcept { return kind == FaultKind::slow_dataplane ? 45 : 32; }

Time seconds(Random& r, std::uint64_t low_ms, std::uint64_t high_ms) {
    return r.between(low_ms, high_ms) * kMillisecond;
}

unsigned members_of(Random& r) {
    const std::uint64_t d = r.below(100);
    if (d < 62) return 2;
    if (d < 90) return 3;
    return static_cast<unsigned>(r.between(4, d < 97 ? 5 : 8));
}

void plan_members(Scenario& s, Random& r) {
    const unsigned n = s.kind == Kind::restart ? 2 : members_of(r);
    for (unsigned i = 0; i < n; ++i) {
        MemberPlan m;
        m.priority = static_cast<std::uint8_t>(16 * r.between(1, 3));
        if (i > 0 && r.chance(8)) m.priority = 255;
        m.delay_protect = r.chance(15);
        m.keep_last_sak = s.kind == Kind::chaos && r.chance(6);
        m.skew = static_cast<std::int64_t>(r.below(11)) - 5;
        m.wall_offset = static_cast<std::int64_t>(r.below(3)) - 1;
        m.start = r.chance(70) ? 0 : seconds(r, 0, 3000);
        s.members.push_back(m);
    }
}

void plan_keys(Scenario& s, Random& r) {
    s.keys.push_back({.name = 1});
    if (r.chance(25)) {  // another one starts, the first ends, an overlap between
        s.keys[0].end = static_cast<std::int64_t>(r.between(16, 20));
        s.keys.push_back({.name = 2, .start = static_cast<std::int64_t>(r.between(5, 9))});
    }
    if (r.chance(25)) s.keys.push_back({.name = 7, .start = 86'300, .end = 200'000});  // tomorrow's
    if (r.chance(20)) s.keys.push_back({.name = 9, .fallback = true});
}

// Every member takes part in a change, not all at the same moment.
void everywhere(Scenario& s, Random& r, Time at, What what, std::uint8_t name) {
    for (unsigned i = 0; i < s.members.size(); ++i)
        s.reloads.push_back({.at = at + seconds(r, 0, 2500), .member = i, .what = what, .name = name});
}

void plan_reloads(Scenario& s, Random& r) {
    const Time at = seconds(r, 3000, 8000);
    const bool calm = s.kind == Kind::calm;
    const auto some = static_cast<unsigned>(r.below(s.members.size()));
    switch (r.below(calm ? 3 : 6)) {
        case 0:
            s.keys.push_back({.name = 5, .start = -10, .there = false});
            everywhere(s, r, at, What::add, 5);
            break;
        case 1:  // a new key, and the first one goes when traffic has moved
            s.keys.push_back({.name = 5, .start = -10, .there = false});
            everywhere(s, r, at, What::add, 5);
            everywhere(s, r, at + 14 * kSecond, What::remove, 1);
            break;
        case 2: s.reloads.push_back({.at = at, .member = some, .what = What::priority, .priority = 5}); break;
        case 3:  // a member loses a key for a while
            s.reloads.push_back({.at = at, .member = some, .what = What::remove, .name = 1});
            s.reloads.push_back({.at = at + seconds(r, 100, 9000), .member = some, .what = What::add, .name = 1});
            break;
        case 4: everywhere(s, r, at, What::change_cak, 1); break;
        default:
            everywhere(s, r, at, What::remove, 1);
            everywhere(s, r, at + seconds(r, 3000, 9000), What::add, 1);
            break;
    }
}

Fault fault_of(FaultKind kind, Scenario& s, Random& r) {
    Fault f{.kind = kind, .from = seconds(r, 1000, 14'000)};
    f.to = f.from + seconds(r, 500, 8000);
    f.member = static_cast<unsigned>(r.below(s.members.size()));
    f.other = static_cast<unsigned>((f.member + 1 + r.below(s.members.size() - 1)) % s.members.size());
    f.percent = static_cast<unsigned>(r.between(5, 60));
    switch (kind) {
        case FaultKind::delay: f.amount = seconds(r, 50, 3000); break;
        case FaultKind::duplicate: f.amount = seconds(r, 1, 4000); break;
        case FaultKind::reorder: f.amount = seconds(r, 20, 400); break;
        case FaultKind::slow_dataplane: f.amount = seconds(r, 20, s.kind == Kind::calm ? 2500 : 9000); break;
        case FaultKind::crash: f.to = f.from + seconds(r, 20, 9000); break;
        case FaultKind::partition: f.percent = r.chance(50) ? 1 : 2; break;  // one way, or both
        case FaultKind::packet_numbers:
            f.to = f.from;
            f.to_the_end = s.kind == Kind::chaos && r.chance(25);
            break;
        case FaultKind::clock:
            f.seconds =
                r.chance(50) ? static_cast<std::int64_t>(r.between(1, 40)) - 20 : (r.chance(50) ? 86'400 : -86'400);
            break;
        default: break;
    }
    return f;
}

// A clock that is wrong while keys end elsewhere leaves a member without a key in common: no calm run.
bool a_key_goes(const Scenario& s) {
    return std::any_of(s.keys.begin(), s.keys.end(), [](const KeyPlan& k) { return k.end < 100; }) ||
           std::any_of(s.reloads.begin(), s.reloads.end(), [](const Reload& l) { return l.what == What::remove; });
}

bool allowed(FaultKind kind, const Scenario& s) {
    if (s.kind == Kind::chaos) return true;
    if (s.kind == Kind::restart) return kind == FaultKind::crash;
    if (kind == FaultKind::clock) return !a_key_goes(s);
    return kind == FaultKind::packet_numbers || kind == FaultKind::slow_dataplane;
}

// A clock that stays wrong. What a member then has of the ring is what it had before: it must not have to start anew,
// be given or lose a key, or miss one that two others go on to; and one clock of the two is right.
bool may_last(const Scenario& s) {
    const bool crashes =
        std::any_of(s.faults.begin(), s.faults.end(), [](const Fault& f) { return f.kind == FaultKind::crash; });
    const bool same_keys =
        std::all_of(s.reloads.begin(), s.reloads.end(), [](const Reload& l) { return l.what == What::priority; });
    std::optional<unsigned> wrong;
    for (const Fault& f : s.faults)
        if (f.kind == FaultKind::clock && wrong.value_or(f.member) != f.member)
            return false;
        else if (f.kind == FaultKind::clock)
            wrong = f.member;
    return !crashes && same_keys && (s.members.size() == 2 || s.keys.size() == 1);
}

// Drawn apart, so that seeds mean what they meant without it.
void make_some_last(Scenario& s) {
    Random r(s.seed ^ 0x1A57'1A57u);
    if (!may_last(s)) return;
    bool any = false;
    for (Fault& f : s.faults)
        if (f.kind == FaultKind::clock) any |= f.lasts = r.chance(50);
    for (Fault& f : s.faults) {
        if (!any || f.kind != FaultKind::clock) continue;
        f.from += 3 * kSecond;  // all have started, with the right time
        f.to += 3 * kSecond;
    }
}

void plan_faults(Scenario& s, Random& r) {
    for (std::size_t i = 0; i < kFaultKinds; ++i) {
        const auto kind = static_cast<FaultKind>(i);
        const bool wanted =
            s.kind == Kind::restart ? kind == FaultKind::crash : r.chance(s.kind == Kind::calm ? 50 : percent_of(kind));
        if (!wanted) continue;
        if (kind == FaultKind::keys && s.kind != Kind::restart) plan_reloads(s, r);
        if (kind == FaultKind::keys || !allowed(kind, s)) continue;
        for (std::uint64_t n = s.kind == Kind::chaos ? r.between(1, 3) : 1; n > 0; --n)
            s.faults.push_back(fault_of(kind, s, r));
    }
}

}  // namespace

std::string_view word(FaultKind kind) noexcept {
    constexpr std::string_view words[] = {"loss",       "delay",     "duplication",   "reordering",
                                          "corruption", "partition", "crash",         "packet numbers",
                                          "keys",       "clock",     "slow dataplane"};
    return words[static_cast<std::size_t>(kind)];
}

Scenario scenario_of(std::uint64_t seed) {
    Random r(seed * 0x1000'0001u + 17);
    Scenario s;
    s.seed = seed;
    const std::uint64_t d = r.below(100);
    s.kind = d < 78 ? Kind::chaos : d < 92 ? Kind::calm : Kind::restart;
    s.real_primitives = r.below(50) == 0;
    s.to_the_end = s.kind == Kind::calm || r.chance(25);
    s.suite = static_cast<macsec::CipherSuite>(r.below(4));
    s.rekey_ms = r.chance(30) ? r.between(4, 9) * 1000 : 0;
    s.network = seconds(r, 1, 20);
    plan_members(s, r);
    plan_keys(s, r);
    plan_faults(s, r);
    make_some_last(s);
    std::stable_sort(s.reloads.begin(), s.reloads.end(), [](const Reload& a, const Reload& b) { return a.at < b.at; });
    s.end_of_faults = 4 * kSecond;
    for (const KeyPlan& k : s.keys)
        for (const std::int64_t turn : {k.start, k.end})
            if (turn > 0 && turn < 100)
                s.end_of_faults = std::max(s.end_of_faults, static_cast<Time>(turn + 2) * kSecond);
    for (const Fault& f : s.faults) s.end_of_faults = std::max(s.end_of_faults, f.to);
    for (const Reload& l : s.reloads) s.end_of_faults = std::max(s.end_of_faults, l.at);
    return s;
}

}  // namespace sim
