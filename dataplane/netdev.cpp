// Taking a netdev over, so that no frame leaks at any step:
//
// 1. look        it exists, is nobody's member, has no address but IPv6 link-local, no XDP program but our stale one
// 2. drop        clsact both ways: from here on the kernel's stack neither sees nor sends
// 3. down
// 4. configure   MTU first (a small one hides IPv6), sysctls (addresses go), no ARP, group addresses, offloads
// 5. stale XDP   off, with the drop in force
// 6. up          once the port is attached
//
// Giving it back: down, then everything in reverse, the drop last.
#include "dataplane/netdev.h"

#include <fmt/format.h>
#include <net/if.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "dataplane/ethtool.h"
#include "dataplane/netlink_request.h"
#include "dataplane/steering.h"
#include "dataplane/sysctl.h"

namespace dataplane {
namespace {

using Result = std::expected<void, std::string>;

std::string words(int error) {
    return std::generic_category().message(error);
}

std::expected<LinkState, std::string> look(Netlink& netlink, const NetdevSetup& setup) {
    const auto link = netlink.link(setup.name);
    if (!link)
        return std::unexpected(fmt::format("netdev {}: {}; name one that `ip link` shows in this namespace", setup.name,
                                           words(link.error())));
    if (link->flags & IFF_LOOPBACK)
        return std::unexpected(fmt::format("netdev {} is a loopback device; name an Ethernet one", setup.name));
    if (link->master != 0)
        return std::unexpected(
            fmt::format("netdev {} is a member of a bridge or bond; take it out with "
                        "`ip link set dev {} nomaster`",
                        setup.name, setup.name));
    const auto addresses = netlink.addresses(link->index);
    if (!addresses)
        return std::unexpected(fmt::format("netdev {}: addresses: {}", setup.name, words(addresses.error())));
    for (const auto& a : *addresses)
        if (!a.link_local)
            return std::unexpected(
                fmt::format("netdev {} has the address {}, but a port belongs to demarcd alone; remove it with "
                            "`ip address flush dev {}`",
                            setup.name, net::to_string(a.address), setup.name));
    const auto program = xdp_program(link->index, setup.name);
    if (!program) return std::unexpected(program.error());
    if (!program->empty() && *program != kSteerProgram)
        return std::unexpected(
            fmt::format("netdev {} carries the XDP program `{}`, which is not ours; detach it with "
                        "`ip link set dev {} xdp off`",
                        setup.name, *program, setup.name));
    return *link;
}

}  // namespace

struct TakenNetdev::State {
    NetdevSetup setup;
    Netlink netlink;
    LinkState before;
    OffloadRecord offloads;
    std::vector<std::string> stayed_on;
    SysctlRecord sysctls;
    std::optional<DropFilter> drop;
    bool taken{};

    State(NetdevSetup s, Netlink n, LinkState l)
        : setup(std::move(s)), netlink(std::move(n)), before(std::move(l)), offloads(setup.name) {}

