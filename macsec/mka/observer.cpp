#include "macsec/mka/observer.h"

#include <algorithm>
#include <utility>

namespace macsec::mka {
namespace {

template <class T>
bool has(const std::vector<T>& list, const T& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

template <class T>
void add_once(std::vector<T>& list, const T& value) {
    if (!has(list, value)) list.push_back(value);
}

std::vector<MemberId> sender_and_live_peers(const Mkpdu& pdu) {
    std::vector<MemberId> mis{pdu.basic.mi};
    if (pdu.live)
        for (const Peer& peer : pdu.live->peers) add_once(mis, peer.mi);
    return mis;
}

// All but SCI, SSCI and SAK.
ObservedKey distributed_key(const Ckn& ckn, const Mkpdu& pdu) {
    const DistributedSak& set = *pdu.distributed_sak;
    ObservedKey key;
    key.ckn = ckn;
    key.key = {.server = pdu.basic.mi, .number = set.key_number};
    key.an = set.an;
    key.suite = set.suite;
    key.offset = set.offset;
    if (is_xpn(set.suite)) key.salt = salt_of(key.key);
    return key;
}

}  // namespace

SaDescription description_of(const ObservedKey& key) noexcept {
    constexpr std::uint8_t clear_octets[] = {0, 0, 30, 50};
    return {.suite = key.suite,
            .an = key.an,
            .sci = key.sci,
            .ssci = key.ssci,
            .salt = key.salt,
            .confidentiality = key.offset != ConfidentialityOffset::no_confidentiality,
            .confidentiality_offset = clear_octets[static_cast<std::size_t>(key.offset)]};
}

std::string_view word(IcvVerdict verdict) noexcept {
    constexpr std::string_view words[] = {"ok", "bad", "unknown-ckn", "unknown-algorithm"};
    return words[static_cast<std::size_t>(verdict)];
}

std::expected<Observer, std::string> Observer::create(std::span<const KnownCak> caks) {
    std::vector<Association> associations;
    for (const KnownCak& known : caks) {
        auto keys = derive_keys(known.cak.octets(), known.ckn);
        if (!keys) return std::unexpected(std::move(keys.error()));
        associations.push_back({.ckn = known.ckn, .keys = std::move(*keys), .members = {}, .distributions = {}});
    }
    return Observer(std::move(associations));
}

std::expected<Observation, DecodeError> Observer::see(ConstOctets addresses_and_type, ConstOctets eapol) {
    auto pdu = decode(eapol);
    if (!pdu) return std::unexpected(pdu.error());
    Observation seen{.pdu = std::move(*pdu), .icv = {}, .new_keys = 0, .sak_error = {}};
    const std::size_t before = keys_.size();
    if (Association* association = find(seen.pdu.basic, addresses_and_type, eapol, seen.icv))
        learn(*association, seen.pdu, seen);
    seen.new_keys = keys_.size() - before;
    return seen;
}

bool Observer::knows_sender_of(ConstOctets eapol) const noexcept {
    const auto basic = peek_basic(eapol);
    return basic && std::ranges::any_of(associations_, [&](const Association& a) { return a.ckn == basic->ckn; });
}

std::vector<const ObservedKey*> Observer::keys_of(Sci sci, An an) const {
    std::vector<const ObservedKey*> found;
    for (const ObservedKey& key : keys_)
        if (key.sci == sci && key.an == an) found.push_back(&key);
    return found;
}

// The association whose ICK made this PDU.
Observer::Association* Observer::find(const BasicSet& basic, ConstOctets addresses_and_type, ConstOctets eapol,
                                      IcvVerdict& verdict) {
    verdict = IcvVerdict::unknown_ckn;
    for (Association& association : associations_) {
        if (association.ckn != basic.ckn) continue;
        // 9.4.1: another algorithm may have another ICV.
        if (basic.algorithm_agility != kAlgorithmAgility) {
            verdict = IcvVerdict::unknown_algorithm;
            return nullptr;
        }
        const bool good = icv_is_good(association.keys.ick, addresses_and_type, eapol);
        verdict = good ? IcvVerdict::ok : IcvVerdict::bad;
        if (good) return &association;
    }
    return nullptr;
}

void Observer::learn(Association& association, const Mkpdu& pdu, Observation& seen) {
    const BasicSet& basic = pdu.basic;
    const bool stranger = association.members.emplace(basic.mi, basic.sci).second;
    if (stranger)
        for (auto& [key, distributions] : association.distributions)
            for (Distribution& distribution : distributions) tell(association, distribution);
    if (pdu.distributed_sak && !pdu.distributed_sak->wrapped.empty()) take_sak(association, pdu, seen);
    if (!pdu.sak_use) return;
    for (const KeyUse& use : {pdu.sak_use->latest, pdu.sak_use->old})
        if (use.transmits || use.receives) take_use(association, basic.mi, use.key);
}

void Observer::take_sak(Association& association, const Mkpdu& pdu, Observation& seen) {
    const DistributedSak& set = *pdu.distributed_sak;
    if (set.unknown_suite != 0) {
        seen.sak_error = "the SAK's cipher suite is unknown";
        return;
    }
    auto sak = unwrap_sak(association.keys.kek, set.wrapped);
    if (!sak) {
        seen.sak_error = std::move(sak.error());
        return;
    }
    ObservedKey key = distributed_key(association.ckn, pdu);
    auto& known = association.distributions[key.key];
    auto it = std::find_if(known.begin(), known.end(), [&](const Distribution& d) {
        return d.key.an == set.an && d.key.suite == set.suite && equal_secrets(d.key.sak->octets(), sak->octets());
    });
    if (it == known.end()) {
        key.sak = std::make_shared<const SecretBuffer>(std::move(*sak));
        known.push_back({.key = std::move(key), .holders = sender_and_live_peers(pdu), .told = {}});
        it = std::prev(known.end());
    } else if (!is_xpn(set.suite)) {
        for (const MemberId& mi : sender_and_live_peers(pdu)) add_once(it->holders, mi);
    }
    tell(association, *it);
}

// 802.1X 9.10: who transmits or receives with a key has it. Under XPN the SSCIs are settled when it is made.
void Observer::take_use(Association& association, const MemberId& mi, const KeyIdentifier& key) {
    const auto found = association.distributions.find(key);
    if (found == association.distributions.end()) return;
    for (Distribution& distribution : found->second) {
        if (is_xpn(distribution.key.suite) || has(distribution.holders, mi)) continue;
        distribution.holders.push_back(mi);
        tell(association, distribution);
    }
}

void Observer::tell(Association& association, Distribution& distribution) {
    if (is_xpn(distribution.key.suite)) return tell_xpn(association, distribution);
    for (const MemberId& mi : distribution.holders) {
        const auto member = association.members.find(mi);
        if (member == association.members.end() || has(distribution.told, member->second)) continue;
        distribution.told.push_back(member->second);
        keys_.push_back(distribution.key);
        keys_.back().sci = member->second;
    }
}

void Observer::tell_xpn(Association& association, Distribution& distribution) {
    if (!distribution.told.empty()) return;
    std::vector<Sci> scis;  // each once: a restarted member may be listed with two MIs
    for (const MemberId& mi : distribution.holders) {
        const auto member = association.members.find(mi);
        if (member == association.members.end()) return;
        add_once(scis, member->second);
    }
    for (const Sci sci : scis) {
        keys_.push_back(distribution.key);
        keys_.back().sci = sci;
        keys_.back().ssci = ssci_of(sci, scis);
    }
    distribution.told = std::move(scis);
}

}  // namespace macsec::mka
