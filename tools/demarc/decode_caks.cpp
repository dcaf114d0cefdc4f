#include "tools/demarc/decode_caks.h"

#include <array>
#include <utility>

#include "macsec/secret.h"

namespace cli {
namespace {

using macsec::mka::Ckn;
using macsec::mka::KnownCak;

constexpr std::array<std::string_view, 2> kNames{"cak", "ckn"};
constexpr std::string_view kCakDigits = "32 or 64 hexadecimal digits";
constexpr std::string_view kCknDigits = "2 to 64 hexadecimal digits, two for each octet";

std::optional<Ckn> read_ckn(KeyEntry& entry) {
    const FlatMember* const m = entry.require("ckn", kCknDigits);
    if (m == nullptr || !entry.is_string(*m, kCknDigits)) return std::nullopt;
    Ckn ckn;
    const std::size_t octets = m->value.size() / 2;
    if (octets >= 1 && octets <= ckn.octets.size() && octets_from_hex(m->value, std::span(ckn.octets).first(octets))) {
        ckn.size = static_cast<std::uint8_t>(octets);
        return ckn;
    }
    entry.complain(m->at, m->name, "is not right; write " + std::string(kCknDigits));
    return std::nullopt;
}

std::optional<macsec::SecretBuffer> read_cak(KeyEntry& entry) {
    const FlatMember* const m = entry.require("cak", kCakDigits);
    if (m == nullptr || !entry.is_string(*m, kCakDigits)) return std::nullopt;
    if (m->value.size() != 32 && m->value.size() != 64) {
        entry.complain(m->at, m->name, "is not right; write " + std::string(kCakDigits));
        return std::nullopt;
    }
    auto cak = macsec::secret_from_hex(m->value, m->value.size() / 2);
    if (cak) return std::move(*cak);
    entry.complain(m->at, m->name, cak.error());
    return std::nullopt;
}

std::optional<KnownCak> read_known(KeyEntry& entry) {
    entry.judge_names(kNames);
    auto cak = read_cak(entry);
    const auto ckn = read_ckn(entry);
    if (!cak || !ckn) return std::nullopt;
    return KnownCak{std::move(*cak), *ckn};
}

}  // namespace

KeysOrMistakes<KnownCak> parse_caks(std::string_view text) { return read_key_list<KnownCak>(text, read_known); }

}  // namespace cli
