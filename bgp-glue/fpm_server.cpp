#include "bgp-glue/fpm_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace bgp_glue {

namespace {

constexpr std::size_t kReadOctets = 256 << 10;
constexpr int kBacklog = 8;

std::string errno_text(int number) { return std::error_code(number, std::generic_category()).message(); }

// A socket address of either family.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length{sizeof(sockaddr_storage)};
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const net::IpAddress& address, std::uint16_t port) {
    SocketAddress s;
    if (address.family == net::Family::ipv4) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        std::copy_n(address.octets.begin(), 4, reinterpret_cast<std::uint8_t*>(&in.sin_addr));
        std::memcpy(&s.storage, &in, s.length = sizeof in);
    } else {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(port);
        std::copy_n(address.octets.begin(), 16, reinterpret_cast<std::uint8_t*>(&in.sin6_addr));
        std::memcpy(&s.storage, &in, s.length = sizeof in);
    }
    return s;
}

std::string to_text(const SocketAddress& s) {
    char text[INET6_ADDRSTRLEN]{};
    if (s.storage.ss_family == AF_INET) {
        const auto& in = reinterpret_cast<const sockaddr_in&>(s.storage);
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
        return fmt::format("{}:{}", text, ntohs(in.sin_port));
    }
    const auto& in = reinterpret_cast<const sockaddr_in6&>(s.storage);
    inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    return fmt::format("[{}]:{}", text, ntohs(in.sin6_port));
}

void set_option(int fd, int level, int option, int value) { (void)setsockopt(fd, level, option, &value, sizeof value); }

// A peer that vanished without a word is noticed in about half a minute.
void keep_alive(int fd) {
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 15);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace

std::expected<FpmServer, std::string> FpmServer::listen(const net::IpAddress& address, std::uint16_t port) {
    const int fd = ::socket(address.family == net::Family::ipv4 ? AF_INET : AF_INET6,
                            SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return std::unexpected("FPM socket: " + errno_text(errno));
    auto where = socket_address(address, port);
    FpmServer server(fd, to_text(where));
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (::bind(fd, where.get(), where.length) != 0 || ::listen(fd, kBacklog) != 0)
        return std::unexpected(fmt::format("FPM cannot listen on {}: {}; choose another address or port in host.fpm, "
                                           "and the same in FRR's `fpm address`",
                                           server.status_.listening, errno_text(errno)));
    return server;
}

FpmServer::FpmServer(int fd, std::string listening) : listen_fd_(fd), buffer_(kReadOctets / sizeof(std::uint32_t)) {
    status_.listening = std::move(listening);
}
FpmServer::FpmServer(FpmServer&& other) noexcept
    : listen_fd_(std::exchange(other.listen_fd_, -1)), connection_fd_(std::exchange(other.connection_fd_, -1)),
      parser_(std::move(other.parser_)), buffer_(std::move(other.buffer_)), status_(std::move(other.status_)) {}
FpmServer::~FpmServer() {
    if (connection_fd_ >= 0) ::close(connection_fd_);
    if (listen_fd_ >= 0) ::close(listen_fd_);
}

std::uint16_t FpmServer::port() const {
    SocketAddress s;
    if (getsockname(listen_fd_, s.get(), &s.length) != 0) return 0;
    return ntohs(s.storage.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(s.storage).sin_port
                                                : reinterpret_cast<const sockaddr_in6&>(s.storage).sin6_port);
}

void FpmServer::on_listen_readable(Time now, const FpmEvents& events) {
    for (;;) {
        SocketAddress peer;
        const int fd = ::accept4(listen_fd_, peer.get(), &peer.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        if (connection_fd_ >= 0) {
            ++status_.counters.replaced;
            close_connection(now, events, "a newer connection took its place");
        }
        keep_alive(fd);
        connection_fd_ = fd;
        parser_ = {};
        ++status_.counters.connections;
        status_.connected = true;
        status_.peer = to_text(peer);
        status_.since = now;
        events.connected(now);
    }
}

void FpmServer::on_connection_readable(Time now, const FpmEvents& events, std::size_t most) {
    while (connection_fd_ >= 0 && most > 0 && read_once(now, events, most)) {}
}

// false: nothing more to read now, or no connection any more.
bool FpmServer::read_once(Time now, const FpmEvents& events, std::size_t& left) {
    auto* data = reinterpret_cast<std::uint8_t*>(buffer_.data());
    const auto n = ::recv(connection_fd_, data, std::min(kReadOctets, left), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) {
        const int number = errno;
        const auto end = parser_.finish();
        ++status_.counters.disconnections;
        if (!end) ++status_.counters.faults[static_cast<std::size_t>(end.error().fault)];
        close_connection(now, events, n < 0 ? errno_text(number) : end ? "closed by the peer" : describe(end.error()));
        return false;
    }
    left -= static_cast<std::size_t>(n);
    status_.counters.octets += static_cast<std::uint64_t>(n);
    const auto fed = parser_.feed({data, static_cast<std::size_t>(n)}, [&](macsec::ConstOctets payload) {
        ++status_.counters.frames;
        status_.last_frame = now;
        events.frame(payload, now);
    });
    if (fed) return true;
    ++status_.counters.faults[static_cast<std::size_t>(fed.error().fault)];
    close_connection(now, events, describe(fed.error()));
    return false;
}

void FpmServer::close_connection(Time now, const FpmEvents& events, std::string why) {
    ::close(std::exchange(connection_fd_, -1));
    status_.connected = false;
    status_.since = now;
    status_.last_error = std::move(why);
    events.disconnected(now);
}

}  // namespace bgp_glue
