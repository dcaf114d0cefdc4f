// `demarc show routes`, `demarc lookup`, `demarc reload`, and refusals.
#include <fmt/format.h>

#include <array>

#include "tools/demarc/cells.h"
#include "tools/demarc/render.h"

namespace cli {
namespace {

Piece hop(const Json& h) {
    std::string where = text(h, "interface");
    if (member(h, "neighbor").is_string()) where = fmt::format("{} {}", text(h, "neighbor"), where);
    if (const auto weight = number(h, "weight"); weight && *weight != 1) where += fmt::format(" x{}", *weight);
    if (flag(h, "usable") != false) return {std::move(where)};
    return {where + " DOWN", Tone::bad};
}

Cell hops(const Json& route) {
    std::vector<Piece> pieces;
    for (const Json& h : list(route, "hops")) pieces.push_back(hop(h));
    if (pieces.empty()) return kNothing;
    return Cell(std::move(pieces));
}

}  // namespace

std::string render_routes(const Json& a, const Style& style) {
    Table table{.columns = {{.title = "PREFIX"},
                            {.title = "KIND", .drop = 1},
                            {.title = "SOURCE", .drop = 2},
                            {.title = "GROUP", .align = Align::right, .drop = 3},
                            {.title = "NEXT HOPS", .wrap = true}}};
    for (const Json& r : list(a, "routes"))
        table.rows.push_back({text(r, "prefix"), text(r, "kind"), text(r, "source"), id_text(r, "group"), hops(r)});
    if (table.rows.empty()) return "no routes\n";
    std::string out = render(table, style);
    if (flag(a, "more") != true) return out;
    const Table more{
        .columns = {{.title = "", .wrap = true}},
        .rows = {{Cell::sentence(fmt::format("... and more: only {} are shown; name a PREFIX to see those under it",
                                             grouped(table.rows.size())))}},
        .heading = false};
    return out + render(more, style);
}

namespace {

// What happens to a packet, by the leaf's kind.
std::string outcome(const Json& a) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> words{{
        {"none", "no route: dropped, counted as no-route"},
        {"local", "ours: to the host"},
        {"connected", "on a connected subnet, the neighbor is not known: the host asks for it"},
        {"blackhole", "dropped, counted as blackhole"},
        {"unreachable", "dropped, counted as unreachable"},
        {"foreign", "out of an interface that is not ours: dropped, counted as route-out-of-foreign-interface"},
    }};
    const std::string kind = text(a, "kind");
    for (const auto& [word, sentence] : words)
        if (kind == word) return std::string(sentence);
    return kind == "group" ? fmt::format("group {}", id_text(a, "group")) : kind;
}

}  // namespace

std::string render_lookup(const Json& a, const Style& style) {
    const std::string kind = text(a, "kind");
    const bool forwarded = kind == "group" || kind == "local" || kind == "connected";
    Facts facts(0);
    facts.add("address", {{text(a, "address"), Tone::strong}});
    facts.add("route", {{text(a, "prefix")}});
    facts.add("answer", {{outcome(a), forwarded ? Tone::plain : Tone::bad}});
    std::string out = facts.render(style);
    Table table{.columns = {{.title = "NEXT HOP", .align = Align::right, .drop = 2},
                            {.title = "NEIGHBOR"},
                            {.title = "INTERFACE"},
                            {.title = "MAC ADDRESS"},
                            {.title = "WEIGHT", .align = Align::right, .drop = 3},
                            {.title = "TAP", .drop = 1},
                            {.title = "STATE"}}};
    for (const Json& m : list(a, "members"))
        table.rows.push_back({id_text(m, "next_hop"), text(m, "neighbor"), text(m, "interface"), text(m, "mac"),
                              id_text(m, "weight"), text(m, "tap"),
                              flag(m, "usable") == true ? Cell("usable", Tone::good) : Cell("DOWN", Tone::bad)});
    return table.rows.empty() ? out : out + "\n" + render(table, style);
}

std::string render_reload(const Json& a, const Style& style) {
    const Json& changes = list(a, "changes");
    std::string out =
        fmt::format("{} generation {}", paint("reloaded:", Tone::good, style), count_text(a, "generation"));
    out += changes.empty() ? ", nothing changed\n" : "\n";
    for (const Json& change : changes) out += fmt::format("  {}\n", text(change, kMaxSentence));
    return out;
}

std::string render_refusal(const Json& a, const Style& style) {
    std::string out;
    for (const Json& d : list(a, "diagnostics")) {
        const std::string remedy = text(d, "remedy", kMaxSentence);
        out += fmt::format("{}:{}:{}: {}: {}{}\n", text(d, "file", kMaxSentence), id_text(d, "line"),
                           id_text(d, "column"), text(d, "rule"), text(d, "message", kMaxSentence),
                           remedy == kNothing ? "" : fmt::format(" ({})", remedy));
    }
    const std::string remedy = text(a, "remedy", kMaxSentence);
    return out + fmt::format("{} {}{}\n", paint("demarc:", Tone::bad, style), text(a, "error", kMaxSentence),
                             remedy == kNothing ? "" : fmt::format("; {}", remedy));
}

Renderer renderer_of(std::string_view words) noexcept {
    constexpr std::array<std::pair<std::string_view, Renderer>, 17> renderers{{
        {"status", render_status},
        {"show ports", render_ports},
        {"show interfaces", render_interfaces},
        {"show macsec", render_macsec},
        {"show routes", render_routes},
        {"show next-hops", render_next_hops},
        {"show neighbors", render_neighbors},
        {"show drops", render_drops},
        {"show fpm", render_fpm},
        {"show stages", render_stages},
        {"clocks on", render_clocks},
        {"clocks off", render_clocks},
        {"show mka", render_mka},
        {"show history", render_history},
        {"mka rekey", render_rekey},
        {"lookup", render_lookup},
        {"reload", render_reload},
    }};
    for (const auto& [name, renderer] : renderers)
        if (name == words) return renderer;
    return nullptr;
}

}  // namespace cli
