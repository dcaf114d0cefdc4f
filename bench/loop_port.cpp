#include "bench/loop_port.h"

#include <fmt/format.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <array>
#include <ctime>

#include "dataplane/batch.h"

namespace bench {

namespace {

std::uint64_t io(std::span<const std::uint16_t> ethdevs, std::uint64_t packets) noexcept {
    std::array<rte_mbuf*, dataplane::kBatch> burst;
    std::uint64_t done = 0;
    while (done < packets)
        for (const std::uint16_t ethdev : ethdevs) {
            const std::uint16_t n = rte_eth_rx_burst(ethdev, 0, burst.data(), dataplane::kBatch);
            if (n == 0) return done;
            const std::uint16_t sent = rte_eth_tx_burst(ethdev, 0, burst.data(), n);
            for (std::uint16_t i = sent; i < n; ++i) rte_pktmbuf_free(burst[i]);
            done += n;
        }
    return done;
}

}  // namespace

std::expected<std::uint16_t, std::string> open_loop_port(const std::string& name, const std::string& pcap,
                                                         rte_mempool* pool) {
    const auto failed = [&](int error) {
        return std::unexpected(fmt::format("port {}: {}; DPDK's pcap driver (librte-net-pcap) must be installed", name,
                                           rte_strerror(-error)));
    };
    const auto arguments = fmt::format("net_pcap_{},rx_pcap={},infinite_rx=1", name, pcap);
    if (const int e = rte_dev_probe(arguments.c_str()); e != 0) return failed(e);
    std::uint16_t id = 0;
    if (const int e = rte_eth_dev_get_port_by_name(("net_pcap_" + name).c_str(), &id); e != 0) return failed(e);
    const rte_eth_conf conf{};
    if (const int e = rte_eth_dev_configure(id, 1, 1, &conf); e != 0) return failed(e);
    if (const int e = rte_eth_rx_queue_setup(id, 0, 512, 0, nullptr, pool); e != 0) return failed(e);
    if (const int e = rte_eth_tx_queue_setup(id, 0, 512, 0, nullptr); e != 0) return failed(e);
    if (const int e = rte_eth_dev_start(id); e != 0) return failed(e);
    return id;
}

double measure_io(std::span<const std::uint16_t> ethdevs, std::uint64_t packets) noexcept {
    io(ethdevs, packets / 8);
    const double start = thread_cpu_ns();
    const std::uint64_t done = io(ethdevs, packets);
    return (thread_cpu_ns() - start) / static_cast<double>(done);
}

double thread_cpu_ns() noexcept {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec);
}

}  // namespace bench
