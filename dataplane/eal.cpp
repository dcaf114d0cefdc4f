#include "dataplane/eal.h"

#include <fmt/format.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>

namespace dataplane {
namespace {

std::string joined(const std::vector<std::uint32_t>& numbers) {
    std::string s;
    for (const auto n : numbers) s += (s.empty() ? "" : ",") + std::to_string(n);
    return s;
}

// "(0-2)@(0,1)": control and two workers float; "0@(0,1),1@2,2@3": the workers are pinned.
std::string lcores(const EalSetup& setup) {
    const auto everywhere = fmt::format("({})", joined(setup.cpus));
    if (setup.cores.empty()) return fmt::format("(0-{})@{}", setup.workers, everywhere);
    std::string s = "0@" + everywhere;
    for (std::size_t i = 0; i < setup.cores.size(); ++i) s += fmt::format(",{}@{}", i + 1, setup.cores[i]);
    return s;
}

struct Log {
    std::mutex mutex;
    EalLog sink;             // any thread, under the mutex
    std::string last_error;  // likewise
};
Log& log() {
    static Log l;
    return l;
}

ssize_t write_log(void*, const char* text, std::size_t octets) {
    std::string_view line(text, octets);
    while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    if (line.empty()) return static_cast<ssize_t>(octets);
    const int known = rte_log_cur_msg_loglevel();
    const auto level = known > 0 ? static_cast<std::uint32_t>(known) : RTE_LOG_INFO;
    auto& l = log();
    const std::lock_guard lock(l.mutex);
    if (level <= RTE_LOG_ERR) l.last_error = line;
    if (l.sink) l.sink(level, line);
    return static_cast<ssize_t>(octets);
}

// Once: EAL keeps the stream for the life of the process.
void open_log_stream() {
    static FILE* const stream = [] {
        FILE* f = ::fopencookie(nullptr, "w", {nullptr, write_log, nullptr, nullptr});
        if (f) std::setvbuf(f, nullptr, _IOLBF, 4096);
        return f;
    }();
    if (stream) rte_openlog_stream(stream);
}

}  // namespace

std::vector<std::string> eal_arguments(const EalSetup& setup) {
    std::vector<std::string> a{"demarcd", "--no-telemetry"};
    // EAL takes --no-huge and --in-memory together for an error; --no-shconf leaves no files either.
    if (setup.hugepages)
        a.push_back("--in-memory");
    else
        a.insert(a.end(), {"--no-huge", "--no-shconf"});
    if (setup.pci.empty()) {
        a.insert(a.end(), {"--no-pci", "--iova-mode=va"});
    } else {
        for (const auto& address : setup.pci) a.insert(a.end(), {"-a", address});
    }
    a.insert(a.end(), {"--lcores", lcores(setup), "--main-lcore", "0"});
    if (setup.avx512) a.push_back("--force-max-simd-bitwidth=512");
    if (setup.memory_mib) a.insert(a.end(), {"-m", std::to_string(setup.memory_mib)});
    return a;
}

std::vector<std::uint32_t> usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<std::uint32_t> cpus;
    if (::sched_getaffinity(0, sizeof set, &set) == 0)
        for (std::uint32_t i = 0; i < CPU_SETSIZE; ++i)
            if (CPU_ISSET(i, &set)) cpus.push_back(i);
    if (cpus.empty()) cpus.push_back(0);
    return cpus;
}

bool has_avx512() noexcept {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

sigset_t block_signals() noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE}) sigaddset(&set, s);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return set;
}

void redirect_eal_log(EalLog sink) {
    {
        const std::lock_guard lock(log().mutex);
        log().sink = std::move(sink);
    }
    open_log_stream();
}

std::string take_eal_error() {
    const std::lock_guard lock(log().mutex);
    return std::exchange(log().last_error, {});
}

std::expected<void, std::string> start_eal(const EalSetup& setup) {
    open_log_stream();
    if (setup.hugepages) {
        const auto least = std::max<std::uint64_t>(1, setup.memory_mib) << 20;
        if (auto lacks = hugepage_shortage(hugepages(), least); !lacks.empty())
            return std::unexpected(std::move(lacks));
    }
    auto arguments = eal_arguments(setup);
    std::vector<char*> argv;
    for (auto& a : arguments) argv.push_back(a.data());
    const auto argc = static_cast<int>(argv.size());
    argv.push_back(nullptr);
    if (rte_eal_init(argc, argv.data()) >= 0) return {};
    return std::unexpected(
        fmt::format("DPDK does not start: {} ({}); run as root, on Linux with hugetlbfs, once per process",
                    take_eal_error(), rte_strerror(rte_errno)));
}

void stop_eal() noexcept {
    (void)rte_eal_cleanup();
}

std::vector<Hugepages> hugepages() {
    std::vector<Hugepages> all;
    std::error_code error;
    for (const auto& e : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
        const auto number = [&](const char* file) {
            std::uint64_t n = 0;
            std::ifstream(e.path() / file) >> n;
            return n;
        };
        unsigned long kib = 0;
        if (std::sscanf(e.path().filename().c_str(), "hugepages-%lukB", &kib) != 1) continue;
        all.push_back(
            {std::uint64_t{kib} << 10, number("nr_hugepages"), number("free_hugepages"), number("resv_hugepages")});
    }
    std::ranges::sort(all, {}, &Hugepages::octets);
    return all;
}

std::string hugepage_shortage(const std::vector<Hugepages>& all, std::uint64_t octets) {
    constexpr std::uint64_t kUsual = 2 << 20;
    Hugepages usual{kUsual, 0, 0, 0};
    for (const auto& p : all) {
        const auto free = p.free > p.reserved ? p.free - p.reserved : 0;
        if (free * p.octets >= octets) return {};
        if (p.octets == kUsual) usual = p;
    }
    const auto wanted = (octets + kUsual - 1) / kUsual;
    const auto free = usual.free > usual.reserved ? usual.free - usual.reserved : 0;
    return fmt::format("{} MiB of hugepages are needed and {} MiB are free: run `sysctl vm.nr_hugepages={}`",
                       wanted * kUsual >> 20, free * kUsual >> 20, usual.total - free + wanted);
}

}  // namespace dataplane
