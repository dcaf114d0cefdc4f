// TAPs: an interface's face towards Linux. FRR, ARP, ND, ping and ssh use them; they live in the host's namespace.
// Errors are sentences with the remedy. control thread only, but read() and write(), which one thread at a time
// may call.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/netlink_request.h"
#include "dataplane/sysctl.h"

namespace dataplane {

// The namespace of the TAPs, and its settings that count for all devices in it, whatever the TAP's own say:
//   net/ipv6/conf/all/forwarding=1       without it the kernel answers no expired hop limit and no packet too big
//   net/ipv4/conf/all/rp_filter=0        the greater of `all` and the device's counts
//   net/ipv4/conf/all/send_redirects=0   either one is enough
// All are put back when it ends. net/ipv4/conf/all/{arp_ignore,arp_announce} count by the greater value too and are
// left alone: ours are the TAP's. In a namespace shared with other devices these three change their behaviour as well.
class HostNamespace {
public:
    // `netns`: a name under /run/netns, a path, or empty for the calling thread's own.
    static std::expected<HostNamespace, std::string> open(const std::string& netns);
    HostNamespace(HostNamespace&&) noexcept = default;
    HostNamespace& operator=(HostNamespace&&) = delete;
    ~HostNamespace();  // after its TAPs

    const std::string& netns() const noexcept { return netns_; }
    Netlink& netlink() noexcept { return netlink_; }

private:
    HostNamespace(std::string netns, Netlink n) : netns_(std::move(netns)), netlink_(std::move(n)) {}
    std::string netns_;
    Netlink netlink_;
    SysctlRecord settings_;
};

struct TapSetup {
    std::string name;  // of the interface: at most 15 octets, no dots
    net::MacAddress mac{};
    std::uint32_t mtu{1500};
    std::vector<net::InterfaceAddress> addresses;
};

// Non-persistent: gone with its descriptor, so also after kill -9. Born with carrier off, then IFF_UP. IPv6 addresses,
// the link-local one included, are usable at once (no duplicate address detection).
class Tap {
public:
    // `host` outlives the TAP and stays where it is.
    static std::expected<Tap, std::string> make(HostNamespace& host, const TapSetup&);
    Tap(Tap&& other) noexcept;
    Tap& operator=(Tap&& other) noexcept;
    ~Tap();

    int fd() const noexcept { return fd_; }                  // non-blocking; for epoll
    std::uint32_t index() const noexcept { return index_; }  // in the host's namespace
    const TapSetup& setup() const noexcept { return setup_; }
    bool carrier() const noexcept { return carrier_; }

    // What differs from the TAP as it is: MAC address, MTU, addresses. The name stays. On error it is done as far as
    // possible, and setup() says what is there now: change() with the old setup takes it back.
    std::expected<void, std::string> change(const TapSetup&);

    // Says the addresses to netlink listeners again. zebra handles links and addresses in different threads: an
    // address that comes within milliseconds of its new link is lost on it.
    std::expected<void, std::string> repeat_addresses();

    // The carrier, seen by netlink listeners within milliseconds. Linkwatch may hold a plain carrier event back for a
    // second; a change of the operational state is told at once: down is dormant first, then the carrier; up in
    // reverse.
    std::expected<void, std::string> set_carrier(bool up);

    // One frame the kernel sent. Octets; 0: none waiting; -1: it was longer than `into` and is lost, or the TAP failed.
    int read(std::span<std::uint8_t> into) noexcept;
    // One frame for the kernel. False: refused (TAP down, out of memory); the caller counts it.
    bool write(std::span<const std::uint8_t> frame) noexcept;

private:
    Tap(HostNamespace& host, TapSetup s, int fd) : host_(&host), setup_(std::move(s)), fd_(fd) {}
    std::string failed(const std::string& what, int error) const;
    std::expected<void, std::string> configure();
    std::expected<void, std::string> link_mode(bool dormant);
    std::expected<void, std::string> change_addresses(const std::vector<net::InterfaceAddress>& wanted);

    HostNamespace* host_;
    TapSetup setup_;
    int fd_;
    std::uint32_t index_{};
    bool carrier_{};
};

}  // namespace dataplane
