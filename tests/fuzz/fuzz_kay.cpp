// A KaY whose peers know the CAK and say anything: PDUs with a good ICV whose fields the input chooses, a dataplane
// that answers as the input says, time that passes, reloads. Whatever comes, what the KaY orders must fit together: a
// key is installed once and with an AN of its own, nothing is asked of a key that is not there, the port opens only
// with an SA that transmits, and there is always a deadline.
//
//   each step: an octet; its low 3 bits choose: 0-4 a PDU, 5 time, 6 the dataplane, 7 a reload; then what that reads
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "macsec/mka/kay.h"
#include "macsec/mka/keys.h"

using namespace macsec;
using namespace macsec::mka;

namespace {

constexpr int kMaxSteps = 160;
constexpr std::int64_t kWall = 1'767'225'600;

void require(bool holds) {
    if (!holds) std::abort();
}

struct Reader {
    ConstOctets rest;
    std::uint8_t octet() {
        if (rest.empty()) return 0;
        const std::uint8_t o = rest[0];
        rest = rest.subspan(1);
        return o;
    }
    bool bit() { return (octet() & 1) != 0; }
};

std::shared_ptr<const SecretBuffer> cak() {
    static const auto secret = [] {
        auto buffer = SecretBuffer::create(16);
        require(buffer.has_value());
        std::fill(buffer->writable().begin(), buffer->writable().end(), 0x5A);
        return std::make_shared<const SecretBuffer>(std::move(*buffer));
    }();
    return secret;
}

Ckn ckn(bool fallback) { return *Ckn::from(std::vector<std::uint8_t>{0x0a, static_cast<std::uint8_t>(fallback)}); }

const CakKeys& cak_keys(bool fallback) {
    static const auto derive = [](bool f) {
        auto keys = derive_keys(cak()->octets(), ckn(f));
        require(keys.has_value());
        return std::move(*keys);
    };
    static const CakKeys first = derive(false), second = derive(true);
    return fallback ? second : first;
}

struct Installed {
    InstallKey key;
    bool receives{}, transmits{}, receives_in_force{}, transmits_in_force{};
    std::uint64_t next_pn{1};
};

class Fuzzed {
public:
    explicit Fuzzed(Reader& in)
        : in_(in), kay_(identity(in), [this](Octets octets) {
              for (auto& o : octets)
                  o = static_cast<std::uint8_t>((random_ = random_ * 6364136223846793005u + 1) >> 33);
          }) {
        settings_.keys = {{ckn(false), cak(), {}, {}, false}, {ckn(true), cak(), {}, {}, true}};
        reload();
    }

