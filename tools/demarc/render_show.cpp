// `demarc show`: ports, interfaces, MACsec, next hops, neighbours, drops, FPM.
#include <fmt/format.h>

#include <algorithm>

#include "tools/demarc/cells.h"
#include "tools/demarc/render.h"

namespace cli {
namespace {

constexpr std::size_t kWorkersShown = 16;

Cell octets_cell(const Json& object, std::string_view key) {
    const auto n = number(object, key);
    return n ? Cell(short_octets(*n)) : Cell(kNothing);
}

std::string or_none(const Table& table, std::string_view what, const Style& style) {
    return table.rows.empty() ? fmt::format("no {}\n", what) : render(table, style);
}

}  // namespace

std::string render_ports(const Json& a, const Style& style) {
    Table table{.columns = {{.title = "PORT"},
                            {.title = "LINK"},
                            {.title = "DRIVER", .drop = 2},
                            {.title = "DEVICE", .drop = 1},
                            {.title = "MAC ADDRESS", .drop = 4},
                            {.title = "FACILITY", .drop = 5},
                            {.title = "MTU", .align = Align::right, .drop = 6},
                            {.title = "RX/TX WORKER", .drop = 7},
                            {.title = "XDP", .drop = 8},
                            {.title = "IN FRAMES", .align = Align::right},
                            {.title = "IN", .align = Align::right, .drop = 3},
                            {.title = "OUT FRAMES", .align = Align::right},
                            {.title = "OUT", .align = Align::right, .drop = 3}}};
    for (const Json& p : list(a, "ports")) {
        table.rows.push_back({text(p, "name"), up_or_down(flag(p, "link")), text(p, "driver"), text(p, "device"),
                              text(p, "mac"), text(p, "facility"), id_text(p, "mtu"), worker_pair(p),
                              text(p, "xdp_program"), count_text(p, "in_frames"), octets_cell(p, "in_octets"),
                              count_text(p, "out_frames"), octets_cell(p, "out_octets")});
    }
    return or_none(table, "ports", style);
}

std::string render_interfaces(const Json& a, const Style& style) {
    Table table{.columns = {{.title = "INTERFACE"},
                            {.title = "PORT", .drop = 4},
                            {.title = "TAGS", .drop = 3},
                            {.title = "MTU", .align = Align::right, .drop = 5},
                            {.title = "CARRIER"},
                            {.title = "MACSEC"},
                            {.title = "IN PACKETS", .align = Align::right, .drop = 1},
                            {.title = "IN", .align = Align::right, .drop = 6},
                            {.title = "OUT PACKETS", .align = Align::right, .drop = 1},
                            {.title = "OUT", .align = Align::right, .drop = 6},
                            {.title = "ADDRESSES", .wrap = true}}};
    const auto unsecured = unsecured_names(a);
    for (const Json& i : list(a, "interfaces")) {
        table.rows.push_back({text(i, "name"), text(i, "port"), tags_text(member(i, "tags")), id_text(i, "mtu"),
                              up_or_down(flag(i, "carrier")), macsec_cell(i, unsecured), count_text(i, "in_packets"),
                              octets_cell(i, "in_octets"), count_text(i, "out_packets"), octets_cell(i, "out_octets"),
                              strings_cell(member(i, "addresses"))});
    }
    return or_none(table, "interfaces", style);
}

std::string render_next_hops(const Json& a, const Style& style) {
    Table table{.columns = {{.title = "ID", .align = Align::right, .drop = 1},
                            {.title = "INTERFACE"},
                            {.title = "NEIGHBOR"},
                            {.title = "MAC ADDRESS", .drop = 2},
                            {.title = "STATE"}}};
    for (const Json& h : list(a, "next_hops")) {
        const auto usable = flag(h, "usable"), resolved = flag(h, "resolved");
        Cell state = !usable ? Cell(kNothing)
                   : *usable ? Cell("usable", Tone::good)
                             : Cell(resolved == false ? "UNRESOLVED" : "DOWN", Tone::bad);
        table.rows.push_back({id_text(h, "id"), text(h, "interface"), text(h, "neighbor"), text(h, "mac"), state});
    }
    return or_none(table, "next hops", style);
}

std::string render_neighbors(const Json& a, const Style& style) {
    Table table{
        .columns = {{.title = "INTERFACE"}, {.title = "ADDRESS"}, {.title = "MAC ADDRESS"}, {.title = "STATE"}}};
    for (const Json& n : list(a, "neighbors")) {
        const std::string state = text(n, "state");
        const bool bad = state == "failed" || state == "incomplete" || state == "FAILED" || state == "INCOMPLETE";
        table.rows.push_back(
            {text(n, "interface"), text(n, "address"), text(n, "mac"), Cell(state, bad ? Tone::bad : Tone::plain)});
    }
    return or_none(table, "neighbors", style);
}

namespace {

// One row per reason: the sum, then each worker's share while there is room.
std::string reasons_table(const Json& a, std::string_view key, std::string_view title, const Style& style) {
    Table table{.columns = {{.title = title}, {.title = "FRAMES", .align = Align::right}}};
    const Json& workers = list(a, "workers");
    const std::size_t shown = workers.size() > 1 ? std::min(workers.size(), kWorkersShown) : 0;
    std::vector<std::string> titles;
    for (std::size_t w = 0; w < shown; ++w) titles.push_back(fmt::format("WORKER {}", id_text(workers[w], "id")));
    for (std::size_t w = 0; w < shown; ++w)
        table.columns.push_back({.title = titles[w], .align = Align::right, .drop = static_cast<int>(w) + 1});
    for (const auto& [word, sum] : reasons(a, key)) {
        Row row{word, grouped(sum)};
        for (std::size_t w = 0; w < shown; ++w) row.emplace_back(count_text(members(workers[w], key), word));
        table.rows.push_back(std::move(row));
    }
    return or_none(table, key, style);
}

}  // namespace

std::string render_drops(const Json& a, const Style& style) {
    std::string out =
        reasons_table(a, "drops", "DROPPED", style) + "\n" + reasons_table(a, "punts", "TO THE HOST", style);
    std::vector<Piece> host = host_troubles(a);
    if (host.empty()) return out;
    Facts facts(0);
    facts.add("host path", std::move(host));
    return out + "\n" + facts.render(style);
}

std::string render_fpm(const Json& a, const Style& style) {
    const Json& fpm = members(a, "fpm");
    Facts facts(0);
    facts.add("listening", {{text(fpm, "listening")}});
    const auto connected = flag(fpm, "connected"), synced = flag(fpm, "synced");
    facts.add("zebra", {!connected   ? Piece{std::string(kNothing)}
                        : *connected ? Piece{"connected", Tone::good}
                                     : Piece{"NOT CONNECTED", Tone::bad}});
    facts.add("routes", {synced == true ? Piece{"synced", Tone::good} : Piece{"not yet synced", Tone::warning},
                         {fmt::format("{} stale", count_text(fpm, "stale"))}});
    facts.add("received", {{fmt::format("connections {}", count_text(fpm, "connections"))},
                           {fmt::format("frames {}", count_text(fpm, "frames"))},
                           {fmt::format("messages {}", count_text(fpm, "messages"))},
                           {fmt::format("octets {}", count_text(fpm, "octets"))}});
    facts.add("errors", {{count_text(fpm, "errors"), number(fpm, "errors").value_or(0) > 0 ? Tone::bad : Tone::plain}});
    if (member(fpm, "last_error").is_string() && text(fpm, "last_error") != kNothing)
        facts.add_sentence("last error", text(fpm, "last_error", kMaxSentence), Tone::warning);
    return facts.render(style);
}

std::string render_stages(const Json& a, const Style& style) {
    Table table{.columns = {{.title = "WORKER", .align = Align::right},
                            {.title = "STAGE"},
                            {.title = "FRAMES", .align = Align::right},
                            {.title = "CYCLES", .align = Align::right, .drop = 1},
                            {.title = "NS A FRAME", .align = Align::right}}};
    for (const Json& s : list(a, "stages")) {
        const auto ns = real(s, "ns_per_frame");
        table.rows.push_back({id_text(s, "worker"), text(s, "stage"), count_text(s, "frames"), count_text(s, "cycles"),
                              ns ? fmt::format("{:.1f}", *ns) : std::string(kNothing)});
    }
    return or_none(table, "stages have been timed", style) + render_clocks(a, style);
}

std::string render_clocks(const Json& a, const Style& style) {
    const auto on = flag(a, "clocks");
    Facts facts(0);
    facts.add("stage clocks", {{!on ? std::string(kNothing) : *on ? "on: one turn in 64 is timed" : "off"}});
    return facts.render(style);
}

}  // namespace cli
