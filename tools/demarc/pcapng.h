// The blocks of a pcapng file with one Ethernet interface, for libpcap, tcpdump and Wireshark: section header,
// interface description, packet, statistics (draft-ietf-opsawg-pcapng). Written here because libpcap only reads pcapng,
// and DPDK's rte_pcapng wants an EAL and mbufs, which this program has not. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cli::pcapng {

struct Interface {
    std::string name, description, filter;
    std::uint32_t snaplen{};
};

struct Packet {
    std::uint64_t when{};  // nanoseconds since 1970
    std::uint32_t length{};
    bool out{};
    std::string_view octets;  // as many as were kept
};

struct Statistics {
    std::uint64_t began{}, ended{};  // nanoseconds since 1970
    std::uint64_t received{}, dropped{}, accepted{};
};

// The file begins with a section header, then the interface; packets and statistics refer to that.
std::string section_header(std::string_view application);
std::string interface_description(const Interface&);
std::string enhanced_packet(const Packet&);
std::string interface_statistics(const Statistics&);

}  // namespace cli::pcapng
