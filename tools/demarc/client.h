// One question to demarcd over its control socket (docs/control-protocol.md). The only place that talks to it.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

namespace cli {

inline constexpr std::size_t kMaxAnswer = 64u << 20;  // octets
inline constexpr std::chrono::milliseconds kAnswerTimeout{10'000};

// Connects, sends `request` (one JSON document without newline), and returns the answer without its newline.
// Error: one sentence with its remedy. Waits at most `timeout` in all. Any thread.
std::expected<std::string, std::string> ask(const std::string& socket_path, std::string_view request,
                                            std::chrono::milliseconds timeout = kAnswerTimeout);

}  // namespace cli
