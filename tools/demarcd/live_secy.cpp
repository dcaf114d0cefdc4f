#include "tools/demarcd/live_secy.h"

#include <fmt/format.h>
#include <sys/random.h>

#include "config/key_files.h"
#include "macsec/mka/key_fingerprint.h"
#include "macsec/packet_number.h"
#include "macsec/pn_lease.h"
#include "macsec/secret.h"

namespace demarcd {

namespace {

// The kernel's random octets; it does not fail for so few once the system has started.
void fill_random(macsec::Octets octets) {
    std::size_t got = 0;
    while (got < octets.size()) {
        const ssize_t n = getrandom(octets.data() + got, octets.size() - got, 0);
        if (n > 0) got += static_cast<std::size_t>(n);
    }
}

constexpr double kRetrySeconds = 1.0;  // a lease that could not be written is asked for again

macsec::Sci sci_of(net::MacAddress mac, const config::SecY& secy) { return {mac.number() << 16 | sci_port(secy)}; }

macsec::SaDescription describe(const config::SecY& secy, const config::StaticSa& sa, macsec::Sci sci) {
    return {secy.cipher_suite,
            macsec::An{sa.an},
            sci,
            sa.ssci.value_or(macsec::Ssci{}),
            sa.salt.value_or(macsec::Salt{}),
            secy.confidentiality,
            secy.confidentiality_offset};
}

struct LoadedKey {
    std::string fingerprint;
    std::string sak_id;  // the same without the salt
    macsec::AeadKey key;
};

std::expected<LoadedKey, std::string> load_key(const macsec::SaDescription& description, const std::string& file) {
    auto sak = macsec::SecretBuffer::create(macsec::sak_octets(description.suite));
    if (!sak) return std::unexpected(sak.error());
    const std::size_t length[] = {sak->size()};
    if (const auto read = config::read_key(file, config::KeyKind::sak, length, sak->writable()); !read)
        return std::unexpected(read.error().message + "; " + read.error().remedy);
    auto fingerprint = macsec::key_fingerprint(description, sak->octets());
    if (!fingerprint) return std::unexpected(fmt::format("{}: {}", file, fingerprint.error()));
    auto unsalted = description;
    unsalted.salt = {};
    auto sak_id = macsec::key_fingerprint(unsalted, sak->octets());
    if (!sak_id) return std::unexpected(fmt::format("{}: {}", file, sak_id.error()));
    auto key = macsec::AeadKey::create(description.suite, sak->octets());
    if (!key) return std::unexpected(fmt::format("{}: {}", file, key.error()));
    return LoadedKey{std::move(*fingerprint), std::move(*sak_id), std::move(*key)};
}

bool same_sa(const macsec::SaDescription& a, const macsec::SaDescription& b) {
    return a.suite == b.suite && a.an == b.an && a.sci == b.sci && a.ssci == b.ssci && a.salt == b.salt &&
           a.confidentiality == b.confidentiality && a.confidentiality_offset == b.confidentiality_offset;
}

const LiveTransmitSa* find_transmit(const LiveSecY* old, const std::string& fingerprint,
                                    const macsec::SaDescription& description) {
    if (old == nullptr) return nullptr;
    // The newest first: it is the one that holds the key.
    for (const auto* slot : {&old->next, &old->encoding})
        if (*slot && (*slot)->fingerprint == fingerprint && same_sa((*slot)->sa->description, description))
            return &**slot;
    return nullptr;
}

std::expected<void, std::string> prepare_transmit(LiveSecY& secy, const LiveSecY* old, const LeaseKeeper& leases) {
    const auto& from = secy.config.static_keys->transmit;
    const auto description = describe(secy.config, from, secy.sci);
    auto key = load_key(description, from.key_file);
    if (!key) return std::unexpected(key.error());
    if (const auto* known = find_transmit(old, key->fingerprint, description)) {
        if (!old->encoding || &*old->encoding != known) secy.next = *known;
        secy.encoding = old->encoding;
        return {};
    }
    if (auto usable = leases.check_salt(key->sak_id, key->fingerprint); !usable) return usable;
    // Beyond every packet number that any SA of this key has been or is being given.
    const auto pn = leases.first_transmit_pn(key->fingerprint);
    if (!pn) return std::unexpected(pn.error());
    if (macsec::is_spent(description.suite, *pn))
        return std::unexpected(
            fmt::format("{}: this SAK has used all its packet numbers; put a new one there", from.key_file));
    auto sa = std::make_shared<macsec::TransmitSa>(description, std::move(key->key), *pn);
    secy.next = LiveTransmitSa{std::move(key->fingerprint), std::move(key->sak_id), std::move(sa), 0, 0, *pn, 0, false};
    if (old != nullptr) secy.encoding = old->encoding;  // keeps sending until the new one may
    return {};
}

std::expected<void, std::string> prepare_receive(LiveSecY& secy, const config::StaticReceiveSc& sc, const LiveSecY* old,
                                                 const LeaseKeeper& leases) {
    for (const auto& from : sc.sas) {
        const auto description = describe(secy.config, from, sc.sci);
        auto key = load_key(description, from.key_file);
        if (!key) return std::unexpected(key.error());
        const ReceiveSaKey identity{sc.sci, from.an, key->fingerprint};
        if (old != nullptr)
            if (const auto known = old->receive.find(identity);
                known != old->receive.end() && same_sa(known->second.sa->description, description)) {
                secy.receive.insert(*known);
                continue;
            }
        const auto pn = leases.first_receive_pn(key->fingerprint);
        if (!pn) return std::unexpected(pn.error());
        secy.receive[identity] = {key->fingerprint,
                                  std::make_shared<macsec::ReceiveSa>(description, std::move(key->key), *pn), *pn};
    }
    return {};
}

// A KaY stays as long as its identity does: its peers and SAKs live through a reload.
std::expected<void, std::string> prepare_kay(LiveSecY& secy, net::MacAddress port_mac, const LiveSecY* old) {
    auto settings = kay_settings(*secy.config.mka);
    if (!settings) return std::unexpected(settings.error());
    const auto identity = kay_identity(secy.config, secy.sci, port_mac);
    if (old != nullptr && old->kay && old->kay->identity() == identity)
        secy.kay = old->kay;
    else
        secy.kay = std::make_shared<KaySecY>(identity, fill_random);
    secy.wanted_of_kay = std::move(*settings);
    return {};
}

void tend_transmit(LiveTransmitSa& t, LeaseKeeper& leases, double seconds) {
    const std::uint64_t next = t.sa->next_pn.load(std::memory_order_relaxed);
    const std::uint64_t ceiling = t.sa->pn_ceiling.load(std::memory_order_relaxed);
    const double rate = seconds > 0 ? static_cast<double>(next - t.last_pn) / seconds : 0;
    t.last_pn = next;
    t.rate += (rate - t.rate) * std::min(1.0, seconds);
    t.new_sak_due = macsec::wants_new_sak(t.sa->description.suite, next, static_cast<std::uint64_t>(t.rate));
    t.since_asked += seconds;
    if (t.asked > ceiling && t.since_asked < kRetrySeconds) return;  // on its way to the disk
    const auto wanted = macsec::next_ceiling(t.sa->description.suite, ceiling, next, static_cast<std::uint64_t>(rate));
    if (!wanted) return;
    t.asked = std::max(t.asked, *wanted);
    t.since_asked = 0;
    leases.extend(t.fingerprint, t.sa, t.asked);
}

bool may_transmit(const LiveTransmitSa& t) {
    return t.sa->next_pn.load(std::memory_order_relaxed) < t.sa->pn_ceiling.load(std::memory_order_relaxed);
}

}  // namespace

bool LiveSecY::secured() const {
    const auto sa = transmitting();
    return sa && may_transmit(*sa);
}

std::string LiveSecY::why_not_secured() const {
    if (secured()) return kay ? kay->status().why_not_secured : "";
    if (kay) {
        const std::string why = kay->status().why_not_secured;
        return why.empty() ? "the transmit SAK has used all its packet numbers" : why;
    }
    if (!encoding && !next) return "no transmit SAK";
    if (!encoding) return "the packet-number lease of the transmit SAK is not on disk yet";
    if (macsec::is_spent(config.cipher_suite, encoding->sa->next_pn.load()))
        return "the transmit SAK has used all its packet numbers";
    return "the transmit SAK has reached the ceiling of its packet-number lease";
}

std::expected<LiveSecY, std::string> prepare_secy(const config::SecY& wanted, net::MacAddress port_mac,
                                                  const LiveSecY* old, const LeaseKeeper& leases) {
    LiveSecY secy;
    secy.config = wanted;
    secy.sci = sci_of(port_mac, wanted);
    if (old != nullptr) {
        secy.transmit_counters = old->transmit_counters;
        secy.receive_counters = old->receive_counters;
        secy.sc_counters = old->sc_counters;
    } else {
        secy.transmit_counters = std::make_shared<macsec::TransmitCounters>();
        secy.receive_counters = std::make_shared<macsec::ReceiveSecYCounters>();
    }
    if (wanted.policy == config::Policy::off) return secy;
    if (wanted.mka) {
        if (auto done = prepare_kay(secy, port_mac, old); !done) return std::unexpected(done.error());
        return secy;
    }
    if (!wanted.static_keys) return secy;
    if (auto done = prepare_transmit(secy, old, leases); !done) return std::unexpected(done.error());
    std::vector<macsec::Sci> scis;
    for (const auto& sc : wanted.static_keys->receive) {
        if (sc.sci == secy.sci)
            return std::unexpected(fmt::format("receive SCI {:016x} is our own; write the peer's", sc.sci.value));
        if (auto done = prepare_receive(secy, sc, old, leases); !done) return std::unexpected(done.error());
        scis.push_back(sc.sci);
    }
    secy.sc_counters.use(scis);
    return secy;
}

void hold_keys(const LiveSecY& secy, LeaseKeeper& leases) {
    if (secy.next) leases.hold(secy.next->fingerprint, secy.next->sak_id, secy.next->sa);
}

void remember_lowest(const LiveReceiveSa& receive, LeaseKeeper& leases) {
    const std::uint64_t lowest = receive.sa->lowest_pn.load(std::memory_order_relaxed);
    if (lowest > receive.remembered_pn) leases.remember(receive.fingerprint, lowest);
}

bool tend_leases(LiveSecY& secy, LeaseKeeper& leases, double seconds_since_last) {
    if (secy.kay) return false;
    if (secy.encoding) tend_transmit(*secy.encoding, leases, seconds_since_last);
    if (secy.next) tend_transmit(*secy.next, leases, seconds_since_last);
    for (auto& [key, r] : secy.receive)
        if (const auto lowest = macsec::next_lowest(r.remembered_pn, r.sa->lowest_pn.load(std::memory_order_relaxed))) {
            leases.remember(r.fingerprint, *lowest);
            r.remembered_pn = *lowest;
        }
    if (!secy.next || !may_transmit(*secy.next)) return false;
    secy.encoding = std::move(secy.next);
    secy.next.reset();
    return true;
}

}  // namespace demarcd
