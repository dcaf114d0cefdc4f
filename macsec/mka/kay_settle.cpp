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

constexpr unsigned kMaxGivenUp = 3;  // SAKs in a row
constexpr int kMaxSteps = 32;        // of one settling; a cycle of the CP machine has ten

}  // namespace

void Kay::State::settle(Time now, Actions& out) {
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
        for (const PeerEntry& lost : e.participant->peers.expire(now)) {
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
// reaches most members, so that a newer one leaves nobody behind; of equals the preferred one; the fallback CAK when no
// other has a live peer.
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
        const auto rank = [](const Participant& of) { return std::pair(!of.key.fallback, of.peers.live()); };
        const bool better =
            best == nullptr || rank(*p) > rank(*best) || (rank(*p) == rank(*best) && is_preferred(p->key, best->key));
        if (better) best = p;
    }
    if (best != nullptr)
        principal = best->key.ckn;
    else if (principal && participant(*principal) == nullptr)
        principal.reset();
}

// Members that come up together get one SAK, not one each: potential peers, and a peer under a CAK that is preferred,
// are waited for, but not for long.
bool Kay::State::waits_for_more(const Participant& p, Time now) const noexcept {
    if (now >= live_changed + settings.timers.bounded_hello()) return false;
    const auto is_awaited = [&](const RingEntry& e) {
        return e.participant && e.participant->peers.live() == 0 && is_preferred(e.key, p.key);
    };
    return p.peers.live() < p.peers.all().size() ||
           (newest_sak() == nullptr && std::any_of(ring.begin(), ring.end(), is_awaited));
}

// A SAK under way is given up for another when members or the principal have changed and nobody transmits with it, nor
// will; but not for ever: then it is put to use first.
bool Kay::State::may_distribute(const SakDue& due, Time now) const noexcept {
    return cp.takes_new_sak() || (due.for_members && now >= may_give_up_at());
}

Time Kay::State::may_give_up_at() const noexcept {
    const Sak* latest = sak(cp.latest());
    if (latest == nullptr || cp.pending() || !cp.is_under_way() || given_up >= kMaxGivenUp) return kNever;
    if (is_transmitted_by_a_member(*latest)) return kNever;
    if (!latest->ours && use_by(*latest, {latest->key.server, latest->server}).live) return kNever;
    return latest->made + settings.timers.bounded_hello();
}

