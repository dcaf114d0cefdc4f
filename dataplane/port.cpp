#include "dataplane/port.h"

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "dataplane/eal.h"
#include "dataplane/netlink_request.h"
#include "dataplane/steering.h"

namespace dataplane {
namespace {

using Result = std::expected<void, std::string>;

// AF_PACKET rings: frame and block size as the driver takes them, frames each way.
struct Ring {
    std::uint32_t frame, block, count;
};
constexpr std::array<Ring, 3> kRings{{{2048, 65536, 1024}, {4096, 65536, 512}, {9216, 36864, 512}}};
constexpr std::uint32_t kRingHeader = 80;  // of a ring's frame: the kernel's header, with alignment
constexpr std::uint32_t kRingInBuffer =
    96;  // the driver wants frame <= buffer - this (headroom less the kernel's header)
// AF_XDP: a mempool object is a chunk of the UMEM, 2048 to 4096 octets; the kernel keeps headroom of its own.
constexpr std::uint32_t kXdpHeadroom = 128 + 256;
constexpr std::uint32_t kXdpLeast = 1920, kXdpMost = 3808;  // buffers whose objects fit

// Kernel capabilities by bit; AF_XDP loads programs and looks at others'.
struct Capability {
    unsigned bit;
    const char* name;
};
constexpr std::array<Capability, 3> kCapabilities{{{12, "CAP_NET_ADMIN"}, {13, "CAP_NET_RAW"}, {21, "CAP_SYS_ADMIN"}}};

std::string missing_capabilities() {
    std::ifstream status("/proc/self/status");
    std::string line, missing;
    while (std::getline(status, line)) {
        if (!line.starts_with("CapEff:")) continue;
        const auto effective = std::strtoull(line.c_str() + 7, nullptr, 16);
        for (const auto& c : kCapabilities)
            if (!(effective >> c.bit & 1)) missing += (missing.empty() ? "" : ", ") + std::string(c.name);
    }
    return missing;
}

// Names go into the driver's argument string: commas and the like must not.
bool usable_name(PortDriver driver, const std::string& device) {
    const auto odd = [](char c) { return c <= ' ' || c > '~' || std::strchr(",=/[]\"", c) != nullptr; };
    return !device.empty() && device.size() < (driver == PortDriver::pci ? 32u : 16u) &&
           std::ranges::none_of(device, odd);
}

std::string_view word(PortDriver d) {
    constexpr std::string_view words[] = {"pci", "af_xdp", "af_packet"};
    return words[static_cast<std::size_t>(d)];
}

const Ring* ring_for(std::uint32_t frame, std::uint32_t buffer_octets) {
    for (const auto& r : kRings)
        if (r.frame - kRingHeader >= frame && r.frame + kRingInBuffer <= buffer_octets) return &r;
    return nullptr;
}

}  // namespace

std::uint32_t room(PortDriver driver, std::uint32_t buffer_octets) noexcept {
    if (driver == PortDriver::pci) return buffer_octets > 128 ? buffer_octets - 128 : 0;
    if (driver == PortDriver::af_xdp)
        return buffer_octets >= kXdpLeast && buffer_octets <= kXdpMost ? buffer_octets - kXdpHeadroom : 0;
    std::uint32_t most = 0;
    for (const auto& r : kRings)
        if (r.frame + kRingInBuffer <= buffer_octets) most = r.frame - kRingHeader;
    return most;
}

std::optional<std::uint32_t> buffer_octets_for(PortDriver driver, std::uint32_t frame) noexcept {
    if (driver == PortDriver::pci) return std::max(frame + 128, 2176u);
    if (driver == PortDriver::af_packet) {
        const auto* r = ring_for(frame, ~0u);
        return r ? std::optional(r->frame + kRingInBuffer) : std::nullopt;
    }
    if (frame + kXdpHeadroom > kXdpMost) return std::nullopt;
    return std::max(frame + kXdpHeadroom, kXdpLeast);
}

std::uint32_t buffers_held(PortDriver driver) noexcept {
    if (driver == PortDriver::pci) return 2048;
    return driver == PortDriver::af_xdp ? 4096 : 0;  // fill ring, and sent frames not yet reclaimed
}

std::string device_arguments(const PortSetup& s, std::uint32_t buffer_octets, const std::string& steer_path) {
    if (s.driver == PortDriver::pci) return s.device;
    auto arguments = fmt::format("net_{}_{},iface={}", word(s.driver), s.device, s.device);
    if (s.driver == PortDriver::af_xdp)
        return arguments + fmt::format(",start_queue=0,queue_count=1,busy_budget=0,xdp_prog={}", steer_path);
    const auto* r = ring_for(s.frame, buffer_octets);
    if (!r) r = &kRings.front();
    return arguments + fmt::format(",qdisc_bypass=1,framesz={},blocksz={},framecnt={}", r->frame, r->block, r->count);
}

// "port ch1 (af_xdp eth1): WHAT: No such device; what the driver said".
std::string Port::failed(const std::string& what, int error) const {
    auto s = fmt::format("port {} ({} {}): {}", setup_.name, word(setup_.driver), setup_.device, what);
    if (error != 0) s += fmt::format(": {}", rte_strerror(error < 0 ? -error : error));
    for (const auto& said : {take_eal_error(), take_bpf_message()})
        if (!said.empty()) s += "; " + said;
    return s;
}

namespace {

// Before anything is touched.
std::string refusal(const PortSetup& s, std::uint32_t buffer_octets) {
    if (!usable_name(s.driver, s.device))
        return "this is no device's name; see `ip link` or `dpdk-devbind.py --status`";
    if (s.driver != PortDriver::pci)
        if (const auto missing = missing_capabilities(); !missing.empty())
            return fmt::format("{} missing; run as root or give the service these capabilities", missing);
    if (room(s.driver, buffer_octets) >= s.frame) return {};
    const auto wanted = buffer_octets_for(s.driver, s.frame);
    if (!wanted)
        return fmt::format("frames of up to {} octets are more than this driver carries; lower the port's MTU",
                           s.frame);
    return fmt::format("frames of up to {} octets need memory.buffer-octets of {}, it is {}", s.frame, *wanted,
                       buffer_octets);
}

// PCI only: frames of any length up to the port's, all group addresses.
int widen(std::uint16_t ethdev, const PortSetup& s) {
    if (const int error = rte_eth_dev_set_mtu(ethdev, static_cast<std::uint16_t>(kernel_mtu(s.frame)))) return error;
    const int group = rte_eth_allmulticast_enable(ethdev);
    const int all = s.promiscuous || group != 0 ? rte_eth_promiscuous_enable(ethdev) : 0;
    return all == -ENOTSUP ? 0 : all;
}

}  // namespace

Result Port::attach() {
    const auto octets = rte_pktmbuf_data_room_size(setup_.pool);
    std::optional<SteerFile> program;
    if (setup_.driver == PortDriver::af_xdp) {
        auto file = SteerFile::make();
        if (!file) return std::unexpected(failed(file.error(), 0));
        program.emplace(std::move(*file));
    }
    const auto arguments = device_arguments(setup_, octets, program ? program->path() : "");
    const auto device = arguments.substr(0, arguments.find(','));
    if (rte_eth_dev_get_port_by_name(device.c_str(), &ethdev_) != 0) {
        const int error = rte_dev_probe(arguments.c_str());
        if (error != 0 || rte_eth_dev_get_port_by_name(device.c_str(), &ethdev_) != 0) {
            ethdev_ = 0xFFFF;
            return std::unexpected(
                failed(setup_.driver == PortDriver::pci
                           ? "no such Ethernet device; bind it with `dpdk-devbind.py -b vfio-pci " + device + "`"
                           : "the driver does not take it",
                       error));
        }
    }
    return configure();
}

Result Port::configure() {
    rte_eth_conf conf{};
    std::uint16_t receive = setup_.driver == PortDriver::pci ? 1024 : 2048, transmit = receive;
    rte_ether_addr mac{};
    if (const int error = rte_eth_dev_configure(ethdev_, 1, 1, &conf))
        return std::unexpected(failed("cannot be configured", error));
    if (setup_.driver == PortDriver::pci)
        if (const int error = widen(ethdev_, setup_))
            return std::unexpected(
                failed(fmt::format("does not carry frames of {} octets or group addresses", setup_.frame), error));
    (void)rte_eth_dev_adjust_nb_rx_tx_desc(ethdev_, &receive, &transmit);
    if (const int error = rte_eth_tx_queue_setup(ethdev_, 0, transmit, SOCKET_ID_ANY, nullptr))
        return std::unexpected(failed("transmit queue", error));
    if (const int error = rte_eth_rx_queue_setup(ethdev_, 0, receive, SOCKET_ID_ANY, nullptr, setup_.pool))
        return std::unexpected(
            failed(fmt::format("receive queue, with {} buffers free (it takes up to {}; see memory.buffers)",
                               rte_mempool_avail_count(setup_.pool), buffers_held(setup_.driver)),
                   error));
    if (const int error = rte_eth_macaddr_get(ethdev_, &mac)) return std::unexpected(failed("MAC address", error));
    std::copy_n(mac.addr_bytes, mac_.octets.size(), mac_.octets.begin());
    return {};
}

std::expected<Port, std::string> open_port(const PortSetup& setup) {
    Port port(setup);
    (void)take_eal_error();
    if (auto no = refusal(setup, rte_pktmbuf_data_room_size(setup.pool)); !no.empty())
        return std::unexpected(port.failed(no, 0));
    if (setup.driver != PortDriver::pci) {
        auto netdev = TakenNetdev::take({.name = setup.device,
                                         .mtu = kernel_mtu(setup.frame),
                                         .xdp = setup.driver == PortDriver::af_xdp,
                                         .promiscuous = setup.promiscuous});
        if (!netdev) return std::unexpected(port.failed(netdev.error(), 0));
        port.netdev_.emplace(std::move(*netdev));
        // Kernels before 6.13 refuse the AF_PACKET driver's fanout on a netdev that is down. The drop is in force.
        if (setup.driver == PortDriver::af_packet)
            if (auto up = port.netdev_->up(); !up) return std::unexpected(port.failed(up.error(), 0));
    }
    if (auto done = port.attach(); !done) {
        (void)port.close();
        return std::unexpected(done.error());
    }
    return port;
}

// Until the AF_PACKET driver binds its socket, the kernel gives it what any netdev of the namespace receives.
void Port::forget_received() noexcept {
    std::array<rte_mbuf*, 32> frames;
    for (std::size_t taken = 0; taken < kRings.front().count;) {  // no ring holds more
        const std::uint16_t n = rte_eth_rx_burst(ethdev_, 0, frames.data(), frames.size());
        if (n == 0) return;
        rte_pktmbuf_free_bulk(frames.data(), n);
        taken += n;
    }
}

Result Port::start() {
    if (const int error = rte_eth_dev_start(ethdev_)) return std::unexpected(failed("does not start", error));
    started_ = true;
    if (setup_.driver == PortDriver::af_packet) forget_received();
    if (!netdev_) return {};
    auto up = netdev_->up();
    return up ? up : std::unexpected(failed(up.error(), 0));
}

void Port::stop() noexcept {
    if (netdev_) (void)netdev_->down();
    if (std::exchange(started_, false)) (void)rte_eth_dev_stop(ethdev_);
}

Result Port::close() {
    stop();
    if (ethdev_ != 0xFFFF) {
        rte_eth_dev_info info{};
        const bool known = rte_eth_dev_info_get(ethdev_, &info) == 0;
        (void)rte_eth_dev_close(std::exchange(ethdev_, 0xFFFF));
        if (known && setup_.driver != PortDriver::pci) (void)rte_dev_remove(info.device);
    }
    if (!netdev_) return {};
    auto back = netdev_->restore();
    netdev_.reset();
    return back ? back : std::unexpected(failed(back.error(), 0));
}

bool Port::link_up() const {
    if (setup_.driver != PortDriver::pci) return dataplane::link_up(setup_.device);
    rte_eth_link link{};
    return rte_eth_link_get_nowait(ethdev_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

std::uint64_t Port::missed() const {
    rte_eth_stats stats{};
    return rte_eth_stats_get(ethdev_, &stats) == 0 ? stats.imissed : 0;
}

Port::Port(Port&& other) noexcept
    : setup_(std::move(other.setup_)),
      netdev_(std::exchange(other.netdev_, std::nullopt)),
      ethdev_(std::exchange(other.ethdev_, std::uint16_t{0xFFFF})),
      mac_(other.mac_),
      started_(std::exchange(other.started_, false)) {}

Port& Port::operator=(Port&& other) noexcept {
    if (this == &other) return *this;
    (void)close();
    setup_ = std::move(other.setup_);
    netdev_ = std::exchange(other.netdev_, std::nullopt);
    ethdev_ = std::exchange(other.ethdev_, std::uint16_t{0xFFFF});
    mac_ = other.mac_;
    started_ = std::exchange(other.started_, false);
    return *this;
}

Port::~Port() { (void)close(); }

}  // namespace dataplane
