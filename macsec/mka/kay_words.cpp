// What a KaY tells about itself: values, and why the port is not secured, in words.
#include <algorithm>

#include "macsec/mka/kay_state.h"
#include "macsec/mka/keys.h"

namespace macsec::mka {
namespace {

constexpr std::string_view kLeftOut =
    "more than 8 members speak with this CKN: the 8 with the best priorities, then the lowest SCIs, are secured; take "
    "one away";

std::string hex(ConstOctets octets, std::string_view between = {}) {
    std::string text;
    for (const std::uint8_t o : octets) {
        if (!text.empty()) text += between;
        text += "0123456789abcdef"[o >> 4];
        text += "0123456789abcdef"[o & 15];
    }
    return text;
}

PeerStatus peer_status(const PeerEntry& p) {
    PeerStatus status{.mi = p.mi,
                      .mn = p.mn,
                      .sci = p.sci,
                      .live = p.live,
                      .key_server = p.key_server,
                      .macsec_desired = p.macsec_desired,
                      .priority = p.priority,
                      .capability = p.capability,
                      .last_heard = p.last_heard,
                      .latest_key = {}};
    if (!p.use || p.use->empty) return status;
    const KeyUse& key = p.use->latest.key != KeyIdentifier{} ? p.use->latest : p.use->old;
    if (key.key == KeyIdentifier{}) return status;
    status.latest_key = key.key;
    status.receives_latest = key.receives;
    status.transmits_latest = key.transmits;
    return status;
}

ParticipantStatus participant_status(const RingEntry& e, bool principal) {
    ParticipantStatus status{.ckn = e.key.ckn,
                             .state = e.state,
                             .speaks = e.participant != nullptr,
                             .principal = principal,
                             .start = e.key.start,
                             .end = e.key.end,
                             .mi = {},
                             .key_server = {},
                             .peers = {},
                             .wrong_cak = e.wrong_cak};
    if (!e.participant) return status;
    const Participant& p = *e.participant;
    status.mi = p.mi;
    status.mn = p.mn();
    if (p.election.result != Election::Result::nobody) status.key_server = p.election.sci;
    for (const PeerEntry& peer : p.peers.all()) status.peers.push_back(peer_status(peer));
    return status;
}

std::optional<KeyStatus> key_status(const Sak* sak, const std::optional<CpKey>& key, Sci own) {
    if (sak == nullptr || !key) return std::nullopt;
    return KeyStatus{.key = sak->key,
                     .an = sak->an,
                     .receives = key->receives,
                     .transmits = key->transmits,
                     .server = sak->server,
                     .ckn = sak->ckn,
                     .since = sak->made,
                     .members = sak->members.size() + 1,
                     .ssci = is_xpn(sak->suite) ? ssci_of(own, scis_of(*sak, own)) : Ssci{},
                     .next_pn = sak->now.pn};
}

std::string stranger_words(const Stranger& s) {
    const std::string who = text_of(s.sci) + " speaks with CKN " + text_of(s.ckn);
    switch (s.kind) {
        case Stranger::Kind::wrong_cak: return who + ", but its ICV shows another CAK: compare the CAKs of both ends";
        case Stranger::Kind::unknown_ckn: return who + ", which is not in the key ring";
        case Stranger::Kind::inactive_ckn: return who + ", which is not valid now: compare its times and both clocks";
        case Stranger::Kind::own_sci:
            return "another station uses this port's SCI " + text_of(s.sci) +
                   ": give one of them another port identifier";
        case Stranger::Kind::none: break;
    }
    return {};
}

}  // namespace

std::string text_of(Sci sci) {
    std::uint8_t octets[8];
    store_be64(octets, sci.value);
    return hex(ConstOctets(octets).first(6), ":") + "/" + std::to_string(sci.value & 0xFFFF);
}

std::string text_of(const Ckn& ckn) { return hex(ckn.span()); }

// An open port is no security: a key server transmits after MKA Life Time at the latest, whoever receives (12.4).
std::string Kay::State::why_nobody_receives(Time now) const {
    const Sak* key = transmitting_sak();
    if (key == nullptr || keeps_last_sak || now < key->made + settings.timers.life() + settings.timers.hello())
        return {};
    const auto receives = [&](const SakMember& m) { return use_by(*key, m).receives; };
    if (std::any_of(key->members.begin(), key->members.end(), receives)) return {};
    const Participant* p = principal ? participant(*principal) : nullptr;
    if (is_left_out(p, now)) return "the port is open, but " + std::string(kLeftOut);
    if (p != nullptr && !refusal.empty() && refused.server == p->election.mi)
        return "the port is open, but no live peer receives with our SAK: " + refusal;
    return "the port is open, but no live peer reports that it receives with our SAK: compare the cipher suites and "
           "the confidentiality of both ends";
}

std::string Kay::State::why_not_secured(Time now) const {
    if (cp.port_open()) return why_nobody_receives(now);
    if (ring.empty()) return "the key ring is empty";
    const auto speaks = [](const RingEntry& e) { return e.participant != nullptr; };
    if (std::none_of(ring.begin(), ring.end(), speaks)) return "no key of the ring is valid now";
    const Participant* p = principal ? participant(*principal) : nullptr;
    if (p == nullptr || p->peers.live() == 0) {
        const bool recent = stranger.kind != Stranger::Kind::none && now < stranger.at + settings.timers.patience();
        if (recent) return stranger_words(stranger);
        for (const RingEntry& e : ring)
            if (e.participant && !e.participant->peers.all().empty())
                return "peer " + text_of(e.participant->peers.all().front().sci) + " is heard, but does not answer us";
        return "no peer is heard";
    }
    if (!p->peers.any_does_macsec()) return "no live peer can do MACsec: each says so itself";
    using Result = Election::Result;
    if (p->election.result == Result::nobody) return "no live member can be key server: give one a priority below 255";
    const std::string server = "key server " + text_of(p->election.sci);
    if (!refusal.empty() && refused.server == p->election.mi) return refusal;
    if (is_left_out(p, now)) return std::string(kLeftOut);
    if (p->election.result == Result::waits_for) return server + " does not know of its election yet";
    if (cp.state() == CpState::secured)
        return p->election.result == Result::self ? "waits for potential peers before it makes a SAK"
                                                  : "waits for a SAK from " + server;
    return "a SAK is being put to use: " + std::string(word(cp.state()));
}

KayStatus Kay::State::status(Time now) const {
    KayStatus status{.participants = {},
                     .cp = cp.state(),
                     .cp_since = cp.since(),
                     .port_open = cp.port_open(),
                     .keeps_last_sak = keeps_last_sak,
                     .key_server = {},
                     .is_key_server = false,
                     .latest = key_status(sak(cp.latest()), cp.latest(), identity.sci),
                     .old = key_status(sak(cp.old()), cp.old(), identity.sci),
                     .next_rekey = {},
                     .counters = counters,
                     .hellos = hellos,
                     .why_not_secured = why_not_secured(now)};
    for (const RingEntry& e : ring) status.participants.push_back(participant_status(e, principal == e.key.ckn));
    const Participant* p = principal ? participant(*principal) : nullptr;
    if (p == nullptr) return status;
    status.is_key_server = p->election.result == Election::Result::self;
    if (status.is_key_server || p->election.result == Election::Result::peer) status.key_server = p->election.sci;
    const Sak* newest = newest_sak();
    if (status.is_key_server && newest != nullptr && next_rekey(*newest, settings) != kNever)
        status.next_rekey = next_rekey(*newest, settings);
    return status;
}

}  // namespace macsec::mka
