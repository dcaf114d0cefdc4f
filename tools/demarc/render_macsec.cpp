// `demarc show macsec`: one paragraph per SecY: state, how, transmit SC, receive SCs, frames that belong to none.
#include <fmt/format.h>

#include "tools/demarc/cells.h"
#include "tools/demarc/render.h"

namespace cli {
namespace {

void add_state(Facts& facts, const Json& secy) {
    const std::string policy = text(secy, "policy");
    const auto secured = flag(secy, "secured");
    if (policy == "off")
        facts.add("state", {{"UNSECURED", Tone::bad}, {"policy off"}});
    else if (secured == false)
        facts.add_sentence("BLOCKED", why_not_secured(secy), Tone::bad);
    else
        facts.add("state", {secured ? Piece{"secured", Tone::good} : Piece{std::string(kNothing)}, {policy}});
}

Piece replay(const Json& secy) {
    const Json& window = member(secy, "replay_window");
    if (const auto n = number(window)) return {fmt::format("replay window {}", grouped(*n))};
    if (text(window) == "off") return {"replay protection off", Tone::warning};
    return {"replay window -"};
}

std::vector<Piece> cipher(const Json& secy) {
    const auto confidential = flag(secy, "confidentiality");
    return {{text(secy, "cipher_suite")},
            {!confidential   ? "confidentiality -"
             : *confidential ? "encrypted"
                             : "integrity only",
             confidential == false ? Tone::warning : Tone::plain},
            replay(secy)};
}

void add_counters(Facts& facts, const Json& object, std::string_view prefix) {
    auto counters = nonzero_counters(object, prefix);
    if (!counters.empty()) facts.add("", std::move(counters));
}

void add_transmit(Facts& facts, const Json& secy) {
    const Json& tx = members(secy, "transmit");
    std::vector<Piece> pieces{{fmt::format("SCI {}", text(secy, "sci"))},
                              {fmt::format("AN {}", id_text(tx, "an"))},
                              {fmt::format("next PN {}", count_text(tx, "next_pn"))},
                              {fmt::format("lease up to {}", count_text(tx, "pn_ceiling"))},
                              {fmt::format("key {}", text(tx, "key"))}};
    if (flag(tx, "needs_new_sak") == true) pieces.push_back({"NEW SAK DUE", Tone::bad});
    facts.add("transmit", std::move(pieces));
    add_counters(facts, tx, "out_");
}

void add_receive(Facts& facts, const Json& sc) {
    facts.add("receive", {{fmt::format("SCI {}", text(sc, "sci"))}});
    for (const Json& sa : list(sc, "sas"))
        facts.add("", {{fmt::format("AN {}", id_text(sa, "an"))},
                       {fmt::format("next PN {}", count_text(sa, "next_pn"))},
                       {fmt::format("lowest PN {}", count_text(sa, "lowest_pn"))},
                       {fmt::format("key {}", text(sa, "key"))}});
    add_counters(facts, sc, "in_");
}

std::string paragraph(const Json& secy, const Style& style) {
    const Json& clear_tags = list(secy, "clear_tags");
    std::string title = paint(text(secy, "port"), Tone::strong, style);
    if (!clear_tags.empty()) title += fmt::format(" behind clear tags {}", tags_text(clear_tags));
    Facts facts;
    add_state(facts, secy);
    facts.add("cipher", cipher(secy));
    add_transmit(facts, secy);
    for (const Json& sc : list(secy, "receive")) add_receive(facts, sc);
    auto strays = nonzero_counters(secy, "in_");
    if (!strays.empty()) facts.add("no SC", std::move(strays));
    return title + "\n" + facts.render(style);
}

}  // namespace

std::string render_macsec(const Json& a, const Style& style) {
    std::string out;
    for (const Json& secy : list(a, "macsec")) {
        if (!out.empty()) out += '\n';
        out += paragraph(secy, style);
    }
    return out.empty() ? "no SecYs: no port has MACsec\n" : out;
}

}  // namespace cli
