#include "config/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_printable(std::string_view s) {
    return std::ranges::all_of(s, [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string kind_of(const Node& n) {
    switch (n.kind) {
        case Node::Kind::null: return "empty";
        case Node::Kind::sequence: return "a list";
        case Node::Kind::map: return "a map";
        case Node::Kind::scalar: break;
    }
    return "text";
}

void report(Reading& r, const Node& n, std::string_view rule, const std::string& path, std::string_view what,
            std::string remedy) {
    r.report.add(n.place, rule, fmt::format("`{}` {}", path, what), std::move(remedy));
}

// The number `text` is, all of it.
std::optional<std::uint64_t> number(std::string_view text, int base) {
    std::uint64_t v{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return v;
}

// RFC 3339 5.6, whole seconds, no leap second; from 1970 to 9999.
std::optional<std::int64_t> parse_time(std::string_view s) {
    constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
    if (s.size() != kShape.size() + 1 && s.size() != kShape.size() + 6) return std::nullopt;
    for (std::size_t i = 0; i < kShape.size(); ++i)
        if (kShape[i] == 'd' ? !is_digit(s[i]) : s[i] != kShape[i]) return std::nullopt;
    const auto at = [&](std::size_t from, std::size_t n) {
        return static_cast<unsigned>(*number(s.substr(from, n), 10));
    };
    namespace chrono = std::chrono;
    const chrono::year_month_day day{chrono::year(static_cast<int>(at(0, 4))), chrono::month(at(5, 2)),
                                     chrono::day(at(8, 2))};
    if (!day.ok() || at(0, 4) < 1970 || at(11, 2) > 23 || at(14, 2) > 59 || at(17, 2) > 59) return std::nullopt;
    const std::int64_t t = chrono::sys_days(day).time_since_epoch().count() * std::int64_t{86400} + at(11, 2) * 3600 +
                           at(14, 2) * 60 + at(17, 2);
    const auto zone = s.substr(kShape.size());
    if (zone == "Z") return t;
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
    const auto hours = number(zone.substr(1, 2), 10), minutes = number(zone.substr(4, 2), 10);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const auto offset = static_cast<std::int64_t>(*hours * 3600 + *minutes * 60);
    const std::int64_t utc = zone[0] == '+' ? t - offset : t + offset;
    if (utc < 0 || utc > 253'402'300'799) return std::nullopt;
    return utc;
}

}  // namespace

const std::string* scalar_text(Reading& r, const Node& n, const std::string& path, const std::string& wants,
                               bool plain_only) {
    if (n.kind == Node::Kind::scalar && (n.plain || !plain_only)) return &n.text;
    const bool in_quotes = n.kind == Node::Kind::scalar;
    report(r, n, rule::wrong_type, path, "is " + (in_quotes ? "text in quotes" : kind_of(n)),
           fmt::format("write {}{}", wants, in_quotes ? ", without quotes" : ""));
    return nullptr;
}

bool TextCodec::read(Reading& r, const Node& n, const std::string& path, std::string& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text) return false;
    const bool bad = !is_printable(*text) || text->size() > 255 || (text->empty() && !may_be_empty);
    if (bad) report(r, n, rule::bad_text, path, "is not usable text", "write 1 to 255 printable ASCII characters");
    if (!bad) out = *text;
    return !bad;
}

bool PathCodec::read(Reading& r, const Node& n, const std::string& path, std::string& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text) return false;
    const bool absolute = text->starts_with('/') && text->size() > 1;
    const bool name = or_name && text->find('/') == text->npos && !text->starts_with('.');
    const bool good = text->empty() ? may_be_empty : absolute || name;
    const bool bad = !good || !is_printable(*text) || text->size() > 1000;
    if (bad) report(r, n, rule::bad_path, path, "is not " + wants(), "write " + wants() + " in printable ASCII");
    if (!bad) out = *text;
    return !bad;
}

std::string NameCodec::wants() const {
    return fmt::format("1 to {} letters, digits, `-` or `_`{}", max, dots ? " or `.`" : "");
}

bool NameCodec::check(Reading& r, Place place, std::string_view text, const std::string& path) const {
    const bool good =
        !text.empty() && text.size() <= max && is_alnum(text[0]) &&
        std::ranges::all_of(text, [&](char c) { return is_alnum(c) || c == '-' || c == '_' || (dots && c == '.'); });
    if (!good)
        r.report.add(place, rule::bad_name, fmt::format("{} is no name for `{}`", config::quoted(text), path),
                     "use " + wants() + ", beginning with a letter or digit");
    return good;
}

bool NameCodec::read(Reading& r, const Node& n, const std::string& path, std::string& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text || !check(r, n.place, *text, path)) return false;
    out = *text;
    return true;
}

