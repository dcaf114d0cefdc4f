#include "tools/demarc/decode_json.h"

#include <algorithm>

namespace cli {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kNumber = "+-.0123456789eE";

// Each reading function returns false after it has noted the first error.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool list(std::vector<FlatObject>& out) {
        if (!take('[', "the file is a list of objects: write [ first")) return false;
        if (!accept(']')) {
            do
                if (!object(out.emplace_back())) return false;
            while (accept(','));
            if (!take(']', "write , before the next object, or ] behind the last")) return false;
        }
        skip_space();
        return at_ == text_.size() || wrong("nothing may follow the ] of the list");
    }

    FlatError error() && { return std::move(error_); }

private:
    bool object(FlatObject& out) {
        skip_space();
        out.at = at_;
        if (!take('{', "write an object here, { first")) return false;
        if (accept('}')) return true;
        do
            if (!member(out.members.emplace_back())) return false;
        while (accept(','));
        return take('}', "write , before the next member, or } behind the last");
    }

    bool member(FlatMember& out) {
        skip_space();
        if (!string(out.name, "write the name of a member, in quotes")) return false;
        if (!take(':', "write : behind the name of the member")) return false;
        skip_space();
        out.at = at_;
        return value(out);
    }

    bool value(FlatMember& out) {
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        if (c == '{' || c == '[') return wrong("a list or an object cannot stand here; write a string or a number");
        if (c == '"') return string(out.value, "");
        out.kind = ScalarKind::word;
        for (const std::string_view word : {"true", "false", "null"})
            if (text_.substr(at_).starts_with(word)) {
                out.value = text_.substr(at_, word.size());
                at_ += word.size();
                return true;
            }
        out.kind = ScalarKind::number;
        const std::size_t end = std::min(text_.find_first_not_of(kNumber, at_), text_.size());
        if (end == at_) return wrong("write a string in quotes, or a number");
        out.value = text_.substr(at_, end - at_);
        at_ = end;
        return true;
    }

    bool string(std::string_view& out, const char* otherwise) {
        if (at_ == text_.size() || text_[at_] != '"') return wrong(otherwise);
        const std::size_t begin = ++at_;
        for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\') return wrong("escapes are not understood; write the characters themselves");
            if (static_cast<unsigned char>(text_[at_]) < 0x20) return wrong("the string is not closed on its line");
        }
        if (at_ == text_.size()) return wrong("the string is not closed; write \" behind it");
        out = text_.substr(begin, at_++ - begin);
        return true;
    }

    void skip_space() { at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size()); }

    bool accept(char c) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool take(char c, const char* otherwise) { return accept(c) || wrong(otherwise); }

    bool wrong(const char* message) {
        error_ = {at_, message};
        return false;
    }

    std::string_view text_;
    std::size_t at_{};
    FlatError error_;
};

}  // namespace

std::expected<std::vector<FlatObject>, FlatError> read_flat_list(std::string_view text) {
    std::vector<FlatObject> out;
    Reader reader(text);
    if (!reader.list(out)) return std::unexpected(std::move(reader).error());
    return out;
}

TextPlace place_in(std::string_view text, std::size_t at) noexcept {
    const std::string_view before = text.substr(0, at);
    const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
    const std::size_t line_end = before.rfind('\n');
    return {lines + 1, before.size() - (line_end == before.npos ? 0 : line_end + 1) + 1};
}

}  // namespace cli