    Result change(const char* what, const LinkChange& c) {
        if (const auto done = netlink.change(before.index, c); !done)
            return std::unexpected(fmt::format("netdev {}: {}: {}; {}", setup.name, what, words(done.error()),
                                               done.error() == EPERM
                                                   ? "run as root or with CAP_NET_ADMIN"
                                                   : "look at `ip -d link show dev " + setup.name + "`"));
        return {};
    }
    Result set_up(bool up) {
        LinkChange c;
        c.flags = up ? IFF_UP : 0;
        c.flag_mask = IFF_UP;
        return change(up ? "cannot be set up" : "cannot be set down", c);
    }
    Result raise_mtu() {
        if (before.mtu >= setup.mtu) return {};
        LinkChange c;
        c.mtu = setup.mtu;
        return change(fmt::format("MTU {} (the port's frames need it)", setup.mtu).c_str(), c);
    }
    Result quiet_the_stack() {
        const auto v4 = fmt::format("net/ipv4/conf/{}/", setup.name), v6 = fmt::format("net/ipv6/conf/{}/", setup.name);
        if (auto r = sysctls.set(v6 + "disable_ipv6", "1", true); !r) return r;
        if (auto r = sysctls.set(v6 + "forwarding", "0", true); !r) return r;
        return sysctls.set(v4 + "forwarding", "0");
    }
    Result set_flags() {
        LinkChange c;
        c.flag_mask = IFF_NOARP | IFF_ALLMULTI | (setup.promiscuous ? IFF_PROMISC : 0);
        c.flags = c.flag_mask;
        return change("flags", c);
    }
    Result configure() {
        if (auto r = raise_mtu(); !r) return r;
        if (auto r = quiet_the_stack(); !r) return r;
        if (auto r = set_flags(); !r) return r;
        stayed_on = offloads.switch_off();
        return setup.xdp ? offloads.one_channel() : Result{};
    }
    Result take_over() {
        if (auto r = put_drop(); !r) return r;
        taken = true;  // from here on there is something to put back
        if (auto r = set_up(false); !r) return r;
        if (auto r = configure(); !r) return r;
        return detach_steer(before.index, setup.name);
    }
    Result put_drop() {
        auto filter = DropFilter::attach(before.index, setup.name);
        if (!filter) return std::unexpected(filter.error());
        drop.emplace(std::move(*filter));
        return {};
    }
    Result restore();
};

// Everything is tried; the first error is the answer.
Result TakenNetdev::State::restore() {
    if (!std::exchange(taken, false)) return {};
    if (const auto there = netlink.link(setup.name); !there || there->index != before.index)
        return {};  // the netdev is gone
    const auto down = set_up(false);
    if (!down) return down;  // as it is, nothing leaks; what follows would
    Result first;
    const auto note = [&](Result r) {
        if (!r && first) first = std::move(r);
    };
    note(detach_steer(before.index, setup.name));
    LinkChange c;
    c.flag_mask = IFF_NOARP | IFF_ALLMULTI | IFF_PROMISC;
    c.flags = before.flags;
    note(change("flags", c));
    offloads.restore();
    note(sysctls.restore());
    c = {};
    c.mtu = before.mtu;
    if (before.mtu < setup.mtu) note(change("MTU", c));
    if (drop) note(drop->detach());
    drop.reset();
    return first;
}

std::expected<TakenNetdev, std::string> TakenNetdev::take(const NetdevSetup& setup) {
    auto netlink = Netlink::open();
    if (!netlink) return std::unexpected(netlink.error());
    auto link = look(*netlink, setup);
    if (!link) return std::unexpected(link.error());
    TakenNetdev n(std::make_unique<State>(setup, std::move(*netlink), std::move(*link)));
    if (auto done = n.state_->take_over(); !done) {
        (void)n.restore();
        return std::unexpected(std::move(done.error()));
    }
    return n;
}

TakenNetdev::TakenNetdev(std::unique_ptr<State> s) : state_(std::move(s)) {}
TakenNetdev::TakenNetdev(TakenNetdev&&) noexcept = default;
TakenNetdev& TakenNetdev::operator=(TakenNetdev&& other) noexcept {
    if (this != &other) {
        if (state_) (void)state_->restore();
        state_ = std::move(other.state_);
    }
    return *this;
}
TakenNetdev::~TakenNetdev() {
    if (state_) (void)state_->restore();
}

std::uint32_t TakenNetdev::index() const noexcept {
    return state_->before.index;
}
net::MacAddress TakenNetdev::mac() const noexcept {
    return state_->before.mac;
}
const std::vector<std::string>& TakenNetdev::stayed_on() const noexcept {
    return state_->stayed_on;
}
Result TakenNetdev::up() {
    return state_->set_up(true);
}
Result TakenNetdev::down() {
    return state_->set_up(false);
}
Result TakenNetdev::restore() {
    return state_->restore();
}

}  // namespace dataplane
