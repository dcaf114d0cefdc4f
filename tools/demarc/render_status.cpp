// 1. who answers
// 2. facts: links, what is unsecured or blocked, routes, FPM, frames, buffers, control
// 3. the interfaces
#include <fmt/format.h>

#include "tools/demarc/cells.h"
#include "tools/demarc/render.h"

namespace cli {
namespace {

constexpr double kLongestTurnMs = 5;  // of the control thread; longer is worth a look
constexpr std::size_t kReasonsShown = 5;

std::string heading(const Json& a, const Style& style) {
    const auto uptime = real(a, "uptime_s");
    std::vector<Piece> pieces{{text(a, "name"), Tone::strong},
                              {fmt::format("demarcd {}", text(a, "version"))},
                              {fmt::format("pid {}", id_text(a, "pid"))},
                              {fmt::format("up {}", uptime ? duration(*uptime) : std::string(kNothing))},
                              {fmt::format("generation {}", count_text(a, "generation"))}};
    Table table{.columns = {{.title = "", .wrap = true}}, .rows = {{Cell(std::move(pieces))}}, .heading = false};
    return render(table, style);
}

Piece part_of(std::size_t part, std::size_t whole, std::string_view what) {
    return {fmt::format("{} of {} {}", part, whole, what), part == whole ? Tone::good : Tone::bad};
}

// Links are the interfaces whose place has a SecY.
void add_links(Facts& facts, const Json& a) {
    std::size_t links = 0, secured = 0, up = 0;
    for (const Json& i : list(a, "interfaces")) {
        const auto is_secured = flag(i, "secured");
        if (!is_secured) continue;
        ++links;
        secured += *is_secured ? 1 : 0;
        up += flag(i, "carrier") == true ? 1 : 0;
    }
    if (links == 0)
        facts.add("links", {{"none has MACsec", Tone::bad}});
    else
        facts.add("links", {part_of(secured, links, "secured"), part_of(up, links, "up")});
}

void add_unsecured(Facts& facts, const Json& a) {
    std::vector<Piece> names;
    for (const Json& name : list(a, "unsecured")) names.push_back({text(name), Tone::bad});
    if (names.empty()) return;
    facts.add("UNSECURED", std::move(names), Tone::bad);
}

void add_blocked(Facts& facts, const Json& a) {
    for (const Json& secy : list(a, "macsec"))
        if (flag(secy, "secured") == false && text(secy, "policy") != "off")
            facts.add_sentence("BLOCKED", fmt::format("{}: {}", text(secy, "port"), why_not_secured(secy)), Tone::bad);
}

// Packet numbers near their end.
void add_new_sak(Facts& facts, const Json& a) {
    std::vector<Piece> ports;
    for (const Json& secy : list(a, "macsec"))
        if (flag(members(secy, "transmit"), "needs_new_sak") == true)
            ports.push_back({fmt::format("{} AN {}", text(secy, "port"), id_text(members(secy, "transmit"), "an")),
                             Tone::bad});
    if (!ports.empty()) facts.add("NEW SAK DUE", std::move(ports), Tone::bad);
}

void add_routes(Facts& facts, const Json& a) {
    const Json& routes = members(a, "routes");
    std::vector<Piece> pieces{{fmt::format("{} IPv4", count_text(routes, "ipv4"))},
                              {fmt::format("{} IPv6", count_text(routes, "ipv6"))}};
    add_if_any(pieces, routes, "pending", "pending", Tone::warning);
    add_if_any(pieces, routes, "refused", "refused", Tone::warning);
    add_if_any(pieces, routes, "full", "DO NOT FIT the FIB", Tone::bad);
    const Json& hops = list(a, "next_hops");
    std::size_t usable = 0;
    for (const Json& hop : hops) usable += flag(hop, "usable") == true ? 1 : 0;
    if (!hops.empty()) pieces.push_back(part_of(usable, hops.size(), "next hops usable"));
    facts.add("routes", std::move(pieces));
}

void add_fpm(Facts& facts, const Json& a) {
    const Json& fpm = members(a, "fpm");
    std::vector<Piece> pieces;
    if (flag(fpm, "connected") != true)
        pieces.push_back({fmt::format("zebra is NOT CONNECTED to {}", text(fpm, "listening")), Tone::bad});
    else if (flag(fpm, "synced") != true)
        pieces.push_back({"connected, not yet synced", Tone::warning});
    else
        pieces.push_back({"synced", Tone::good});
    add_if_any(pieces, fpm, "stale", "stale routes", Tone::warning);
    add_if_any(pieces, fpm, "errors", "errors", Tone::warning);
    facts.add("FPM", std::move(pieces));
}

std::uint64_t over_workers(const Json& a, std::string_view key) {
    std::uint64_t sum = 0;
    for (const Json& worker : list(a, "workers")) sum += number(worker, key).value_or(0);
    return sum;
}

void add_frames(Facts& facts, const Json& a) {
    facts.add("frames", {{fmt::format("received {}", short_count(over_workers(a, "received")))},
                         {fmt::format("transmitted {}", short_count(over_workers(a, "transmitted")))},
                         {fmt::format("punted {}", short_count(over_workers(a, "punted")))},
                         {fmt::format("dropped {}", short_count(over_workers(a, "dropped")))}});
    std::vector<Piece> pieces;
    for (const auto& [word, n] : reasons(a, "drops")) {
        if (pieces.size() == kReasonsShown) {
            pieces.push_back({"... (demarc show drops)"});
            break;
        }
        pieces.push_back({fmt::format("{} {}", word, short_count(n))});
    }
    if (!pieces.empty()) facts.add("drops", std::move(pieces));
    if (auto troubles = host_troubles(a); !troubles.empty()) facts.add("host path", std::move(troubles));
}

void add_control(Facts& facts, const Json& a) {
    const Json& pool = members(a, "pool");
    const auto free = number(pool, "free"), buffers = number(pool, "buffers");
    const bool scarce = free && buffers && *free < *buffers / 8;
    facts.add("buffers", {{fmt::format("{} of {} free", count_text(pool, "free"), count_text(pool, "buffers")),
                           scarce ? Tone::bad : Tone::plain}});
    const Json& control = members(a, "control");
    const auto turn = real(control, "longest_turn_ms");
    std::vector<Piece> pieces{{turn ? fmt::format("longest turn {:.1f} ms", *turn) : std::string("longest turn -"),
                               turn && *turn > kLongestTurnMs ? Tone::warning : Tone::plain},
                              {fmt::format("{} snapshots to retire", count_text(control, "retired_waiting"))}};
    add_if_any(pieces, control, "lease_failures", "packet-number leases NOT WRITTEN", Tone::bad);
    facts.add("control", std::move(pieces));
}

// Somebody looks at frames; where these are plain text of a secured port, everybody shall see it.
void add_captures(Facts& facts, const Json& a) {
    for (const Json& c : list(a, "captures")) {
        const bool plaintext = flag(c, "plaintext") == true;
        auto words = fmt::format("port {}, {} MACsec, {}: for uid {}, pid {}; {} captured, {} dropped", text(c, "port"),
                                 text(c, "point"), text(c, "direction"), id_text(c, "uid"), id_text(c, "pid"),
                                 count_text(c, "captured"), count_text(c, "dropped"));
        if (plaintext) words += "; PLAIN TEXT of a secured port";
        facts.add_sentence("capture", words, plaintext ? Tone::bad : Tone::warning);
    }
}

std::string facility_of(const Json& a, const std::string& port) {
    for (const Json& p : list(a, "ports"))
        if (text(p, "name") == port) return text(p, "facility");
    return std::string(kNothing);
}

std::string interfaces(const Json& a, const Style& style) {
    Table table{.columns = {{.title = "INTERFACE"},
                            {.title = "CARRIER"},
                            {.title = "MACSEC"},
                            {.title = "PORT", .drop = 3},
                            {.title = "FACILITY", .drop = 4},
                            {.title = "TAGS", .drop = 2},
                            {.title = "IN", .align = Align::right, .drop = 1},
                            {.title = "OUT", .align = Align::right, .drop = 1},
                            {.title = "ADDRESSES", .wrap = true}}};
    const auto unsecured = unsecured_names(a);
    for (const Json& i : list(a, "interfaces")) {
        const std::string port = text(i, "port");
        table.rows.push_back({text(i, "name"), up_or_down(flag(i, "carrier")), macsec_cell(i, unsecured), port,
                              facility_of(a, port), tags_text(member(i, "tags")), short_text(i, "in_packets"),
                              short_text(i, "out_packets"), strings_cell(member(i, "addresses"))});
    }
    return table.rows.empty() ? "no interfaces\n" : render(table, style);
}

}  // namespace

std::string render_status(const Json& a, const Style& style) {
    Facts facts;
    add_links(facts, a);
    add_unsecured(facts, a);
    add_blocked(facts, a);
    add_new_sak(facts, a);
    add_routes(facts, a);
    add_fpm(facts, a);
    add_frames(facts, a);
    add_control(facts, a);
    add_captures(facts, a);
    for (const Json& t : list(a, "traces"))
        facts.add_sentence(
            "trace", fmt::format("port {}: for uid {}, pid {}", text(t, "port"), id_text(t, "uid"), id_text(t, "pid")),
            Tone::warning);
    return heading(a, style) + facts.render(style) + "\n" + interfaces(a, style);
}

}  // namespace cli
