// Ports: DPDK Ethernet devices with one receive and one transmit queue. An AF_XDP or AF_PACKET port takes its netdev
// over first and gives it back last. Errors are sentences that name the port, the device and the remedy. control thread
// only; workers use the ethdev's number between start() and stop().
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/netdev.h"

struct rte_mempool;

namespace dataplane {

enum class PortDriver : std::uint8_t { pci, af_xdp, af_packet };

// Pure. The largest frame in memory: layer-3 MTU, addresses and EtherType, tags, SecTAG with SCI and ICV. No FCS.
constexpr std::uint32_t frame_octets(std::uint32_t mtu, std::uint32_t tags, bool secured) noexcept {
    return mtu + 14 + 4 * tags + (secured ? 32 : 0);
}
// Pure. The MTU of the netdev (both ends of a wire, bridges between) or of the ethdev that carries such frames.
constexpr std::uint32_t kernel_mtu(std::uint32_t frame) noexcept {
    return frame - 14;
}
// Pure. The largest frame that a buffer of `buffer_octets` receives; 0: the driver cannot use such buffers.
std::uint32_t room(PortDriver, std::uint32_t buffer_octets) noexcept;
// Pure. The smallest memory.buffer-octets for frames of that size; nothing: no buffer is large enough.
std::optional<std::uint32_t> buffer_octets_for(PortDriver, std::uint32_t frame) noexcept;
// Pure. Buffers that the port holds by itself: rings of the driver and the device.
std::uint32_t buffers_held(PortDriver) noexcept;

// AF_PACKET on a plain port: the driver joins a fanout group that puts IPv4 fragments together before we see them, and
// a packet that is then longer than a frame of its ring is lost. Frames behind a SecTAG are not touched. AF_XDP has no
// such flaw. (DPDK 22.11 to 26.07 have no argument against it.)
struct PortSetup {
    std::string name;  // ours, for errors
    PortDriver driver{};
    std::string device;     // PCI address, or the netdev's name in the calling thread's namespace
    std::uint32_t frame{};  // frame_octets() of its largest interface
    bool promiscuous{};
    rte_mempool* pool{};
};

// Pure. The argument of the driver of an AF_XDP or AF_PACKET port, e.g. "net_af_packet_eth1,iface=eth1,...".
std::string device_arguments(const PortSetup&, std::uint32_t buffer_octets, const std::string& steer_path);

class Port {
public:
    Port(Port&&) noexcept;
    Port& operator=(Port&&) noexcept;
    ~Port();  // close()

    std::uint16_t ethdev() const noexcept { return ethdev_; }
    net::MacAddress mac() const noexcept { return mac_; }
    const PortSetup& setup() const noexcept { return setup_; }
    // The taken netdev; null for a PCI port.
    TakenNetdev* netdev() noexcept { return netdev_ ? &*netdev_ : nullptr; }

    // Frames flow from here on.
    std::expected<void, std::string> start();
    // The netdev down first: nothing leaves after it. No worker may use the port when it is called.
    void stop() noexcept;
    // stop(), detach the device, give the netdev back. Error: what could not be put back.
    std::expected<void, std::string> close();
    // Carrier. A worker may not call it.
    bool link_up() const;
    // Frames that came while the receive ring was full: nobody saw them. The device's own count.
    std::uint64_t missed() const;

private:
    friend std::expected<Port, std::string> open_port(const PortSetup&);
    explicit Port(PortSetup s) : setup_(std::move(s)) {}
    void forget_received() noexcept;
    std::string failed(const std::string& what, int error) const;
    std::expected<void, std::string> attach();
    std::expected<void, std::string> configure();

    PortSetup setup_;
    std::optional<TakenNetdev> netdev_;
    std::uint16_t ethdev_{0xFFFF};
    net::MacAddress mac_{};
    bool started_{};
};

// Needs start_eal(); a PCI device must have been in EalSetup::pci. The port is stopped, its queues are set up.
std::expected<Port, std::string> open_port(const PortSetup&);

}  // namespace dataplane
