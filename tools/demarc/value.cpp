#include "tools/demarc/value.h"

#include "tools/demarc/style.h"

namespace cli {
namespace {

// Brackets open at once, outside strings. Bounded before parsing: printing a document recurses.
bool too_deep(std::string_view text) {
    unsigned depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > kMaxDepth) return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return false;
}

const Json kNull;
const Json kEmptyList = Json::array();
const Json kEmptyObject = Json::object();

}  // namespace

std::optional<Json> parse_answer(std::string_view text) {
    if (too_deep(text)) return std::nullopt;
    Json document = Json::parse(text, nullptr, false);
    if (document.is_discarded()) return std::nullopt;
    return document;
}

const Json& member(const Json& object, std::string_view key) {
    if (!object.is_object()) return kNull;
    const auto it = object.find(key);
    return it == object.end() ? kNull : *it;
}

const Json& list(const Json& object, std::string_view key) {
    const Json& value = member(object, key);
    return value.is_array() ? value : kEmptyList;
}

const Json& members(const Json& object, std::string_view key) {
    const Json& value = member(object, key);
    return value.is_object() ? value : kEmptyObject;
}

std::string text(const Json& value, std::size_t limit) {
    const auto* string = value.get_ptr<const std::string*>();
    if (string == nullptr || string->empty()) return std::string(kNothing);
    if (string->size() <= limit) return escaped(*string);
    return escaped(std::string_view(*string).substr(0, limit - 3)) + "...";
}

std::string text(const Json& object, std::string_view key, std::size_t limit) {
    return text(member(object, key), limit);
}

std::optional<std::uint64_t> number(const Json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;  // a negative counter is none
    return value.get<std::uint64_t>();
}

std::optional<std::uint64_t> number(const Json& object, std::string_view key) { return number(member(object, key)); }

std::optional<bool> flag(const Json& object, std::string_view key) {
    const Json& value = member(object, key);
    if (!value.is_boolean()) return std::nullopt;
    return value.get<bool>();
}

std::optional<double> real(const Json& object, std::string_view key) {
    const Json& value = member(object, key);
    if (!value.is_number()) return std::nullopt;
    return value.get<double>();
}

std::string count_text(const Json& object, std::string_view key) {
    const auto n = number(object, key);
    return n ? grouped(*n) : std::string(kNothing);
}

std::string short_text(const Json& object, std::string_view key) {
    const auto n = number(object, key);
    return n ? short_count(*n) : std::string(kNothing);
}

}  // namespace cli
