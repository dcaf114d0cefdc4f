// For the smoke tests: opens ports as the daemon does. One port echoes every frame, addresses swapped; two forward
// between each other, frames unchanged; with --sink nothing is sent; with --blast the first port sends one broadcast
// frame of EtherType 0x88b5 out of every free buffer. Prints `ready`; ends on SIGTERM or SIGINT.
//
//   port_probe [--sink] [--blast] [--no-huge] [--secured] [--mtu N] [--buffers N] [--buffer-octets N] DRIVER:DEVICE...
#include <fmt/format.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/eal.h"
#include "dataplane/port.h"

namespace {

using namespace dataplane;

struct Options {
    bool hugepages{true}, secured{}, sink{}, blast{};
    std::uint32_t mtu{1500}, buffers{16384}, buffer_octets{2176};
    std::vector<std::string> ports;
};

Options parse(int argc, char** argv) {
    Options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view a = argv[i];
        const auto number = [&](std::uint32_t& into) {
            const std::string_view text = ++i < argc ? argv[i] : "";
            std::from_chars(text.data(), text.data() + text.size(), into);
        };
        if (a == "--no-huge")
            o.hugepages = false;
        else if (a == "--sink")
            o.sink = true;
        else if (a == "--blast")
            o.blast = true;
        else if (a == "--secured")
            o.secured = true;
        else if (a == "--mtu")
            number(o.mtu);
        else if (a == "--buffers")
            number(o.buffers);
        else if (a == "--buffer-octets")
            number(o.buffer_octets);
        else
            o.ports.emplace_back(a);
    }
    return o;
}

int fail(const std::string& why) {
    fmt::print(stderr, "error: {}\n", why);
    return 1;
}

void swap_addresses(rte_mbuf* m) {
    auto* h = rte_pktmbuf_mtod(m, rte_ether_hdr*);
    std::swap(h->dst_addr, h->src_addr);
}

std::size_t blast(const Port& port, rte_mempool* pool) {
    std::vector<rte_mbuf*> frames;
    while (auto* m = rte_pktmbuf_alloc(pool)) {
        std::array<std::uint8_t, 64> frame{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 1, 0x88, 0xB5};
        std::ranges::copy(frame, rte_pktmbuf_mtod(m, std::uint8_t*));
        m->data_len = frame.size();
        m->pkt_len = frame.size();
        frames.push_back(m);
    }
    for (std::size_t sent = 0; sent < frames.size();) {
        const auto n = std::min<std::size_t>(32, frames.size() - sent);
        sent += rte_eth_tx_burst(port.ethdev(), 0, &frames[sent], static_cast<std::uint16_t>(n));
    }
    return frames.size();
}

struct Count {
    std::uint64_t received, sent;
};

Count run(std::vector<Port>& ports, bool sink, const sigset_t& signals) {
    Count count{};
    const timespec moment{0, 200'000};
    for (;;) {
        std::uint16_t moved = 0;
        for (std::size_t p = 0; p < ports.size(); ++p) {
            std::array<rte_mbuf*, 32> frames;
            const auto n = rte_eth_rx_burst(ports[p].ethdev(), 0, frames.data(), frames.size());
            if (ports.size() == 1)
                for (int i = 0; i < n; ++i) swap_addresses(frames[static_cast<std::size_t>(i)]);
            const auto out = ports[(p + 1) % ports.size()].ethdev();
            const auto sent = n && !sink ? rte_eth_tx_burst(out, 0, frames.data(), n) : std::uint16_t{0};
            if (sent < n) rte_pktmbuf_free_bulk(&frames[sent], static_cast<unsigned>(n - sent));
            count.received += n, count.sent += sent, moved = static_cast<std::uint16_t>(moved + n);
        }
        if (moved == 0) {
            const int s = ::sigtimedwait(&signals, nullptr, &moment);
            if (s == SIGTERM || s == SIGINT) return count;
        }
    }
}

int probe(const Options& o, const sigset_t& signals) {
    auto pool = make_pool(o.buffers, o.buffer_octets, o.hugepages);
    if (!pool) return fail(pool.error());
    std::vector<Port> ports;
    for (const auto& p : o.ports) {
        const auto colon = p.find(':');
        const auto word = p.substr(0, colon);
        const auto driver = word == "pci"    ? PortDriver::pci
                          : word == "af_xdp" ? PortDriver::af_xdp
                                             : PortDriver::af_packet;
        auto port = open_port({.name = "p" + std::to_string(ports.size()),
                               .driver = driver,
                               .device = p.substr(colon + 1),
                               .frame = frame_octets(o.mtu, 2, o.secured),
                               .promiscuous = false,
                               .pool = *pool});
        if (!port) return fail(port.error());
        fmt::print("port {} mac {}\n", p, net::to_string(port->mac()));
        ports.push_back(std::move(*port));
    }
    for (auto& p : ports)
        if (auto started = p.start(); !started) return fail(started.error());
    fmt::print("ready {} of {} buffers free\n", rte_mempool_avail_count(*pool), o.buffers);
    if (o.blast) fmt::print("blasted {}\n", blast(ports.front(), *pool));
    std::fflush(stdout);
    const auto count = run(ports, o.sink, signals);
    fmt::print("received {} sent {} link {}\n", count.received, count.sent, ports.front().link_up() ? "up" : "down");
    for (auto& p : ports)
        if (auto closed = p.close(); !closed) return fail(closed.error());
    fmt::print("closed {} of {} buffers free\n", rte_mempool_avail_count(*pool), o.buffers);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto o = parse(argc, argv);
    const auto signals = block_signals();
    redirect_eal_log([](std::uint32_t level, std::string_view line) {
        if (level <= RTE_LOG_WARNING) fmt::print(stderr, "dpdk: {}\n", line);
    });
    const EalSetup eal{.pci = {},
                       .cpus = usable_cpus(),
                       .workers = 1,
                       .cores = {},
                       .memory_mib = o.hugepages ? 0u : 128u,
                       .hugepages = o.hugepages,
                       .avx512 = has_avx512()};
    if (auto started = start_eal(eal); !started) return fail(started.error());
    const int code = probe(o, signals);
    stop_eal();
    return code;
}
