// 1. the text as flat objects, which are views into it
// 2. each object: its names, then its members one by one
// 3. the SAK last: digits to locked memory to an expanded key
#include "tools/demarc/decode_keys.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "macsec/secret.h"

namespace cli {
namespace {

using macsec::CipherSuite;

constexpr std::array<std::string_view, 8> kNames{"sci", "suite", "an", "sak", "ssci", "salt", "offset", "lowest_pn"};
constexpr std::string_view kSuites = "gcm-aes-128, gcm-aes-256, gcm-aes-xpn-128 or gcm-aes-xpn-256";

// One object of the list.
class Entry {
public:
    explicit Entry(KeyEntry& entry) : entry_(entry) {}

    std::optional<DecodeKey> read() {
        entry_.judge_names(kNames);
        macsec::SaDescription d;
        const auto suite = read_suite();
        if (const auto* m = entry_.require("sci", "16 hexadecimal digits: MAC address, then port identifier"))
            d.sci = read_sci(*m);
        if (const auto* m = entry_.require("an", "a number, 0 to 3"))
            d.an = macsec::An{static_cast<std::uint8_t>(entry_.number(*m, 0, 3))};
        const FlatMember* const sak = entry_.require("sak", "hexadecimal digits");
        if (!suite) return std::nullopt;
        d.suite = *suite;
        macsec::is_xpn(*suite) ? read_xpn(d) : refuse_xpn();
        d.confidentiality_offset = read_offset(*suite);
        const auto lowest_pn = read_lowest_pn(*suite);
        if (sak == nullptr) return std::nullopt;
        auto key = read_sak(*sak, *suite);
        if (!key) return std::nullopt;
        return DecodeKey{d, std::move(*key), lowest_pn};
    }

private:
    macsec::Sci read_sci(const FlatMember& m) {
        std::array<std::uint8_t, 8> octets{};
        entry_.octets(m, octets);
        return macsec::Sci{macsec::load_be64(octets.data())};
    }

    std::optional<CipherSuite> read_suite() {
        const FlatMember* const m = entry_.require("suite", kSuites);
        if (m == nullptr || !entry_.is_string(*m, kSuites)) return std::nullopt;
        const auto suite = macsec::cipher_suite_from(m->value);
        if (!suite) entry_.complain(m->at, m->name, fmt::format("is no cipher suite; write {}", kSuites));
        return suite;
    }

    void read_xpn(macsec::SaDescription& d) {
        if (const auto* m = entry_.require("ssci", "the transmitter's SSCI, a number; XPN needs it"))
            d.ssci = macsec::Ssci{static_cast<std::uint32_t>(entry_.number(*m, 1, UINT32_MAX))};
        if (const auto* m = entry_.require("salt", "24 hexadecimal digits; XPN needs it")) entry_.octets(*m, d.salt);
    }

    void refuse_xpn() {
        for (const std::string_view name : {"ssci", "salt"})
            if (const auto* m = entry_.find(name))
                entry_.complain(m->at, name, "belongs to XPN only; take it out, or write another suite");
    }

    std::uint8_t read_offset(CipherSuite suite) {
        const FlatMember* const m = entry_.find("offset");
        if (m == nullptr) return 0;
        const bool good = m->kind == ScalarKind::number && (m->value == "0" || m->value == "30" || m->value == "50");
        if (!good) entry_.complain(m->at, m->name, "is not right; write 0, 30 or 50, without quotes");
        if (!good || m->value == "0") return 0;
        // As in a configuration (rule offset-xpn): these suites have none.
        if (macsec::is_xpn(suite)) entry_.complain(m->at, m->name, "does not go with XPN; write 0, or take it out");
        return m->value == "30" ? 30 : 50;
    }

    std::optional<std::uint64_t> read_lowest_pn(CipherSuite suite) {
        const FlatMember* const m = entry_.find("lowest_pn");
        if (m == nullptr) return std::nullopt;
        return entry_.number(*m, 1, macsec::pn_end(suite) - 1);
    }

    std::optional<macsec::AeadKey> read_sak(const FlatMember& m, CipherSuite suite) {
        const std::size_t octets = macsec::sak_octets(suite);
        if (!entry_.is_string(m, fmt::format("{} hexadecimal digits", 2 * octets))) return std::nullopt;
        const auto sak = macsec::secret_from_hex(m.value, octets);
        auto key = sak ? macsec::AeadKey::create(suite, sak->octets()) : std::unexpected(sak.error());
        if (key) return std::move(*key);
        entry_.complain(m.at, m.name, key.error());
        return std::nullopt;
    }

    KeyEntry& entry_;
};

}  // namespace

KeysOrMistakes<DecodeKey> parse_decode_keys(std::string_view text) {
    return read_key_list<DecodeKey>(text, [](KeyEntry& entry) { return Entry(entry).read(); });
}

}  // namespace cli
