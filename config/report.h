// Diagnostics in the making: bounded, sorted by place, values made safe to print. Pure; control thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "config/model.h"

namespace config {

inline constexpr std::size_t kMaxDiagnostics = 100;  // more help nobody, and a hostile file must not cost memory

class Report {
public:
    void add(Place place, std::string_view rule, std::string message, std::string remedy) {
        if (!full()) list_.push_back({place, std::string(rule), std::move(message), std::move(remedy)});
    }
    bool full() const noexcept { return list_.size() >= kMaxDiagnostics; }
    bool empty() const noexcept { return list_.empty(); }
    // In the file's order; leaves the report empty.
    std::vector<Diagnostic> take() {
        std::ranges::stable_sort(list_, {},
                                 [](const Diagnostic& d) { return std::tuple(d.place.line, d.place.column); });
        return std::exchange(list_, {});
    }

private:
    std::vector<Diagnostic> list_;
};

// `text` in back quotes, cut to 40 octets; anything but printable ASCII becomes '?'. What looks like a key (32 or more
// hexadecimal digits in the wrong place) is not shown.
inline std::string quoted(std::string_view text) {
    const auto is_hex = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    if (text.size() >= 32 && std::ranges::count_if(text, is_hex) >= 32) return "`<redacted>`";
    std::string s = "`";
    for (char c : text.substr(0, 40)) s += c >= 0x20 && c < 0x7F ? c : '?';
    return s + (text.size() > 40 ? "...`" : "`");
}

// Where `path` stood, or the nearest thing around it: "a.b[1].c", "a.b[1]", "a.b", "a".
inline Place place_of(const Places& places, std::string_view path) {
    for (;;) {
        if (const auto it = places.at.find(std::string(path)); it != places.at.end()) return it->second;
        const auto cut = path.find_last_of(".[");
        if (cut == path.npos) return {};
        path = path.substr(0, cut);
    }
}

}  // namespace config
