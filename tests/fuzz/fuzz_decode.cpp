// Any octets as a frame of a capture before `demarc decode`, with a key of every suite: an EtherType is found behind
// tags only; nothing opens that nobody protected, or that was cut or changed since; what is shown is one JSON document,
// and a table.
//
//   octet 0: bits 0-1 suite, bit 2 protect the rest first, bits 3-4 the form of SCI, bit 5 the capture cut the frame,
//            bit 6 change an octet, bit 7 replay protection
//   octet 1: which octet changes, of the last 256; the rest: the frame
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "macsec/sectag.h"
#include "tools/demarc/decode.h"
#include "tools/demarc/decode_view.h"

using namespace macsec;
using nlohmann::json;

namespace {

constexpr std::size_t kMargin = 64;
constexpr Sci kSci{0x0200'0000'0a01'0001u};
constexpr std::uint8_t kSource[] = {2, 0, 0, 0, 0x0a, 1};  // as ES and SCB stand for it

void require(bool holds) {
    if (!holds) std::abort();
}

SaDescription describe(CipherSuite suite) {
    SaDescription d{.suite = suite, .an = An{static_cast<std::uint8_t>(suite)}, .sci = kSci};
    if (is_xpn(suite)) d.ssci = Ssci{1};
    return d;
}

AeadKey key_of(CipherSuite suite) {
    auto key = AeadKey::create(suite, std::vector<std::uint8_t>(sak_octets(suite), 0x42));
    require(key.has_value());
    return std::move(*key);
}

// Empty if it is no frame that can be protected.
std::vector<std::uint8_t> protect_as(std::uint8_t choice, ConstOctets plain) {
    std::vector<std::uint8_t> room(plain.size() + 2 * kMargin);
    std::copy(plain.begin(), plain.end(), room.begin() + kMargin);
    Frame f{.data = room.data() + kMargin,
            .length = static_cast<std::uint32_t>(plain.size()),
            .headroom = kMargin,
            .tailroom = kMargin};
    const auto suite = static_cast<CipherSuite>(choice & 3);
    TransmitSa sa(describe(suite), key_of(suite), 7);
    sa.pn_ceiling = 8;
    TransmitCounters counters;
    protect({.sci = kSci, .form = static_cast<SciForm>(choice >> 3 & 3), .sa = &sa, .counters = &counters}, {&f, 1});
    if (f.verdict != Verdict::ok) return {};
    return {f.data, f.data + f.length};
}

void judge_ethertype(ConstOctets frame) {
    const auto at = cli::ethertype_at(frame);
    const auto is_tag = [&](std::size_t i) {
        const std::uint16_t type = load_be16(frame.data() + i);
        return type == 0x8100 || type == 0x88A8 || type == 0x9100;
    };
    std::size_t i = 12;
    while (i + 2 <= frame.size() && is_tag(i)) i += 4;
    require(at.has_value() == (i + 2 <= frame.size()) && (!at || *at == i));
}

void judge_views(const cli::CapturedFrame& captured, const cli::DecodedFrame& frame) {
    cli::DecodeEnd end;
    end.totals.count(frame);
    cli::DecodeJson as_json;
    std::string document = as_json.add(captured, frame);
    document += as_json.end(end);
    const json parsed = json::parse(document);
    const json& shown = parsed.at("frames").at(0);
    require((shown.at("kind") == "macsec") == (frame.kind == cli::FrameKind::macsec));
    require(shown.contains("plaintext") == frame.is_ok());
    cli::DecodeTable table({.width = 80, .color = false}, false);
    std::string lines = table.add(captured, frame);
    lines += table.end(end);
    require(!lines.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 4096) return 0;
    const std::uint8_t choice = data[0];
    std::vector<std::uint8_t> plain(data + 2, data + size);
    const bool is_protected = (choice & 4) != 0;
    if (is_protected && plain.size() >= 12) std::ranges::copy(kSource, plain.begin() + 6);
    std::vector<std::uint8_t> frame = is_protected ? protect_as(choice, plain) : plain;
    if (frame.empty()) return 0;
    const bool is_changed = (choice & 0x40) != 0;
    if (is_changed) frame[frame.size() - 1 - std::min<std::size_t>(data[1], frame.size() - 1)] ^= 0x10;
    judge_ethertype(frame);
    cli::Decoder decoder((choice & 0x80) != 0 ? std::optional(64u) : std::nullopt);
    for (std::uint8_t s = 0; s < 4; ++s) {
        const auto suite = static_cast<CipherSuite>(s);
        decoder.add({describe(suite), key_of(suite), std::nullopt});
    }
    const bool is_cut = (choice & 0x20) != 0;
    const cli::CapturedFrame captured{.octets = frame, .octets_on_wire = frame.size() + is_cut, .time = {}};
    for (int seen = 0; seen < 2; ++seen) {
        const cli::DecodedFrame decoded = decoder.decode(captured);
        if (!is_protected || is_cut || is_changed)
            require(!decoded.is_ok());
        else if (seen == 0 || (choice & 0x80) == 0)
            require(decoded.is_ok() && decoded.plaintext.size() >= plain.size() &&
                    std::ranges::equal(plain, decoded.plaintext.first(plain.size())));
        else
            require(!decoded.is_ok());  // a PN comes once
        judge_views(captured, decoded);
    }
    return 0;
}
