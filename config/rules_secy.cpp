// SecYs: policy, SecTAG form, cipher suite, replay, EAPOL, MKA. Static keys are in rules_keys.cpp.
#include <fmt/format.h>

#include <map>

#include "config/bounds.h"
#include "config/codec.h"
#include "config/rules.h"

namespace config {
namespace {

void secy_duplicate(const Model& m, Findings& f) {
    std::map<std::pair<std::string, net::VlanStack>, std::string> seen;
    for_each_secy(m, [&](const std::string& name, const Port&, const SecY& s, const std::string& path) {
        const auto [first, is_new] = seen.emplace(std::pair{name, s.clear_tags}, path);
        if (!is_new)
            f.add(path,
                  fmt::format("port `{}` has a SecY behind the same clear tags already{}", name,
                              f.line_of(first->second)),
                  "give each SecY of a port its own `clear-tags`");
    });
}

void secy_keys(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string& name, const Port&, const SecY& s, const std::string& path) {
        if (s.policy == Policy::must_secure && !s.static_keys && !s.mka)
            f.add(path, fmt::format("a SecY of port `{}` must secure and has no keys", name),
                  "add `mka`, or `static` for a test");
    });
}

void static_and_mka(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string& name, const Port&, const SecY& s, const std::string& path) {
        if (s.static_keys && s.mka)
            f.add(path + ".static", fmt::format("a SecY of port `{}` has both `static` and `mka`", name),
                  "keep one of them");
    });
}

// 802.1AE 9.5, 9.9: ES says that the SCI is the source address and port identifier 1; SCB and no SCI that there is one
// SC.
void sci_form(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (s.sci_form == macsec::SciForm::es && s.port_identifier != 1)
            f.add(path + ".port-identifier",
                  fmt::format("`sci-form` is es and `port-identifier` is {}", s.port_identifier),
                  "write 1, which is what ES stands for, or `sci-form: sci`");
        const bool one = s.sci_form == macsec::SciForm::none || s.sci_form == macsec::SciForm::scb;
        if (one && s.static_keys && s.static_keys->receive.size() > 1)
            f.add(path + ".sci-form",
                  fmt::format("frames without SCI cannot tell {} receive SCs apart", s.static_keys->receive.size()),
                  "write `sci-form: sci`, or keep one receive SC");
    });
}

void port_identifier(const Model& m, Findings& f) {
    std::map<std::pair<std::string, std::uint16_t>, std::string> seen;
    for_each_secy(m, [&](const std::string& name, const Port&, const SecY& s, const std::string& path) {
        const std::string key = path + ".port-identifier";
        if (s.port_identifier == 0)
            return f.add(key, fmt::format("`port-identifier` of a SecY of port `{}` is 0", name), "write 1 to 65535");
        const auto [first, is_new] = seen.emplace(std::pair{name, sci_port(s)}, path);
        if (is_new) return;
        if (sci_port(s) != s.port_identifier)
            return f.add(path + ".sci-form",
                         fmt::format("two SecYs of port `{}` have `sci-form: scb`{}, hence one SCI", name,
                                     f.line_of(first->second)),
                         "let one SecY of a port at most send in this form");
        f.add(key,
              fmt::format("two SecYs of port `{}` have `port-identifier` {}{}, hence one SCI", name, s.port_identifier,
                          f.line_of(first->second)),
              "give each SecY of a port its own");
    });
}

void offset_value(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        const auto o = s.confidentiality_offset;
        if (o != 0 && o != 30 && o != 50)
            f.add(path + ".confidentiality-offset", fmt::format("`confidentiality-offset` is {}", o),
                  "write 0, 30 or 50");
    });
}

void offset_xpn(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (s.confidentiality_offset != 0 && macsec::is_xpn(s.cipher_suite))
            f.add(path + ".confidentiality-offset",
                  fmt::format("{} has no confidentiality offset", macsec::to_string(s.cipher_suite)),
                  "write 0, or choose gcm-aes-128 or gcm-aes-256");
    });
}

void offset_integrity(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (s.confidentiality_offset != 0 && !s.confidentiality)
            f.add(path + ".confidentiality-offset",
                  fmt::format("an offset of {} without confidentiality", s.confidentiality_offset),
                  "leave it out, or write `confidentiality: true`");
    });
}

void replay_window_xpn(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (macsec::is_xpn(s.cipher_suite) && s.replay_window.value_or(0) > kMaxReplayWindowXpn)
            f.add(path + ".replay-window", fmt::format("`replay-window` is {}", *s.replay_window),
                  fmt::format("an XPN suite takes at most {}", kMaxReplayWindowXpn));
    });
}

