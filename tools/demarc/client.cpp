// 1. connect
// 2. send the request
// 3. read up to the newline
#include "tools/demarc/client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/demarc/style.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

class Socket {
public:
    explicit Socket(int fd) noexcept : fd_(fd) {}
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (fd_ >= 0) close(fd_);
    }
    int fd() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

std::string shown(const std::string& path) { return escaped(path); }

std::string cannot_connect(const std::string& path, int error) {
    switch (error) {
        case ENOENT:
            return fmt::format(
                "demarcd is not running: there is no socket {}; start demarcd, or name its socket with "
                "--socket PATH or DEMARC_SOCKET",
                shown(path));
        case ECONNREFUSED:
            return fmt::format("demarcd is not running: nobody listens on {}; start demarcd", shown(path));
        case EACCES:
        case EPERM:
            return fmt::format("may not open {}: permission denied; run as root or as a member of the socket's group",
                               shown(path));
        case EAGAIN: return fmt::format("demarcd is too busy to accept a client on {}; try again", shown(path));
        default:
            return fmt::format("cannot connect to {}: {}; is it the control socket of demarcd?", shown(path),
                               std::strerror(error));
    }
}

std::string lost(const std::string& path) {
    return fmt::format("demarcd closed the connection on {} before it answered; look at its log", shown(path));
}

// Until the socket is ready for `events`; error: the sentence for a timeout.
std::expected<void, std::string> wait_for(const Socket& s, short events, Clock::time_point deadline,
                                          const std::string& path, std::chrono::milliseconds timeout) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd p{s.fd(), events, 0};
        const int n = left.count() <= 0 ? 0 : poll(&p, 1, static_cast<int>(left.count()));
        if (n > 0) return {};
        if (n < 0 && errno == EINTR) continue;
        return std::unexpected(fmt::format("no answer from demarcd on {} within {:.0f} s; is it stopped or overloaded?",
                                           shown(path), std::chrono::duration<double>(timeout).count()));
    }
}

std::expected<Socket, std::string> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return std::unexpected(fmt::format("{} is no path of a socket: want 1 to {} octets; see --socket", shown(path),
                                           sizeof address.sun_path - 1));
    std::memcpy(address.sun_path, path.data(), path.size());
    Socket s(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (s.fd() < 0) return std::unexpected(fmt::format("cannot make a socket: {}", std::strerror(errno)));
    if (connect(s.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return std::unexpected(cannot_connect(path, errno));
    return s;
}

struct Exchange {
    const std::string& path;
    std::chrono::milliseconds timeout;
    Clock::time_point deadline;
};

std::expected<void, std::string> send_all(const Socket& s, std::string_view octets, const Exchange& x) {
    while (!octets.empty()) {
        if (auto ready = wait_for(s, POLLOUT, x.deadline, x.path, x.timeout); !ready) return ready;
        const ssize_t n = send(s.fd(), octets.data(), octets.size(), MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) return std::unexpected(lost(x.path));
        if (n > 0) octets.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

struct Line {
    std::string text, rest;  // what came behind its newline
};

std::expected<Line, std::string> receive_line(const Socket& s, const Exchange& x) {
    std::string answer;
    std::array<char, 65536> chunk;
    for (;;) {
        if (auto ready = wait_for(s, POLLIN, x.deadline, x.path, x.timeout); !ready)
            return std::unexpected(ready.error());
        const ssize_t n = recv(s.fd(), chunk.data(), chunk.size(), 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (n <= 0) return std::unexpected(lost(x.path));
        const std::string_view got(chunk.data(), static_cast<std::size_t>(n));
        const auto newline = got.find('\n');
        answer.append(got.substr(0, newline));
        if (newline != got.npos) return Line{std::move(answer), std::string(got.substr(newline + 1))};
        if (answer.size() > kMaxAnswer)
            return std::unexpected(
                fmt::format("the answer on {} is longer than {} MiB; is it the control socket of demarcd?",
                            shown(x.path), kMaxAnswer >> 20));
    }
}

}  // namespace

std::expected<std::string, std::string> ask(const std::string& socket_path, std::string_view request,
                                            std::chrono::milliseconds timeout) {
    auto stream = Stream::open(socket_path, request, timeout);
    if (!stream) return std::unexpected(stream.error());
    return stream->answer();
}

std::expected<Stream, std::string> Stream::open(const std::string& socket_path, std::string_view request,
                                                std::chrono::milliseconds timeout) {
    const Exchange x{socket_path, timeout, Clock::now() + timeout};
    auto s = connect_to(socket_path);
    if (!s) return std::unexpected(s.error());
    if (auto sent = send_all(*s, std::string(request) + "\n", x); !sent) return std::unexpected(sent.error());
    auto line = receive_line(*s, x);
    if (!line) return std::unexpected(line.error());
    return Stream(s->release(), std::move(line->text), std::move(line->rest));
}

Stream::Stream(Stream&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), answer_(std::move(other.answer_)), rest_(std::move(other.rest_)) {}

Stream::~Stream() {
    if (fd_ >= 0) close(fd_);
}

std::optional<std::string> Stream::read(std::chrono::milliseconds wait) {
    if (!rest_.empty()) return std::exchange(rest_, {});
    pollfd p{fd_, POLLIN, 0};
    if (poll(&p, 1, static_cast<int>(wait.count())) <= 0) return std::string();
    std::string got(256 << 10, '\0');
    const ssize_t n = recv(fd_, got.data(), got.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::string();
    if (n <= 0) return std::nullopt;
    got.resize(static_cast<std::size_t>(n));
    return got;
}

void Stream::finish() noexcept { shutdown(fd_, SHUT_WR); }

}  // namespace cli
