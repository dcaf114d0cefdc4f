#include "tools/demarcd/port_claim.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace demarcd {

PortClaim::~PortClaim() {
    if (fd_ >= 0) close(fd_);
}

std::expected<PortClaim, std::string> PortClaim::take(const std::string& device) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "demarc-port-" + device;
    const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path + 1, name.data(), length);  // a zero octet before it makes it abstract
    PortClaim claim(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto octets = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
    if (claim.fd_ >= 0 && bind(claim.fd_, reinterpret_cast<const sockaddr*>(&address), octets) == 0) return claim;
    if (errno == EADDRINUSE)
        return std::unexpected(fmt::format("{} is a port of another demarcd that runs; stop it, or name another device",
                                           device));
    return std::unexpected(fmt::format("{} cannot be claimed: {}; run as root", device, std::strerror(errno)));
}

}  // namespace demarcd
