// The command line as a value. Any thread; CLI11 is known here and nowhere else.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/demarc/style.h"

namespace CLI {
class App;
}

namespace cli {

inline constexpr const char* kDefaultSocket = "/run/demarc/demarc.sock";
enum ExitCode : int { kOk = 0, kNotOk = 1, kUsage = 2, kNoDaemon = 3 };

struct CaptureOptions {  // the port is Options::operand
    bool before{};       // MACsec; else after
    std::string direction{"both"};
    std::string filter;  // of libpcap; empty: every frame
    std::string file;    // "-": standard output
    std::optional<std::uint64_t> count;
    std::optional<double> seconds;
    std::optional<unsigned> snaplen;
};

struct TraceOptions {  // the port is Options::operand
    std::uint64_t count{10};
    bool drops{};
    std::string verdict;  // empty: no such filter
};

struct Options {
    // "status", "show ports", "lookup", "reload", "capture", "trace", "clocks on", "check", "frr-config", "decode", ...
    std::string command;
    std::string socket;
    bool json{};
    std::optional<double> watch_seconds;
    std::optional<unsigned> width;
    ColorChoice color{};
    std::string operand;  // PREFIX, ADDRESS, PORT or FILE
    std::string daemon{"all"};
    bool show_passwords{};
    std::string keys;      // decode: the list of keys; empty: none
    std::string mka_keys;  // decode: the list of CAKs; empty: none, and MKPDUs are not read. One of both is there
    std::string write;     // decode: where the plaintext goes; empty: nowhere
    std::optional<std::uint32_t> replay_window;
    CaptureOptions capture;
    TraceOptions trace;
};

// Text for the user and the code to exit with: help, version, or what is wrong with the command line.
struct Leave {
    int code{};
    std::string text;
};

// arguments: without the program's name. socket_from_environment: DEMARC_SOCKET, null when it is not set.
std::expected<Options, Leave> parse_options(const std::vector<std::string>& arguments,
                                            const char* socket_from_environment);

// Every option and subcommand with its parents ("show ports", "frr-config --daemon", "--socket"), for the manual page's
// test.
std::vector<std::string> documented_words();

}  // namespace cli