bool BoolCodec::read(Reading& r, const Node& n, const std::string& path, bool& out) const {
    const auto* text = scalar_text(r, n, path, wants(), true);
    if (!text) return false;
    if (*text != "true" && *text != "false") {
        report(r, n, rule::wrong_type, path, "is " + config::quoted(*text), "write true or false");
        return false;
    }
    out = *text == "true";
    return true;
}

std::string number_range(std::uint64_t min, std::uint64_t max) {
    if (max == std::numeric_limits<std::uint64_t>::max()) return fmt::format("a number from {}", min);
    return fmt::format("a number from {} to {}", min, max);
}

bool read_number(Reading& r, const Node& n, const std::string& path, std::uint64_t min, std::uint64_t max,
                 std::uint64_t& out) {
    const auto* text = scalar_text(r, n, path, number_range(min, max), true);
    if (!text) return false;
    std::optional<std::uint64_t> v;
    if (text->starts_with("0x"))
        v = number(std::string_view(*text).substr(2), 16);
    else if (*text == "0" || !text->starts_with('0'))  // a leading zero is octal to some
        v = number(*text, 10);
    if (v && *v >= min && *v <= max) {
        out = *v;
        return true;
    }
    report(r, n, rule::bad_number, path, "is " + config::quoted(*text), "write " + number_range(min, max));
    return false;
}

Node write_number(std::uint64_t v, bool hex) {
    return Node::scalar(hex ? fmt::format("{:#x}", v) : fmt::format("{}", v));
}

bool UnitCodec::read(Reading& r, const Node& n, const std::string& path, std::uint64_t& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text) return false;
    const auto end = std::ranges::find_if_not(*text, is_digit) - text->begin();
    const auto v = number(std::string_view(*text).substr(0, static_cast<std::size_t>(end)), 10);
    const auto unit =
        std::ranges::find(units, std::string_view(*text).substr(static_cast<std::size_t>(end)), &Unit::name);
    if (v && unit != units.end() && *v <= std::numeric_limits<std::uint64_t>::max() / unit->factor) {
        out = *v * unit->factor;
        return true;
    }
    report(r, n, rule, path, "is " + config::quoted(*text), "write " + wants());
    return false;
}

Node UnitCodec::write(std::uint64_t v) const {
    const Unit* unit = v == 0 && rule == rule::bad_duration ? &units[1] : &units[0];
    for (const Unit& u : units)
        if (v != 0 && v % u.factor == 0) unit = &u;
    return Node::scalar(fmt::format("{}{}", v / unit->factor, unit->name));
}

std::string list_words(std::span<const std::string_view> words) {
    std::string s(words[0]);
    for (std::size_t i = 1; i < words.size(); ++i) {
        s += i + 1 == words.size() ? " or " : ", ";
        s += words[i];
    }
    return s;
}

bool read_word(Reading& r, const Node& n, const std::string& path, std::span<const std::string_view> words,
               std::size_t& out) {
    const auto* text = scalar_text(r, n, path, list_words(words));
    if (!text) return false;
    const auto found = std::ranges::find(words, *text);
    if (found == words.end()) {
        report(r, n, rule::bad_word, path, "is " + config::quoted(*text), "write " + list_words(words));
        return false;
    }
    out = static_cast<std::size_t>(found - words.begin());
    return true;
}

