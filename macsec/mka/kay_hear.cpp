// A PDU comes in (802.1X 11.11.2, 9.4): whose CAK, ICV, identity, liveness, what it says of SAKs.
#include <algorithm>

#include "macsec/mka/kay_state.h"

namespace macsec::mka {
namespace {

constexpr std::size_t kAddressOctets = 14;
constexpr std::size_t kMaxSpent = 1024;  // recorded MKPDUs of other MIs must not push one out between two of its own

}  // namespace

void Kay::State::hear(ConstOctets frame, Time now, Actions& out) {
    if (frame.size() < kAddressOctets || load_be16(frame.data() + 12) != identity.ethertype) {
        ++counters.not_eapol;
        return;
    }
    const ConstOctets addresses = frame.first(kAddressOctets), eapol = frame.subspan(kAddressOctets);
    const auto undecodable = [&](DecodeError error) {
        ++counters.decode_error;
        ++counters.decode_errors[static_cast<std::size_t>(error)];
    };
    const auto basic = peek_basic(eapol);
    if (!basic) return undecodable(basic.error());
    RingEntry* key = entry(basic->ckn);
    if (key == nullptr || !key->participant) {
        ++(key == nullptr ? counters.unknown_ckn : counters.inactive_ckn);
        // Who else uses a key says more than a clock that steps: the next tick decides.
        if (key != nullptr && key->by_step && primitives.icv_is_good(key->keys->ick, addresses, eapol))
            key->heard_at = now;
        stranger = {key == nullptr ? Stranger::Kind::unknown_ckn : Stranger::Kind::inactive_ckn, basic->sci, basic->ckn,
                    now};
        return;
    }
    if (basic->algorithm_agility != kAlgorithmAgility) {
        ++counters.other_algorithm;
        return;
    }
    if (!primitives.icv_is_good(key->keys->ick, addresses, eapol)) {
        ++counters.wrong_cak;
        ++key->wrong_cak;
        stranger = {Stranger::Kind::wrong_cak, basic->sci, basic->ckn, now};
        return;
    }
    const auto pdu = decode(eapol);
    if (!pdu) return undecodable(pdu.error());
    hear_pdu(*key, *pdu, now, out);
}

void Kay::State::hear_pdu(RingEntry& key, const Mkpdu& pdu, Time now, Actions& out) {
    Participant& p = *key.participant;
    const Echo echo = p.echo_in(pdu, now, settings.timers);
    if (is_somebody_else(p, pdu, echo, now, out)) return;
    const Heard heard = p.peers.hear(pdu.basic, echo.sent_at, now, settings.timers);
    switch (heard) {
        case Heard::replayed_mn:
        case Heard::replaced_mi: ++counters.replayed_mn; return;
        case Heard::duplicate_mi: ++counters.duplicate_mi; return;
        case Heard::too_many_peers: return note_crowd(p, pdu.basic.sci, now, out);
        default: break;
    }
    ++counters.accepted;
    if (stranger.sci == pdu.basic.sci) stranger = {};
    note_peer(p, pdu, echo, heard, now, out);
    elect_all();
    if (p.election.result != Election::Result::peer || p.election.mi != pdu.basic.mi) return;
    // What the key server calls its old key came before its latest: it is not taken from a PDU that is late.
    if (pdu.sak_use && pdu.sak_use->latest.key != KeyIdentifier{}) spend(pdu.sak_use->old.key);
    if (pdu.distributed_sak) consider_sak(p, pdu, now, out);
}

// PDUs that come from nobody we can talk with: ourselves, or a member that uses what is ours (9.4.2).
bool Kay::State::is_somebody_else(Participant& p, const Mkpdu& pdu, const Echo& echo, Time now, Actions& out) {
    const bool our_sci = pdu.basic.sci == identity.sci;
    if (pdu.basic.mi == p.mi) {
        ++(our_sci ? counters.own_frame : counters.duplicate_mi);
        if (!our_sci) renew(p, now, "another member uses our MI", out);
        return true;
    }
    if (our_sci) {
        ++counters.own_sci;
        stranger = {Stranger::Kind::own_sci, pdu.basic.sci, pdu.basic.ckn, now};
        return true;
    }
    if (echo.own != OwnMi::never_sent) return false;
    ++counters.duplicate_mi;
    renew(p, now, "a peer has heard a message number of our MI that we have not sent", out);
    return true;
}

void Kay::State::note_peer(Participant& p, const Mkpdu& pdu, const Echo& echo, Heard heard, Time now, Actions& out) {
    if (echo.own == OwnMi::stale) ++counters.stale_echo;
    if (heard != Heard::refreshed) p.hurry(now, settings.timers);
    if (heard == Heard::displaces) note_crowd(p, pdu.basic.sci, now, out);
    if (heard == Heard::now_live || heard == Heard::restarted || heard == Heard::displaces) {
        ++counters.peers_live;
        live_changed = now;
        if (heard == Heard::restarted) ++counters.peers_restarted;
        tell(now, "peer " + text_of(pdu.basic.sci) + (heard == Heard::restarted ? " has restarted" : " is live"), out);
    }
    PeerEntry* peer = p.peers.find(pdu.basic.mi);
    if (pdu.sak_use) note_use(*peer, *pdu.sak_use, pdu.xpn, now);
    // Of a peer that has not proved to be there, what it says may have been recorded long ago.
    if (pdu.sak_use && peer->live) note_station(*pdu.sak_use, pdu.basic.sci, now);
    if (pdu.sak_use && peer->live) raise_lowest_pns(*pdu.sak_use, pdu, out);
    // A key that a key server has before it knows us may have been used by whom we were before a restart.
    SpentKeys& keys = spent_keys(pdu.basic.mi);
    if (echo.in_live_list) keys.knows = p.mi;
    if (keys.knows == p.mi) return;
    if (pdu.distributed_sak) spend({pdu.basic.mi, pdu.distributed_sak->key_number});
    if (!pdu.sak_use) return;
    for (const KeyUse& use : {pdu.sak_use->latest, pdu.sak_use->old})
        if (use.key.server == pdu.basic.mi) spend(use.key);
}

// Told once while it lasts.
void Kay::State::note_crowd(Participant& p, Sci sci, Time now, Actions& out) {
    ++counters.too_many_peers;
    if (!is_crowded(now)) tell(now, "peer " + text_of(sci) + " makes more than 8 members", out);
    crowded_at = now;
    if (p.peers.better_than(settings.key_server_priority, identity.sci) > kMaxLivePeers) p.left_out_at = now;
}

void Kay::State::note_station(const SakUse& use, Sci sci, Time now) {
    const bool holds = std::any_of(saks.begin(), saks.end(), [&](const Sak& s) {
        const auto said = use_of(use, s.key);
        return said && said->receives;
    });
    const Station* known = station(sci);
    const Time held_at = holds ? now : known != nullptr ? known->held_at : 0;
    std::erase_if(stations, [&](const Station& s) { return s.sci == sci || s.at + settings.timers.patience() < now; });
    if (stations.size() >= kMaxPeers) stations.erase(stations.begin());
    stations.push_back({sci, use, now, held_at});
}

// Delay protection (9.10): what the peer will not send any more, we do not accept any more.
void Kay::State::raise_lowest_pns(const SakUse& use, const Mkpdu& pdu, Actions& out) const {
    if (!settings.delay_protect || !use.delay_protect) return;
    const auto raise = [&](const KeyUse& key, std::optional<std::uint32_t> high) {
        const auto known = std::find_if(saks.begin(), saks.end(), [&](const Sak& s) { return s.key == key.key; });
        if (known == saks.end() || !known->has_member(pdu.basic.mi)) return;
        if (is_xpn(known->suite) && !high) return;
        const auto pn = lowest_pn(key, is_xpn(known->suite) ? high : std::nullopt);
        const bool installed = (cp.latest() && cp.latest()->key == key.key) || (cp.old() && cp.old()->key == key.key);
        if (pn && *pn > 1 && installed) out.emplace_back(RaiseLowestPn{key.key, pdu.basic.sci, *pn});
    };
    raise(use.latest, pdu.xpn ? std::optional(pdu.xpn->latest_lowest_pn_high) : std::nullopt);
    raise(use.old, pdu.xpn ? std::optional(pdu.xpn->old_lowest_pn_high) : std::nullopt);
}

void Kay::State::consider_sak(Participant& p, const Mkpdu& pdu, Time now, Actions& out) {
    Sak taken;
    SpentKeys& keys = spent_keys(pdu.basic.mi);
    const SakOffer offer{pdu, p, keys.number};
    const Judgement judgement = judge_sak(offer, identity, primitives, now, taken);
    if (is_refused(judgement)) return note_refusal(pdu, judgement, now, out);
    if (judgement != Judgement::taken || sak(CpKey{taken.key, taken.an}) != nullptr) return;
    ++counters.saks_taken;
    no_macsec_until = 0;
    refusal.clear();
    keys.number = taken.key.number;
    // The machine takes the latest only: one that still waits was not used, and goes.
    if (cp.pending()) std::erase_if(saks, [&](const Sak& s) { return s.key == cp.pending()->key; });
    cp.distribute(taken.key, taken.an);
    saks.push_back(std::move(taken));
}

void Kay::State::note_refusal(const Mkpdu& pdu, Judgement judgement, Time now, Actions& out) {
    ++counters.saks_refused;
    if (judgement == Judgement::no_macsec) no_macsec_until = now + settings.timers.life();
    const KeyIdentifier key{pdu.basic.mi, pdu.distributed_sak->key_number};
    if (refused == key && !refusal.empty()) return;
    refused = key;
    refusal = "key server " + text_of(pdu.basic.sci) + ": " + std::string(word(judgement));
    tell(now, refusal, out);
}

// The last used is the last given up: memory of old key servers goes first, that of a live one never.
SpentKeys& Kay::State::spent_keys(const MemberId& server) {
    SpentKeys keys{server, 0, {}};
    const auto is_it = [&](const SpentKeys& s) { return s.server == server; };
    if (const auto known = std::find_if(spent.begin(), spent.end(), is_it); known != spent.end()) keys = *known;
    std::erase_if(spent, is_it);
    const auto may_go = [&](const SpentKeys& s) { return !is_live(s.server); };
    if (spent.size() >= kMaxSpent)
        if (const auto oldest = std::find_if(spent.begin(), spent.end(), may_go); oldest != spent.end())
            spent.erase(oldest);
    return spent.emplace_back(keys);
}

// Under any CAK.
bool Kay::State::is_live(const MemberId& mi) const noexcept {
    return std::any_of(ring.begin(), ring.end(), [&](const RingEntry& e) {
        const PeerEntry* peer = e.participant ? std::as_const(e.participant->peers).find(mi) : nullptr;
        return peer != nullptr && peer->live;
    });
}

void Kay::State::spend(const KeyIdentifier& key) {
    if (key == KeyIdentifier{}) return;
    SpentKeys& keys = spent_keys(key.server);
    keys.number = std::max(keys.number, key.number);
}

}  // namespace macsec::mka
