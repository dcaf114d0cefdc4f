// Numbers the model is judged against. Those that repeat a constant of a folder config/ may not include name it.
#pragma once

#include <cstdint>

#include "config/model.h"

namespace config {

inline constexpr std::uint32_t kMaxPorts = 32;         // dataplane::kMaxPorts
inline constexpr std::uint32_t kMaxWorkers = 16;       // dataplane::kMaxWorkers
inline constexpr std::uint32_t kMaxInterfaces = 4094;  // fits dataplane::InterfaceId
inline constexpr std::uint32_t kMaxNextHops = 65534;   // fits dataplane::NextHopId
inline constexpr std::uint32_t kMaxGroups = 1u << 24;  // fits dataplane::Leaf
inline constexpr std::uint32_t kMaxNodes = 1u << 24;   // 16 GiB

inline constexpr std::uint32_t kHeadroomOctets = 128;  // of an mbuf
inline constexpr std::uint32_t kEthernetOctets = 14;
inline constexpr std::uint32_t kTagOctets = 4;
inline constexpr std::uint32_t kInnerTags = 2;  // a port has room for, whatever its interfaces have today

// AF_XDP: an mbuf is a chunk of the UMEM, within a page; the kernel keeps 256 octets of headroom of its own.
inline constexpr std::uint32_t kXdpLeastBuffer = 1920, kXdpMostBuffer = 3808,
                               kXdpHeadroomOctets = kHeadroomOctets + 256;
// AF_PACKET: a frame of the ring begins with 80 octets of the kernel's; the driver wants an mbuf 96 octets larger than
// it.
inline constexpr std::uint32_t kRingFrames[] = {2048, 4096, 9216};
inline constexpr std::uint32_t kRingHeaderOctets = 80, kRingInBufferOctets = 96;

// The largest frame a port takes with such buffers; 0: the driver cannot use them. Agrees with dataplane::room().
constexpr std::uint32_t room_for(Driver driver, std::uint32_t buffer_octets) noexcept {
    if (driver == Driver::pci) return buffer_octets > kHeadroomOctets ? buffer_octets - kHeadroomOctets : 0;
    if (driver == Driver::af_xdp)
        return buffer_octets >= kXdpLeastBuffer && buffer_octets <= kXdpMostBuffer ? buffer_octets - kXdpHeadroomOctets
                                                                                   : 0;
    std::uint32_t most = 0;
    for (const std::uint32_t frame : kRingFrames)
        if (frame + kRingInBufferOctets <= buffer_octets) most = frame - kRingHeaderOctets;
    return most;
}

inline constexpr std::uint32_t kMinMtu = 576;    // RFC 791: every IPv4 host takes as much
inline constexpr std::uint32_t kMinMtu6 = 1280;  // RFC 8200 5
inline constexpr std::uint32_t kMaxMtu = 9600;

inline constexpr std::uint32_t kMaxReplayWindowXpn = (1u << 30) - 1;  // 802.1AE 10.7.8
inline constexpr std::uint64_t kMinBurstPackets = 4;

}  // namespace config
