#include "tools/demarc/decode_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "tools/demarc/cells.h"
#include "tools/demarc/decode_view_mka.h"

namespace cli {
namespace {

// Seconds from `zero` to `time` with `digits` decimals, 6 or 9; whatever a capture claims, nothing overflows.
std::string seconds_text(const CaptureTime& time, const CaptureTime& zero, int digits) {
    __extension__ using Wide = __int128;
    constexpr Wide kSecond = 1'000'000'000;
    Wide ns = (Wide{time.seconds} - zero.seconds) * kSecond + time.nanoseconds - zero.nanoseconds;
    const bool negative = ns < 0;
    if (negative) ns = -ns;
    const auto whole = static_cast<std::uint64_t>(ns / kSecond % (Wide{1} << 64));
    const auto part = static_cast<std::uint64_t>(ns % kSecond);
    return fmt::format("{}{}.{:0{}}", negative ? "-" : "", whole, digits == 9 ? part : part / 1000, digits);
}

Cell verdict_cell(const DecodedFrame& f) {
    if (f.kind == FrameKind::other) return {kNothing, Tone::dim};
    return {verdict_word(f), f.is_ok() ? Tone::good : Tone::bad};
}

std::string_view kind_word(FrameKind kind) { return kind == FrameKind::macsec ? "macsec" : "other"; }

// ok first.
void add_words(std::vector<Piece>& pieces, const std::map<std::string_view, std::uint64_t>& words) {
    for (const bool ok : {true, false})
        for (const auto& [word, n] : words)
            if ((word == "ok") == ok)
                pieces.push_back({fmt::format("{} {}", grouped(n), word), ok ? Tone::good : Tone::bad});
}

std::vector<Piece> totals_pieces(const DecodeTotals& totals) {
    std::vector<Piece> pieces{{fmt::format("{} frames", grouped(totals.frames))}};
    add_words(pieces, totals.verdicts);
    if (totals.other != 0) pieces.push_back({fmt::format("{} other", grouped(totals.other))});
    return pieces;
}

std::vector<Piece> mkpdu_pieces(const DecodeTotals& totals) {
    std::vector<Piece> pieces;
    add_words(pieces, totals.mkpdus);
    if (totals.saks_not_unwrapped != 0)
        pieces.push_back({fmt::format("{} with a SAK not unwrapped", grouped(totals.saks_not_unwrapped)), Tone::bad});
    return pieces;
}

std::vector<Piece> key_pieces(const KeyReport& key) {
    std::vector<Piece> pieces{{fmt::format("SCI {}", sci_text(key.description.sci))},
                              {fmt::format("AN {}", key.description.an.value)},
                              {std::string(to_string(key.description.suite))}};
    if (key.learned)
        pieces.push_back({fmt::format("key number {} of MKPDU {}", key.learned->key_number, key.learned->mkpdu)});
    if (key.opened == 0)
        pieces.push_back({"opened no frame", Tone::warning});
    else
        pieces.push_back({fmt::format("opened {}", grouped(key.opened)), Tone::good});
    if (key.opened != 0) pieces.push_back({fmt::format("PN {} to {}", key.least_pn, key.greatest_pn)});
    if (key.upper_half) pieces.push_back({fmt::format("upper half {}", *key.upper_half)});
    if (key.search_spent)
        pieces.push_back({fmt::format("upper halves 0 to 255 tried in vain on its first {} frames", kSearchedFrames),
                          Tone::warning});
    if (key.search_spent) pieces.push_back({"lowest_pn may help", Tone::warning});
    return pieces;
}

std::string key_json(const KeyReport& key, std::size_t index) {
    std::string text =
        fmt::format(R"({{"key":{},"sci":"{}","an":{},"suite":"{}","ok":{})", index, sci_text(key.description.sci),
                    key.description.an.value, to_string(key.description.suite), key.opened);
    if (key.opened != 0) text += fmt::format(R"(,"least_pn":{},"greatest_pn":{})", key.least_pn, key.greatest_pn);
    if (key.upper_half) text += fmt::format(R"(,"upper_half":{})", *key.upper_half);
    if (!key.learned) return text + "}";
    if (is_xpn(key.description.suite)) text += fmt::format(R"(,"ssci":{})", key.description.ssci.value);
    text += fmt::format(R"(,"mkpdu":{},"key_number":{})", key.learned->mkpdu, key.learned->key_number);
    return text + "}";
}

}  // namespace

void DecodeTotals::count(const DecodedFrame& f) {
    ++frames;
    if (f.kind == FrameKind::other)
        ++other;
    else
        ++verdicts[verdict_word(f)];
}

void DecodeTotals::count(const DecodedMkpdu& m) {
    ++frames;
    ++mkpdus[mkpdu_word(m)];
    if (m.seen && !m.seen->sak_error.empty()) ++saks_not_unwrapped;
}

bool DecodeTotals::all_ok() const {
    const auto is_ok = [](const auto& v) { return v.first == "ok"; };
    return std::ranges::all_of(verdicts, is_ok) && std::ranges::all_of(mkpdus, is_ok) && saks_not_unwrapped == 0;
}

DecodeTable::DecodeTable(const Style& style, bool mka) : style_(style), mka_(mka) {
    table_.columns = {{.title = "index", .align = Align::right},
                      {.title = "kind", .drop = 3, .least = 6},
                      {.title = "time", .align = Align::right, .drop = 2, .least = 9},
                      {.title = "length", .align = Align::right, .drop = 1},
                      {.title = "sci", .least = 16},
                      {.title = "an", .align = Align::right},
                      {.title = "pn", .align = Align::right, .least = 10},
                      {.title = "verdict", .least = 9}};
    if (mka) table_.columns.push_back({.title = "mkpdu"});
}

std::string DecodeTable::add(const CapturedFrame& captured, const DecodedFrame& f) {
    return add_row(captured, {kind_word(f.kind), f.sci ? sci_text(*f.sci) : std::string(kNothing),
                              f.an ? std::to_string(f.an->value) : std::string(kNothing),
                              f.pn ? std::to_string(*f.pn) : std::string(kNothing), verdict_cell(f), kNothing});
}

std::string DecodeTable::add(const CapturedFrame& captured, const DecodedMkpdu& m) {
    return add_row(captured, {"mkpdu", m.basic ? sci_text(m.basic->sci) : std::string(kNothing), kNothing, kNothing,
                              mkpdu_verdict(m), mkpdu_line(m)});
}

// cells: kind, SCI, AN, PN, verdict, MKPDU.
std::string DecodeTable::add_row(const CapturedFrame& captured, Row cells) {
    if (!first_) first_ = captured.time;
    if (!mka_) cells.pop_back();
    Row row{std::to_string(index_++), std::move(cells.front()), seconds_text(captured.time, *first_, 6),
            std::to_string(captured.octets_on_wire)};
    std::move(cells.begin() + 1, cells.end(), std::back_inserter(row));
    table_.rows.push_back(std::move(row));
    return table_.rows.size() < kTablePart ? "" : take_part();
}

std::string DecodeTable::take_part() {
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
        std::size_t& least = table_.columns[c].least;
        least = std::max(least, table_.columns[c].title.size());
        for (const Row& row : table_.rows) least = std::max(least, row[c].pieces.front().text.size());
    }
    const std::string text = render(table_, style_);
    table_.rows.clear();
    table_.heading = false;
    return text;
}

