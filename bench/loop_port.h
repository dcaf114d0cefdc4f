// DPDK ports without a NIC: net_pcap gives the frames of a file over and over, and frees and counts what is sent.
// The bench's only thread.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

struct rte_mempool;

namespace bench {

// DPDK's number. Error: a sentence.
std::expected<std::uint16_t, std::string> open_loop_port(const std::string& name, const std::string& pcap,
                                                         rte_mempool*);

// Receives bursts of 64 from each port in turn and sends them back: what testpmd's io does. Nanoseconds of thread CPU
// time per packet.
double measure_io(std::span<const std::uint16_t> ethdevs, std::uint64_t packets) noexcept;

double thread_cpu_ns() noexcept;

}  // namespace bench
