// The UDP sockets of `flow`: a thin layer over the kernel's. One thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <string>

namespace flow {

// An open file descriptor, closed once.
class Socket {
public:
    Socket() = default;
    explicit Socket(int fd) noexcept : fd_(fd) {}
    Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Socket& operator=(Socket&& other) noexcept;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket();
    int fd() const noexcept { return fd_; }

private:
    int fd_{-1};
};

struct Endpoint {
    sockaddr_storage storage{};
    socklen_t length{};
    int family() const noexcept { return storage.ss_family; }
};

// Errors are sentences. `address` is an IPv4 or IPv6 address in text.
std::expected<Endpoint, std::string> endpoint(const std::string& address, std::uint16_t port);
std::string address_text(const sockaddr_storage&);
std::uint16_t port_of(const sockaddr_storage&);

// Connected to `to`, from `source_port` of any local address.
std::expected<Socket, std::string> open_sender(const Endpoint& to, std::uint16_t source_port);
// Bound to `port`, IPv4 and IPv6; arrival times by the kernel; large buffer; tells how much the buffer dropped.
std::expected<Socket, std::string> open_receiver(std::uint16_t port);

}  // namespace flow
