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
    std::vector<Piece> pieces{{text(secy, "cipher_suite")},
                              {!confidential   ? "confidentiality -"
                               : *confidential ? "encrypted"
                                               : "integrity only",
                               confidential == false ? Tone::warning : Tone::plain}};
    if (const auto offset = number(secy, "confidentiality_offset"); offset && *offset != 0)
        pieces.push_back({fmt::format("offset {}", *offset)});
    pieces.push_back(replay(secy));
    return pieces;
}

// What an operator of Linux MACsec looks for: protect, validate, send_sci or end_station or scb, ICV length.
std::vector<Piece> rules(const Json& secy) {
    const auto protects = flag(secy, "protect_frames");
    return {{fmt::format("protect {}", !protects   ? "-"
                                       : *protects ? "on"
                                                   : "off"),
             protects == false ? Tone::bad : Tone::plain},
            {fmt::format("validate {}", text(secy, "validate_frames"))},
            {fmt::format("SCI form {}", text(secy, "sci_form"))},
            {fmt::format("ICV {} octets", count_text(secy, "icv_octets"))}};
}

// The SSCI is part of a nonce under the XPN suites only.
void add_ssci(std::vector<Piece>& pieces, const Json& sa) {
    if (number(sa, "ssci")) pieces.push_back({fmt::format("SSCI {}", count_text(sa, "ssci"))});
}

void add_counters(Facts& facts, const Json& object, std::string_view prefix) {
    auto counters = nonzero_counters(object, prefix);
    if (!counters.empty()) facts.add("", std::move(counters));
}

void add_transmit(Facts& facts, const Json& secy) {
    const Json& tx = members(secy, "transmit");
    std::vector<Piece> sa{{fmt::format("SCI {}", text(secy, "sci"))}, {fmt::format("AN {}", id_text(tx, "an"))}};
    add_ssci(sa, tx);
    sa.push_back({fmt::format("next PN {}", count_text(tx, "next_pn"))});
    if (number(tx, "pn_ceiling")) sa.push_back({fmt::format("lease up to {}", count_text(tx, "pn_ceiling"))});
    sa.push_back({fmt::format("key {}", text(tx, "key"))});
    if (number(tx, "sa_out_pkts")) sa.push_back({fmt::format("OutPkts {}", count_text(tx, "sa_out_pkts"))});
    if (flag(tx, "needs_new_sak") == true) sa.push_back({"NEW SAK DUE", Tone::bad});
    facts.add("transmit", std::move(sa));
    add_counters(facts, tx, "out_");
}

void add_receive_sa(Facts& facts, const Json& sa) {
    std::vector<Piece> pieces{{fmt::format("AN {}", id_text(sa, "an"))}};
    add_ssci(pieces, sa);
    pieces.insert(pieces.end(), {{fmt::format("next PN {}", count_text(sa, "next_pn"))},
                                 {fmt::format("lowest PN {}", count_text(sa, "lowest_pn"))},
                                 {fmt::format("key {}", text(sa, "key"))}});
    auto counters = nonzero_counters(sa, "in_");
    pieces.insert(pieces.end(), counters.begin(), counters.end());
    facts.add("", std::move(pieces));
}

void add_receive(Facts& facts, const Json& sc) {
    facts.add("receive", {{fmt::format("SCI {}", text(sc, "sci"))}});
    for (const Json& sa : list(sc, "sas")) add_receive_sa(facts, sa);
    add_counters(facts, sc, "in_");
}

std::string paragraph(const Json& secy, const Style& style) {
    const Json& clear_tags = list(secy, "clear_tags");
    std::string title = paint(text(secy, "port"), Tone::strong, style);
    if (!clear_tags.empty()) title += fmt::format(" behind clear tags {}", tags_text(clear_tags));
    Facts facts;
    add_state(facts, secy);
    facts.add("cipher", cipher(secy));
    facts.add("rules", rules(secy));
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
