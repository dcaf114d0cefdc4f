// Any octets as a key list of `demarc decode`, of SAKs and of CAKs: keys that it can use, or words that name a place in
// the text and hold no key.
#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "tools/demarc/decode_caks.h"
#include "tools/demarc/decode_keys.h"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

// No SAK is shorter than 32 digits; the greatest number of a message, 2^64 - 2, has 20.
bool shows_a_key(std::string_view message) {
    std::size_t run = 0;
    for (const char c : message) {
        run = std::isxdigit(static_cast<unsigned char>(c)) != 0 ? run + 1 : 0;
        if (run > 20) return true;
    }
    return false;
}

void judge(const cli::KeyMistake& mistake, std::string_view text) {
    require(!mistake.text.empty() && !shows_a_key(mistake.text));
    require(std::ranges::all_of(mistake.text, [](char c) { return c >= 0x20 && c <= 0x7E; }));
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    require(mistake.place.line >= 1 && mistake.place.line <= lines);
    require(mistake.place.column >= 1 && mistake.place.column <= text.size() + 1);
}

void judge_all(const std::vector<cli::KeyMistake>& mistakes, std::string_view text) {
    require(!mistakes.empty() && mistakes.size() <= cli::kMaxKeyMistakes);
    for (const auto& mistake : mistakes) judge(mistake, text);
}

void try_caks(std::string_view text) {
    const auto caks = cli::parse_caks(text);
    if (!caks) return judge_all(caks.error(), text);
    require(caks->size() <= cli::kMaxKeys);
    for (const auto& known : *caks) {
        require(known.cak.size() == 16 || known.cak.size() == 32);
        require(known.ckn.size >= 1 && known.ckn.size <= 32);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try_caks(text);
    auto keys = cli::parse_decode_keys(text);
    if (!keys) {
        judge_all(keys.error(), text);
        return 0;
    }
    require(keys->size() <= cli::kMaxKeys);
    cli::Decoder decoder(7);
    for (cli::DecodeKey& key : *keys) {
        const macsec::SaDescription& d = key.description;
        require(d.an.value < macsec::kAns && (macsec::is_xpn(d.suite) == (d.ssci.value != 0)));
        require(d.confidentiality_offset == 0 || !macsec::is_xpn(d.suite));
        require(!key.lowest_pn || (*key.lowest_pn > 0 && *key.lowest_pn < macsec::pn_end(d.suite)));
        decoder.add(std::move(key));
    }
    require(!decoder.decode({.octets = {data, size}, .octets_on_wire = size, .time = {}}).is_ok());
    return 0;
}
