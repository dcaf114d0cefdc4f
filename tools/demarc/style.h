// How output looks: a width and whether colour may be used. Numbers and strings as a person reads them.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

struct Style {
    unsigned width{80};  // columns; a line is never longer, unless the width is below kMinWidth
    bool color{};
};
inline constexpr unsigned kMinWidth = 40;
inline constexpr unsigned kMaxWidth = 1000;

enum class Tone : std::uint8_t { plain, strong, dim, good, warning, bad };

// `text` in the tone's colour; unchanged when the style has no colour.
std::string paint(std::string_view text, Tone, const Style&);

enum class ColorChoice : std::uint8_t { automatic, always, never };
// no_color: the value of NO_COLOR, null when it is not set (no-color.org: any value but an empty one says no).
bool wants_color(ColorChoice, bool is_terminal, const char* no_color, const char* term) noexcept;

// What is not printable ASCII becomes \xNN, so that nothing in a string can steer a terminal and a column is an octet.
std::string escaped(std::string_view);

std::string grouped(std::uint64_t);       // 1234567 -> "1,234,567"
std::string short_count(std::uint64_t);   // 1234567 -> "1.23 M"; below 100,000 exact
std::string short_octets(std::uint64_t);  // 1234567 -> "1.23 MB"
std::string duration(double seconds);     // 11520 -> "3 h 12 min"

}  // namespace cli
