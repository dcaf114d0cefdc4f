// A netdev belongs to one daemon: to take over a port takes off what is found there, also the steering program and
// the drop filter of a daemon that runs. Control thread only.
//
// The claim is the name of an abstract Unix socket: one holder per network namespace, and the kernel frees it however
// its holder ends.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace demarcd {

class PortClaim {
public:
    PortClaim() = default;
    PortClaim(PortClaim&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    PortClaim& operator=(PortClaim&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~PortClaim();

    // In the calling thread's network namespace. Error: a sentence with the remedy.
    static std::expected<PortClaim, std::string> take(const std::string& device);

private:
    explicit PortClaim(int fd) : fd_(fd) {}
    int fd_{-1};
};

}  // namespace demarcd
