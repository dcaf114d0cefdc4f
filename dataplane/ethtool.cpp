#include "dataplane/ethtool.h"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include <cerrno>
#include <cstring>
#include <ranges>
#include <system_error>

namespace dataplane {
namespace {

// 0 or errno.
int ethtool(const std::string& netdev, void* command) noexcept {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    ifreq request{};
    std::memcpy(request.ifr_name, netdev.data(), std::min<std::size_t>(netdev.size(), IFNAMSIZ - 1));
    request.ifr_data = static_cast<char*>(command);
    const int error = ::ioctl(fd, SIOCETHTOOL, &request) == 0 ? 0 : errno;
    ::close(fd);
    return error;
}

}  // namespace

const OffloadRecord::Flag OffloadRecord::kFlags[] = {
    {ETHTOOL_GGRO, ETHTOOL_SGRO, 0, "gro"},
    {ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_LRO, "lro"},
    {ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_RXVLAN, "rxvlan"},
    {ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_TXVLAN, "txvlan"},
};

std::vector<std::string> OffloadRecord::switch_off() {
    std::vector<std::string> stayed;
    for (const auto& f : kFlags) {
        ethtool_value value{f.get, 0};
        const std::uint32_t mask = f.mask ? f.mask : 1;
        if (ethtool(netdev_, &value) != 0 || !(value.data & mask)) continue;
        value = {f.set, value.data & ~mask};
        if (ethtool(netdev_, &value) == 0)
            switched_off_.push_back(&f);
        else
            stayed.emplace_back(f.name);
    }
    return stayed;
}

std::expected<void, std::string> OffloadRecord::one_channel() {
    ethtool_channels c{};
    c.cmd = ETHTOOL_GCHANNELS;
    if (ethtool(netdev_, &c) != 0 || c.combined_count + c.rx_count <= 1) return {};
    const auto before = c;
    c.cmd = ETHTOOL_SCHANNELS;
    if (c.combined_count)
        c.combined_count = 1, c.rx_count = 0;
    else
        c.rx_count = 1;
    if (const int error = ethtool(netdev_, &c))
        return std::unexpected(
            fmt::format("{} has {} receive queues and AF_XDP needs one: {}; try `ethtool -L {} combined 1`", netdev_,
                        before.combined_count + before.rx_count, std::generic_category().message(error), netdev_));
    combined_ = before.combined_count, receive_ = before.rx_count;
    return {};
}

void OffloadRecord::restore() noexcept {
    for (const auto* f : std::views::reverse(switched_off_)) {
        ethtool_value value{f->get, 0};
        if (ethtool(netdev_, &value) != 0) continue;
        value = {f->set, value.data | (f->mask ? f->mask : 1)};
        (void)ethtool(netdev_, &value);
    }
    switched_off_.clear();
    ethtool_channels c{};
    c.cmd = ETHTOOL_GCHANNELS;
    if (combined_ + receive_ == 0 || ethtool(netdev_, &c) != 0) return;
    c.cmd = ETHTOOL_SCHANNELS;
    c.combined_count = combined_, c.rx_count = receive_;
    (void)ethtool(netdev_, &c);
    combined_ = receive_ = 0;
}

}  // namespace dataplane
