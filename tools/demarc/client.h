// One question to demarcd over its control socket (docs/control-protocol.md). The only place that talks to it.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cli {

inline constexpr std::size_t kMaxAnswer = 64u << 20;  // octets
inline constexpr std::chrono::milliseconds kAnswerTimeout{10'000};

// Connects, sends `request` (one JSON document without newline), and returns the answer without its newline.
// Error: one sentence with its remedy. Waits at most `timeout` in all. Any thread.
std::expected<std::string, std::string> ask(const std::string& socket_path, std::string_view request,
                                            std::chrono::milliseconds timeout = kAnswerTimeout);

// A connection whose answer is the first line of a stream of the daemon's. One thread's.
class Stream {
public:
    // As ask(); then the stream goes on until finish() or the end of either side.
    static std::expected<Stream, std::string> open(const std::string& socket_path, std::string_view request,
                                                   std::chrono::milliseconds timeout = kAnswerTimeout);
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) = delete;
    ~Stream();

    const std::string& answer() const noexcept { return answer_; }
    // What came behind the answer; empty when nothing did within `wait`, or a signal came first. Nothing: its end.
    std::optional<std::string> read(std::chrono::milliseconds wait);
    // Tells the daemon that it is enough: it sends the rest and closes.
    void finish() noexcept;

private:
    Stream(int fd, std::string answer, std::string rest) noexcept
        : fd_(fd), answer_(std::move(answer)), rest_(std::move(rest)) {}
    int fd_;
    std::string answer_, rest_;
};

}  // namespace cli
