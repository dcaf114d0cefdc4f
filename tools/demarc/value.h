// Checked reading of an answer: a missing member or one of another type is a value too ("-", nothing, an empty list),
// never an exception. Strings come out escaped. Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace cli {

using Json = nlohmann::json;

inline constexpr std::size_t kMaxText = 64;        // octets of a string shown in a table
inline constexpr std::size_t kMaxSentence = 2000;  // octets of a message
inline constexpr unsigned kMaxDepth = 32;          // nesting of an answer
inline constexpr std::string_view kNothing = "-";

// Error-free when the text is one JSON document of at most kMaxDepth levels; otherwise nothing.
std::optional<Json> parse_answer(std::string_view text);

// The member, or a null value when `object` is none or lacks it. The reference lives as long as `object`.
const Json& member(const Json& object, std::string_view key);
// The member if it is an array (an object for `members`), otherwise an empty one.
const Json& list(const Json& object, std::string_view key);
const Json& members(const Json& object, std::string_view key);

std::string text(const Json& value, std::size_t limit = kMaxText);
std::string text(const Json& object, std::string_view key, std::size_t limit = kMaxText);
std::optional<std::uint64_t> number(const Json& value);
std::optional<std::uint64_t> number(const Json& object, std::string_view key);
std::optional<bool> flag(const Json& object, std::string_view key);
std::optional<double> real(const Json& object, std::string_view key);

// "1,234" or "-".
std::string count_text(const Json& object, std::string_view key);
std::string short_text(const Json& object, std::string_view key);

}  // namespace cli
