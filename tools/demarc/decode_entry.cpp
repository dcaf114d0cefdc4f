#include "tools/demarc/decode_entry.h"

#include <fmt/format.h>

#include <charconv>

namespace cli {
namespace {

// A name as a message may show it: no key that was written in the wrong place fits in.
std::string shown(std::string_view name) {
    constexpr std::size_t kShortestKey = 32;
    if (name.empty() || name.size() >= kShortestKey / 2) return "a member";
    const bool plain = std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7F; });
    return plain ? fmt::format("\"{}\"", name) : "a member";
}

}  // namespace

void KeyEntry::complain(std::size_t at, std::string_view name, std::string_view what) {
    if (is_full()) return;
    mistakes_.push_back(
        {place_in(text_, at), fmt::format("[{}]{}{}: {}", index_, name.empty() ? "" : ".", name, what)});
}

void KeyEntry::judge_names(std::span<const std::string_view> names) {
    for (std::size_t i = 0; i < object_.members.size() && !is_full(); ++i) {
        const FlatMember& m = object_.members[i];
        if (std::ranges::find(names, m.name) == names.end())
            complain(m.at, "", fmt::format("{} is not known; a key has {}", shown(m.name), fmt::join(names, ", ")));
        else if (find(m.name) != &m)
            complain(m.at, m.name, "stands twice; keep one");
    }
}

const FlatMember* KeyEntry::find(std::string_view name) const {
    const auto m = std::ranges::find(object_.members, name, &FlatMember::name);
    return m == object_.members.end() ? nullptr : &*m;
}

const FlatMember* KeyEntry::require(std::string_view name, std::string_view want) {
    const FlatMember* const m = find(name);
    if (m == nullptr) complain(object_.at, name, fmt::format("is missing; write {}", want));
    return m;
}

bool KeyEntry::is_string(const FlatMember& m, std::string_view want) {
    if (m.kind == ScalarKind::string) return true;
    complain(m.at, m.name, fmt::format("is no string; write {} in quotes", want));
    return false;
}

std::uint64_t KeyEntry::number(const FlatMember& m, std::uint64_t least, std::uint64_t greatest) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(m.value.data(), m.value.data() + m.value.size(), n);
    const bool whole = m.kind == ScalarKind::number && error == std::errc{} && end == m.value.data() + m.value.size() &&
                       (m.value[0] != '0' || m.value.size() == 1);
    if (whole && n >= least && n <= greatest) return n;
    complain(m.at, m.name,
             fmt::format("is not right; write a whole number, {} to {}, without quotes", least, greatest));
    return 0;
}

bool KeyEntry::octets(const FlatMember& m, std::span<std::uint8_t> out) {
    const std::string want = fmt::format("{} hexadecimal digits", 2 * out.size());
    if (!is_string(m, want)) return false;
    if (octets_from_hex(m.value, out)) return true;
    std::ranges::fill(out, std::uint8_t{0});
    complain(m.at, m.name, fmt::format("is not right; write exactly {}, nothing between them", want));
    return false;
}

bool octets_from_hex(std::string_view digits, std::span<std::uint8_t> out) {
    if (digits.size() != 2 * out.size()) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const char* const two = digits.data() + 2 * i;
        if (std::from_chars(two, two + 2, out[i], 16).ptr != two + 2) return false;
    }
    return true;
}

}  // namespace cli
