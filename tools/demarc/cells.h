// Cells that several tables share: states in words and colours, tags, counters. Pure; any thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/demarc/table.h"
#include "tools/demarc/value.h"

namespace cli {

Cell up_or_down(std::optional<bool> up);

// Interfaces that carry clear frames, by name as text() shows them.
std::set<std::string> unsecured_names(const Json& answer);

// "secured"; "BLOCKED": it has a SecY and nothing leaves; "UNSECURED": it carries clear frames; "-": not known.
Cell macsec_cell(const Json& interface, const std::set<std::string>& unsecured);

// "1101", "s20 30" (an 802.1ad tag has an s), "untagged".
std::string tags_text(const Json& tags);

// Why a SecY lets nothing out: a sentence.
std::string why_not_secured(const Json& secy);

// A number without grouping, as identifiers are written.
std::string id_text(const Json& object, std::string_view key);

// Strings of an array as pieces that wrap.
Cell strings_cell(const Json& array);

Cell worker_pair(const Json& port);

// "Label   text, text": facts below each other, the texts wrapping beside their label.
class Facts {
public:
    explicit Facts(unsigned indent = 2);
    void add(std::string_view label, std::vector<Piece> pieces, Tone label_tone = Tone::plain);
    void add_sentence(std::string_view label, std::string_view text, Tone tone);  // label and text in the tone
    std::string render(const Style&) const;

private:
    Table table_;
};

// Members of `object` that are numbers and start with `prefix`, those that are not zero: "in_pkts_late 3".
std::vector<Piece> nonzero_counters(const Json& object, std::string_view prefix);

// What went wrong on the way to and from the host, in numbers that are not zero.
std::vector<Piece> host_troubles(const Json& answer);

// "N what" in the tone when the number is there and not zero.
void add_if_any(std::vector<Piece>& pieces, const Json& object, std::string_view key, std::string_view what, Tone tone);

// Name -> sum over all workers of the numbers in `key` ("drops", "punts"), greatest first.
std::vector<std::pair<std::string, std::uint64_t>> reasons(const Json& answer, std::string_view key);

}  // namespace cli
