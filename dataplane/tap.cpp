#include "dataplane/tap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "dataplane/netns.h"

namespace dataplane {
namespace {

using Result = std::expected<void, std::string>;

struct Setting {
    const char *family, *name, *value;
};
// net/FAMILY/conf/TAP/NAME
constexpr Setting kSettings[] = {
    {"ipv4", "forwarding", "1"},
    {"ipv4", "rp_filter", "0"},
    {"ipv4", "send_redirects", "0"},
    {"ipv4", "accept_redirects", "0"},
    {"ipv4", "arp_ignore", "1"},
    {"ipv4", "arp_announce", "2"},
    {"ipv4", "ignore_routes_with_linkdown", "1"},
    {"ipv6", "forwarding", "1"},
    {"ipv6", "accept_ra", "0"},
    {"ipv6", "accept_redirects", "0"},
    {"ipv6", "accept_dad", "0"},
    {"ipv6", "dad_transmits", "0"},
    {"ipv6", "ignore_routes_with_linkdown", "1"},
};
constexpr Setting kHostSettings[] = {
    {"ipv6", "forwarding", "1"}, {"ipv4", "rp_filter", "0"}, {"ipv4", "send_redirects", "0"}};

Result set(SysctlRecord& record, const std::string& device, const Setting& s) {
    return record.set(fmt::format("net/{}/conf/{}/{}", s.family, device, s.name), s.value,
                      std::string_view(s.family) == "ipv6");
}

std::string words(int error) {
    return std::generic_category().message(error);
}

// The calling thread is in the TAP's namespace. Descriptor, or -errno.
int open_tap(const std::string& name) noexcept {
    const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return -errno;
    ifreq request{};
    std::memcpy(request.ifr_name, name.data(), name.size());
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (::ioctl(fd, TUNSETIFF, &request) == 0) return fd;
    const int error = errno;
    ::close(fd);
    return -error;
}

int set_plain_carrier(int fd, bool up) noexcept {
    int value = up;
    return ::ioctl(fd, TUNSETCARRIER, &value) == 0 ? 0 : errno;
}

std::string remedy(int error, const std::string& name) {
    if (error == EBUSY || error == EINVAL) return "; remove the netdev of that name: `ip link del " + name + "`";
    if (error == EPERM || error == EACCES) return "; run as root or with CAP_NET_ADMIN";
    if (error == ENOENT || error == ENODEV) return "; load the module: `modprobe tun`";
    return "";
}

}  // namespace

std::expected<HostNamespace, std::string> HostNamespace::open(const std::string& netns) {
    const auto scope = NetnsScope::enter(netns);
    if (!scope) return std::unexpected(scope.error());
    auto netlink = Netlink::open();
    if (!netlink) return std::unexpected(netlink.error());
    HostNamespace host(netns, std::move(*netlink));
    for (const auto& s : kHostSettings)
        if (auto done = set(host.settings_, "all", s); !done) {
            (void)host.settings_.restore();
            return std::unexpected(done.error());
        }
    return host;
}

HostNamespace::~HostNamespace() {
    if (const auto scope = NetnsScope::enter(netns_)) (void)settings_.restore();
}

std::string Tap::failed(const std::string& what, int error) const {
    return fmt::format("TAP {}: {}: {}{}", setup_.name, what, words(error), remedy(error, setup_.name));
}

std::expected<Tap, std::string> Tap::make(HostNamespace& host, const TapSetup& setup) {
    if (setup.name.empty() || setup.name.size() >= IFNAMSIZ || setup.name.find_first_of("./ %") != std::string::npos)
        return std::unexpected(fmt::format("`{}` cannot name a TAP; use 1 to 15 octets without dots", setup.name));
    const auto scope = NetnsScope::enter(host.netns());
    if (!scope) return std::unexpected(scope.error());
    Tap tap(host, setup, -1);
    if (::if_nametoindex(setup.name.c_str()) != 0) return std::unexpected(tap.failed("cannot be made", EBUSY));
    const int fd = open_tap(setup.name);
    if (fd < 0) return std::unexpected(tap.failed("cannot be made", -fd));
    tap.fd_ = fd;
    if (auto done = tap.configure(); !done) return std::unexpected(done.error());
    return tap;
}

// 1. carrier off, dormant   before IFF_UP: it is born with carrier
// 2. MAC address, MTU       before IPv6 makes the link-local address of it
// 3. settings               before any address
// 4. addresses, IFF_UP
Result Tap::configure() {
    if (const int error = set_plain_carrier(fd_, false)) return std::unexpected(failed("carrier", error));
    const auto link = host_->netlink().link(setup_.name);
    if (!link) return std::unexpected(failed("not to be seen", link.error()));
    index_ = link->index;
    LinkChange c;
    c.mac = setup_.mac;
    c.mtu = setup_.mtu;
    c.mode = std::uint8_t{IF_LINK_MODE_DORMANT};
    if (const auto done = host_->netlink().change(index_, c); !done)
        return std::unexpected(
            failed(fmt::format("MAC address {} or MTU {}", net::to_string(setup_.mac), setup_.mtu), done.error()));
    SysctlRecord gone_with_the_tap;
    for (const auto& s : kSettings)
        if (auto done = set(gone_with_the_tap, setup_.name, s); !done) return done;
    const auto wanted = std::exchange(setup_.addresses, {});
    if (auto done = change_addresses(wanted); !done) return done;
    c = {};
    c.flags = c.flag_mask = IFF_UP;
    if (const auto done = host_->netlink().change(index_, c); !done)
        return std::unexpected(failed("cannot be set up", done.error()));
    return {};
}

Result Tap::change_addresses(const std::vector<net::InterfaceAddress>& wanted) {
    const auto in = [](const auto& list, const auto& a) { return std::ranges::find(list, a) != list.end(); };
    Result first;
    const auto good = [&](const net::InterfaceAddress& a, std::expected<void, int> done) {
        if (!done && first)
            first = std::unexpected(done.error() == EACCES && a.address.family == net::Family::ipv6
                                        ? fmt::format("TAP {0}: address {1}: IPv6 is switched off there; run `sysctl "
                                                      "net.ipv6.conf.{0}.disable_ipv6=0`",
                                                      setup_.name, net::to_string(a))
                                        : failed("address " + net::to_string(a), done.error()));
        return done.has_value();
    };
    const auto gone = [&](const net::InterfaceAddress& a) {
        const auto done = host_->netlink().remove_address(index_, a);
        return !done && done.error() == EADDRNOTAVAIL ? std::expected<void, int>() : done;  // somebody else took it off
    };
    std::vector<net::InterfaceAddress> now;
    for (const auto& a : setup_.addresses)
        if (in(wanted, a) || !good(a, gone(a))) now.push_back(a);
    for (const auto& a : wanted)
        if (!in(now, a) && good(a, host_->netlink().add_address(index_, a))) now.push_back(a);
    setup_.addresses = std::move(now);
    return first;
}

Result Tap::change(const TapSetup& wanted) {
    LinkChange c;
    if (wanted.mac != setup_.mac) c.mac = wanted.mac;
    if (wanted.mtu != setup_.mtu) c.mtu = wanted.mtu;
    Result first;
    if (c.mac || c.mtu) {
        if (const auto done = host_->netlink().change(index_, c); !done)
            first = std::unexpected(
                failed(fmt::format("MAC address {} or MTU {}", net::to_string(wanted.mac), wanted.mtu), done.error()));
        else
            setup_.mac = wanted.mac, setup_.mtu = wanted.mtu;
    }
    auto addresses = change_addresses(wanted.addresses);
    return first ? addresses : first;
}

// RFC 2863 and the kernel's operstates: the one change that linkwatch does not delay.
Result Tap::link_mode(bool dormant) {
    LinkChange c;
    c.mode = static_cast<std::uint8_t>(dormant ? IF_LINK_MODE_DORMANT : IF_LINK_MODE_DEFAULT);
    c.operational = static_cast<std::uint8_t>(dormant ? IF_OPER_DORMANT : IF_OPER_UP);
    if (const auto done = host_->netlink().change(index_, c); !done)
        return std::unexpected(failed("operational state", done.error()));
    return {};
}

Result Tap::repeat_addresses() {
    Result first;
    for (const auto& a : setup_.addresses)
        if (auto done = host_->netlink().add_address(index_, a); !done && first)
            first = std::unexpected(failed("address " + net::to_string(a), done.error()));
    return first;
}

Result Tap::set_carrier(bool up) {
    if (carrier_ == up) return {};
    if (!up)
        if (auto done = link_mode(true); !done) return done;
    if (const int error = set_plain_carrier(fd_, up)) return std::unexpected(failed("carrier", error));
    if (up)
        if (auto done = link_mode(false); !done) return done;
    carrier_ = up;
    return {};
}

int Tap::read(std::span<std::uint8_t> into) noexcept {
    const auto n = ::read(fd_, into.data(), into.size());
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return static_cast<int>(n);
}

bool Tap::write(std::span<const std::uint8_t> frame) noexcept {
    return ::write(fd_, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
}

Tap::Tap(Tap&& other) noexcept
    : host_(other.host_),
      setup_(std::move(other.setup_)),
      fd_(std::exchange(other.fd_, -1)),
      index_(other.index_),
      carrier_(other.carrier_) {}

Tap& Tap::operator=(Tap&& other) noexcept {
    if (this == &other) return *this;
    if (fd_ >= 0) ::close(fd_);
    host_ = other.host_;
    setup_ = std::move(other.setup_);
    fd_ = std::exchange(other.fd_, -1);
    index_ = other.index_;
    carrier_ = other.carrier_;
    return *this;
}

Tap::~Tap() {
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace dataplane
