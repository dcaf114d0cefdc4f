// 1. the text as flat objects, which are views into it
// 2. each object: its names, then its members one by one
// 3. the SAK last: digits to locked memory to an expanded key
#include "tools/demarc/decode_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "macsec/secret.h"

namespace cli {
namespace {

using macsec::CipherSuite;

constexpr std::array<std::string_view, 8> kNames{"sci", "suite", "an", "sak", "ssci", "salt", "offset", "lowest_pn"};
constexpr std::string_view kSuites = "gcm-aes-128, gcm-aes-256, gcm-aes-xpn-128 or gcm-aes-xpn-256";

// A name as a message may show it: no key that was written in the wrong place fits in.
std::string shown(std::string_view name) {
    constexpr std::size_t kShortestSak = 32;
    if (name.empty() || name.size() >= kShortestSak / 2) return "a member";
    const bool plain = std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7F; });
    return plain ? fmt::format("\"{}\"", name) : "a member";
}

// One object of the list, and what is wrong with it.
class Entry {
public:
    Entry(const FlatObject& object, std::size_t index, std::string_view text, std::vector<KeyMistake>& mistakes)
        : object_(object), index_(index), text_(text), mistakes_(mistakes), before_(mistakes.size()) {}

    std::optional<DecodeKey> read() {
        judge_names();
        macsec::SaDescription d;
        const auto suite = read_suite();
        if (const auto* m = require("sci", "16 hexadecimal digits: MAC address, then port identifier"))
            d.sci = macsec::Sci{hex<8>(*m).first};
        if (const auto* m = require("an", "a number, 0 to 3"))
            d.an = macsec::An{static_cast<std::uint8_t>(number(*m, 0, 3))};
        const FlatMember* const sak = require("sak", "hexadecimal digits");
        if (!suite) return std::nullopt;
        d.suite = *suite;
        macsec::is_xpn(*suite) ? read_xpn(d) : refuse_xpn();
        d.confidentiality_offset = read_offset(*suite);
        const auto lowest_pn = read_lowest_pn(*suite);
        if (sak == nullptr) return std::nullopt;
        auto key = read_sak(*sak, *suite);
        if (!key || mistakes_.size() != before_) return std::nullopt;
        return DecodeKey{d, std::move(*key), lowest_pn};
    }

private:
    bool is_full() const { return mistakes_.size() >= kMaxKeyMistakes; }

    void complain(std::size_t at, std::string_view name, std::string_view what) {
        if (is_full()) return;
        mistakes_.push_back(
            {place_in(text_, at), fmt::format("[{}]{}{}: {}", index_, name.empty() ? "" : ".", name, what)});
    }

    void judge_names() {
        for (std::size_t i = 0; i < object_.members.size() && !is_full(); ++i) {
            const FlatMember& m = object_.members[i];
            if (std::ranges::find(kNames, m.name) == kNames.end())
                complain(m.at, "",
                         fmt::format("{} is not known; a key has {}", shown(m.name), fmt::join(kNames, ", ")));
            else if (find(m.name) != &m)
                complain(m.at, m.name, "stands twice; keep one");
        }
    }

    const FlatMember* find(std::string_view name) const {
        const auto m = std::ranges::find(object_.members, name, &FlatMember::name);
        return m == object_.members.end() ? nullptr : &*m;
    }

    const FlatMember* require(std::string_view name, std::string_view want) {
        const FlatMember* const m = find(name);
        if (m == nullptr) complain(object_.at, name, fmt::format("is missing; write {}", want));
        return m;
    }

    bool is_string(const FlatMember& m, std::string_view want) {
        if (m.kind == ScalarKind::string) return true;
        complain(m.at, m.name, fmt::format("is no string; write {} in quotes", want));
        return false;
    }

    std::optional<CipherSuite> read_suite() {
        const FlatMember* const m = require("suite", kSuites);
        if (m == nullptr || !is_string(*m, kSuites)) return std::nullopt;
        const auto suite = macsec::cipher_suite_from(m->value);
        if (!suite) complain(m->at, m->name, fmt::format("is no cipher suite; write {}", kSuites));
        return suite;
    }

    // 0 after a complaint.
    std::uint64_t number(const FlatMember& m, std::uint64_t least, std::uint64_t greatest) {
        std::uint64_t n = 0;
        const auto [end, error] = std::from_chars(m.value.data(), m.value.data() + m.value.size(), n);
        const bool whole = m.kind == ScalarKind::number && error == std::errc{} &&
                           end == m.value.data() + m.value.size() && (m.value[0] != '0' || m.value.size() == 1);
        if (whole && n >= least && n <= greatest) return n;
        complain(m.at, m.name,
                 fmt::format("is not right; write a whole number, {} to {}, without quotes", least, greatest));
        return 0;
    }

