#include "macsec/mka/participant.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace macsec::mka {
namespace {

constexpr std::size_t kAddressOctets = 14;  // destination, source, EtherType

const Peer* find_in(const std::optional<PeerList>& list, const MemberId& mi) noexcept {
    if (!list) return nullptr;
    const auto it = std::find_if(list->peers.begin(), list->peers.end(), [&](const Peer& p) { return p.mi == mi; });
    return it == list->peers.end() ? nullptr : &*it;
}

Capability capability_of(const Identity& identity) noexcept {
    if (!identity.confidentiality) return Capability::integrity;
    return identity.confidentiality_offset == 0 ? Capability::confidentiality
                                                : Capability::confidentiality_with_offsets;
}

KeyUse without_pn(KeyUse use) noexcept {
    use.lowest_pn = 0;
    return use;
}

}  // namespace

Election elect(const PeerTable& peers, const MemberId& own_mi, Sci own_sci, std::uint8_t own_priority) noexcept {
    using Result = Election::Result;
    Election best{Result::nobody, {}, {}};
    std::uint8_t priority = kNeverServer;
    if (peers.live() == 0) return best;
    if (own_priority != kNeverServer) {
        best = {Result::self, own_mi, own_sci};
        priority = own_priority;
    }
    for (const PeerEntry& p : peers.all()) {
        if (!p.live || p.priority == kNeverServer || p.capability == Capability::none) continue;
        const bool better = best.result == Result::nobody || std::tie(p.priority, p.sci) < std::tie(priority, best.sci);
        if (!better) continue;
        best = {p.key_server ? Result::peer : Result::waits_for, p.mi, p.sci};
        priority = p.priority;
    }
    return best;
}

void Participant::renew(const MemberId& fresh, Time now, const Timers& timers) noexcept {
    mi = fresh;
    mn_ = 0;
    key_number = 0;
    said_ = {};
    hurry(now, timers);
}

Echo Participant::echo_in(const Mkpdu& pdu, Time now, const Timers& timers) const noexcept {
    const Peer* live = find_in(pdu.live, mi);
    const Peer* listed = live != nullptr ? live : find_in(pdu.potential, mi);
    if (listed == nullptr) return {};
    Echo echo{OwnMi::stale, {}, live != nullptr};
    if (listed->mn > mn_) {
        echo.own = OwnMi::never_sent;
        return echo;
    }
    if (listed->mn == 0 || mn_ - listed->mn >= kRemembered) return echo;
    const Time sent = sent_at_[listed->mn % kRemembered];
    if (now - sent >= timers.life()) return echo;
    echo.own = OwnMi::young;
    echo.sent_at = sent;
    return echo;
}

void Participant::hurry(Time now, const Timers& timers) noexcept {
    next_pdu_ = std::min(next_pdu_, std::max(now, last_sent_ == 0 ? now : last_sent_ + timers.gap()));
}

bool Participant::says_something_new(const PduExtras& extras) const noexcept {
    if (extras.key_server != said_.key_server || extras.sak_use.has_value() != said_.sak_use.has_value()) return true;
    if (extras.sak_use && (without_pn(extras.sak_use->latest) != without_pn(said_.sak_use->latest) ||
                           without_pn(extras.sak_use->old) != without_pn(said_.sak_use->old)))
        return true;
    // A SAK that is distributed no longer needs no PDU.
    return extras.distributed_sak && extras.distributed_sak != said_.distributed_sak;
}

// Live peers by falling SCI: what 802.1AE 10.7.13 numbers SSCIs by.
PeerList Participant::list(bool live) const {
    std::vector<std::pair<Sci, Peer>> sorted;
    for (const PeerEntry& p : peers.all())
        if (p.live == live) sorted.push_back({p.sci, {p.mi, p.mn}});
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    PeerList out;
    for (const auto& [sci, peer] : sorted) out.peers.push_back(peer);
    return out;
}

Mkpdu Participant::value(const Identity& identity, const Settings& settings, const PduExtras& extras) const {
    Mkpdu pdu;
    // Version 3 where its sets are needed, or nobody speaks less (a peer may take no other); else they are spoken to as
    // their own kind.
    pdu.basic = {
        .mka_version = static_cast<std::uint8_t>(is_xpn(identity.suite) || peers.lowest_version() >= 3 ? 3 : 1),
        .key_server_priority = settings.key_server_priority,
        .key_server = extras.key_server,
        .macsec_desired = true,
        .capability = capability_of(identity),
        .sci = identity.sci,
        .mi = mi,
        .mn = mn_,
        .ckn = key.ckn};
    if (auto live = list(true); !live.peers.empty()) pdu.live = std::move(live);
    if (auto potential = list(false); !potential.peers.empty()) pdu.potential = std::move(potential);
    if (pdu.live) pdu.live->key_server_ssci = extras.key_server_ssci;
    pdu.sak_use = extras.sak_use;
    pdu.distributed_sak = extras.distributed_sak;
    if (is_xpn(identity.suite)) pdu.xpn = extras.xpn;
    pdu.icv_indicator = settings.icv_indicator;
    return pdu;
}

std::optional<std::vector<std::uint8_t>> Participant::pdu(const Identity& identity, const Settings& settings,
                                                          const PduExtras& extras, const Primitives& primitives,
                                                          Time now, Time interval) {
    ++mn_;
    sent_at_[mn_ % kRemembered] = now;
    last_sent_ = now;
    next_pdu_ = now + interval;
    said_ = extras;
    const std::vector<std::uint8_t> eapol = encode(value(identity, settings, extras));
    std::vector<std::uint8_t> frame(kAddressOctets + eapol.size());
    std::copy(identity.destination.begin(), identity.destination.end(), frame.begin());
    std::copy(identity.source.begin(), identity.source.end(), frame.begin() + 6);
    store_be16(frame.data() + 12, identity.ethertype);
    std::copy(eapol.begin(), eapol.end(), frame.begin() + kAddressOctets);
    const ConstOctets whole(frame);
    const auto icv = primitives.icv(keys->ick, whole.first(kAddressOctets),
                                    whole.subspan(kAddressOctets, eapol.size() - kMkaIcvOctets));
    if (!icv) return std::nullopt;
    std::copy(icv->begin(), icv->end(), frame.end() - kMkaIcvOctets);
    return frame;
}

}  // namespace macsec::mka
