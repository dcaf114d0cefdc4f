// Static SAKs: what would make one key and one IV meet twice is refused.
#include <fmt/format.h>

#include <map>
#include <set>

#include "config/rules.h"

namespace config {
namespace {

void static_empty(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (!s.static_keys) return;
        const auto& scs = s.static_keys->receive;
        if (scs.empty())
            f.add(path + ".static.receive", "no receive SC: every frame would be dropped",
                  "name the peer's SCI and SAs");
        for (std::size_t i = 0; i < scs.size(); ++i)
            if (scs[i].sas.empty())
                f.add(fmt::format("{}.static.receive[{}].sas", path, i), "a receive SC without SA",
                      "name at least one SA");
    });
}

void an_range(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci*, const std::string& where) {
            if (sa.an >= macsec::kAns) f.add(where + ".an", fmt::format("AN {}", sa.an), "write 0 to 3");
        });
    });
}

void an_duplicate(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        std::set<std::pair<macsec::Sci, std::uint8_t>> seen;
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci* sci, const std::string& where) {
            if (sci && !seen.insert({*sci, sa.an}).second)
                f.add(where + ".an", fmt::format("SC {:016x} has an SA with AN {} already", sci->value, sa.an),
                      "give each SA of an SC its own AN");
        });
    });
}

void sci_value(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (!s.static_keys) return;
        for (std::size_t i = 0; i < s.static_keys->receive.size(); ++i)
            if (const auto v = s.static_keys->receive[i].sci.value; v == 0 || v == ~std::uint64_t{0})
                f.add(fmt::format("{}.static.receive[{}].sci", path, i),
                      fmt::format("{:016x} is no SCI (802.1AE 9.9)", v),
                      "write the peer's MAC address and port identifier: \"02000000b2010001\"");
    });
}

void sci_clash(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        if (!s.static_keys) return;
        std::set<macsec::Sci> seen;
        for (std::size_t i = 0; i < s.static_keys->receive.size(); ++i)
            if (const auto sci = s.static_keys->receive[i].sci; !seen.insert(sci).second)
                f.add(fmt::format("{}.static.receive[{}].sci", path, i),
                      fmt::format("SCI {:016x} stands in this SecY already", sci.value),
                      "put all SAs of an SC under one `sci`");
    });
}

void ssci_zero(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci*, const std::string& where) {
            if (sa.ssci && sa.ssci->value == 0)
                f.add(where + ".ssci", "SSCI 0 is no SSCI", "write a number from 1; each SC of a SecY has its own");
        });
    });
}

// 802.1AE 10.7.13: SSCIs are unique within an SAK's CA. Ours is one of them.
void ssci_clash(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        std::map<macsec::Ssci, const macsec::Sci*> seen;
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci* sci, const std::string& where) {
            if (!sa.ssci) return;
            const auto [first, is_new] = seen.emplace(*sa.ssci, sci);
            const bool same_sc = sci && first->second && *sci == *first->second;
            if (!is_new && !same_sc)
                f.add(where + ".ssci",
                      fmt::format("SSCI {} is {} already", sa.ssci->value,
                                  first->second ? fmt::format("SC {:016x}'s", first->second->value) : "our own SC's"),
                      "give each SC of a SecY its own SSCI");
        });
    });
}

void salt_zero(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci*, const std::string& where) {
            if (sa.salt && *sa.salt == macsec::Salt{})
                f.add(where + ".salt", "the salt is zero", "draw 12 random octets: openssl rand -hex 12");
        });
    });
}

void xpn_needs_salt(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci*, const std::string& where) {
            if (macsec::is_xpn(s.cipher_suite) && (!sa.ssci || !sa.salt))
                f.add(where,
                      fmt::format("an SA of {} lacks {}", macsec::to_string(s.cipher_suite),
                                  !sa.ssci && !sa.salt ? "`ssci` and `salt`"
                                  : !sa.ssci           ? "`ssci`"
                                                       : "`salt`"),
                      "add `ssci: N` and `salt: HEX` as the peer has them");
        });
    });
}

void salt_without_xpn(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci*, const std::string& where) {
            if (!macsec::is_xpn(s.cipher_suite) && (sa.ssci || sa.salt))
                f.add(where,
                      fmt::format("an SA of {} has {}", macsec::to_string(s.cipher_suite),
                                  sa.ssci ? "an `ssci`" : "a `salt`"),
                      "leave `ssci` and `salt` out, or choose an XPN suite");
        });
    });
}

void key_file_twice(const Model& m, Findings& f) { find_repeated_ivs(m, {}, f); }

constexpr Rule kRules[] = {
    {"static-empty", static_empty},     {"an-range", an_range},
    {"an-duplicate", an_duplicate},     {"sci-value", sci_value},
    {"sci-clash", sci_clash},           {"ssci-zero", ssci_zero},
    {"ssci-clash", ssci_clash},         {"salt-zero", salt_zero},
    {"xpn-needs-salt", xpn_needs_salt}, {"salt-without-xpn", salt_without_xpn},
    {"key-file-twice", key_file_twice},
};

}  // namespace

// The IV is salt, SSCI and PN (XPN) or SCI and PN: one key with one SSCI or SCI in two places repeats IVs. Our own SCI
// is known by port and port identifier. One key in two suites is refused too: their IVs are not disjoint.
void find_repeated_ivs(const Model& m, const std::map<std::string, std::string>& same_key, Findings& f) {
    std::map<std::string, std::pair<macsec::CipherSuite, std::string>> suites;
    std::map<std::pair<std::string, std::string>, std::string> seen;
    const auto check = [&](const std::string& port, const SecY& s, const StaticSa& sa, const macsec::Sci* sci,
                           const std::string& where) {
        const auto same = same_key.find(sa.key_file);
        const std::string& key = same == same_key.end() ? sa.key_file : same->second;
        const auto [suite, first_use] = suites.emplace(key, std::pair{s.cipher_suite, where});
        if (!first_use && suite->second.first != s.cipher_suite)
            return f.add(where + ".key-file",
                         fmt::format("one key with two cipher suites{}", f.line_of(suite->second.second)),
                         "give each suite keys of its own");
        const std::string who = macsec::is_xpn(s.cipher_suite) ? fmt::format("SSCI {}", sa.ssci ? sa.ssci->value : 0)
                              : sci                            ? fmt::format("SCI {:016x}", sci->value)
                                    : fmt::format("our SCI on port `{}`, {}", port, sci_port(s));
        const auto [first, is_new] = seen.emplace(std::pair{key, who}, where);
        if (!is_new)
            f.add(where + ".key-file",
                  fmt::format("one key twice with {}{}: IVs would repeat", who, f.line_of(first->second)),
                  "give each SC a key of its own");
    };
    for_each_secy(m, [&](const std::string& name, const Port&, const SecY& s, const std::string& path) {
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci* sci, const std::string& where) {
            check(name, s, sa, sci, where);
        });
    });
}

std::span<const Rule> key_rules() { return kRules; }

}  // namespace config