bool read_hex(Reading& r, const Node& n, const std::string& path, std::size_t min, std::size_t max,
              std::vector<std::uint8_t>& out) {
    const std::string wants = min == max ? fmt::format("{} hexadecimal digits", 2 * min)
                                         : fmt::format("{} to {} hexadecimal digits", 2 * min, 2 * max);
    const auto* text = scalar_text(r, n, path, wants);
    if (!text) return false;
    std::vector<std::uint8_t> octets;
    for (std::size_t i = 0; i + 1 < text->size(); i += 2)
        if (const auto v = number(std::string_view(*text).substr(i, 2), 16))
            octets.push_back(static_cast<std::uint8_t>(*v));
    const bool digits = std::ranges::all_of(
        *text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
    const auto refuse = [&](std::string_view rule, const std::string& what) {
        report(r, n, rule, path, what, "write " + wants);
        return false;
    };
    if (!digits) return refuse(rule::hex_digit, "has a character that is no hexadecimal digit");
    if (text->size() % 2 != 0) return refuse(rule::hex_odd, fmt::format("has {} digits, an odd number", text->size()));
    if (octets.size() < min || octets.size() > max)
        return refuse(rule::hex_length, fmt::format("has {} digits", text->size()));
    out = std::move(octets);
    return true;
}

std::string to_hex(std::span<const std::uint8_t> octets) {
    std::string s;
    for (auto o : octets) s += fmt::format("{:02x}", o);
    return s;
}

bool SaltCodec::read(Reading& r, const Node& n, const std::string& path, std::optional<macsec::Salt>& out) const {
    std::vector<std::uint8_t> octets;
    if (!read_hex(r, n, path, 12, 12, octets)) return false;
    std::ranges::copy(octets, out.emplace().begin());
    return true;
}

bool SciCodec::read(Reading& r, const Node& n, const std::string& path, macsec::Sci& out) const {
    std::vector<std::uint8_t> octets;
    if (!read_hex(r, n, path, 8, 8, octets)) return false;
    out.value = macsec::load_be64(octets.data());
    return true;
}

Node SciCodec::write(const macsec::Sci& v) const { return Node::scalar(fmt::format("{:016x}", v.value), false); }

bool SsciCodec::read(Reading& r, const Node& n, const std::string& path, std::optional<macsec::Ssci>& out) const {
    std::uint64_t v{};
    if (!read_number(r, n, path, 0, 0xFFFF'FFFF, v)) return false;
    out = macsec::Ssci{static_cast<std::uint32_t>(v)};
    return true;
}

bool ReplayWindowCodec::read(Reading& r, const Node& n, const std::string& path,
                             std::optional<std::uint32_t>& out) const {
    if (n.kind == Node::Kind::scalar && n.text == "off") {
        out.reset();
        return true;
    }
    std::uint64_t v{};
    if (!read_number(r, n, path, 0, 0xFFFF'FFFF, v)) return false;
    out = static_cast<std::uint32_t>(v);
    return true;
}

bool MacCodec::read(Reading& r, const Node& n, const std::string& path, net::MacAddress& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text) return false;
    const auto mac = net::parse_mac(*text);
    if (!mac) report(r, n, rule::bad_mac, path, "is " + config::quoted(*text), "write " + wants());
    if (mac) out = *mac;
    return mac.has_value();
}

bool IpCodec::read(Reading& r, const Node& n, const std::string& path, net::IpAddress& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text) return false;
    const auto address = net::parse_ip(*text);
    if (!address) report(r, n, rule::bad_address, path, "is " + config::quoted(*text), "write an IPv4 or IPv6 address");
    if (address) out = *address;
    return address.has_value();
}

bool IpCodec::read(Reading& r, const Node& n, const std::string& path, std::string& out) const {
    net::IpAddress address;
    if (!read(r, n, path, address)) return false;
    out = net::to_string(address);
    return true;
}

bool InterfaceAddressCodec::read(Reading& r, const Node& n, const std::string& path, net::InterfaceAddress& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text) return false;
    const auto address = net::parse_interface_address(*text);
    if (!address)
        report(r, n, rule::bad_address, path, "is " + config::quoted(*text),
               "write an address with its prefix length: 192.0.2.1/30");
    if (address) out = *address;
    return address.has_value();
}

bool PrefixCodec::read(Reading& r, const Node& n, const std::string& path, net::IpPrefix& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text) return false;
    if (const auto prefix = net::parse_prefix(*text)) {
        out = *prefix;
        return true;
    }
    const auto meant = net::parse_interface_address(*text);
    report(r, n, rule::bad_prefix, path, "is " + config::quoted(*text),
           meant ? "host bits are set; write " + net::to_string(meant->subnet()) : "write a prefix: 192.0.2.0/24");
    return false;
}

bool TimeCodec::read(Reading& r, const Node& n, const std::string& path, std::optional<std::int64_t>& out) const {
    const auto* text = scalar_text(r, n, path, wants());
    if (!text) return false;
    out = parse_time(*text);
    if (!out) report(r, n, rule::bad_time, path, "is " + config::quoted(*text), "write " + wants());
    return out.has_value();
}

Node TimeCodec::write(const std::optional<std::int64_t>& v) const {
    namespace chrono = std::chrono;
    const chrono::sys_seconds t{chrono::seconds{*v}};
    const auto day = chrono::floor<chrono::days>(t);
    const chrono::year_month_day date{day};
    const chrono::hh_mm_ss time{t - day};
    return Node::scalar(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                    time.hours().count(), time.minutes().count(), time.seconds().count()),
                        false);
}

}  // namespace config
