#include "tools/demarc/decode_view_mka.h"

#include <fmt/format.h>

#include <utility>

#include "tools/demarc/decode_view.h"

namespace cli {
namespace {

using namespace macsec::mka;

constexpr std::string_view kCapabilities[] = {"none", "integrity", "confidentiality", "confidentiality-with-offsets"};

// A type that has no name is told by its number.
std::string set_word(std::uint8_t type) {
    const std::string_view known = word(SetType{type});
    return known == "unknown" ? fmt::format("type-{}", type) : std::string(known);
}

// wpa_supplicant writes a lowest PN of 1 for a key that is not there.
bool is_there(const KeyUse& use) { return use.transmits || use.receives || use.key != KeyIdentifier{}; }

// 64 bits where the XPN set has the upper half.
std::uint64_t lowest_pn(const KeyUse& use, std::optional<std::uint32_t> high) {
    return std::uint64_t{high.value_or(0)} << 32 | use.lowest_pn;
}

std::string peers_json(std::string_view name, const std::optional<PeerList>& list) {
    if (!list) return "";
    std::string text = fmt::format(R"(,"{}":[)", name);
    std::string_view comma;
    for (const Peer& peer : list->peers)
        text += fmt::format(R"({}{{"mi":"{}","mn":{}}})", std::exchange(comma, ","), hex_text(peer.mi.octets), peer.mn);
    return text + "]";
}

std::string use_json(std::string_view name, const KeyUse& use, std::optional<std::uint32_t> high) {
    if (!is_there(use)) return "";
    return fmt::format(R"("{}":{{"an":{},"key_server":"{}","key_number":{},"lowest_pn":{},"tx":{},"rx":{}}},)", name,
                       use.an.value, hex_text(use.key.server.octets), use.key.number, lowest_pn(use, high),
                       use.transmits, use.receives);
}

std::string sak_use_json(const Mkpdu& pdu) {
    if (!pdu.sak_use) return "";
    const SakUse& use = *pdu.sak_use;
    std::optional<std::uint32_t> latest_high, old_high;
    if (pdu.xpn) latest_high = pdu.xpn->latest_lowest_pn_high, old_high = pdu.xpn->old_lowest_pn_high;
    return fmt::format(R"(,"sak_use":{{{}{}"plain_tx":{},"plain_rx":{},"delay_protect":{}}})",
                       use_json("latest", use.latest, latest_high), use_json("old", use.old, old_high),
                       use.plain_transmit, use.plain_receive, use.delay_protect);
}

bool is_unwrapped(const DecodedMkpdu& m) { return m.is_ok() && !m.seen->pdu.distributed_sak->wrapped.empty(); }

std::string suite_text(const DistributedSak& sak) {
    return sak.unknown_suite != 0 ? fmt::format("{:016x}", sak.unknown_suite) : std::string(to_string(sak.suite));
}

std::string distributed_json(const DecodedMkpdu& m) {
    constexpr unsigned kOffsets[] = {0, 0, 30, 50};
    if (!m.seen->pdu.distributed_sak) return "";
    const DistributedSak& sak = *m.seen->pdu.distributed_sak;
    if (sak.wrapped.empty()) return R"(,"distributed_sak":{"macsec":false})";
    return fmt::format(R"(,"distributed_sak":{{"an":{},"key_number":{},"cipher_suite":"{}","confidentiality":{},)"
                       R"("confidentiality_offset":{},"unwrapped":{}}})",
                       sak.an.value, sak.key_number, suite_text(sak),
                       sak.offset != ConfidentialityOffset::no_confidentiality,
                       kOffsets[static_cast<std::size_t>(sak.offset)], is_unwrapped(m));
}

std::string basic_json(const BasicSet& basic) {
    return fmt::format(
        R"(,"version":{},"ckn":"{}","key_server":{},"key_server_priority":{},"macsec_desired":{},"capability":"{}")",
        basic.mka_version, hex_text(basic.ckn.span()), basic.key_server, basic.key_server_priority,
        basic.macsec_desired, kCapabilities[static_cast<std::size_t>(basic.capability)]);
}

std::string sets_json(const Mkpdu& pdu) {
    std::string text = R"(,"sets":[)";
    std::string_view comma;
    for (const std::uint8_t type : pdu.order)
        text += fmt::format(R"({}"{}")", std::exchange(comma, ","), set_word(type));
    return text + "]";
}

std::string key_text(macsec::An an, std::uint32_t number) { return fmt::format("{}/{}", an.value, number); }

std::string use_text(std::string_view verb, const KeyUse& use) {
    if (!is_there(use)) return "";
    return fmt::format(", {} {}{}{}", verb, key_text(use.an, use.key.number), use.receives ? " rx" : "",
                       use.transmits ? " tx" : "");
}

std::string distributed_text(const DecodedMkpdu& m) {
    const auto& sak = m.seen->pdu.distributed_sak;
    if (!sak) return "";
    if (sak->wrapped.empty()) return ", no MACsec";
    return fmt::format(", SAK {}{}", key_text(sak->an, sak->key_number), is_unwrapped(m) ? "" : " not unwrapped");
}

std::string peers_text(std::string_view what, const std::optional<PeerList>& list) {
    return list ? fmt::format(", {} {}", list->peers.size(), what) : "";
}

// Sets of which nothing else is said.
std::string other_sets_text(const Mkpdu& pdu) {
    std::string text;
    for (const std::uint8_t type : pdu.order) {
        const SetType set{type};
        if (set == SetType::live_peer_list || set == SetType::potential_peer_list || set == SetType::sak_use ||
            set == SetType::distributed_sak || set == SetType::icv_indicator)
            continue;
        text += ", " + set_word(type);
    }
    return text;
}

const BasicSet* basic_of(const DecodedMkpdu& m) { return m.basic ? &*m.basic : nullptr; }

}  // namespace

Cell mkpdu_verdict(const DecodedMkpdu& m) {
    if (!m.seen) return {error_word(m), Tone::bad};
    return {mkpdu_word(m), m.is_ok() ? Tone::good : Tone::bad};
}

std::string mkpdu_line(const DecodedMkpdu& m) {
    const BasicSet* const basic = basic_of(m);
    if (basic == nullptr) return "MKPDU";
    std::string text = fmt::format("MN {}", basic->mn);
    if (m.seen) {
        const Mkpdu& pdu = m.seen->pdu;
        text += distributed_text(m);
        if (pdu.sak_use) text += use_text("uses", pdu.sak_use->latest) + use_text("old", pdu.sak_use->old);
        text += peers_text("live", pdu.live) + peers_text("potential", pdu.potential) + other_sets_text(pdu);
    }
    return text + (basic->key_server ? ", key server" : "");
}

std::string mkpdu_members(const DecodedMkpdu& m) {
    const BasicSet* const basic = basic_of(m);
    std::string text;
    if (basic != nullptr)
        text += fmt::format(R"(,"sci":"{}","mi":"{}","mn":{})", sci_text(basic->sci), hex_text(basic->mi.octets),
                            basic->mn);
    if (!m.seen) return text + fmt::format(R"(,"error":"{}")", error_word(m)) + (basic ? basic_json(*basic) : "");
    const Mkpdu& pdu = m.seen->pdu;
    text += fmt::format(R"(,"icv":"{}")", mkpdu_word(m)) + sets_json(pdu) + basic_json(*basic);
    return text + peers_json("live_peers", pdu.live) + peers_json("potential_peers", pdu.potential) +
           sak_use_json(pdu) + distributed_json(m);
}

}  // namespace cli
