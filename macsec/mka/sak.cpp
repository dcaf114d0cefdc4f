#include "macsec/mka/sak.h"

#include <algorithm>
#include <utility>

#include "macsec/mka/keys.h"
#include "macsec/packet_number.h"

namespace macsec::mka {
namespace {

std::uint64_t seconds_of_warning(const Timers& timers) noexcept {
    return std::max<std::uint64_t>(1, timers.patience() / kSecond);
}

bool runs_out(const Sak& sak, const PeerTable& peers, const Timers& timers) noexcept {
    const std::uint64_t warning = seconds_of_warning(timers);
    if (wants_new_sak(sak.suite, sak.now.pn, sak.per_second, warning)) return true;
    return std::any_of(peers.all().begin(), peers.all().end(), [&](const PeerEntry& p) {
        return p.live && p.pn.key == sak.key && wants_new_sak(sak.suite, p.pn.next_pn, p.pn.per_second, warning);
    });
}

ConfidentialityOffset wanted_offset(const Identity& identity) noexcept {
    if (!identity.confidentiality) return ConfidentialityOffset::no_confidentiality;
    switch (identity.confidentiality_offset) {
        case 30: return ConfidentialityOffset::thirty;
        case 50: return ConfidentialityOffset::fifty;
        default: return ConfidentialityOffset::zero;
    }
}

// A stronger offer is good: an offset that leaves less in clear, confidentiality where integrity would do.
bool is_confidential_enough(ConfidentialityOffset offered, const Identity& identity) noexcept {
    if (!identity.confidentiality) return true;
    if (offered == ConfidentialityOffset::no_confidentiality) return false;
    return octets_of(offered) <= identity.confidentiality_offset;
}

// The sender and everybody it has in its live list, but us. False: somebody of them we have not heard.
bool find_members(const SakOffer& offer, std::vector<SakMember>& out) {
    const PeerTable& peers = offer.participant.peers;
    const auto add = [&](const MemberId& mi) {
        const PeerEntry* peer = peers.find(mi);
        if (peer != nullptr) out.push_back({mi, peer->sci});
        return peer != nullptr;
    };
    if (!add(offer.pdu.basic.mi)) return false;
    for (const Peer& p : offer.pdu.live->peers)
        if (p.mi != offer.participant.mi && !add(p.mi)) return false;
    return true;
}

bool all_differ(std::vector<Sci> scis) {
    std::sort(scis.begin(), scis.end());
    return std::adjacent_find(scis.begin(), scis.end()) == scis.end();
}

bool lists(const std::optional<PeerList>& list, const MemberId& mi) noexcept {
    return list && std::any_of(list->peers.begin(), list->peers.end(), [&](const Peer& p) { return p.mi == mi; });
}

An free_an(std::span<const An> used) noexcept {
    // After the newest key's, which comes first: ANs follow one another.
    const std::uint8_t first = used.empty() ? 0 : static_cast<std::uint8_t>((used[0].value + 1) % kAns);
    for (std::uint8_t i = 0; i < kAns; ++i) {
        const An an{static_cast<std::uint8_t>((first + i) % kAns)};
        if (std::find(used.begin(), used.end(), an) == used.end()) return an;
    }
    return An{first};
}

}  // namespace

std::uint8_t octets_of(ConfidentialityOffset offset) noexcept {
    return offset == ConfidentialityOffset::thirty ? 30 : offset == ConfidentialityOffset::fifty ? 50 : 0;
}

std::string_view word(Judgement judgement) noexcept {
    switch (judgement) {
        case Judgement::taken: return "its SAK is taken";
        case Judgement::not_for_us: return "its SAK is not for us: it does not count us as live";
        case Judgement::known: return "its SAK is not new";
        case Judgement::members_unknown: return "its SAK has a member we have not heard yet";
        case Judgement::no_macsec: return "it wants frames in clear, this port must be secure";
        case Judgement::other_suite: return "its SAK is for another cipher suite than this port's";
        case Judgement::less_confidential: return "its SAK leaves more in clear than this port allows";
        case Judgement::other_ssci: return "its SSCI is not the one that its live list gives it";
        case Judgement::too_many_members: return "its SAK is for more than 8 members; take one away";
        case Judgement::malformed: break;
    }
    return "its SAK is malformed";
}

bool Sak::has_member(const MemberId& mi) const noexcept {
    return std::any_of(members.begin(), members.end(), [&](const SakMember& m) { return m.mi == mi; });
}

void note_report(Sak& sak, const SaReport& report, Time now, const Timers& timers) {
    sak.receives = sak.receives || report.receives;
    sak.transmits = report.transmits;
    if (report.next_pn < sak.now.pn) return;
    sak.now = {report.next_pn, now};
    const Time passed = now - sak.rated.at;
    if (sak.rated.at != 0 && passed < 200 * kMillisecond) return;
    if (sak.rated.at != 0) sak.per_second = (sak.now.pn - sak.rated.pn) / (passed / kMillisecond) * 1000;
    sak.rated = sak.now;
    if (sak.middle.at == 0 || now - sak.middle.at >= timers.bounded_hello())
        sak.before = std::exchange(sak.middle, sak.now);
}

Time next_rekey(const Sak& sak, const Settings& settings) noexcept {
    return settings.sak_rekey_ms == 0 ? kNever : sak.made + settings.sak_rekey_ms * kMillisecond;
}

bool members_changed(const Sak& sak, const PeerTable& peers) noexcept {
    std::size_t there = 0;
    for (const PeerEntry& p : peers.all()) {
        if (!p.live) continue;
        if (!sak.has_member(p.mi)) return true;
        ++there;
    }
    return there != sak.members.size();
}

std::optional<SakDue> new_sak_due(const ServerView& view) noexcept {
    const PeerTable& peers = view.participant.peers;
    if (view.newest == nullptr) return SakDue{"there is none", true};
    if (view.newest->key.server != view.participant.mi) return SakDue{"this member is key server now", true};
    if (view.newest->outdated || members_changed(*view.newest, peers)) return SakDue{"members have come or gone", true};
    if (view.transmits != nullptr && view.transmits == view.newest &&
        runs_out(*view.transmits, peers, view.settings.timers))
        return SakDue{"packet numbers run out", false};
    if (view.lost_by_a_member && view.now - view.newest->made >= view.settings.timers.patience())
        return SakDue{"a member has lost it", false};
    if (view.now >= next_rekey(*view.newest, view.settings)) return SakDue{"its period is over", false};
    return std::nullopt;
}

std::expected<Sak, std::string> make_sak_for(Participant& participant, const Identity& identity,
                                             const Primitives& primitives, ConstOctets nonce, std::span<const An> ans,
                                             Time now) {
    Sak sak;
    std::vector<MemberId> mis{participant.mi};
    for (const PeerEntry& p : participant.peers.all()) {
        if (!p.live) continue;
        sak.members.push_back({p.mi, p.sci});
        mis.push_back(p.mi);
    }
    const std::uint32_t number = participant.key_number + 1;
    auto octets = primitives.make_sak(participant.key.cak->octets(), identity.suite, nonce, mis, number);
    if (!octets) return std::unexpected(std::move(octets.error()));
    auto wrapped = primitives.wrap_sak(participant.keys->kek, octets->octets());
    if (!wrapped) return std::unexpected(std::move(wrapped.error()));
    participant.key_number = number;
    sak.key = {participant.mi, number};
    sak.an = free_an(ans);
    sak.suite = identity.suite;
    sak.offset = wanted_offset(identity);
    sak.sak = std::make_shared<const SecretBuffer>(std::move(*octets));
    sak.wrapped = std::move(*wrapped);
    sak.ckn = participant.key.ckn;
    sak.participant = participant.serial;
    sak.server = identity.sci;
    sak.made = now;
    sak.ours = true;
    return sak;
}

Judgement judge_sak(const SakOffer& offer, const Identity& identity, const Primitives& primitives, Time now, Sak& out) {
    const DistributedSak& sak = *offer.pdu.distributed_sak;
    if (!lists(offer.pdu.live, offer.participant.mi)) return Judgement::not_for_us;
    if (sak.wrapped.empty()) return Judgement::no_macsec;
    if (sak.key_number <= offer.known) return Judgement::known;
    if (sak.unknown_suite != 0 || sak.suite != identity.suite) return Judgement::other_suite;
    if (!is_confidential_enough(sak.offset, identity)) return Judgement::less_confidential;
    out = {};
    if (!find_members(offer, out.members)) return Judgement::members_unknown;
    if (out.members.size() > kMaxLivePeers) return Judgement::too_many_members;
    if (!all_differ(scis_of(out, identity.sci))) return Judgement::malformed;
    if (is_xpn(sak.suite) && octets_of(sak.offset) != 0) return Judgement::malformed;
    const std::uint8_t said = offer.pdu.live->key_server_ssci;
    const Ssci computed = ssci_of(offer.pdu.basic.sci, scis_of(out, identity.sci));
    if (is_xpn(sak.suite) && said != 0 && said != static_cast<std::uint8_t>(computed.value))
        return Judgement::other_ssci;
    auto octets = primitives.unwrap_sak(offer.participant.keys->kek, sak.wrapped);
    if (!octets || octets->size() != sak_octets(sak.suite)) return Judgement::malformed;
    out.key = {offer.pdu.basic.mi, sak.key_number};
    out.an = sak.an;
    out.suite = sak.suite;
    out.offset = sak.offset;
    out.sak = std::make_shared<const SecretBuffer>(std::move(*octets));
    out.ckn = offer.participant.key.ckn;
    out.participant = offer.participant.serial;
    out.server = offer.pdu.basic.sci;
    out.made = now;
    return Judgement::taken;
}

std::vector<Sci> scis_of(const Sak& sak, Sci own) {
    std::vector<Sci> scis{own};
    for (const SakMember& m : sak.members) scis.push_back(m.sci);
    return scis;
}

InstallKey installation(const Sak& sak, const Identity& identity) {
    const std::vector<Sci> scis = scis_of(sak, identity.sci);
    const bool xpn = is_xpn(sak.suite);
    const auto member = [&](Sci sci) { return MemberSc{sci, xpn ? ssci_of(sci, scis) : Ssci{}}; };
    InstallKey install{.key = sak.key,
                       .an = sak.an,
                       .suite = sak.suite,
                       .confidentiality = sak.offset != ConfidentialityOffset::no_confidentiality,
                       .confidentiality_offset = octets_of(sak.offset),
                       .salt = xpn ? salt_of(sak.key) : Salt{},
                       .own = member(identity.sci),
                       .peers = {},
                       .sak = sak.sak};
    for (const SakMember& m : sak.members) install.peers.push_back(member(m.sci));
    return install;
}

// With delay protection, what was true a bounded hello ago: frames under way when this PDU overtakes them are good.
std::uint64_t advertised_pn(const Sak* sak, bool delay_protect) noexcept {
    if (sak == nullptr) return 1;
    return std::max<std::uint64_t>(1, delay_protect ? sak->before.pn : sak->now.pn);
}

KeyUse key_use(const Sak* sak, bool receives, bool transmits, bool delay_protect) noexcept {
    // wpa_supplicant rejects 0.
    KeyUse use;
    use.lowest_pn = static_cast<std::uint32_t>(advertised_pn(sak, delay_protect));
    if (sak == nullptr) return use;
    use.an = sak->an;
    use.key = sak->key;
    use.receives = receives;
    use.transmits = transmits;
    return use;
}

}  // namespace macsec::mka
