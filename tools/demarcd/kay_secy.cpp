// 1. what the configuration says, as the KaY wants it; 2. a frame, a deadline or the operator makes it act; 3. its
// actions, in order; 4. one publication for all of them; 5. the KaY hears what is in force.
#include "tools/demarcd/kay_secy.h"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <utility>

#include "config/key_files.h"
#include "macsec/replay.h"

namespace demarcd {

using namespace macsec;

namespace {

constexpr std::size_t kHistory = 64;
constexpr mka::Time kStall = 500'000'000, kCatchUp = 100'000'000;  // so late is no timer, so long read the workers
constexpr std::uint64_t kNoCeiling = ~std::uint64_t{0};            // no lease: a SAK of MKA does not survive a restart

std::int64_t wall() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::expected<mka::RingKey, std::string> ring_key(const config::MkaKey& from, bool fallback) {
    constexpr std::size_t lengths[] = {16, 32};
    const auto ckn = mka::Ckn::from(from.ckn);
    if (!ckn) return std::unexpected(std::string("a CKN has 1 to 32 octets"));
    auto cak = SecretBuffer::create(32);
    if (!cak) return std::unexpected(cak.error());
    const auto read = config::read_key(from.cak_file, config::KeyKind::cak, lengths, cak->writable());
    if (!read) return std::unexpected(read.error().message + "; " + read.error().remedy);
    cak->shrink(*read);
    return mka::RingKey{*ckn, std::make_shared<const SecretBuffer>(std::move(*cak)), from.start, from.end, fallback};
}

SaDescription describe(const mka::InstallKey& k, const mka::MemberSc& member) {
    return {k.suite, k.an, member.sci, member.ssci, k.salt, k.confidentiality, k.confidentiality_offset};
}

}  // namespace

std::string to_text(const mka::KeyIdentifier& key) {
    std::string text;
    for (const auto octet : key.server.octets) text += fmt::format("{:02x}", octet);
    return fmt::format("{}/{}", text, key.number);
}

std::expected<mka::Settings, std::string> kay_settings(const config::Mka& from) {
    mka::Settings s;
    s.key_server_priority = from.key_server_priority;
    s.timers.hello_ms = static_cast<std::uint32_t>(from.hello_ms);
    s.timers.life_ms = static_cast<std::uint32_t>(from.life_ms);
    s.timers.bounded_hello_ms = s.timers.hello_ms / 4;
    s.timers.retire_ms = s.timers.life_ms / 2;
    s.sak_rekey_ms = from.sak_rekey_ms;
    s.icv_indicator = from.icv_indicator;
    s.delay_protect = from.delay_protect;
    s.keep_last_sak = from.keep_last_sak;
    s.hard_expiry = from.hard_expiry;
    for (const auto& key : from.key_ring) {
        auto made = ring_key(key, false);
        if (!made) return std::unexpected(made.error());
        s.keys.push_back(std::move(*made));
    }
    if (!from.fallback) return s;
    auto made = ring_key(*from.fallback, true);
    if (!made) return std::unexpected(made.error());
    s.keys.push_back(std::move(*made));
    return s;
}

mka::Identity kay_identity(const config::SecY& secy, Sci sci, net::MacAddress port_mac) {
    mka::Identity identity;
    identity.sci = sci;
    identity.source = port_mac.octets;
    identity.destination = secy.eapol_destination.octets;
    identity.ethertype = secy.eapol_ethertype;
    identity.suite = secy.cipher_suite;
    identity.confidentiality = secy.confidentiality;
    identity.confidentiality_offset = secy.confidentiality_offset;
    return identity;
}

KaySecY::KaySecY(const mka::Identity& identity, mka::Random random)
    : identity_(identity), kay_(identity, std::move(random)) {}

std::expected<void, std::string> KaySecY::configure(mka::Settings settings, KayEffects effects) {
    mka::Actions actions;
    if (auto done = kay_.configure(settings, now(), wall(), actions); !done) return done;
    settings_ = std::move(settings);
    effects_ = std::move(effects);
    perform(std::move(actions));
    return {};
}

void KaySecY::receive(ConstOctets frame) {
    if (stopped_) return;
    mka::Actions actions;
    kay_.receive(frame, now(), actions);
    perform(std::move(actions));
}

std::expected<void, std::string> KaySecY::rekey() {
    mka::Actions actions;
    auto done = kay_.rekey(now(), actions);
    perform(std::move(actions));
    return done;
}

void KaySecY::stop() {
    if (stopped_) return;
    mka::Actions actions;
    kay_.stop(now(), actions);
    stopped_ = true;
    keys_.clear();
    encoding_.reset();
    port_open_ = false;
}

std::optional<LiveTransmitSa> KaySecY::encoding() const {
    if (!port_open_ || !encoding_) return std::nullopt;
    const Installed& key = keys_.at(*encoding_);
    return LiveTransmitSa{to_text(*encoding_), {}, key.transmit, 0, 0, 0, 0, false};
}

std::map<ReceiveSaKey, LiveReceiveSa> KaySecY::receiving() const {
    std::map<ReceiveSaKey, LiveReceiveSa> all;
    for (const auto& [identifier, key] : keys_) {
        if (!key.asked_receive) continue;
        for (const auto& [sci, sa] : key.receive)
            all[{sci, key.install.an.value, to_text(identifier)}] = {to_text(identifier), sa, 0};
    }
    return all;
}

mka::Time KaySecY::now() const {
    return static_cast<mka::Time>(std::chrono::nanoseconds(Clock::now().time_since_epoch()).count());
}

mka::KayStatus KaySecY::status() const { return kay_.status(now()); }

void KaySecY::perform(mka::Actions&& actions) {
    for (const auto& action : actions) std::visit([this](const auto& a) { perform(a); }, action);
    if (changed_) publish();
    arm();
}

void KaySecY::perform(const mka::SendPdu& pdu) { effects_.send(pdu.frame); }

// A key that cannot be made is not reported: the KaY leaves its state when the deadline comes.
void KaySecY::perform(const mka::InstallKey& install) {
    Installed made;
    made.install = install;
    made.install.sak.reset();
    auto transmit = AeadKey::create(install.suite, install.sak->octets());
    if (!transmit) return effects_.log(fmt::format("SAK {}: {}", to_text(install.key), transmit.error()));
    made.transmit = std::make_shared<TransmitSa>(describe(install, install.own), std::move(*transmit), 1);
    made.transmit->pn_ceiling.store(kNoCeiling, std::memory_order_release);
    for (const auto& peer : install.peers) {
        auto receive = AeadKey::create(install.suite, install.sak->octets());
        if (!receive) return effects_.log(fmt::format("SAK {}: {}", to_text(install.key), receive.error()));
        made.receive[peer.sci] = std::make_shared<ReceiveSa>(describe(install, peer), std::move(*receive), 1);
    }
    keys_.insert_or_assign(install.key, std::move(made));
    use_sc_counters();
}

void KaySecY::perform(const mka::StartReceive& start) {
    const auto key = keys_.find(start.key);
    if (key == keys_.end()) return;
    changed_ = key->second.asked_receive = true;
}

void KaySecY::perform(const mka::StartTransmit& start) {
    const auto key = keys_.find(start.key);
    if (key == keys_.end()) return;
    changed_ = key->second.asked_transmit = true;
    encoding_ = start.key;
}

void KaySecY::perform(const mka::RetireKey& retire) {
    if (keys_.erase(retire.key) == 0) return;
    if (encoding_ == retire.key) encoding_.reset();
    changed_ = true;
}

void KaySecY::perform(const mka::ControlledPort& port) {
    changed_ |= port_open_ != port.open;
    port_open_ = port.open;
}

void KaySecY::perform(const mka::RaiseLowestPn& raise) {
    const auto key = keys_.find(raise.key);
    if (key == keys_.end()) return;
    const auto sa = key->second.receive.find(raise.peer);
    if (sa != key->second.receive.end()) raise_floor(*sa->second, raise.lowest_pn);
}

void KaySecY::perform(const mka::Transition& t) {
    history_.push_back(t);
    if (history_.size() > kHistory) history_.pop_front();
    effects_.log(t.from == t.to ? t.reason : fmt::format("{} -> {}: {}", t.from, t.to, t.reason));
}

void KaySecY::use_sc_counters() {
    std::set<Sci> scis;
    for (const auto& [identifier, key] : keys_)
        for (const auto& [sci, sa] : key.receive) scis.insert(sci);
    sc_counters_.use(std::vector(scis.begin(), scis.end()));
}

void KaySecY::publish() {
    changed_ = false;
    effects_.publish();
    effects_.when_in_force([weak = weak_from_this(), generation = ++generation_] {
        if (const auto self = weak.lock()) self->in_force(generation);
    });
}

// Every worker has what was published; what was asked for since waits for its own turn.
void KaySecY::in_force(std::uint64_t generation) {
    if (stopped_ || generation != generation_) return;
    for (auto& [identifier, key] : keys_) {
        key.receives = key.asked_receive;
        key.transmits = encoding_ == identifier && key.asked_transmit;
    }
    tick();
}

void KaySecY::tick() {
    if (stopped_) return;
    mka::Actions actions;
    const auto said = reports();
    kay_.tick(now(), wall(), said, actions);
    perform(std::move(actions));
}

// A timer that is due later than the KaY wants comes all the same; it finds nothing to do.
void KaySecY::arm() {
    if (stopped_) return;
    const mka::Time due = kay_.next_deadline();
    const mka::Time at = now();
    if (armed_ > at && armed_ <= due) return;
    wait_until(due, at);
}

void KaySecY::wait_until(mka::Time due, mka::Time at) {
    armed_ = due;
    effects_.after(std::chrono::nanoseconds(due > at ? due - at : 0), [weak = weak_from_this(), due] {
        const auto self = weak.lock();
        if (!self || self->armed_ != due) return;
        self->on_deadline(due);
    });
}

// A process that was stopped cannot say that its peers were silent: what they sent waits for the workers, who now run
// again, too. It is read before anybody is judged.
void KaySecY::on_deadline(mka::Time due) {
    const mka::Time at = now();
    if (at > due + kStall && std::exchange(waited_for_, due) != due) return wait_until(at + kCatchUp, at);
    armed_ = mka::kNever;
    tick();
}

std::vector<mka::SaReport> KaySecY::reports() const {
    std::vector<mka::SaReport> all;
    for (const auto& [identifier, key] : keys_)
        all.push_back({identifier, key.receives, key.transmits, key.transmit->next_pn.load(std::memory_order_relaxed)});
    return all;
}

}  // namespace demarcd
