// SAKs between members (802.1X 9.8 to 9.10): when a key server makes one, to whom it goes, how the members fare with
// it, and the PDUs that tell of it.
#include <algorithm>

#include "macsec/mka/kay_state.h"
#include "macsec/mka/keys.h"

namespace macsec::mka {
namespace {

constexpr unsigned kMaxGivenUp = 3;  // SAKs in a row

}  // namespace

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
    for (const PeerEntry& peer : p->peers.all()) {
        if (!peer.live || !peer.use) continue;
        for (const KeyUse& use : {peer.use->latest, peer.use->old})
            if (use.receives || use.transmits) used.push_back(use.an);
    }
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

const Station* Kay::State::station(Sci sci) const noexcept {
    const auto it = std::find_if(stations.begin(), stations.end(), [&](const Station& s) { return s.sci == sci; });
    return it == stations.end() ? nullptr : &*it;
}

// How a member fares with a SAK: it may speak under several CAKs, and what it said last counts. One with a new MI under
// the SAK's own CAK has restarted and holds nothing, unless its station shows otherwise.
MemberUse Kay::State::use_by(const Sak& key, const SakMember& member) const noexcept {
    const Participant* under = participant_of(key);
    MemberUse out;
    for (const RingEntry& e : ring) {
        if (!e.participant) continue;
        for (const PeerEntry& peer : e.participant->peers.all()) {
            // One that cannot do MACsec is a member, but nobody waits for it.
            if (!peer.live || peer.sci != member.sci || peer.capability == Capability::none) continue;
            const bool new_mi = e.participant.get() == under && peer.mi != member.mi;
            if (new_mi && has_restarted(peer)) return {};
            out.live = true;
        }
    }
    const Station* said = out.live ? station(member.sci) : nullptr;
    if (said == nullptr) return out;
    const auto use = use_of(said->use, key.key);
    out.receives = use && use->receives;
    out.transmits = use && use->transmits;
    out.names_another = !use;
    return out;
}

// Since it was first heard with the new MI its station has not shown, under any CAK, that it is the old one.
bool Kay::State::has_restarted(const PeerEntry& fresh) const noexcept {
    const Station* said = station(fresh.sci);
    if (said != nullptr && said->held_at >= fresh.first_heard) return false;
    // SAK Use comes with one CAK's PDUs only: with several keys, what a station said a while ago still counts.
    const Time recent = settings.timers.life() + settings.timers.hello();
    if (ring.size() > 1 && said != nullptr && said->held_at != 0 && last_call < said->held_at + recent) return false;
    return std::none_of(ring.begin(), ring.end(), [&](const RingEntry& e) {
        if (!e.participant) return false;
        const auto& peers = e.participant->peers.all();
        return std::any_of(peers.begin(), peers.end(), [&](const PeerEntry& p) {
            return p.live && p.sci == fresh.sci && p.first_heard < fresh.first_heard;
        });
    });
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

void HelloTimes::note(Time sent_before, Time due, Time now) noexcept {
    if (sent_before == 0) return;
    const Time late = now - std::min(due, now);
    ++(late >= kSecond              ? late_1_s
       : late >= 250 * kMillisecond ? late_250_ms
       : late >= 50 * kMillisecond  ? late_50_ms
                                    : on_time);
    most_late = std::max(most_late, late);
    longest_gap = std::max(longest_gap, now - sent_before);
}

void Kay::State::send_due(Time now, Actions& out) {
    for (RingEntry& e : ring) {
        if (!e.participant) continue;
        Participant& p = *e.participant;
        const PduExtras extras = extras_for(p);
        if (p.says_something_new(extras)) p.hurry(now, settings.timers);
        if (p.next_pdu() > now) continue;
        if (p.wants_new_mi()) renew(p, now, "its message numbers are used up", out);
        hellos.note(p.last_pdu(), p.next_pdu(), now);
        auto frame = p.pdu(identity, settings, extras, primitives, now, pdu_interval());
        if (!frame) continue;
        ++counters.sent;
        out.emplace_back(SendPdu{std::move(*frame)});
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

}  // namespace macsec::mka