    void step() {
        const std::uint8_t what = in_.octet();
        switch (what & 7) {
            case 5: pass(in_.octet() * 40 * kMillisecond); break;
            case 6: answer(); break;
            case 7: reload(); break;
            default: pdu((what & 8) != 0); break;
        }
        const Time next = kay_.next_deadline();
        require(next <= now_ + Timers{}.hello() + kMillisecond);
        const KayStatus status = kay_.status(now_);
        require(status.port_open == open_);
        // An open port that nobody receives from says so, and only so.
        const std::string& why = status.why_not_secured;
        require(open_ ? why.empty() || why.starts_with("the port is open") : !why.empty());
        for (const ParticipantStatus& p : status.participants) require(p.peers.size() <= kMaxPeers);
    }

private:
    static Identity identity(Reader& in) {
        Identity i;
        i.sci = Sci{0x0200'0000'0005'0001u};
        i.source = {2, 0, 0, 0, 0, 5};
        i.suite = static_cast<CipherSuite>(in.octet() & 3);
        return i;
    }

    void reload() {
        const std::uint8_t o = in_.octet();
        settings_.key_server_priority = (o & 1) != 0 ? 16 : 255;
        settings_.delay_protect = (o & 2) != 0;
        settings_.keep_last_sak = (o & 4) != 0;
        settings_.sak_rekey_ms = (o & 8) != 0 ? 4000 : 0;
        Settings s = settings_;
        if ((o & 16) != 0) s.keys.erase(s.keys.begin());
        Actions actions;
        require(kay_.configure(std::move(s), now_, kWall, actions).has_value());
        perform(actions);
    }

    std::vector<SaReport> reports() const {
        std::vector<SaReport> out;
        for (const Installed& i : installed_)
            out.push_back({i.key.key, i.receives_in_force, i.transmits_in_force, i.next_pn});
        return out;
    }

    void tick() {
        Actions actions;
        kay_.tick(now_, kWall + static_cast<std::int64_t>(now_ / kSecond), reports(), actions);
        perform(actions);
    }

    void pass(Time time) {
        const Time end = now_ + time;
        while (kay_.next_deadline() <= end) {
            now_ = std::max(now_, kay_.next_deadline());
            tick();
        }
        now_ = end;
    }

    void answer() {
        const std::uint8_t o = in_.octet();
        for (Installed& i : installed_) {
            i.receives_in_force = i.receives && (o & 1) == 0;
            i.transmits_in_force = i.transmits && (o & 2) == 0;
            if ((o & 4) != 0) i.next_pn = std::max<std::uint64_t>(i.next_pn, 0xC000'0000);
            if ((o & 8) != 0) i.next_pn = pn_end(i.key.suite);
        }
        tick();
    }

    MemberId peer_mi() {
        MemberId mi;
        mi.octets[0] = static_cast<std::uint8_t>(in_.octet() & 7);
        return mi;
    }

    KeyIdentifier some_key() {
        const std::uint8_t o = in_.octet();
        if (o < 128 && !installed_.empty()) return installed_[o % installed_.size()].key.key;
        return {peer_mi(), o & 3u};
    }

    KeyUse some_use() {
        const std::uint8_t o = in_.octet();
        KeyUse use{.an = An{static_cast<std::uint8_t>(o & 3)},
                   .transmits = (o & 4) != 0,
                   .receives = (o & 8) != 0,
                   .key = some_key(),
                   .lowest_pn = (o & 16) != 0 ? 0xC000'0001 : 1};
        return use;
    }

    PeerList list(const ParticipantStatus& own, std::uint8_t o) {
        PeerList list;
        if ((o & 1) != 0) list.peers.push_back({own.mi, own.mn - (o >> 6)});
        for (int n = o >> 1 & 3; n > 0; --n) list.peers.push_back({peer_mi(), in_.octet()});
        list.key_server_ssci = (o & 8) != 0 ? static_cast<std::uint8_t>(o >> 4) : 0;
        return list;
    }

    DistributedSak some_sak(bool fallback) {
        const std::uint8_t o = in_.octet();
        DistributedSak sak;
        sak.an = An{static_cast<std::uint8_t>(o & 3)};
        sak.offset = (o & 4) != 0 ? ConfidentialityOffset::zero : static_cast<ConfidentialityOffset>(o >> 3 & 3);
        sak.key_number = in_.octet();
        sak.suite = (o & 32) != 0 ? kay_suite_ : static_cast<CipherSuite>(o >> 6);
        sak.named = sak.suite != CipherSuite::gcm_aes_128;
        if (o == 0xFF) return sak;  // no MACsec wanted
        const std::vector<std::uint8_t> octets(sak_octets(sak.suite), o);
        auto wrapped = wrap_sak(cak_keys(fallback).kek, octets);
        require(wrapped.has_value());
        sak.wrapped = std::move(*wrapped);
        return sak;
    }

    void pdu(bool fallback) {
        const KayStatus status = kay_.status(now_);
        const ParticipantStatus* own = nullptr;
        for (const ParticipantStatus& p : status.participants)
            if (p.ckn == ckn(fallback)) own = &p;
        if (own == nullptr) return;
        const std::uint8_t o = in_.octet(), sets = in_.octet();
        Mkpdu p;
        p.basic = {.mka_version = static_cast<std::uint8_t>((o & 1) != 0 ? 3 : 1),
                   .key_server_priority = static_cast<std::uint8_t>((o & 2) != 0 ? 1 : 200),
                   .key_server = (o & 4) != 0,
                   .macsec_desired = true,
                   .capability = (o & 8) != 0 ? Capability::none : Capability::confidentiality,
                   .sci = Sci{0x0200'0000'0000'0001u | std::uint64_t{in_.octet() & 15u} << 16},
                   .mi = (o & 0xF0) == 0xF0 ? own->mi : peer_mi(),
                   .mn = (o & 16) != 0 ? in_.octet() : ++mn_,
                   .ckn = ckn(fallback)};
        if ((sets & 1) != 0) p.live = list(*own, in_.octet());
        if ((sets & 2) != 0) p.potential = list(*own, in_.octet());
        if ((sets & 4) != 0) {
            p.sak_use = SakUse{.latest = some_use(), .old = some_use()};
            p.sak_use->delay_protect = (sets & 128) != 0;
        }
        if ((sets & 8) != 0) p.distributed_sak = some_sak(fallback);
        if ((sets & 16) != 0) p.xpn = XpnSet{0, in_.octet(), in_.octet()};
        p.icv_indicator = (sets & 32) != 0;
        send(p, fallback);
    }

    void send(const Mkpdu& p, bool fallback) {
        const std::vector<std::uint8_t> eapol = encode(p);
        constexpr std::uint8_t kHeader[] = {1, 0x80, 0xC2, 0, 0, 3, 2, 0, 0, 0, 0, 9, 0x88, 0x8E};
        std::vector<std::uint8_t> frame(sizeof kHeader + eapol.size());
        std::copy(std::begin(kHeader), std::end(kHeader), frame.begin());
        std::copy(eapol.begin(), eapol.end(), frame.begin() + sizeof kHeader);
        const ConstOctets whole(frame);
        const auto good = icv(cak_keys(fallback).ick, whole.first(14), whole.subspan(14, eapol.size() - kMkaIcvOctets));
        require(good.has_value());
        std::copy(good->begin(), good->end(), frame.end() - kMkaIcvOctets);
        Actions actions;
        kay_.receive(frame, now_, actions);
        perform(actions);
    }

    Installed* find(const KeyIdentifier& key) {
        for (Installed& i : installed_)
            if (i.key.key == key) return &i;
        return nullptr;
    }

    void perform(const Actions& actions) {
        for (const Action& a : actions) std::visit([this](const auto& value) { act(value); }, a);
    }
    void act(const SendPdu& sent) {
        require(sent.frame.size() > 18 && sent.frame.size() <= 14 + kMaxMkpduOctets);
        require(load_be16(sent.frame.data() + 12) == kEtherTypeEapol);
    }
    void act(const InstallKey& key) {
        require(std::find(ever_.begin(), ever_.end(), key.key) == ever_.end());
        for (const Installed& i : installed_) require(i.key.an != key.an);
        require(installed_.size() < 2 && key.sak->size() == sak_octets(key.suite) && key.suite == kay_suite_);
        require(key.confidentiality && key.confidentiality_offset == 0);
        require(is_xpn(key.suite) == (key.own.ssci.value != 0));
        for (const MemberSc& p : key.peers)
            require(p.sci != key.own.sci && (p.ssci != key.own.ssci || !is_xpn(key.suite)));
        ever_.push_back(key.key);
        installed_.push_back({.key = key});
    }
    void act(const StartReceive& start) {
        require(find(start.key) != nullptr);
        find(start.key)->receives = true;
    }
    void act(const StartTransmit& start) {
        Installed* one = find(start.key);
        require(one != nullptr && one->receives);
        for (Installed& i : installed_) i.transmits = false;
        one->transmits = true;
    }
    void act(const RetireKey& retire) {
        require(find(retire.key) != nullptr);
        std::erase_if(installed_, [&](const Installed& i) { return i.key.key == retire.key; });
    }
    void act(const ControlledPort& port) {
        require(port.open != open_);
        open_ = port.open;
        require(!open_ || std::any_of(installed_.begin(), installed_.end(),
                                      [](const Installed& i) { return i.transmits && i.transmits_in_force; }));
    }
    void act(const RaiseLowestPn& raise) { require(find(raise.key) != nullptr && raise.lowest_pn > 1); }
    void act(const Transition& t) { require(!t.reason.empty() && !t.from.empty() && !t.to.empty()); }

    Reader& in_;
    std::uint64_t random_{};
    MessageNumber mn_{};
    Time now_{1000 * kSecond};
    Settings settings_;
    std::vector<Installed> installed_;
    std::vector<KeyIdentifier> ever_;
    bool open_{};
    CipherSuite kay_suite_{};
    Kay kay_;

public:
    void know(CipherSuite suite) { kay_suite_ = suite; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3 || size > 4096) return 0;
    Reader in{{data, size}};
    Fuzzed fuzzed(in);
    fuzzed.know(static_cast<CipherSuite>(data[0] & 3));
    for (int i = 0; i < kMaxSteps && !in.rest.empty(); ++i) fuzzed.step();
    return 0;
}