void Kay::State::serve(Time now, Actions& out) {
    Participant* p = principal_participant();
    if (p == nullptr || p->election.result != Election::Result::self) return;
    Sak* newest = sak(cp.pending() ? cp.pending() : cp.latest() ? cp.latest() : cp.old());
    if (newest != nullptr && newest->ours) newest->outdated = newest->outdated || members_changed(*newest, p->peers);
    auto due = new_sak_due({*p, newest, transmitting_sak(), is_lost_by_a_member(newest), settings, now});
    if (!due && rekey_asked) due = SakDue{"the operator asked for it", false};
    if (!due || !may_distribute(*due, now) || waits_for_more(*p, now)) return;
    given_up = cp.takes_new_sak() ? 0 : given_up + 1;
    std::vector<An> used;
    for (const auto& key : {cp.latest(), cp.old()})
        if (key) used.push_back(key->an);
    for (const PeerEntry& peer : p->peers.all())
        for (const KeyUse& use : peer.use ? std::vector{peer.use->latest, peer.use->old} : std::vector<KeyUse>{})
            if (use.receives || use.transmits) used.push_back(use.an);
    std::array<std::uint8_t, 32> nonce;
    const Octets fresh(nonce.data(), sak_octets(identity.suite));
    random(fresh);
    auto sak = make_sak_for(*p, identity, primitives, fresh, used, now);
    explicit_bzero(nonce.data(), nonce.size());
    if (!sak) return tell(now, "no SAK could be made: " + sak.error(), out);
    ++counters.saks_made;
    rekey_asked = false;
    tell(now, "a new SAK is distributed: " + std::string(due->why), out);
    cp.distribute(sak->key, sak->an);
    saks.push_back(std::move(*sak));
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
    else if (p->election.result == Election::Result::nobody)
        c.why_not = "no live member can be key server";
    else if (p->election.result == Election::Result::waits_for && held == nullptr)
        c.why_not = "the key server does not know of its election yet";
    else
        c.secure = true;
    // A SAK outlives its key server, or the CAK it came by, until another one had time to come.
    if (held == nullptr || (c.secure && held->key.server == p->election.mi))
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

// How a member fares with a SAK: it may speak under several CAKs. One with a new MI under the SAK's own CAK has
// restarted and holds nothing, unless it names a key of ours under any.
Kay::State::MemberUse Kay::State::use_by(const Sak& key, const SakMember& member) const noexcept {
    const Participant* under = participant_of(key);
    MemberUse out;
    bool replaced = false, holds_a_key = false;
    for (const RingEntry& e : ring) {
        if (!e.participant) continue;
        for (const PeerEntry& peer : e.participant->peers.all()) {
            // One that cannot do MACsec is a member, but nobody waits for it.
            if (!peer.live || peer.sci != member.sci || peer.capability == Capability::none) continue;
            out.live = true;
            replaced = replaced || (e.participant.get() == under && peer.mi != member.mi);
            for (const Sak& ours : saks) holds_a_key = holds_a_key || use_of(peer, ours.key).has_value();
            const auto use = use_of(peer, key.key);
            out.receives = out.receives || (use && use->receives);
            out.transmits = out.transmits || (use && use->transmits);
            out.names_another = out.names_another || (peer.use && !use);
        }
    }
    return replaced && !holds_a_key ? MemberUse{} : out;
}

bool Kay::State::is_lost_by_a_member(const Sak* key) const noexcept {
    return key != nullptr && std::any_of(key->members.begin(), key->members.end(), [&](const SakMember& m) {
               const MemberUse use = use_by(*key, m);
               return use.names_another && !use.receives;
           });
}

bool Kay::State::is_transmitted_by_a_member(const Sak& key) const noexcept {
    return std::any_of(key.members.begin(), key.members.end(),
                       [&](const SakMember& m) { return use_by(key, m).transmits; });
}

bool Kay::State::all_receive(const Sak& key) const noexcept {
    return std::all_of(key.members.begin(), key.members.end(), [&](const SakMember& m) {
        const MemberUse use = use_by(key, m);
        return !use.live || use.receives;
    });
}

CpInput Kay::State::cp_input(const Connect& c) const noexcept {
    CpInput in{.secure = c.secure, .why_not_secure = c.why_not, .keep_old = c.keep};
    const Participant* p = principal ? participant(*principal) : nullptr;
    in.elected_self = p != nullptr && p->election.result == Election::Result::self;
    if (const Sak* old = sak(cp.old()))
        in.old_key_unneeded = !c.keep && std::none_of(old->members.begin(), old->members.end(),
                                                      [&](const SakMember& m) { return use_by(*old, m).live; });
    const Sak* latest = sak(cp.latest());
    if (latest == nullptr) return in;
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
            out.push_back(ControlledPort{true});
            return;
        case CpOrder::close:
            ++counters.port_closed;
            out.push_back(ControlledPort{false});
            return;
        case CpOrder::install:
            if (known == saks.end()) return;
            known->now.at = known->middle.at = now;
            out.push_back(installation(*known, identity));
            return;
        case CpOrder::start_receive: out.push_back(StartReceive{step.key}); return;
        case CpOrder::start_transmit: out.push_back(StartTransmit{step.key}); return;
        case CpOrder::retire: out.push_back(RetireKey{step.key}); return;
    }
}

