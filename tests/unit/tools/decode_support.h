// What the tests of `demarc decode` share: files in a folder of their own, captures and key lists made by hand.
#pragma once

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/unit/macsec/support.h"
#include "tools/demarc/decode.h"
#include "tools/demarc/decode_command.h"

namespace decode_test {

namespace fs = std::filesystem;
using macsec::test::Bytes;

struct Directory {
    Directory() {
        char name[] = "/tmp/demarc-decode-XXXXXX";
        path = mkdtemp(name);
    }
    ~Directory() { fs::remove_all(path); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) const {
        const std::string full = path + "/" + name;
        std::ofstream(full, std::ios::binary) << text;
        chmod(full.c_str(), mode);
        return full;
    }
    std::string path;
};

inline std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The list in demarc.8 that begins so, digits written where it says how many; nothing when there is none.
inline std::string list_of_the_page(const std::string& beginning) {
    const std::string page = content(DEMARC_SOURCE_ROOT "/docs/demarc.8");
    const std::size_t begin = page.find(beginning, page.find(".Sh DECODING")), end = page.find(".Ed", begin);
    if (begin == page.npos || end == page.npos) return "";
    std::string text = page.substr(begin, end - begin);
    for (std::size_t at; (at = text.find('<')) != text.npos;)
        text.replace(at, text.find('>') - at + 1, std::stoul(text.substr(at + 1)), 'a');
    return text;
}

// The frame with tags, in hexadecimal, behind its addresses.
inline Bytes with_tags(Bytes frame, const std::string& tags) {
    const Bytes octets = macsec::test::from_hex(tags);
    frame.insert(frame.begin() + 12, octets.begin(), octets.end());
    return frame;
}

// A frame of a capture; cut to `kept` octets if that is less than it has.
struct Sample {
    Bytes octets;
    std::uint32_t seconds{1'700'000'000};
    std::uint32_t fraction{};  // microseconds, or nanoseconds where the file has them
    std::size_t kept{SIZE_MAX};
};

inline void put32(std::string& out, std::uint32_t v) { out.append(reinterpret_cast<const char*>(&v), sizeof v); }

inline void put_octets(std::string& out, const Sample& s) {
    out.append(s.octets.begin(), s.octets.begin() + static_cast<std::ptrdiff_t>(std::min(s.kept, s.octets.size())));
}

inline constexpr std::uint32_t kMicroseconds = 0xA1B2C3D4, kNanoseconds = 0xA1B23C4D;

inline std::string classic(const std::vector<Sample>& samples, std::uint32_t magic = kMicroseconds,
                           std::uint32_t link_type = 1) {
    std::string out;
    for (const std::uint32_t v : {magic, 0x0004'0002u, 0u, 0u, 262144u, link_type}) put32(out, v);
    for (const Sample& s : samples) {
        const auto kept = static_cast<std::uint32_t>(std::min(s.kept, s.octets.size()));
        for (const std::uint32_t v : {s.seconds, s.fraction, kept, static_cast<std::uint32_t>(s.octets.size())})
            put32(out, v);
        put_octets(out, s);
    }
    return out;
}

// Section header, one interface with nanoseconds, enhanced packets.
inline std::string next_generation(const std::vector<Sample>& samples) {
    std::string out;
    for (const std::uint32_t v : {0x0A0D0D0Au, 28u, 0x1A2B3C4Du, 1u, 0xFFFFFFFFu, 0xFFFFFFFFu, 28u}) put32(out, v);
    for (const std::uint32_t v : {1u, 32u, 1u, 0u, 0x0001'0009u, 9u, 0u, 32u}) put32(out, v);
    for (const Sample& s : samples) {
        const auto kept = static_cast<std::uint32_t>(std::min(s.kept, s.octets.size()));
        const std::uint32_t padded = (kept + 3) / 4 * 4, length = 32 + padded;
        const std::uint64_t ns = std::uint64_t{s.seconds} * 1'000'000'000 + s.fraction;
        for (const std::uint32_t v :
             {6u, length, 0u, static_cast<std::uint32_t>(ns >> 32), static_cast<std::uint32_t>(ns), kept,
              static_cast<std::uint32_t>(s.octets.size())})
            put32(out, v);
        put_octets(out, s);
        out.append(padded - kept, '\0');
        put32(out, length);
    }
    return out;
}

// An SA as an object of KEYS.json.
inline std::string entry(const macsec::SaDescription& d, const Bytes& sak, const std::string& more = "") {
    std::string text = fmt::format(R"({{"sci":"{:016x}","suite":"{}","an":{},"sak":"{}")", d.sci.value,
                                   to_string(d.suite), d.an.value, macsec::test::to_hex(sak));
    if (macsec::is_xpn(d.suite))
        text += fmt::format(R"(,"ssci":{},"salt":"{}")", d.ssci.value, macsec::test::to_hex(d.salt));
    return text + more + "}";
}

inline cli::DecodeKey key(const macsec::SaDescription& d, const Bytes& sak,
                          std::optional<std::uint64_t> lowest_pn = std::nullopt) {
    return {d, macsec::test::key_of(d.suite, sak), lowest_pn};
}

inline cli::CapturedFrame whole(const Bytes& octets) { return {octets, octets.size(), {}}; }

struct Ran {
    int code;
    std::string out, err;
};

inline Ran run(const cli::Options& o, const cli::Style& style = {.width = 120, .color = false}) {
    std::string out;
    const cli::Output output = cli::decode_capture(o, style, [&](std::string_view text) {
        out += text;
        return true;
    });
    return {output.code, out + output.out, output.err};
}

inline cli::Options options(const std::string& capture, const std::string& keys, bool json = false,
                            const std::string& write = "") {
    cli::Options o;
    o.command = "decode";
    o.operand = capture;
    o.keys = keys;
    o.json = json;
    o.write = write;
    return o;
}

}  // namespace decode_test