// Delay protection raises the lowest acceptable PN (802.1X 9.10), which replay protection looks at.
void delay_protect(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (s.mka && s.mka->delay_protect && !s.replay_window)
            f.add(path + ".mka.delay-protect", "`delay-protect` does nothing while `replay-window` is off",
                  "write a `replay-window`, or `delay-protect: false`");
    });
}

void eapol(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        const auto type = s.eapol_ethertype;
        constexpr std::uint16_t kTaken[] = {
            0x0800, 0x0806, 0x86DD, net::kTpidCustomer, net::kTpidService, macsec::kEtherTypeMacsec};
        if (type < 0x0600 || std::ranges::find(kTaken, type) != std::end(kTaken))
            f.add(path + ".eapol.ethertype", fmt::format("EtherType {:#06x} means something else", type),
                  "write 0x888e, or what the carrier lets pass");
        if (s.eapol_destination == net::MacAddress{})
            f.add(path + ".eapol.destination", "the EAPOL destination is 00:00:00:00:00:00",
                  "write \"01:80:c2:00:00:03\", or what the carrier lets pass");
    });
}

void key_ring_size(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (s.mka && (s.mka->key_ring.empty() || s.mka->key_ring.size() > 5))
            f.add(path + ".mka.key-ring", fmt::format("a key ring of {} keys", s.mka->key_ring.size()),
                  "name 1 to 5 keys");
    });
}

void ckn_duplicate(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        std::map<std::vector<std::uint8_t>, std::string> seen;
        for_each_mka_key(s, path, [&](const MkaKey& key, const std::string& where) {
            const auto [first, is_new] = seen.emplace(key.ckn, where);
            if (!is_new)
                f.add(
                    where + ".ckn",
                    fmt::format("CKN {} stands in this key ring already{}", to_hex(key.ckn), f.line_of(first->second)),
                    "name each CAK once; the fallback has a CKN of its own");
        });
    });
}

void key_period(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        for_each_mka_key(s, path, [&](const MkaKey& key, const std::string& where) {
            if (key.start && key.end && *key.end <= *key.start)
                f.add(where + ".end", "a key ends before it starts", "write an `end` after `start`");
        });
    });
}

void fallback_period(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (!s.mka || !s.mka->fallback) return;
        const std::string where = path + ".mka.fallback.";
        const std::string remedy = "leave it out, or move the key to the key ring";
        if (s.mka->fallback->start) f.add(where + "start", "the fallback key stands by whatever the time", remedy);
        if (s.mka->fallback->end) f.add(where + "end", "the fallback key stands by whatever the time", remedy);
    });
}

// 802.1X 9.4: a participant is dead after three missed hellos.
void mka_timers(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (!s.mka) return;
        const Mka& k = *s.mka;
        if (k.hello_ms < 100 || k.hello_ms > 10'000)
            f.add(path + ".mka.hello", fmt::format("`hello` is {} ms", k.hello_ms),
                  "write 100ms to 10s; the standard's is 2s");
        else if (k.life_ms < 3 * k.hello_ms || k.life_ms > 60'000)
            f.add(path + ".mka.life", fmt::format("`life` is {} ms with a hello of {} ms", k.life_ms, k.hello_ms),
                  "write at least three times `hello`, at most 60s");
    });
}

// A SAK needs hello times to be agreed and half a life time to be retired before the next one.
void sak_rekey(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (s.mka && s.mka->sak_rekey_ms != 0 && s.mka->sak_rekey_ms < s.mka->life_ms)
            f.add(path + ".mka.sak-rekey", fmt::format("`sak-rekey` is {} ms", s.mka->sak_rekey_ms),
                  fmt::format("write at least `life`, {} ms, or 0s for never", s.mka->life_ms));
    });
}

constexpr Rule kRules[] = {
    {"secy-duplicate", secy_duplicate},
    {"secy-keys", secy_keys},
    {"static-and-mka", static_and_mka},
    {"sci-form", sci_form},
    {"port-identifier", port_identifier},
    {"offset-value", offset_value},
    {"offset-xpn", offset_xpn},
    {"offset-integrity", offset_integrity},
    {"replay-window-xpn", replay_window_xpn},
    {"delay-protect", delay_protect},
    {"eapol", eapol},
    {"key-ring-size", key_ring_size},
    {"ckn-duplicate", ckn_duplicate},
    {"key-period", key_period},
    {"fallback-period", fallback_period},
    {"mka-timers", mka_timers},
    {"sak-rekey", sak_rekey},
};

}  // namespace

std::span<const Rule> secy_rules() { return kRules; }

}  // namespace config
