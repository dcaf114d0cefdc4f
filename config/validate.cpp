#include "config/validate.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/codec.h"
#include "config/key_files.h"
#include "config/rules.h"

namespace config {
namespace {

void secy_off(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string& name, const Port&, const SecY& s, const std::string& path) {
        if (s.policy == Policy::off)
            f.add(path + ".policy", fmt::format("a SecY of port `{}` is off: frames travel in clear", name),
                  "write `policy: must-secure`");
    });
}

void keep_last_sak(const Model& m, Findings& f) {
    for_each_secy(m, [&](const std::string& name, const Port&, const SecY& s, const std::string& path) {
        if (s.mka && s.mka->keep_last_sak)
            f.add(path + ".mka.keep-last-sak", fmt::format("port `{}` keeps its last SAK when MKA fails", name),
                  "write `keep-last-sak: false`");
    });
}

constexpr Rule kWarnings[] = {{"secy-off", secy_off}, {"keep-last-sak", keep_last_sak}};

void run(std::span<const Rule> rules, const Model& m, Report& report) {
    for (const Rule& rule : rules) {
        Findings findings(m.places, rule.id, report);
        if (!report.full()) rule.check(m, findings);
    }
}

constexpr std::span<const Rule> (*kTables[])() = {system_rules, port_rules,      secy_rules,
                                                  key_rules,    interface_rules, bgp_rules};

}  // namespace

std::span<const Rule> warning_rules() { return kWarnings; }

std::vector<Diagnostic> validate(const Model& m) {
    Report report;
    for (const auto table : kTables) run(table(), m, report);
    return report.take();
}

std::vector<Diagnostic> warnings(const Model& m) {
    Report report;
    run(warning_rules(), m, report);
    return report.take();
}

std::vector<std::string> rules() {
    std::vector<std::string> all(std::begin(rule::kOfReading), std::end(rule::kOfReading));
    for (const auto table : kTables)
        for (const Rule& rule : table()) all.emplace_back(rule.id);
    for (const Rule& rule : kWarnings) all.emplace_back(rule.id);
    for (const auto id : key_file_rules()) all.emplace_back(id);
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    return all;
}

std::string render(const Diagnostic& d, std::string_view file) {
    const std::string place = d.place.line == 0 ? "" : fmt::format(":{}:{}", d.place.line, d.place.column);
    const std::string remedy = d.remedy.empty() ? "" : fmt::format(" ({})", d.remedy);  // or in the message
    return fmt::format("{}{}: {}: {}{}", file, place, d.rule, d.message, remedy);
}

}  // namespace config
