#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>

#include "tests/sim/cheap_primitives.h"

namespace sim {
namespace {

constexpr std::int64_t kWall = 1'767'225'600;

std::shared_ptr<const SecretBuffer> cak_of(std::uint8_t fill) {
    auto secret = SecretBuffer::create(16);
    if (!secret) throw Violation{"no secret memory", secret.error()};
    std::fill(secret->writable().begin(), secret->writable().end(), fill);
    return std::make_shared<const SecretBuffer>(std::move(*secret));
}

MemberId mi_of(const std::vector<std::uint8_t>& frame) {
    MemberId mi;
    std::copy_n(frame.begin() + 30, mi.octets.size(), mi.octets.begin());
    return mi;
}

std::string text_of(const MemberId& mi) {
    char text[8];
    std::snprintf(text, sizeof text, "%02x%02x", mi.octets[0], mi.octets[1]);
    return text;
}

std::string text_of(const KeyUse& use) {
    if (use.key == KeyIdentifier{}) return "-";
    return text_of(use.key.server) + "." + std::to_string(use.key.number) + (use.receives ? "r" : "") +
           (use.transmits ? "t" : "");
}

// What a reader of a run wants to know of a PDU.
std::string text_of(const std::vector<std::uint8_t>& frame) {
    const auto pdu = decode(ConstOctets(frame).subspan(14));
    if (!pdu) return std::string(word(pdu.error()));
    std::string text = "key " + std::to_string(pdu->basic.ckn.octets[0]) + " " + text_of(pdu->basic.mi) + "." +
                       std::to_string(pdu->basic.mn) + (pdu->basic.key_server ? " server" : "");
    for (const auto& [name, list] : {std::pair(" live", &pdu->live), std::pair(" potential", &pdu->potential)}) {
        if (!*list) continue;
        text += name;
        for (const Peer& p : (*list)->peers) text += " " + text_of(p.mi) + "." + std::to_string(p.mn);
    }
    if (pdu->sak_use) text += " uses " + text_of(pdu->sak_use->latest) + " " + text_of(pdu->sak_use->old);
    if (pdu->distributed_sak) text += " SAK " + std::to_string(pdu->distributed_sak->key_number);
    return text;
}

}  // namespace

World::World(const Scenario& plan, bool verbose)
    : plan_(plan), verbose_(verbose), random_(plan.seed ^ 0xABCD'EF01'2345u) {
    members_.resize(plan.members.size());
    for (unsigned i = 0; i < members_.size(); ++i) {
        Member& m = members_[i];
        m.number = i;
        m.plan = plan.members[i];
        m.identity.sci = Sci{0x0200'0000'0000'0001u | (std::uint64_t{i} * 7 + 3) % 11 << 16};
        m.identity.source = {2, 0, 0, 0, 0, static_cast<std::uint8_t>(i)};
        m.identity.suite = plan.suite;
        m.pns_per_second = random_.between(1, 1'000'000);
        m.deadline = m.plan.start;
        for (const KeyPlan& k : plan.keys)
            if (k.there) m.keys.push_back(ring_key(k));
    }
    fault_state_.resize(plan.faults.size());
}

const KeyPlan* World::plan_of(std::uint8_t name) const {
    for (const KeyPlan& k : plan_.keys)
        if (k.name == name) return &k;
    return nullptr;
}

RingKey World::ring_key(const KeyPlan& k) const {
    const bool changed = std::find(changed_caks_.begin(), changed_caks_.end(), k.name) != changed_caks_.end();
    return {*Ckn::from(std::vector<std::uint8_t>{k.name}),
            cak_of(static_cast<std::uint8_t>(k.name + (changed ? 100 : 0))), kWall + k.start, kWall + k.end,
            k.fallback};
}

std::int64_t World::wall(const Member& m) const {
    return kWall + static_cast<std::int64_t>(now_ / kSecond) + m.plan.wall_offset + m.wall_step;
}

void World::start(Member& m) {
    ++m.life;
    Random random(plan_.seed * 1000 + m.number * 100 + m.life);
    m.kay = std::make_unique<Kay>(
        m.identity,
        [random](Octets octets) mutable {
            for (auto& o : octets) o = static_cast<std::uint8_t>(random.next());
        },
        plan_.real_primitives ? kRealPrimitives : kCheapPrimitives);
    m.cp = "INIT";
    m.cp_since = m.local(now_);
    configure(m);
}

void World::crash(Member& m) {
    log(m, "crashes");
    m.kay.reset();
    m.sas.clear();
    m.ever.clear();
    m.open = false;
    m.open_without_key = 0;
    m.deadline = kNever;
    dirty_ = true;
}

void World::configure(Member& m) {
    if (!m.kay) return;
    Settings s;
    s.key_server_priority = m.plan.priority;
    s.sak_rekey_ms = plan_.rekey_ms;
    s.delay_protect = m.plan.delay_protect;
    s.keep_last_sak = m.plan.keep_last_sak;
    s.keys = m.keys;
    Actions actions;
    if (const auto done = m.kay->configure(std::move(s), m.local(now_), wall(m), actions); !done)
        fail(m, "a good configuration is refused", done.error());
    perform(m, actions);
}

void World::reload(const Reload& r) {
    Member& m = members_[r.member];
    outcome_.happened[static_cast<std::size_t>(FaultKind::keys)] = true;
    const auto is_it = [&](const RingKey& k) { return k.ckn.octets[0] == r.name; };
    switch (r.what) {
        case Reload::What::priority: m.plan.priority = r.priority; break;
        case Reload::What::remove: std::erase_if(m.keys, is_it); break;
        case Reload::What::change_cak:
            if (std::find(changed_caks_.begin(), changed_caks_.end(), r.name) == changed_caks_.end())
                changed_caks_.push_back(r.name);
            std::erase_if(m.keys, is_it);
            [[fallthrough]];
        case Reload::What::add: m.keys.push_back(ring_key(*plan_of(r.name))); break;
    }
    log(m, "reload: " + std::to_string(static_cast<int>(r.what)) + " key " + std::to_string(r.name));
    configure(m);
}

void World::begin(const Fault& f) {
    Member& m = members_[f.member];
    const auto happens = [&] { outcome_.happened[static_cast<std::size_t>(f.kind)] = true; };
    log(m, "fault: " + std::string(word(f.kind)) + " " + std::to_string(f.amount / kMillisecond) + " ms");
    if (f.kind == FaultKind::crash && m.kay) {
        happens();
        crash(m);
    } else if (f.kind == FaultKind::clock) {
        happens();
        m.wall_step = f.seconds;
    } else if (f.kind == FaultKind::packet_numbers) {
        for (Sas& s : m.sas) {
            if (!s.transmits) continue;
            happens();
            const std::uint64_t pn =
                f.to_the_end ? pn_end(s.key.suite) : (is_xpn(s.key.suite) ? 0xC000'0000'0000'0000u : 0xC000'0000u) + 5;
            s.next_pn = std::max(s.next_pn, pn);
        }
    }
}

void World::end(const Fault& f) {
    Member& m = members_[f.member];
    if (f.kind == FaultKind::crash && !m.kay) start(m);
    if (f.kind == FaultKind::clock && !f.lasts) m.wall_step = 0;
}

std::vector<SaReport> World::reports(Member& m) {
    std::vector<SaReport> out;
    for (Sas& s : m.sas) {
        if (s.transmits_since != 0) {
            s.next_pn += (now_ - s.transmits_since) / kMillisecond * m.pns_per_second / 1000;
            s.next_pn = std::min(s.next_pn, pn_end(s.key.suite));
            s.transmits_since = s.transmits ? now_ : 0;
        }
        out.push_back({s.key.key, s.receives_in_force, s.transmits_in_force, s.next_pn});
    }
    return out;
}

void World::tick(Member& m) {
    Actions actions;
    const auto said = reports(m);
    m.kay->tick(m.local(now_), wall(m), said, actions);
    perform(m, actions);
}

void World::deliver(const Flight& f) {
    Member& m = members_[f.to];
    if (!m.kay || m.life != f.to_life) return;
    if (f.frame == nullptr) {
        for (Sas& s : m.sas) {
            if (s.receives && !s.receives_in_force) facts_[s.key.key].received_by.push_back({m.number, m.life});
            s.receives_in_force = s.receives;
            s.transmits_in_force = s.transmits;
        }
        dirty_ = true;
        return tick(m);
    }
    if (f.intact) heard_[f.to][f.from] = std::max(heard_[f.to][f.from], f.sent);
    if (verbose_) log(m, "hears " + std::to_string(f.from) + ": " + text_of(*f.frame));
    Actions actions;
    m.kay->receive(*f.frame, m.local(now_), actions);
    perform(m, actions);
}

void World::perform(Member& m, Actions& actions) {
    for (Action& a : actions) {
        if (const auto* retire = std::get_if<RetireKey>(&a))
            if (const Sas* s = m.sa(retire->key)) judge_retire(m, *s, actions);
        std::visit([&](auto& value) { act(m, value); }, a);
    }
    m.deadline = m.global(m.kay->next_deadline());
    judge_call(m);
}

void World::act(Member& m, SendPdu& pdu) {
    ++outcome_.pdus;
    if (verbose_) log(m, "sends " + text_of(pdu.frame));
    const MemberId mi = mi_of(pdu.frame);
    owners_[mi] = {m.number, m.life, now_};
    const auto frame = std::make_shared<const std::vector<std::uint8_t>>(std::move(pdu.frame));
    for (Member& to : members_)
        if (&to != &m && to.kay) send(m, to, frame);
}

bool World::is_lost(const Member& from, const Member& to) {
    for (const Fault& f : plan_.faults) {
        if (!active(f)) continue;
        const bool cut =
            f.kind == FaultKind::partition && ((f.member == from.number && f.other == to.number) ||
                                               (f.percent == 2 && f.member == to.number && f.other == from.number));
        const bool lost = f.kind == FaultKind::lose && random_.chance(f.percent);
        if (!cut && !lost) continue;
        outcome_.happened[static_cast<std::size_t>(f.kind)] = true;
        return true;
    }
    return false;
}

void World::send(Member& from, Member& to, const std::shared_ptr<const std::vector<std::uint8_t>>& frame) {
    if (is_lost(from, to)) return;
    Flight flight{.at = now_ + random_.between(100'000, plan_.network),
                  .to = to.number,
                  .from = from.number,
                  .to_life = to.life,
                  .sent = now_,
                  .intact = true,
                  .frame = frame};
    for (const Fault& f : plan_.faults) {
        if (!active(f)) continue;
        const bool hit = f.kind == FaultKind::reorder || random_.chance(f.percent);
        if (!hit) continue;
        switch (f.kind) {
            case FaultKind::delay:
            case FaultKind::reorder: flight.at += random_.below(f.amount); break;
            case FaultKind::duplicate: {
                Flight copy = flight;
                copy.at += random_.below(f.amount);
                copy.order = ++order_;
                flights_.push(copy);
                break;
            }
            case FaultKind::corrupt: {
                auto bad = *flight.frame;
                for (std::uint64_t n = random_.between(1, 3); n > 0; --n)
                    bad[random_.below(bad.size())] ^= static_cast<std::uint8_t>(1u << random_.below(8));
                flight.intact = bad == *flight.frame;
                flight.frame = std::make_shared<const std::vector<std::uint8_t>>(std::move(bad));
                break;
            }
            default: continue;
        }
        outcome_.happened[static_cast<std::size_t>(f.kind)] = true;
    }
    flight.order = ++order_;
    flights_.push(flight);
}

void World::answer_later(Member& m) {
    Time late = random_.between(10'000, 2'000'000);
    for (const Fault& f : plan_.faults)
        if (f.kind == FaultKind::slow_dataplane && active(f) && f.member == m.number) {
            late += random_.below(f.amount);
            outcome_.happened[static_cast<std::size_t>(f.kind)] = true;
        }
    flights_.push(
        {.at = now_ + late, .order = ++order_, .to = m.number, .from = m.number, .to_life = m.life, .frame = nullptr});
}

void World::act(Member& m, InstallKey& key) {
    judge_install(m, key);
    KeyFacts& facts = facts_[key.key];
    if (facts.first_installed == 0) facts = {m.number, m.life, now_, {}, {}};
    m.ever.push_back(key.key);
    m.sas.push_back({.key = std::move(key)});
}

void World::act(Member& m, StartReceive& start) {
    Sas* s = m.sa(start.key);
    if (s == nullptr) fail(m, "a key is to receive that is not installed");
    s->receives = true;
    answer_later(m);
}

void World::act(Member& m, StartTransmit& start) {
    Sas* s = m.sa(start.key);
    if (s == nullptr) fail(m, "a key is to transmit that is not installed");
    judge_transmit(m, *s);
    static_cast<void>(reports(m));
    for (Sas& other : m.sas) other.transmits = false;
    s->transmits = true;
    s->transmits_since = now_;
    facts_[start.key].transmitted_by.push_back({m.number, m.life});
    dirty_ = true;
    answer_later(m);
}

void World::act(Member& m, RetireKey& retire) {
    if (m.sa(retire.key) == nullptr) fail(m, "a key is retired that is not installed");
    std::erase_if(m.sas, [&](const Sas& s) { return s.key.key == retire.key; });
    dirty_ = true;
}

void World::act(Member& m, ControlledPort& port) {
    judge_port(m, port);
    m.open = port.open;
    dirty_ = true;
}

void World::act(Member&, RaiseLowestPn&) {}

void World::act(Member& m, Transition& t) {
    log(m, std::string(t.from) + " -> " + std::string(t.to) + ": " + t.reason);
    if (t.from != t.to) {
        m.cp = t.to;
        m.cp_since = t.time;
    }
}

Time World::next_time() const {
    Time next = flights_.empty() ? kNever : flights_.top().at;
    for (const Member& m : members_) next = std::min(next, m.deadline);
    if (next_reload_ < plan_.reloads.size()) next = std::min(next, plan_.reloads[next_reload_].at);
    for (std::size_t i = 0; i < plan_.faults.size(); ++i)
        if (fault_state_[i] < 2)
            next = std::min(next, fault_state_[i] == 0 ? plan_.faults[i].from : plan_.faults[i].to);
    return next;
}

void World::turn() {
    for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
        const Fault& f = plan_.faults[i];
        if (fault_state_[i] == 0 && f.from <= now_) {
            fault_state_[i] = 1;
            begin(f);
        }
        if (fault_state_[i] == 1 && f.to <= now_) {
            fault_state_[i] = 2;
            end(f);
        }
    }
    for (; next_reload_ < plan_.reloads.size() && plan_.reloads[next_reload_].at <= now_; ++next_reload_)
        reload(plan_.reloads[next_reload_]);
    while (!flights_.empty() && flights_.top().at <= now_) {
        const Flight f = flights_.top();
        flights_.pop();
        deliver(f);
    }
    for (Member& m : members_)
        if (m.deadline <= now_) m.kay ? tick(m) : start(m);
    if (dirty_) judge_losses();
    dirty_ = false;
}

Outcome World::run() {
    try {
        while (!is_over()) {
            now_ = std::max(now_, next_time());
            turn();
        }
    } catch (Violation& v) {
        outcome_.violation = std::move(v);
        outcome_.violation_at = now_;
    }
    return outcome_;
}

}  // namespace sim
