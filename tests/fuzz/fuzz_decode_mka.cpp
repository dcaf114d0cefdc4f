// Any octets as a frame before `demarc decode --mka-keys`: what is shown is one JSON document, and a line of a table.
// The first octet chooses: bit 0: they are an EAPOL PDU; bit 1: whose last 16 octets become the right
// ICV, if it is an MKPDU; bit 2: the capture cut the frame.
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "macsec/mka/keys.h"
#include "tools/demarc/decode_mka.h"
#include "tools/demarc/decode_view.h"

using namespace macsec;
using nlohmann::json;

namespace {

constexpr std::uint8_t kCakOctet = 0xC7;
const std::vector<std::uint8_t> kHeader{0x01, 0x80, 0xC2, 0, 0, 3, 2, 0, 0, 0, 0x0A, 1, 0x88, 0x8E};

void require(bool holds) {
    if (!holds) std::abort();
}

SecretBuffer cak() {
    auto secret = SecretBuffer::create(16);
    if (!secret) throw std::runtime_error(secret.error());
    std::ranges::fill(secret->writable(), kCakOctet);
    return std::move(*secret);
}

const mka::Ckn kCkn = *mka::Ckn::from(std::vector<std::uint8_t>{0xAA});

const mka::CakKeys& keys() {
    static const mka::CakKeys derived = *mka::derive_keys(cak().octets(), kCkn);
    return derived;
}

std::vector<std::uint8_t> frame_of(std::uint8_t choice, ConstOctets rest) {
    std::vector<std::uint8_t> frame;
    if ((choice & 1) != 0) frame = kHeader;
    frame.insert(frame.end(), rest.begin(), rest.end());
    if ((choice & 3) != 3) return frame;
    const std::size_t octets = mka::pdu_octets(rest);
    if (octets < mka::kMkaIcvOctets || !mka::peek_basic(rest)) return frame;
    const std::size_t covered = octets - mka::kMkaIcvOctets;
    const auto icv = mka::icv(keys().ick, kHeader, rest.first(covered));
    require(icv.has_value());
    std::ranges::copy(*icv, frame.begin() + static_cast<std::ptrdiff_t>(kHeader.size() + covered));
    return frame;
}

bool is_printable(const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= 0x20 && c <= 0x7E); });
}

// One document, and a table.
void judge(const cli::CapturedFrame& captured, const cli::DecodedMkpdu& mkpdu) {
    cli::DecodeEnd end;
    end.totals.count(mkpdu);
    require(end.totals.all_ok() == mkpdu.is_ok());
    cli::DecodeJson as_json;
    std::string document = as_json.add(captured, mkpdu);
    document += as_json.end(end);
    const json parsed = json::parse(document);
    const json& shown = parsed.at("frames").at(0);
    require(shown.at("kind") == "mkpdu" && shown.contains("error") != shown.contains("icv"));
    cli::DecodeTable table({.width = 80, .color = false}, true);
    std::string lines = table.add(captured, mkpdu);
    lines += table.end(end);
    require(is_printable(document) && is_printable(lines));
    require(std::ranges::count(lines, '\n') == 5);  // heading, frame, empty line, totals, MKPDUs
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::vector<std::uint8_t> frame = frame_of(data[0], {data + 1, size - 1});
    std::vector<mka::KnownCak> known;
    known.push_back({.cak = cak(), .ckn = kCkn});
    auto decoder = cli::MkaDecoder::create(known);
    require(decoder.has_value());
    const cli::CapturedFrame captured{.octets = frame, .octets_on_wire = frame.size() + (data[0] >> 2 & 1), .time = {}};
    for (int seen = 0; seen < 2; ++seen) {
        const auto mkpdu = decoder->decode(captured);
        if (!mkpdu) return 0;
        judge(captured, *mkpdu);
        const auto told = decoder->take_new_keys(0);
        require(told.has_value() && (seen == 0 || told->empty()) && (mkpdu->is_ok() || told->empty()));
    }
    return 0;
}
