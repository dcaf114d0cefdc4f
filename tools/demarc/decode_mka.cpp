// One frame:
//   1. clear tags aside, EtherType and packet type: EAPOL-MKA
//   2. what the Basic set says, which may be right where the rest is not
//   3. the observer: decode, ICV, unwrap
#include "tools/demarc/decode_mka.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cli {
namespace {

using namespace macsec::mka;

constexpr std::size_t kAddresses = 12, kTypeOctets = 2;

struct Eapol {
    std::array<std::uint8_t, kAddresses + kTypeOctets> addresses_and_type{};  // as the ICV covers them
    macsec::ConstOctets octets;
    bool usual_type{};  // 0x888E; links that pass no EAPOL through are given another
};

std::optional<Eapol> find_mka(macsec::ConstOctets frame) {
    const auto at = ethertype_at(frame);
    if (!at) return std::nullopt;
    const std::uint16_t type = macsec::load_be16(frame.data() + *at);
    Eapol eapol{.octets = frame.subspan(*at + kTypeOctets), .usual_type = type == macsec::kEtherTypeEapol};
    if (eapol.octets.size() < 2 || eapol.octets[1] != kEapolTypeMka) return std::nullopt;
    std::copy_n(frame.begin(), kAddresses, eapol.addresses_and_type.begin());
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(*at), kTypeOctets,
                eapol.addresses_and_type.begin() + kAddresses);
    return eapol;
}

}  // namespace

std::expected<MkaDecoder, std::string> MkaDecoder::create(std::span<const KnownCak> caks) {
    auto observer = Observer::create(caks);
    if (!observer) return std::unexpected(std::move(observer.error()));
    return MkaDecoder(std::move(*observer));
}

std::optional<DecodedMkpdu> MkaDecoder::decode(const CapturedFrame& captured) {
    const auto eapol = find_mka(captured.octets);
    if (!eapol) return std::nullopt;
    if (!eapol->usual_type && !observer_.knows_sender_of(eapol->octets)) return std::nullopt;
    DecodedMkpdu out;
    if (const auto basic = peek_basic(eapol->octets)) out.basic = *basic;
    auto seen = observer_.see(eapol->addresses_and_type, eapol->octets);
    if (seen) {
        out.seen = std::move(*seen);
        return out;
    }
    out.error = seen.error();
    out.truncated = captured.octets_on_wire > captured.octets.size() &&
                    (seen.error() == DecodeError::short_header || seen.error() == DecodeError::length_mismatch);
    return out;
}

std::expected<std::vector<DecodeKey>, std::string> MkaDecoder::take_new_keys(std::uint64_t mkpdu) {
    std::vector<DecodeKey> out;
    for (; taken_ < observer_.keys().size(); ++taken_) {
        const ObservedKey& observed = observer_.keys()[taken_];
        auto key = macsec::AeadKey::create(observed.suite, observed.sak->octets());
        if (!key) return std::unexpected(std::move(key.error()));
        out.push_back({.description = description_of(observed),
                       .key = std::move(*key),
                       .lowest_pn = std::nullopt,
                       .learned = Learned{.mkpdu = mkpdu, .key_number = observed.key.number}});
    }
    return out;
}

std::string_view mkpdu_word(const DecodedMkpdu& m) noexcept {
    if (!m.seen) return m.truncated ? "truncated" : "malformed";
    return m.seen->icv == IcvVerdict::unknown_ckn ? "no-key" : word(m.seen->icv);
}

std::string_view error_word(const DecodedMkpdu& m) noexcept {
    if (!m.error) return "";
    return m.truncated ? "truncated" : word(*m.error);
}

}  // namespace cli
