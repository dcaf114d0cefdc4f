// The few rtnetlink requests of ports and TAPs: one at a time, answered before the call returns.
// Errors are the kernel's errno. control thread only.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/address.h"

struct mnl_socket;
struct nlmsghdr;

namespace dataplane {

// A netdev as the kernel describes it.
struct LinkState {
    std::uint32_t index{};
    std::string name;
    std::uint32_t flags{};  // IFF_*
    std::uint32_t mtu{};
    net::MacAddress mac{};
    std::uint32_t master{};      // bridge or bond it belongs to; 0: none
    std::uint8_t operational{};  // IF_OPER_*
    bool carrier{};

    bool operator==(const LinkState&) const = default;
};

// What to change; the rest stays.
struct LinkChange {
    std::uint32_t flags{};  // IFF_* values of the bits in `flag_mask`
    std::uint32_t flag_mask{};
    std::optional<std::uint32_t> mtu;
    std::optional<net::MacAddress> mac;
    std::optional<std::uint8_t> mode;         // IF_LINK_MODE_*
    std::optional<std::uint8_t> operational;  // IF_OPER_*
};

struct LinkAddress {
    net::InterfaceAddress address;
    bool link_local{};  // IPv6 fe80::/10, made by the kernel
};

class Netlink {
public:
    // A socket in the calling thread's network namespace; it stays there. Error: a sentence.
    static std::expected<Netlink, std::string> open();

    std::expected<LinkState, int> link(const std::string& name);
    std::expected<void, int> change(std::uint32_t index, const LinkChange&);
    std::expected<std::vector<LinkAddress>, int> addresses(std::uint32_t index);
    // IPv6 without duplicate address detection.
    std::expected<void, int> add_address(std::uint32_t index, const net::InterfaceAddress&);
    std::expected<void, int> remove_address(std::uint32_t index, const net::InterfaceAddress&);

private:
    struct Close {
        void operator()(mnl_socket*) const noexcept;
    };
    using Callback = int (*)(const nlmsghdr*, void*);
    explicit Netlink(mnl_socket* s) noexcept : socket_(s) {}
    std::expected<void, int> request(nlmsghdr*, Callback = nullptr, void* into = nullptr);
    std::expected<void, int> address_request(std::uint16_t type, std::uint16_t flags, std::uint32_t index,
                                             const net::InterfaceAddress&);

    std::unique_ptr<mnl_socket, Close> socket_;
    std::uint32_t sequence_{};
};

// Carrier of a netdev in the calling thread's namespace, and IFF_UP; false when it does not exist. The drivers of
// AF_XDP and AF_PACKET ports and TAPs say "up" for ever, so that the kernel is asked.
bool link_up(const std::string& name);

}  // namespace dataplane
