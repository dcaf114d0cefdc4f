// What follows from all that is known, in this order, after every PDU and every tick:
//   1. peers whose time is over go
//   2. every participant elects; one participant is principal actor
//   3. a key server makes the SAK that is due                     } until nothing
//   4. the CP machine makes a transition, which is performed      } more happens
//   5. PDUs that are due are sent, those with something new at once
#include <algorithm>

#include "macsec/mka/kay_state.h"
#include "macsec/mka/keys.h"

namespace macsec::mka {
namespace {

constexpr int kMaxSteps = 32;  // of one settling; a cycle of the CP machine has ten

}  // namespace

void Kay::State::settle(Time now, Actions& out) {
    last_call = now;
    expire(now, out);
    for (int i = 0; i < kMaxSteps; ++i) {
        elect_all();
        choose_principal();
        serve(now, out);
        if (!step_cp(now, out)) break;
    }
    send_due(now, out);
}

void Kay::State::expire(Time now, Actions& out) {
    for (RingEntry& e : ring) {
        if (!e.participant) continue;
        for (const PeerEntry& lost : e.participant->peers.expire(now, settings.timers)) {
            ++counters.peers_lost;
            live_changed = now;
            tell(now, "peer " + text_of(lost.sci) + " is lost: silent for MKA Life Time", out);
        }
    }
}

void Kay::State::elect_all() noexcept {
    for (RingEntry& e : ring)
        if (e.participant)
            e.participant->election =
                elect(e.participant->peers, e.participant->mi, identity.sci, settings.key_server_priority);
}

// 9.3, 9.17. A member that is not key server goes where the key server distributes. A key server takes the CAK that
// reaches most members, so that a newer one leaves nobody behind; of equals the preferred one, so the fallback CAK
// when it alone reaches somebody.
void Kay::State::choose_principal() noexcept {
    if (const Sak* newest = newest_sak(); newest != nullptr && !newest->ours) {
        const Participant* p = participant_of(*newest);
        if (p != nullptr && p->election.result == Election::Result::peer) {
            principal = newest->ckn;
            return;
        }
    }
    const Participant* best = nullptr;
    for (const RingEntry& e : ring) {
        const Participant* p = e.participant.get();
        if (p == nullptr || p->peers.live() == 0) continue;
        const std::size_t reach = p->peers.live(), least = best == nullptr ? 0 : best->peers.live();
        if (reach > least || (reach == least && is_preferred(p->key, best->key))) best = p;
    }
    if (best != nullptr)
        principal = best->key.ckn;
    else if (principal && participant(*principal) == nullptr)
        principal.reset();
}

Connect Kay::State::connect(Time now) noexcept {
    Connect c{false, false, {}};
    const Participant* p = principal_participant();
    const Sak* held = newest_installed();
    const Sak* transmits = transmitting_sak();
    if (transmits != nullptr && transmits->now.pn >= pn_end(transmits->suite)) {
        c.why_not = "the packet numbers of the SAK are used up";
        return c;
    }
    if (no_macsec_until > now) {
        c.why_not = "the key server wants frames in clear";
        return c;
    }
    if (p == nullptr || p->peers.live() == 0)
        c.why_not = p == nullptr ? "no key has a live peer" : "no live peer";
    else if (!p->peers.any_does_macsec())
        c.why_not = "no live peer can do MACsec";
    else if (p->election.result == Election::Result::nobody)
        c.why_not = "no live member can be key server";
    else if (p->election.result == Election::Result::waits_for && held == nullptr)
        c.why_not = "the key server does not know of its election yet";
    else
        c.secure = true;
    // A SAK outlives its key server, the CAK it came by, and its server's use of another, until one had time to come.
    const bool is_its_key = held != nullptr && c.secure && held->key.server == p->election.mi &&
                            (held->ours || !use_by(*held, {held->key.server, held->server}).names_another);
    if (held == nullptr || is_its_key)
        orphaned.reset();
    else if (!orphaned)
        orphaned = now;
    if (c.secure && orphaned && now >= *orphaned + settings.timers.patience()) {
        c.secure = false;
        c.why_not = "the key server is lost, and no new SAK came";
    }
    keeps_last_sak = !c.secure && settings.keep_last_sak && cp.port_open() && transmits != nullptr &&
                     participant_of(*transmits) != nullptr;
    if (keeps_last_sak) c.secure = c.keep = true;
    return c;
}

CpInput Kay::State::cp_input(const Connect& c) const noexcept {
    CpInput in{.secure = c.secure, .why_not_secure = c.why_not, .keep_old = c.keep};
    const Participant* p = principal ? participant(*principal) : nullptr;
    if (const Sak* old = sak(cp.old()))
        in.old_key_unneeded = !c.keep && std::none_of(old->members.begin(), old->members.end(),
                                                      [&](const SakMember& m) { return use_by(*old, m).live; });
    const Sak* latest = sak(cp.latest());
    if (latest == nullptr) return in;
    in.made_by_us = latest->ours;
    in.using_receive_sas = latest->receives;
    in.using_transmit_sa = latest->transmits;
    in.all_receiving = all_receive(*latest);
    in.server_changed = p != nullptr && !latest->ours && p->election.mi != latest->key.server;
    const MemberUse maker = use_by(*latest, {latest->key.server, latest->server});
    in.maker_lives = maker.live || latest->ours;
    in.server_transmitting = maker.transmits;
    in.member_transmitting = is_transmitted_by_a_member(*latest);
    return in;
}

bool Kay::State::step_cp(Time now, Actions& out) {
    const CpInput in = cp_input(connect(now));
    std::vector<CpStep> steps;
    const auto transition = cp.step(in, now, steps);
    if (!transition) return false;
    for (const CpStep& s : steps) perform(s, now, out);
    after(*transition, in, now, out);
    return true;
}

void Kay::State::perform(const CpStep& step, Time now, Actions& out) {
    const auto known = std::find_if(saks.begin(), saks.end(), [&](const Sak& s) { return s.key == step.key; });
    switch (step.order) {
        case CpOrder::open:
            ++counters.port_opened;
            out.emplace_back(ControlledPort{true});
            return;
        case CpOrder::close:
            ++counters.port_closed;
            out.emplace_back(ControlledPort{false});
            return;
        case CpOrder::install:
            if (known == saks.end()) return;
            known->now.at = known->middle.at = now;
            out.emplace_back(installation(*known, identity));
            return;
        case CpOrder::start_receive: out.emplace_back(StartReceive{step.key}); return;
        case CpOrder::start_transmit: out.emplace_back(StartTransmit{step.key}); return;
        case CpOrder::retire: out.emplace_back(RetireKey{step.key}); return;
    }
}

void Kay::State::after(const CpTransition& transition, const CpInput& in, Time now, Actions& out) {
    out.emplace_back(Transition{now, word(transition.from), word(transition.to), std::string(transition.reason)});
    if (transition.to == CpState::transmitting) ++counters.saks_used;
    std::erase_if(saks, [&](const Sak& s) {
        const auto is_it = [&](const std::optional<CpKey>& k) { return k && k->key == s.key; };
        return !is_it(cp.latest()) && !is_it(cp.old()) && !is_it(cp.pending());
    });
    // The key server has to learn that its SAK is here no more: by a member it does not know.
    const bool given_up = transition.to == CpState::abandon && !cp.pending() && !in.server_changed && !in.made_by_us;
    const bool closed = transition.to == CpState::change && transition.from != CpState::init;
    if (!given_up && !closed) return;
    for (RingEntry& e : ring)
        if (e.participant) renew(*e.participant, now, transition.reason, out);
    elect_all();
}

Time Kay::State::next_deadline() const noexcept {
    Time next = std::min(last_tick + settings.timers.hello(), cp.deadline());
    for (const RingEntry& e : ring)
        if (e.participant) next = std::min({next, e.participant->next_pdu(), e.participant->peers.next_expiry()});
    if (orphaned && !keeps_last_sak) next = std::min(next, *orphaned + settings.timers.patience());
    const Participant* p = principal ? participant(*principal) : nullptr;
    if (p == nullptr || p->election.result != Election::Result::self) return next;
    const Sak* newest = newest_sak();
    if (cp.takes_new_sak() && newest != nullptr) next = std::min(next, next_rekey(*newest, settings));
    if (const Time at = may_give_up_at(); at > last_tick) next = std::min(next, at);
    if (waits_for_more(*p, last_tick)) next = std::min(next, live_changed + settings.timers.bounded_hello());
    return next;
}

Sak* Kay::State::sak(const std::optional<CpKey>& key) noexcept {
    if (!key) return nullptr;
    const auto it = std::find_if(saks.begin(), saks.end(), [&](const Sak& s) { return s.key == key->key; });
    return it == saks.end() ? nullptr : &*it;
}

const Sak* Kay::State::newest_sak() const noexcept { return cp.pending() ? sak(cp.pending()) : newest_installed(); }

const Sak* Kay::State::newest_installed() const noexcept { return sak(cp.latest() ? cp.latest() : cp.old()); }

const Sak* Kay::State::transmitting_sak() const noexcept {
    if (cp.latest() && cp.latest()->transmits) return sak(cp.latest());
    return cp.old() && cp.old()->transmits ? sak(cp.old()) : nullptr;
}

}  // namespace macsec::mka