std::string DecodeTable::end(const DecodeEnd& end) {
    std::string text = index_ == 0 ? "" : take_part() + "\n";
    Facts facts(0);
    facts.add("totals", totals_pieces(end.totals));
    if (!end.totals.mkpdus.empty()) facts.add("mkpdus", mkpdu_pieces(end.totals));
    if (end.written) facts.add("written", {{fmt::format("{} frames in clear", grouped(*end.written))}});
    for (std::size_t i = 0; i < end.keys.size(); ++i) facts.add(fmt::format("key [{}]", i), key_pieces(end.keys[i]));
    return text + facts.render(style_);
}

std::string DecodeJson::begin(const CapturedFrame& captured, std::string_view kind) {
    const std::uint64_t index = index_++;
    return fmt::format(R"({}{{"index":{},"kind":"{}","time":{},"length":{})", index == 0 ? "{\"frames\":[\n" : ",\n",
                       index, kind, seconds_text(captured.time, {}, 9), captured.octets_on_wire);
}

std::string DecodeJson::add(const CapturedFrame& captured, const DecodedMkpdu& m) {
    return begin(captured, "mkpdu") + mkpdu_members(m) + "}";
}

std::string DecodeJson::add(const CapturedFrame& captured, const DecodedFrame& f) {
    std::string text = begin(captured, kind_word(f.kind));
    if (f.sci) text += fmt::format(R"(,"sci":"{}")", sci_text(*f.sci));
    if (f.an) text += fmt::format(R"(,"an":{})", f.an->value);
    if (f.pn) text += fmt::format(R"(,"pn":{})", *f.pn);
    if (f.kind == FrameKind::macsec) text += fmt::format(R"(,"verdict":"{}")", verdict_word(f));
    if (f.key) text += fmt::format(R"(,"key":{})", *f.key);
    if (f.is_ok()) text += fmt::format(R"(,"plaintext":"{}")", hex_text(f.plaintext));
    return text + "}";
}

std::string DecodeJson::end(const DecodeEnd& end) {
    std::string text = index_ == 0 ? "{\"frames\":[],\"totals\":{" : "\n],\"totals\":{";
    std::string_view comma;
    const auto add_total = [&](std::string_view word, std::uint64_t n) {
        text += fmt::format("{}\"{}\":{}", std::exchange(comma, ","), word, n);
    };
    for (const auto& [word, n] : end.totals.verdicts) add_total(word, n);
    if (end.totals.other != 0) add_total("other", end.totals.other);
    if (!end.totals.mkpdus.empty()) {
        text += fmt::format("{}\"mkpdus\":{{", std::exchange(comma, ""));
        for (const auto& [word, n] : end.totals.mkpdus) add_total(word, n);
        text += "}";
    }
    text += "},\"keys\":[";
    for (std::size_t i = 0; i < end.keys.size(); ++i) text += (i == 0 ? "" : ",") + key_json(end.keys[i], i);
    text += "]";
    if (end.written) text += fmt::format(",\"written\":{}", *end.written);
    if (!end.error.empty()) text += ",\"error\":" + Json(end.error).dump(-1, ' ', true, Json::error_handler_t::replace);
    return text + "}\n";
}

std::string sci_text(macsec::Sci sci) { return fmt::format("{:016x}", sci.value); }

std::string hex_text(macsec::ConstOctets octets) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * octets.size());
    for (const std::uint8_t o : octets) {
        text += digits[o >> 4];
        text += digits[o & 15];
    }
    return text;
}

}  // namespace cli
