// Codecs: how one kind of value is written in the file, in both directions. Each has
//   bool read(Reading&, const Node&, const std::string& path, T& out) const;   false: reported, `out` is not to be used
//   Node write(const T&) const;                                                what read() takes back
//   std::string wants() const;                                                 for remedies: "a duration such as 500ms"
// Pure; control thread. No exceptions of its own.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "config/node.h"
#include "config/report.h"

namespace config {

// Rules that reading checks, before there is a model.
namespace rule {
inline constexpr std::string_view too_large = "too-large", yaml_syntax = "yaml-syntax", yaml_feature = "yaml-feature",
                                  duplicate_key = "duplicate-key", unknown_key = "unknown-key",
                                  missing_key = "missing-key", wrong_type = "wrong-type", bad_number = "bad-number",
                                  bad_duration = "bad-duration", bad_rate = "bad-rate", bad_size = "bad-size",
                                  bad_word = "bad-word", bad_text = "bad-text", bad_path = "bad-path",
                                  bad_name = "bad-name", bad_time = "bad-time", bad_mac = "bad-mac",
                                  bad_address = "bad-address", bad_prefix = "bad-prefix", hex_digit = "hex-digit",
                                  hex_odd = "hex-odd", hex_length = "hex-length", vlan_depth = "vlan-depth";
inline constexpr std::string_view kOfReading[] = {
    too_large,    yaml_syntax, yaml_feature, duplicate_key, unknown_key, missing_key, wrong_type, bad_number,
    bad_duration, bad_rate,    bad_size,     bad_word,      bad_text,    bad_path,    bad_name,   bad_time,
    bad_mac,      bad_address, bad_prefix,   hex_digit,     hex_odd,     hex_length,  vlan_depth};
}  // namespace rule

struct Reading {
    Report& report;
    Places& places;
};

// The scalar's text, or null and a `wrong-type` report. plain_only: quotes would make it text (numbers, true, false).
const std::string* scalar_text(Reading&, const Node&, const std::string& path, const std::string& wants,
                               bool plain_only = false);

// Printable ASCII, at most 255 octets.
struct TextCodec {
    bool may_be_empty{};
    bool read(Reading&, const Node&, const std::string& path, std::string& out) const;
    Node write(const std::string& v) const { return Node::scalar(v, false); }
    std::string wants() const { return "text"; }
};

// A file or directory: absolute. Its text never reaches a report: somebody may have pasted a key there.
struct PathCodec {
    bool may_be_empty{};
    bool or_name{};  // a network namespace: a bare name will do too
    bool read(Reading&, const Node&, const std::string& path, std::string& out) const;
    Node write(const std::string& v) const { return Node::scalar(v, false); }
    std::string wants() const { return or_name ? "a name or an absolute path" : "an absolute path"; }
};

// A name of ours: letters, digits, `-`, `_`, at most max octets.
struct NameCodec {
    std::size_t max{31};
    bool dots{};
    bool read(Reading&, const Node&, const std::string& path, std::string& out) const;
    bool check(Reading&, Place, std::string_view text, const std::string& path) const;
    Node write(const std::string& v) const { return Node::scalar(v, false); }
    std::string wants() const;
};

struct BoolCodec {
    bool read(Reading&, const Node&, const std::string& path, bool& out) const;
    Node write(bool v) const { return Node::scalar(v ? "true" : "false"); }
    std::string wants() const { return "true or false"; }
};

// Decimal, or hexadecimal with 0x; min to max.
bool read_number(Reading&, const Node&, const std::string& path, std::uint64_t min, std::uint64_t max,
                 std::uint64_t& out);
std::string number_range(std::uint64_t min, std::uint64_t max);
Node write_number(std::uint64_t v, bool hex);

struct NumberCodec {
    std::uint64_t min{}, max{std::numeric_limits<std::uint64_t>::max()};
    bool hex{};
    template <std::unsigned_integral T>
    bool read(Reading& r, const Node& n, const std::string& path, T& out) const {
        std::uint64_t v{};
        if (!read_number(r, n, path, min, std::min<std::uint64_t>(max, std::numeric_limits<T>::max()), v)) return false;
        out = static_cast<T>(v);
        return true;
    }
    template <std::unsigned_integral T>
    Node write(T v) const {
        return write_number(v, hex);
    }
    std::string wants() const { return "a number"; }
};

// A whole number directly followed by its unit.
struct Unit {
    std::string_view name;
    std::uint64_t factor;
};
struct UnitCodec {
    std::span<const Unit> units;  // growing; the first has factor 1
    std::string_view rule, what;
    bool read(Reading&, const Node&, const std::string& path, std::uint64_t& out) const;
    Node write(std::uint64_t v) const;
    std::string wants() const { return std::string(what); }
};
inline constexpr Unit kTimeUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
inline constexpr Unit kRateUnits[] = {
    {"bps", 1}, {"kbps", 1000}, {"Mbps", 1'000'000}, {"Gbps", 1'000'000'000}, {"Tbps", 1'000'000'000'000}};
inline constexpr Unit kSizeUnits[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
inline constexpr UnitCodec kDuration{kTimeUnits, rule::bad_duration, "a duration such as 500ms, 30s or 6h"};
inline constexpr UnitCodec kRate{kRateUnits, rule::bad_rate, "a rate such as 500Mbps or 10Gbps"};
inline constexpr UnitCodec kSize{kSizeUnits, rule::bad_size, "a size such as 9001B, 64KiB or 16MiB"};

// One of a few words; the enumerators are 0, 1, 2, ... in the words' order.
bool read_word(Reading&, const Node&, const std::string& path, std::span<const std::string_view> words,
               std::size_t& out);
std::string list_words(std::span<const std::string_view> words);

template <class Enum>
struct WordCodec {
    std::span<const std::string_view> words;
    bool read(Reading& r, const Node& n, const std::string& path, Enum& out) const {
        std::size_t i{};
        if (!read_word(r, n, path, words, i)) return false;
        out = static_cast<Enum>(i);
        return true;
    }
    Node write(Enum v) const { return Node::scalar(std::string(words[static_cast<std::size_t>(v)])); }
    std::string wants() const { return list_words(words); }
};

// Octets as hexadecimal digits without separators. The text never reaches a report: a key may stand there by mistake.
bool read_hex(Reading&, const Node&, const std::string& path, std::size_t min, std::size_t max,
              std::vector<std::uint8_t>& out);
std::string to_hex(std::span<const std::uint8_t> octets);

struct HexCodec {  // 1 to 32 octets: a CKN
    bool read(Reading& r, const Node& n, const std::string& path, std::vector<std::uint8_t>& out) const {
        return read_hex(r, n, path, 1, 32, out);
    }
    Node write(const std::vector<std::uint8_t>& v) const { return Node::scalar(to_hex(v), false); }
    std::string wants() const { return "2 to 64 hexadecimal digits"; }
};
struct SaltCodec {
    bool read(Reading&, const Node&, const std::string& path, std::optional<macsec::Salt>& out) const;
    Node write(const std::optional<macsec::Salt>& v) const { return Node::scalar(to_hex(*v), false); }
    std::string wants() const { return "24 hexadecimal digits"; }
};
struct SciCodec {
    bool read(Reading&, const Node&, const std::string& path, macsec::Sci& out) const;
    Node write(const macsec::Sci& v) const;
    std::string wants() const { return "16 hexadecimal digits: MAC address, then port identifier"; }
};
struct SsciCodec {
    bool read(Reading&, const Node&, const std::string& path, std::optional<macsec::Ssci>& out) const;
    Node write(const std::optional<macsec::Ssci>& v) const { return write_number(v->value, false); }
    std::string wants() const { return "a number from 1"; }
};

// Packets, or `off`.
struct ReplayWindowCodec {
    bool read(Reading&, const Node&, const std::string& path, std::optional<std::uint32_t>& out) const;
    Node write(const std::optional<std::uint32_t>& v) const {
        return v ? write_number(*v, false) : Node::scalar("off");
    }
    std::string wants() const { return "a number of packets, or off"; }
};

// RFC 3339 with whole seconds, "2026-01-01T00:00:00Z" or with an offset; seconds since 1970.
struct TimeCodec {
    bool read(Reading&, const Node&, const std::string& path, std::optional<std::int64_t>& out) const;
    Node write(const std::optional<std::int64_t>& v) const;
    std::string wants() const { return "a time such as \"2026-01-31T00:00:00Z\""; }
};

struct MacCodec {
    bool read(Reading&, const Node&, const std::string& path, net::MacAddress& out) const;
    Node write(const net::MacAddress& v) const { return Node::scalar(net::to_string(v), false); }
    std::string wants() const { return "a MAC address such as \"01:80:c2:00:00:03\""; }
};
struct IpCodec {
    bool read(Reading&, const Node&, const std::string& path, net::IpAddress& out) const;
    bool read(Reading&, const Node&, const std::string& path, std::string& out) const;  // canonical text
    Node write(const net::IpAddress& v) const { return Node::scalar(net::to_string(v), false); }
    Node write(const std::string& v) const { return Node::scalar(v, false); }
    std::string wants() const { return "an IP address"; }
};
struct InterfaceAddressCodec {
    bool read(Reading&, const Node&, const std::string& path, net::InterfaceAddress& out) const;
    Node write(const net::InterfaceAddress& v) const { return Node::scalar(net::to_string(v), false); }
    std::string wants() const { return "ADDRESS/LENGTH"; }
};
struct PrefixCodec {
    bool read(Reading&, const Node&, const std::string& path, net::IpPrefix& out) const;
    Node write(const net::IpPrefix& v) const { return Node::scalar(net::to_string(v), false); }
    std::string wants() const { return "PREFIX/LENGTH"; }
};

}  // namespace config
