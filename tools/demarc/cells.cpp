#include "tools/demarc/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace cli {

Cell up_or_down(std::optional<bool> up) {
    if (!up) return kNothing;
    return *up ? Cell("up") : Cell("DOWN", Tone::bad);
}

std::set<std::string> unsecured_names(const Json& answer) {
    std::set<std::string> names;
    for (const Json& name : list(answer, "unsecured")) names.insert(text(name));
    return names;
}

Cell macsec_cell(const Json& interface, const std::set<std::string>& unsecured) {
    if (unsecured.contains(text(interface, "name"))) return {"UNSECURED", Tone::bad};
    const auto secured = flag(interface, "secured");
    if (!secured) {
        // A plain port is unsecured whether or not the answer lists it.
        const bool plain = interface.is_object() && interface.contains("secured") && interface["secured"].is_null();
        return plain ? Cell("UNSECURED", Tone::bad) : Cell(kNothing);
    }
    return *secured ? Cell("secured", Tone::good) : Cell("BLOCKED", Tone::bad);
}

std::string tags_text(const Json& tags) {
    if (!tags.is_array()) return std::string(kNothing);
    if (tags.empty()) return "untagged";
    std::string out;
    for (const Json& tag : tags) {
        const auto vid = number(tag, "vid");
        if (out.size() > kMaxText) break;
        out += fmt::format("{}{}{}", out.empty() ? "" : " ", text(tag, "tpid") == "0x88a8" ? "s" : "",
                           vid ? std::to_string(*vid) : std::string(kNothing));
    }
    return out;
}

std::string why_not_secured(const Json& secy) { return text(secy, "why_not_secured", kMaxSentence); }

std::string id_text(const Json& object, std::string_view key) {
    const auto n = number(object, key);
    return n ? std::to_string(*n) : std::string(kNothing);
}

Cell strings_cell(const Json& array) {
    std::vector<Piece> pieces;
    if (array.is_array())
        for (const Json& s : array) pieces.push_back({text(s)});
    if (pieces.empty()) return kNothing;
    return Cell(std::move(pieces));
}

Cell worker_pair(const Json& port) {
    return fmt::format("{}/{}", id_text(port, "receive_worker"), id_text(port, "transmit_worker"));
}

Facts::Facts(unsigned indent) {
    table_.columns = {{.title = ""}, {.title = "", .wrap = true}};
    table_.indent = indent;
    table_.heading = false;
}

void Facts::add(std::string_view label, std::vector<Piece> pieces, Tone label_tone) {
    if (pieces.empty()) pieces.push_back({std::string(kNothing)});
    table_.rows.push_back({Cell(label, label_tone), Cell(std::move(pieces))});
}

void Facts::add_sentence(std::string_view label, std::string_view text, Tone tone) {
    table_.rows.push_back({Cell(label, tone), Cell::sentence(text, tone)});
}

std::string Facts::render(const Style& style) const { return cli::render(table_, style); }

std::vector<Piece> nonzero_counters(const Json& object, std::string_view prefix) {
    std::vector<Piece> pieces;
    if (!object.is_object()) return pieces;
    for (const auto& [key, value] : object.items()) {
        const auto n = number(value);
        if (n && *n > 0 && key.starts_with(prefix))
            pieces.push_back({fmt::format("{} {}", text(Json(key)), grouped(*n))});
    }
    return pieces;
}

std::vector<Piece> host_troubles(const Json& answer) {
    std::vector<Piece> pieces;
    for (const auto& [word, value] : members(answer, "host").items())
        if (const auto n = number(value); n && *n > 0 && word != "to_host" && word != "from_host")
            pieces.push_back({fmt::format("{} {}", text(Json(word)), grouped(*n)), Tone::warning});
    return pieces;
}

void add_if_any(std::vector<Piece>& pieces, const Json& object, std::string_view key, std::string_view what,
                Tone tone) {
    if (const auto n = number(object, key); n && *n > 0)
        pieces.push_back({fmt::format("{} {}", grouped(*n), what), tone});
}

std::vector<std::pair<std::string, std::uint64_t>> reasons(const Json& answer, std::string_view key) {
    std::map<std::string, std::uint64_t> sums;
    for (const Json& worker : list(answer, "workers"))
        for (const auto& [word, value] : members(worker, key).items())
            if (const auto n = number(value); n && *n > 0) sums[text(Json(word))] += *n;
    std::vector<std::pair<std::string, std::uint64_t>> sorted(sums.begin(), sums.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    return sorted;
}

}  // namespace cli
