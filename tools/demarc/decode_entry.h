// A key list of `demarc decode`: what reading one of its objects takes, and what may be wrong with it. Pure; any
// thread. Messages name the entry, the member and the remedy, and never quote a value of the file.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/demarc/decode_json.h"

namespace cli {

inline constexpr std::size_t kMaxKeys = 1024;
inline constexpr std::size_t kMaxKeyMistakes = 20;

struct KeyMistake {
    TextPlace place;
    std::string text;  // which entry and member, what is wrong, what to write; never a value of the file
};

// One object of the list. Reading goes on after a mistake, so that all are told.
class KeyEntry {
public:
    KeyEntry(const FlatObject& object, std::size_t index, std::string_view text, std::vector<KeyMistake>& mistakes)
        : object_(object), index_(index), text_(text), mistakes_(mistakes), before_(mistakes.size()) {}

    bool is_good() const { return mistakes_.size() == before_; }
    // name: of the member, or empty for the object.
    void complain(std::size_t at, std::string_view name, std::string_view what);
    // Complains of members other than `names`, and of names that stand twice.
    void judge_names(std::span<const std::string_view> names);

    const FlatMember* find(std::string_view name) const;
    // nullptr after a complaint. want: what to write.
    const FlatMember* require(std::string_view name, std::string_view want);
    // False after a complaint.
    bool is_string(const FlatMember&, std::string_view want);
    // 0 after a complaint.
    std::uint64_t number(const FlatMember&, std::uint64_t least, std::uint64_t greatest);
    // Octets into `out`, as many as it has; false after a complaint, and then `out` is zero. Public values only.
    bool octets(const FlatMember&, std::span<std::uint8_t> out);

private:
    bool is_full() const { return mistakes_.size() >= kMaxKeyMistakes; }

    const FlatObject& object_;
    std::size_t index_;
    std::string_view text_;
    std::vector<KeyMistake>& mistakes_;
    std::size_t before_;
};

// Hexadecimal digits to octets, two for each: false when one of them is none, or their number is another.
bool octets_from_hex(std::string_view digits, std::span<std::uint8_t> out);

// Either every key, or every mistake (at most kMaxKeyMistakes, in the order of the text).
template <class Key>
using KeysOrMistakes = std::expected<std::vector<Key>, std::vector<KeyMistake>>;

// read: KeyEntry& -> std::optional<Key>, nothing after a complaint.
template <class Key, class Read>
KeysOrMistakes<Key> read_key_list(std::string_view text, Read read) {
    const auto list = read_flat_list(text);
    if (!list) return std::unexpected(std::vector<KeyMistake>{{place_in(text, list.error().at), list.error().message}});
    std::vector<KeyMistake> mistakes;
    std::vector<Key> keys;
    if (list->size() > kMaxKeys)
        mistakes.push_back(
            {place_in(text, (*list)[kMaxKeys].at),
             "there are " + std::to_string(list->size()) + " keys; keep at most " + std::to_string(kMaxKeys)});
    for (std::size_t i = 0; i < std::min(list->size(), kMaxKeys) && mistakes.size() < kMaxKeyMistakes; ++i) {
        KeyEntry entry((*list)[i], i, text, mistakes);
        if (auto key = read(entry); key && entry.is_good()) keys.push_back(std::move(*key));
    }
    if (mistakes.empty()) return keys;
    std::ranges::stable_sort(mistakes, {}, &KeyMistake::place);
    return std::unexpected(std::move(mistakes));
}

}  // namespace cli
