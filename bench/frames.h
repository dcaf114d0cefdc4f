// The frames of the benchmarks, and capture files of them. Pure but for write_pcap().
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/net/vlan.h"

namespace bench {

using Octets = std::vector<std::uint8_t>;

inline constexpr std::size_t kFrames = 512;  // of one file: whole bursts of 64, and they fit a port's buffers
inline constexpr unsigned kRoutes = 1000;    // 10.0.0.0/24 to 10.3.231.0/24

constexpr std::uint32_t prefix_of(unsigned route) { return 0x0A00'0000u + (route << 8); }

struct FramePlan {
    std::size_t octets{};  // of the frame in memory, tags included, FCS excluded; at least 64
    net::MacAddress destination{};
    net::VlanStack tags;
};

// UDP over IPv4, each to a random one of the routes from a random port; the seed decides.
std::vector<Octets> draw_frames(const FramePlan&, std::uint64_t seed);

// A capture file (pcap, Ethernet). False: it could not be written.
bool write_pcap(const std::string& path, const std::vector<Octets>& frames);

}  // namespace bench
