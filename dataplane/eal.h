// DPDK's environment: its arguments, its log, its memory. control thread only, once per process.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

struct rte_mempool;

namespace dataplane {

struct EalSetup {
    std::vector<std::string> pci;      // addresses of PCI ports; empty: the bus is not looked at
    std::vector<std::uint32_t> cpus;   // where threads may run: usable_cpus()
    std::size_t workers{1};            // worker i becomes lcore i + 1; control is lcore 0
    std::vector<std::uint32_t> cores;  // one per worker: pinned there; empty: they float over `cpus`
    std::uint32_t memory_mib{};        // taken at start; 0: as pools need it (without hugepages: 64)
    bool hugepages{true};
    bool avx512{};  // the CPU has it: has_avx512()
};

// Pure. The program's name first.
std::vector<std::string> eal_arguments(const EalSetup&);

std::vector<std::uint32_t> usable_cpus();
bool has_avx512() noexcept;

// Blocks every signal that signalfd shall read, in this thread and those it makes; returns the set. Before start_eal().
sigset_t block_signals() noexcept;

// One line of EAL's or a driver's log, without newline; level as RTE_LOG_* (4 error, 5 warning, 7 info). Any thread may
// call it.
using EalLog = std::function<void(std::uint32_t level, std::string_view line)>;

// Before start_eal(). Until it is called, lines are only remembered.
void redirect_eal_log(EalLog);
// The last error line of EAL or a driver, and forgets it; empty: none.
std::string take_eal_error();

// Error: a sentence with the remedy (hugepages, privileges).
std::expected<void, std::string> start_eal(const EalSetup&);
void stop_eal() noexcept;

// Hugepages of one size, as the kernel counts them.
struct Hugepages {
    std::uint64_t octets{};  // of one page
    std::uint64_t total{}, free{}, reserved{};
};
std::vector<Hugepages> hugepages();
// Pure. Empty when `octets` fit into the free pages of one size; else what lacks and the remedy.
std::string hugepage_shortage(const std::vector<Hugepages>&, std::uint64_t octets);

// mbufs with `buffer_octets` of room (128 octets of headroom included) and a Crossing. Objects lie densely in one piece
// of memory: AF_XDP makes it its UMEM. Error: a sentence with the remedy.
std::expected<rte_mempool*, std::string> make_pool(std::uint32_t buffers, std::uint32_t buffer_octets,
                                                   bool hugepages = true);

}  // namespace dataplane
