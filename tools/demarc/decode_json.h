// A list of flat objects in JSON (RFC 8259), read where it lies: names and values are views into the text, so that a
// key in it is never copied (a general parser copies strings into buffers that nobody wipes). What cannot be viewed is
// refused: strings with escapes, lists and objects as values. Pure; any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

enum class ScalarKind : std::uint8_t { string, number, word };  // word: true, false, null

struct FlatMember {
    std::string_view name;  // without its quotes
    ScalarKind kind{};
    std::string_view value;  // a string without its quotes; a number as written, its grammar not judged
    std::size_t at{};        // octets of text before the value
};

struct FlatObject {
    std::size_t at{};
    std::vector<FlatMember> members;  // in order; a name may stand twice
};

// What is wrong and what belongs there instead; nothing of the text is quoted.
struct FlatError {
    std::size_t at{};
    std::string message;
};

std::expected<std::vector<FlatObject>, FlatError> read_flat_list(std::string_view text);

struct TextPlace {
    std::size_t line{1}, column{1};  // columns are octets
    auto operator<=>(const TextPlace&) const = default;
};
TextPlace place_in(std::string_view text, std::size_t at) noexcept;

}  // namespace cli
