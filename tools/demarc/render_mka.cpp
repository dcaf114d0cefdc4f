// `demarc show mka`: one paragraph per KaY: state, who is key server, the SAKs, a line per CAK and one per peer, what
// went wrong. `demarc show history`: its transitions. `demarc mka rekey`.
#include <fmt/format.h>

#include "tools/demarc/cells.h"
#include "tools/demarc/render.h"

namespace cli {
namespace {

std::string seconds_text(const Json& object, std::string_view key) {
    const auto seconds = real(object, key);
    return seconds ? fmt::format("{:.1f} s", *seconds) : std::string(kNothing);
}

void add_state(Facts& facts, const Json& kay) {
    const Piece cp{fmt::format("{} for {}", text(kay, "cp_state"), seconds_text(kay, "cp_age_s"))};
    if (flag(kay, "keeps_last_sak") == true)
        facts.add("state", {{"KEEPS THE LAST SAK", Tone::bad}, {"no live peer"}, cp});
    else if (flag(kay, "secured") == true)
        facts.add("state", {{"secured", Tone::good}, cp});
    else
        facts.add_sentence("BLOCKED", why_not_secured(kay), Tone::bad);
}

void add_server(Facts& facts, const Json& kay) {
    std::vector<Piece> pieces;
    if (flag(kay, "is_key_server") == true)
        pieces.push_back({"this router"});
    else
        pieces.push_back({text(kay, "key_server")});
    pieces.push_back({fmt::format("our priority {}", id_text(kay, "key_server_priority"))});
    if (real(kay, "next_rekey_s")) pieces.push_back({fmt::format("next SAK in {}", seconds_text(kay, "next_rekey_s"))});
    facts.add("key server", std::move(pieces));
}

// The key identifier as MKA writes it: who made it, and its number.
void add_key(Facts& facts, const Json& kay, std::string_view key, std::string_view label) {
    const Json& sak = members(kay, key);
    if (sak.empty()) return;
    const auto uses = [&](std::string_view what, std::string_view word) {
        return Piece{fmt::format("{}{}", flag(sak, what) == true ? "" : "not ", word)};
    };
    std::vector<Piece> pieces{{fmt::format("number {}", id_text(sak, "key_number"))},
                              {fmt::format("AN {}", id_text(sak, "an"))},
                              uses("receives", "receiving"),
                              uses("transmits", "transmitting"),
                              {fmt::format("age {}", seconds_text(sak, "age_s"))},
                              {fmt::format("next PN {}", count_text(sak, "next_pn"))},
                              {fmt::format("{} members", id_text(sak, "members"))}};
    if (number(sak, "ssci").value_or(0) != 0) pieces.push_back({fmt::format("SSCI {}", id_text(sak, "ssci"))});
    facts.add(label, std::move(pieces));
}

void add_peer(Facts& facts, const Json& peer) {
    const bool live = flag(peer, "live") == true;
    facts.add("", {{live ? "live peer" : "potential peer", live ? Tone::good : Tone::warning},
                   {text(peer, "sci")},
                   {fmt::format("MN {}", id_text(peer, "mn"))},
                   {fmt::format("priority {}", id_text(peer, "priority"))},
                   {fmt::format("heard {} ago", seconds_text(peer, "last_heard_s"))}});
}

void add_participant(Facts& facts, const Json& p) {
    std::vector<Piece> pieces{{text(p, "ckn")}, {text(p, "state")}};
    if (flag(p, "principal") == true) pieces.push_back({"principal", Tone::good});
    if (flag(p, "speaks") == true) pieces.push_back({fmt::format("MN {}", count_text(p, "mn"))});
    if (number(p, "wrong_cak").value_or(0) != 0)
        pieces.push_back({fmt::format("{} PDUs made with another CAK", count_text(p, "wrong_cak")), Tone::bad});
    facts.add("CKN", std::move(pieces));
    for (const Json& peer : list(p, "peers")) add_peer(facts, peer);
}

// How punctual our PDUs are; the gap is MKA Hello Time when all is well.
void add_hellos(Facts& facts, const Json& kay) {
    const Json& h = members(kay, "hellos");
    const auto count = [&](std::string_view key) { return number(h, key).value_or(0); };
    const std::uint64_t on_time = count("on_time");
    const std::uint64_t late = count("late_50_ms") + count("late_250_ms") + count("late_1_s");
    if (on_time + late == 0) return;
    facts.add("hellos", {{fmt::format("longest gap {}", seconds_text(h, "longest_gap_s"))},
                         {fmt::format("{} of {} more than 50 ms late", late, on_time + late),
                          late == 0 ? Tone::plain : Tone::warning}});
}

std::string title(const Json& of, const Style& style) {
    const Json& clear_tags = list(of, "clear_tags");
    std::string text_of_it = paint(text(of, "port"), Tone::strong, style);
    if (!clear_tags.empty()) text_of_it += fmt::format(" behind clear tags {}", tags_text(clear_tags));
    return text_of_it + "\n";
}

std::string paragraph(const Json& kay, const Style& style) {
    Facts facts;
    add_state(facts, kay);
    facts.add("SCI", {{text(kay, "sci")}});
    add_server(facts, kay);
    // Between two rotations the standard's "old" SAK is the only one.
    add_key(facts, kay, "latest", "new SAK");
    add_key(facts, kay, "old", "SAK");
    for (const Json& p : list(kay, "participants")) add_participant(facts, p);
    add_hellos(facts, kay);
    auto counters = nonzero_counters(members(kay, "counters"), "");
    auto errors = nonzero_counters(members(members(kay, "counters"), "decode-errors"), "");
    counters.insert(counters.end(), errors.begin(), errors.end());
    if (!counters.empty()) facts.add("counters", std::move(counters));
    return title(kay, style) + facts.render(style);
}

Row transition_row(const Json& t) {
    const std::string from = text(t, "from"), to = text(t, "to");
    return {fmt::format("{} ago", seconds_text(t, "age_s")), from == to ? from : fmt::format("{} -> {}", from, to),
            Cell::sentence(text(t, "reason", kMaxSentence))};
}

}  // namespace

std::string render_mka(const Json& a, const Style& style) {
    std::string out;
    for (const Json& kay : list(a, "mka")) {
        if (!out.empty()) out += '\n';
        out += paragraph(kay, style);
    }
    return out.empty() ? "no KaYs: no port has mka\n" : out;
}

std::string render_history(const Json& a, const Style& style) {
    std::string out;
    for (const Json& kay : list(a, "history")) {
        Table table{
            .columns = {{.title = "WHEN", .align = Align::right}, {.title = "STATE"}, {.title = "WHY", .wrap = true}},
            .indent = 2};
        for (const Json& t : list(kay, "transitions")) table.rows.push_back(transition_row(t));
        if (!out.empty()) out += '\n';
        out += title(kay, style) + (table.rows.empty() ? "  nothing happened yet\n" : render(table, style));
    }
    return out;
}

std::string render_rekey(const Json& answer, const Style& style) {
    Facts facts;
    for (const Json& refused : list(answer, "refused"))
        facts.add_sentence("not",
                           fmt::format("behind clear tags {}: {}", tags_text(list(refused, "clear_tags")),
                                       text(refused, "reason")),
                           Tone::bad);
    return "a new SAK is asked for\n" + facts.render(style);
}

}  // namespace cli
