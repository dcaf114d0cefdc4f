// A port's own netdev belongs to Demarc (AF_XDP, AF_PACKET): the kernel's stack neither sees nor sends a frame on it,
// from before the port exists until after it is gone. Netdevs are those of the calling thread's namespace.
// Errors are sentences with the remedy. control thread only.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/net/address.h"

namespace dataplane {

struct NetdevSetup {
    std::string name;
    std::uint32_t mtu{};  // the kernel's MTU is raised to it, never lowered: kernel_mtu() of port.h
    bool xdp{};           // an AF_XDP port: `steer` must not be there yet, and one receive queue
    bool promiscuous{};   // also frames for other stations' addresses; group addresses are received always
};

// A netdev that was taken over, and what it was like before, as values.
class TakenNetdev {
public:
    // Leaves it down, with the drop in force. Refuses one with addresses, of a bridge or bond, or with another's XDP
    // program, before anything is changed; an error later puts back what was changed. What a killed process of ours
    // left is taken over as it is found.
    static std::expected<TakenNetdev, std::string> take(const NetdevSetup&);
    TakenNetdev(TakenNetdev&&) noexcept;
    TakenNetdev& operator=(TakenNetdev&&) noexcept;
    // Restores, if restore() was not called.
    ~TakenNetdev();

    std::uint32_t index() const noexcept;
    net::MacAddress mac() const noexcept;
    // Offloads that could not be switched off.
    const std::vector<std::string>& stayed_on() const noexcept;

    std::expected<void, std::string> up();
    std::expected<void, std::string> down();
    // Sets it down first, then puts back XDP, flags, offloads, sysctls, MTU and at last takes the drop off. The port
    // must have been closed. It stays down, also if it was up before: an up netdev with IPv6 sends in clear at once.
    std::expected<void, std::string> restore();

private:
    struct State;
    explicit TakenNetdev(std::unique_ptr<State>);
    std::unique_ptr<State> state_;
};

}  // namespace dataplane
