// KaYs on a perfect wire with a clock of its own: every frame arrives a millisecond later, the dataplane confirms a
// millisecond after it was asked. What a KaY orders is kept as the dataplane would keep it, and judged on the way.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "macsec/mka/kay.h"

namespace macsec::mka::test {

inline constexpr std::int64_t kWall = 1'767'225'600;  // 2026-01-01

inline std::shared_ptr<const SecretBuffer> cak_of(std::uint8_t fill, std::size_t octets = 16) {
    auto secret = SecretBuffer::create(octets);
    if (!secret) throw std::runtime_error(secret.error());
    std::fill(secret->writable().begin(), secret->writable().end(), fill);
    return std::make_shared<const SecretBuffer>(std::move(*secret));
}

inline Ckn ckn_of(std::uint8_t name) { return *Ckn::from(std::vector<std::uint8_t>{0x0a, name}); }

inline RingKey ring_key(std::uint8_t name, std::optional<std::int64_t> start = {},
                        std::optional<std::int64_t> end = {}) {
    return {ckn_of(name), cak_of(name), start, end, false};
}

inline Identity identity_of(std::uint8_t number, CipherSuite suite = CipherSuite::gcm_aes_xpn_256) {
    Identity i;
    i.sci = Sci{0x0200'0000'0000'0001u | std::uint64_t{number} << 16};
    i.source = {2, 0, 0, 0, 0, number};
    i.suite = suite;
    return i;
}

inline Settings settings_of(std::uint8_t priority, std::vector<RingKey> keys) {
    Settings s;
    s.key_server_priority = priority;
    s.keys = std::move(keys);
    return s;
}

inline RingKey fallback_key(std::uint8_t name) { return {ckn_of(name), cak_of(name), {}, {}, true}; }

struct Sas {
    InstallKey key;
    bool receives{}, transmits{}, retired{};
    std::uint64_t next_pn{1};
};

class Station {
public:
    Station(const Identity& identity, std::uint64_t seed)
        : identity(identity), kay(identity, [random = std::mt19937_64(seed)](Octets o) mutable {
              for (auto& octet : o) octet = static_cast<std::uint8_t>(random());
          }) {}

    Identity identity;
    Kay kay;
    std::int64_t wall_offset{};
    bool confirms{true};      // the dataplane answers
    bool may_transmit{true};  // and says that it transmits
    bool hears{true}, speaks{true};
    bool open{};
    std::vector<Sas> sas;  // all there ever were
    std::vector<Transition> history;
    std::vector<std::vector<std::uint8_t>> sent;
    std::vector<RaiseLowestPn> raised;

    Sas* sa(const KeyIdentifier& key) {
        for (Sas& s : sas)
            if (s.key.key == key) return &s;
        return nullptr;
    }
    Sas* transmitting() {
        for (Sas& s : sas)
            if (s.transmits && !s.retired) return &s;
        return nullptr;
    }
    std::size_t installed() const {
        return static_cast<std::size_t>(std::count_if(sas.begin(), sas.end(), [](const Sas& s) { return !s.retired; }));
    }
    bool says(std::string_view text) const {
        return std::any_of(history.begin(), history.end(),
                           [&](const Transition& t) { return t.reason.find(text) != std::string::npos; });
    }
    std::vector<SaReport> reports() const {
        std::vector<SaReport> out;
        for (const Sas& s : sas)
            if (!s.retired)
                out.push_back({s.key.key, s.receives && confirms, s.transmits && confirms && may_transmit, s.next_pn});
        return out;
    }
};

class Bench {
public:
    Time now{100 * kSecond};
    std::deque<Station> stations;  // places never move
    bool lossless{};               // from now on every frame of everybody must be decrypted everywhere, at any moment

    Station& add(std::uint8_t number, const Settings& settings, CipherSuite suite = CipherSuite::gcm_aes_xpn_256) {
        stations.emplace_back(identity_of(number, suite), number * 1000u + seed_++);
        configure(stations.back(), settings);
        return stations.back();
    }

    void configure(Station& s, const Settings& settings) {
        Actions actions;
        if (auto done = s.kay.configure(settings, now, wall(s), actions); !done) throw std::runtime_error(done.error());
        perform(s, actions);
    }

    // The same SCI again, with nothing remembered.
    Station& restart(Station& old, const Settings& settings) {
        old.hears = old.speaks = false;
        stations.emplace_back(old.identity, 77'000u + seed_++);
        configure(stations.back(), settings);
        return stations.back();
    }

    std::int64_t wall(const Station& s) const {
        return kWall + static_cast<std::int64_t>(now / kSecond) + s.wall_offset;
    }

    void tick(Station& s) {
        Actions actions;
        s.kay.tick(now, wall(s), s.reports(), actions);
        perform(s, actions);
    }

    // A frame that no station sent.
    void hear(Station& s, const std::vector<std::uint8_t>& frame) {
        Actions actions;
        s.kay.receive(frame, now, actions);
        perform(s, actions);
    }

    void run_for(Time t) {
        run_until(now + t, [] { return false; });
    }

    // True as soon as `done` is; false when the time is over.
    bool run_until(Time end, const std::function<bool()>& done) {
        while (!done()) {
            Time next = end;
            for (const Flight& f : flights_) next = std::min(next, f.at);
            for (const Station& s : stations)
                if (s.speaks || s.hears) next = std::min(next, s.kay.next_deadline());
            if (next >= end) {
                now = end;
                return done();
            }
            now = std::max(now, next);  // a station that was away has some in the past
            turn();
        }
        return true;
    }
    bool run_until_secured(Time limit) {
        return run_until(now + limit, [this] { return all_secured(); });
    }

    // Every station that lives is open, transmits, and everybody else receives it.
    bool all_secured() {
        for (Station& from : stations) {
            if (!from.speaks) continue;
            Sas* tx = from.transmitting();
            if (!from.open || tx == nullptr) return false;
            for (Station& to : stations)
                if (&to != &from && to.hears && !would_receive(to, *tx)) return false;
        }
        return true;
    }

    // A frame sent with this SA would be decrypted there.
    static bool would_receive(Station& to, const Sas& tx) {
        const Sas* rx = to.sa(tx.key.key);
        if (rx == nullptr || rx->retired || !rx->receives) return false;
        const auto& peers = rx->key.peers;
        return rx->key.an == tx.key.an && rx->key.salt == tx.key.salt &&
               equal_secrets(rx->key.sak->octets(), tx.key.sak->octets()) &&
               std::find(peers.begin(), peers.end(), tx.key.own) != peers.end();
    }

private:
    struct Flight {
        Time at;
        Station* to;                      // a frame for it, or
        std::vector<std::uint8_t> frame;  // none: its dataplane confirms
    };

    void turn() {
        std::vector<Flight> due;
        std::erase_if(flights_, [&](const Flight& f) {
            if (f.at <= now) due.push_back(f);
            return f.at <= now;
        });
        for (const Flight& f : due) arrive(f);
        for (Station& s : stations)
            if ((s.speaks || s.hears) && s.kay.next_deadline() <= now) tick(s);
        if (lossless && !all_secured()) throw std::runtime_error("a frame would be lost");
    }

    void arrive(const Flight& f) {
        if (!f.to->hears && !f.to->speaks) return;
        if (f.frame.empty()) return tick(*f.to);
        if (!f.to->hears) return;
        Actions actions;
        f.to->kay.receive(f.frame, now, actions);
        perform(*f.to, actions);
    }

    void perform(Station& s, Actions& actions) {
        for (Action& a : actions) std::visit([&](auto& value) { act(s, value); }, a);
    }
    void act(Station& s, SendPdu& pdu) {
        s.sent.push_back(pdu.frame);
        if (!s.speaks) return;
        for (Station& other : stations)
            if (&other != &s && other.hears) flights_.push_back({now + kMillisecond, &other, pdu.frame});
    }
    void act(Station& s, InstallKey& key) {
        if (s.sa(key.key) != nullptr) throw std::runtime_error("a key is installed twice");
        for (const Sas& other : s.sas)
            if (!other.retired && other.key.an == key.an) throw std::runtime_error("two keys with one AN");
        // Every member of a SAK numbers its members alike.
        for (const Station& other : stations)
            for (const Sas& theirs : other.sas)
                if (&other != &s && theirs.key.key == key.key && members(theirs.key) != members(key))
                    throw std::runtime_error("two members do not agree on the members of a SAK");
        s.sas.push_back({.key = key});
    }
    static std::vector<std::pair<Sci, Ssci>> members(const InstallKey& key) {
        std::vector<std::pair<Sci, Ssci>> all{{key.own.sci, key.own.ssci}};
        for (const MemberSc& p : key.peers) all.push_back({p.sci, p.ssci});
        std::sort(all.begin(), all.end());
        return all;
    }
    void act(Station& s, StartReceive& start) {
        s.sa(start.key)->receives = true;
        if (s.confirms) flights_.push_back({now + kMillisecond, &s, {}});
    }
    void act(Station& s, StartTransmit& start) {
        for (Sas& sas : s.sas) sas.transmits = false;
        s.sa(start.key)->transmits = true;
        if (s.confirms) flights_.push_back({now + kMillisecond, &s, {}});
    }
    void act(Station& s, RetireKey& retire) {
        Sas* sas = s.sa(retire.key);
        if (sas == nullptr || sas->retired) throw std::runtime_error("a key is retired that is not installed");
        sas->retired = true;
    }
    void act(Station& s, ControlledPort& port) { s.open = port.open; }
    void act(Station& s, RaiseLowestPn& raise) { s.raised.push_back(raise); }
    void act(Station& s, Transition& t) { s.history.push_back(t); }

    std::deque<Flight> flights_;
    unsigned seed_{};
};

}  // namespace macsec::mka::test
