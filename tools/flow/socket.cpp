#include "tools/flow/socket.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace flow {

namespace {

constexpr int kReceiveBuffer = 32 << 20;
constexpr int kSendBuffer = 1 << 20;

std::unexpected<std::string> failed(const std::string& what) {
    return std::unexpected(fmt::format("{}: {}", what, std::strerror(errno)));
}

void set_int(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

// FORCE needs CAP_NET_ADMIN; without it the kernel gives what net.core.*mem_max allows.
void enlarge(int fd, int forced, int plain, int octets) {
    if (setsockopt(fd, SOL_SOCKET, forced, &octets, sizeof octets) != 0) set_int(fd, SOL_SOCKET, plain, octets);
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) close(fd_);
        fd_ = other.fd_;
        other.fd_ = -1;
    }
    return *this;
}

Socket::~Socket() {
    if (fd_ >= 0) close(fd_);
}

std::expected<Endpoint, std::string> endpoint(const std::string& address, std::uint16_t port) {
    Endpoint e;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&e.storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&e.storage);
    if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        e.length = sizeof *v4;
    } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        e.length = sizeof *v6;
    } else {
        return std::unexpected(fmt::format("'{}' is not an address; give one like 10.20.0.2 or fd00:20::2", address));
    }
    return e;
}

std::string address_text(const sockaddr_storage& storage) {
    char text[INET6_ADDRSTRLEN]{};
    if (storage.ss_family == AF_INET) {
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, text, sizeof text);
    } else {
        inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, text, sizeof text);
    }
    constexpr const char* kMapped = "::ffff:";
    return std::strncmp(text, kMapped, 7) == 0 && std::strchr(text, '.') ? text + 7 : text;
}

std::uint16_t port_of(const sockaddr_storage& storage) {
    // sin_port and sin6_port share their place.
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::expected<Socket, std::string> open_sender(const Endpoint& to, std::uint16_t source_port) {
    Socket s(socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (s.fd() < 0) return failed("no UDP socket");
    enlarge(s.fd(), SO_SNDBUFFORCE, SO_SNDBUF, kSendBuffer);
    auto from = endpoint(to.family() == AF_INET ? "0.0.0.0" : "::", source_port);
    if (bind(s.fd(), reinterpret_cast<const sockaddr*>(&from->storage), from->length) != 0)
        return failed(fmt::format("cannot use source port {}; choose another with --source-port", source_port));
    if (connect(s.fd(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) != 0)
        return failed(fmt::format("no route to {}", address_text(to.storage)));
    return s;
}

std::expected<Socket, std::string> open_receiver(std::uint16_t port) {
    Socket s(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (s.fd() < 0) return failed("no UDP socket over IPv6");
    set_int(s.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    set_int(s.fd(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
    set_int(s.fd(), SOL_SOCKET, SO_RXQ_OVFL, 1);
    enlarge(s.fd(), SO_RCVBUFFORCE, SO_RCVBUF, kReceiveBuffer);
    auto here = endpoint("::", port);
    if (bind(s.fd(), reinterpret_cast<const sockaddr*>(&here->storage), here->length) != 0)
        return failed(fmt::format("cannot listen on UDP port {}; choose another with --port", port));
    return s;
}

}  // namespace flow