    // N octets: the first up to 8 as a number, and all of them. Zero after a complaint. Public values only.
    template <std::size_t N>
    std::pair<std::uint64_t, std::array<std::uint8_t, N>> hex(const FlatMember& m) {
        const std::string want = fmt::format("{} hexadecimal digits", 2 * N);
        std::array<std::uint8_t, N> octets{};
        if (!is_string(m, want)) return {};
        bool good = m.value.size() == 2 * N;
        for (std::size_t i = 0; good && i < N; ++i) {
            const char* const digits = m.value.data() + 2 * i;
            good = std::from_chars(digits, digits + 2, octets[i], 16).ptr == digits + 2;
        }
        if (!good) {
            complain(m.at, m.name, fmt::format("is not right; write exactly {}, nothing between them", want));
            return {};
        }
        std::uint64_t first = 0;
        for (std::size_t i = 0; i < std::min<std::size_t>(N, 8); ++i) first = first << 8 | octets[i];
        return {first, octets};
    }

    void read_xpn(macsec::SaDescription& d) {
        if (const auto* m = require("ssci", "the transmitter's SSCI, a number; XPN needs it"))
            d.ssci = macsec::Ssci{static_cast<std::uint32_t>(number(*m, 1, UINT32_MAX))};
        if (const auto* m = require("salt", "24 hexadecimal digits; XPN needs it")) d.salt = hex<12>(*m).second;
    }

    void refuse_xpn() {
        for (const std::string_view name : {"ssci", "salt"})
            if (const auto* m = find(name))
                complain(m->at, name, "belongs to XPN only; take it out, or write another suite");
    }

    std::uint8_t read_offset(CipherSuite suite) {
        const FlatMember* const m = find("offset");
        if (m == nullptr) return 0;
        const bool good = m->kind == ScalarKind::number && (m->value == "0" || m->value == "30" || m->value == "50");
        if (!good) complain(m->at, m->name, "is not right; write 0, 30 or 50, without quotes");
        if (!good || m->value == "0") return 0;
        // As in a configuration (rule offset-xpn): these suites have none.
        if (macsec::is_xpn(suite)) complain(m->at, m->name, "does not go with XPN; write 0, or take it out");
        return m->value == "30" ? 30 : 50;
    }

    std::optional<std::uint64_t> read_lowest_pn(CipherSuite suite) {
        const FlatMember* const m = find("lowest_pn");
        if (m == nullptr) return std::nullopt;
        return number(*m, 1, macsec::pn_end(suite) - 1);
    }

    std::optional<macsec::AeadKey> read_sak(const FlatMember& m, CipherSuite suite) {
        const std::size_t octets = macsec::sak_octets(suite);
        if (!is_string(m, fmt::format("{} hexadecimal digits", 2 * octets))) return std::nullopt;
        const auto sak = macsec::secret_from_hex(m.value, octets);
        auto key = sak ? macsec::AeadKey::create(suite, sak->octets()) : std::unexpected(sak.error());
        if (key) return std::move(*key);
        complain(m.at, m.name, key.error());
        return std::nullopt;
    }

    const FlatObject& object_;
    std::size_t index_;
    std::string_view text_;
    std::vector<KeyMistake>& mistakes_;
    std::size_t before_;
};

}  // namespace

std::expected<std::vector<DecodeKey>, std::vector<KeyMistake>> parse_decode_keys(std::string_view text) {
    const auto list = read_flat_list(text);
    if (!list) return std::unexpected(std::vector<KeyMistake>{{place_in(text, list.error().at), list.error().message}});
    std::vector<KeyMistake> mistakes;
    std::vector<DecodeKey> keys;
    if (list->size() > kMaxKeys)
        mistakes.push_back({place_in(text, (*list)[kMaxKeys].at),
                            fmt::format("there are {} keys; keep at most {}", list->size(), kMaxKeys)});
    for (std::size_t i = 0; i < std::min(list->size(), kMaxKeys) && mistakes.size() < kMaxKeyMistakes; ++i)
        if (auto key = Entry((*list)[i], i, text, mistakes).read()) keys.push_back(std::move(*key));
    if (mistakes.empty()) return keys;
    std::ranges::stable_sort(mistakes, {}, &KeyMistake::place);
    return std::unexpected(std::move(mistakes));
}

}  // namespace cli
