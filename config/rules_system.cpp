// Workers, memory, FIB sizes, host path.
#include <fmt/format.h>

#include <set>

#include "config/bounds.h"
#include "config/rules.h"

namespace config {
namespace {

void check_range(Findings& f, std::string_view path, std::uint64_t v, std::uint64_t min, std::uint64_t max) {
    if (v < min || v > max)
        f.add(path, fmt::format("`{}` is {}", path, v), fmt::format("write a number from {} to {}", min, max));
}

void workers_count(const Model& m, Findings& f) { check_range(f, "workers.count", m.workers.count, 1, kMaxWorkers); }

void cores_and_count(const Model& m, Findings& f) {
    if (!m.workers.cores.empty() && m.workers.cores.size() != m.workers.count)
        f.add("workers.count",
              fmt::format("`workers.count` is {}, but {} cores are named", m.workers.count, m.workers.cores.size()),
              "leave `count` out: one worker per core");
}

void core_duplicate(const Model& m, Findings& f) {
    std::set<std::uint32_t> seen;
    for (std::size_t i = 0; i < m.workers.cores.size(); ++i)
        if (!seen.insert(m.workers.cores[i]).second)
            f.add(fmt::format("workers.cores[{}]", i), fmt::format("core {} has a worker already", m.workers.cores[i]),
                  "name each core once");
}

void memory_range(const Model& m, Findings& f) {
    check_range(f, "memory.buffers", m.memory.buffers, 1024, 8u << 20);
    check_range(f, "memory.buffer-octets", m.memory.buffer_octets, 1024, 16384);
}

void fib_root_bits(const Model& m, Findings& f) {
    check_range(f, "fib.ipv4-root-bits", m.fib.ipv4_root_bits, 16, 24);
    check_range(f, "fib.ipv6-root-bits", m.fib.ipv6_root_bits, 16, 24);
}

void fib_range(const Model& m, Findings& f) {
    check_range(f, "fib.ipv4-nodes", m.fib.ipv4_nodes, 16, kMaxNodes);
    check_range(f, "fib.ipv6-nodes", m.fib.ipv6_nodes, 16, kMaxNodes);
    check_range(f, "fib.groups", m.fib.groups, 16, kMaxGroups);
    check_range(f, "fib.next-hops", m.fib.next_hops, 16, kMaxNextHops);
}

void fpm_port(const Model& m, Findings& f) {
    if (m.host.fpm_port == 0) f.add("host.fpm.port", "`host.fpm.port` is 0", "write the port zebra connects to: 2620");
}

void punt_rate_zero(const Model& m, Findings& f) {
    const PuntRates& r = m.host.punt_rates;
    for (const auto& [name, rate] :
         {std::pair{"eapol", r.eapol}, {"bfd", r.bfd}, {"bgp", r.bgp}, {"arp-nd", r.arp_nd}, {"other", r.other}})
        if (rate == 0)
            f.add(fmt::format("host.punt-rates.{}", name),
                  fmt::format("`host.punt-rates.{}` is 0: nothing of this class would arrive", name),
                  "write at least 1 packet per second");
}

constexpr Rule kRules[] = {
    {"workers-count", workers_count}, {"cores-and-count", cores_and_count}, {"core-duplicate", core_duplicate},
    {"memory-range", memory_range},   {"fib-root-bits", fib_root_bits},     {"fib-range", fib_range},
    {"fpm-port", fpm_port},           {"punt-rate-zero", punt_rate_zero},
};

}  // namespace

std::span<const Rule> system_rules() { return kRules; }

}  // namespace config