void Kay::State::after(const CpTransition& transition, const CpInput& in, Time now, Actions& out) {
    out.push_back(Transition{now, word(transition.from), word(transition.to), std::string(transition.reason)});
    if (transition.to == CpState::transmitting) ++counters.saks_used;
    std::erase_if(saks, [&](const Sak& s) {
        const auto is_it = [&](const std::optional<CpKey>& k) { return k && k->key == s.key; };
        return !is_it(cp.latest()) && !is_it(cp.old()) && !is_it(cp.pending());
    });
    // The key server has to learn that its SAK is here no more: by a member it does not know.
    const bool given_up = transition.to == CpState::abandon && !cp.pending() && !in.server_changed && !in.elected_self;
    const bool closed = transition.to == CpState::change && transition.from != CpState::init;
    if (!given_up && !closed) return;
    for (RingEntry& e : ring)
        if (e.participant) renew(*e.participant, now, transition.reason, out);
    elect_all();
}

// Until every live member receives with it, and only while the live peers are its members: SSCIs follow from the live
// list it comes with, and a member that came later may have an SCI that has used it before.
bool Kay::State::distributes(const Sak& sak, const Participant& p) const noexcept {
    if (!sak.ours || sak.participant != p.serial || sak.key.server != p.mi || p.peers.live() == 0) return false;
    if (p.election.result != Election::Result::self) return false;
    return !sak.outdated && !members_changed(sak, p.peers) && !all_receive(sak);
}

PduExtras Kay::State::extras_for(const Participant& p) const {
    PduExtras extras;
    extras.key_server = settings.key_server_priority != kNeverServer &&
                        (p.peers.live() == 0 || p.election.result == Election::Result::self);
    const Sak *latest = sak(cp.latest()), *old = sak(cp.old()), *newest = newest_sak();
    const auto is_under_it = [&](const Sak* s) { return s != nullptr && s->participant == p.serial; };
    if ((latest != nullptr || old != nullptr) && (principal == p.key.ckn || is_under_it(latest) || is_under_it(old))) {
        const bool delay = settings.delay_protect;
        SakUse use;
        use.latest = key_use(latest, latest && cp.latest()->receives, latest && cp.latest()->transmits, delay);
        use.old = key_use(old, old && cp.old()->receives, old && cp.old()->transmits, delay);
        use.delay_protect = delay;
        extras.sak_use = use;
        extras.xpn = XpnSet{0, static_cast<std::uint32_t>(latest ? advertised_pn(latest, delay) >> 32 : 0),
                            static_cast<std::uint32_t>(old ? advertised_pn(old, delay) >> 32 : 0)};
    }
    if (newest == nullptr || !newest->ours || newest->participant != p.serial) return extras;
    if (is_xpn(newest->suite))
        extras.key_server_ssci = static_cast<std::uint8_t>(ssci_of(identity.sci, scis_of(*newest, identity.sci)).value);
    if (distributes(*newest, p))
        extras.distributed_sak = DistributedSak{.an = newest->an,
                                                .offset = newest->offset,
                                                .key_number = newest->key.number,
                                                .suite = newest->suite,
                                                .named = newest->suite != CipherSuite::gcm_aes_128,
                                                .wrapped = newest->wrapped};
    return extras;
}

void Kay::State::send_due(Time now, Actions& out) {
    for (RingEntry& e : ring) {
        if (!e.participant) continue;
        Participant& p = *e.participant;
        const PduExtras extras = extras_for(p);
        if (p.says_something_new(extras)) p.hurry(now, settings.timers);
        if (p.next_pdu() > now) continue;
        if (p.wants_new_mi()) renew(p, now, "its message numbers are used up", out);
        auto frame = p.pdu(identity, settings, extras, primitives, now, pdu_interval());
        if (!frame) continue;
        ++counters.sent;
        out.push_back(SendPdu{std::move(*frame)});
    }
}

// 9.10: with delay protection lowest PNs must be young.
Time Kay::State::pdu_interval() const noexcept {
    const Participant* p = principal ? participant(*principal) : nullptr;
    const PeerEntry* server =
        p != nullptr && p->election.result == Election::Result::peer ? p->peers.find(p->election.mi) : nullptr;
    const bool asked = server != nullptr && server->use && server->use->delay_protect;
    return settings.delay_protect || asked ? settings.timers.bounded_hello() : settings.timers.hello();
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
