#include "tools/demarc/style.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>

namespace cli {

std::string paint(std::string_view text, Tone tone, const Style& style) {
    constexpr std::array<std::string_view, 6> codes{"", "1", "2", "32", "33", "1;31"};
    if (!style.color || tone == Tone::plain || text.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(tone)], text);
}

bool wants_color(ColorChoice choice, bool is_terminal, const char* no_color, const char* term) noexcept {
    if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
    if (no_color != nullptr && *no_color != '\0') return false;
    return is_terminal && term != nullptr && std::strcmp(term, "dumb") != 0;
}

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (c >= 0x20 && c <= 0x7E)
            out += c;
        else
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string grouped(std::uint64_t n) {
    std::string digits = std::to_string(n);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
    return digits;
}

namespace {

// Three significant digits and a prefix of 1000: 1.23 k, 12.3 M, 123 G.
std::string scaled(std::uint64_t n, std::string_view unit) {
    constexpr std::array<std::string_view, 7> prefixes{"", "k", "M", "G", "T", "P", "E"};
    auto value = static_cast<double>(n);
    std::size_t prefix = 0;
    while (value >= 999.5 && prefix + 1 < prefixes.size()) {
        value /= 1000;
        ++prefix;
    }
    const int decimals = prefix == 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}{}", value, decimals, prefixes[prefix], unit);
}

}  // namespace

std::string short_count(std::uint64_t n) { return n < 100'000 ? grouped(n) : scaled(n, ""); }

std::string short_octets(std::uint64_t n) { return scaled(n, "B"); }

std::string duration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12) return "-";
    const auto s = static_cast<std::uint64_t>(seconds);
    if (s < 60) return fmt::format("{} s", s);
    if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
    if (s < 86'400) return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
    return fmt::format("{} d {} h", grouped(s / 86'400), s / 3600 % 24);
}

}  // namespace cli
