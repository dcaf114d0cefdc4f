#include "tools/demarcd/host_path.h"

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace demarcd {

namespace {

constexpr unsigned kPuntBurst = 128;   // packets of one class and worker in one turn
constexpr unsigned kInjectBurst = 64;  // frames of one TAP in one turn

}  // namespace

HostPath::HostPath(EventLoop& loop, rte_mempool* pool, std::vector<dataplane::Worker*> workers, int punt_event)
    : loop_(loop), pool_(pool), workers_(std::move(workers)), punt_event_(punt_event) {
    loop_.watch(punt_event_, EPOLLIN, [this](std::uint32_t) {
        std::uint64_t count;
        [[maybe_unused]] const auto got = read(punt_event_, &count, sizeof count);
        on_punts();
    });
}

HostPath::~HostPath() {
    *alive_ = false;
    loop_.unwatch(punt_event_);
    for (const auto& [id, tap] : taps_) loop_.unwatch(tap.fd);
}

void HostPath::add(dataplane::InterfaceId interface, int tap, dataplane::WorkerId worker) {
    taps_[interface.value] = {tap, worker};
    loop_.watch(tap, EPOLLIN, [this, interface](std::uint32_t) { on_tap(interface); });
}

void HostPath::remove(dataplane::InterfaceId interface) {
    const auto found = taps_.find(interface.value);
    if (found == taps_.end()) return;
    loop_.unwatch(found->second.fd);
    taps_.erase(found);
}

void HostPath::on_punts() {
    bool more = false;
    for (auto* worker : workers_) {
        dataplane::acknowledge_punts(*worker);
        for (std::size_t c = 0; c < dataplane::kPuntClasses; ++c)
            more |= drain_ring(*worker, static_cast<dataplane::PuntClass>(c));
    }
    if (more)  // others have their turn first
        loop_.after({}, [this, alive = alive_] {
            if (*alive) on_punts();
        });
}

void HostPath::drain() {
    for (auto* worker : workers_)
        for (std::size_t c = 0; c < dataplane::kPuntClasses; ++c)
            while (drain_ring(*worker, static_cast<dataplane::PuntClass>(c))) {
            }
}

// True when a whole burst was there, so that more may wait.
bool HostPath::drain_ring(dataplane::Worker& worker, dataplane::PuntClass c) {
    std::array<rte_mbuf*, kPuntBurst> packets;
    const unsigned n = rte_ring_sc_dequeue_burst(dataplane::punt_ring(worker, c),
                                                 reinterpret_cast<void**>(packets.data()), kPuntBurst, nullptr);
    for (unsigned i = 0; i < n; ++i) to_host(packets[i]);
    rte_pktmbuf_free_bulk(packets.data(), n);
    return n == kPuntBurst;
}

void HostPath::to_host(rte_mbuf* m) {
    const dataplane::Crossing& c = dataplane::crossing(m);
    if (c.reason != dataplane::Verdict::punt_eapol) return to_tap(m);
    if (!to_kay_) return;
    ++counters_.to_kay;
    to_kay_(c.port, c.secy, {rte_pktmbuf_mtod(m, const std::uint8_t*), rte_pktmbuf_data_len(m)});
}

void HostPath::from_kay(dataplane::PortId port, std::uint16_t secy, dataplane::WorkerId worker,
                        macsec::ConstOctets frame) {
    rte_mbuf* m = rte_pktmbuf_alloc(pool_);
    if (m == nullptr || frame.size() > rte_pktmbuf_tailroom(m)) {
        rte_pktmbuf_free(m);
        ++counters_.inject_no_buffer;
        return;
    }
    std::copy(frame.begin(), frame.end(), rte_pktmbuf_mtod(m, std::uint8_t*));
    rte_pktmbuf_append(m, static_cast<std::uint16_t>(frame.size()));
    dataplane::crossing(m) = {};
    dataplane::crossing(m).port = port;
    dataplane::crossing(m).secy = secy;
    dataplane::crossing(m).inject = dataplane::InjectClass::kay;
    if (rte_ring_sp_enqueue(dataplane::inject_ring(*workers_[worker.value], dataplane::InjectClass::kay), m) != 0) {
        rte_pktmbuf_free(m);
        ++counters_.inject_full;
        return;
    }
    ++counters_.from_kay;
}

void HostPath::to_tap(rte_mbuf* m) {
    const auto found = taps_.find(dataplane::crossing(m).interface.value);
    if (found == taps_.end()) {
        ++counters_.no_tap;
        return;
    }
    const ssize_t written = write(found->second.fd, rte_pktmbuf_mtod(m, const void*), rte_pktmbuf_data_len(m));
    ++(written < 0 ? counters_.tap_write_errors : counters_.to_host);
}

void HostPath::on_tap(dataplane::InterfaceId interface) {
    for (unsigned i = 0; i < kInjectBurst; ++i) {
        const auto found = taps_.find(interface.value);
        if (found == taps_.end() || !inject_one(interface, found->second)) return;
    }
}

// One frame from the kernel to the worker that owns the egress port. False: nothing more to read.
bool HostPath::inject_one(dataplane::InterfaceId interface, const Tap& tap) {
    rte_mbuf* m = rte_pktmbuf_alloc(pool_);
    if (m == nullptr) {
        std::array<char, 64> rest;  // the kernel drops what does not fit
        ++counters_.inject_no_buffer;
        return read(tap.fd, rest.data(), rest.size()) > 0;
    }
    auto* data = rte_pktmbuf_mtod(m, std::uint8_t*);
    const ssize_t n = read(tap.fd, data, rte_pktmbuf_tailroom(m));
    if (n < 14) {
        rte_pktmbuf_free(m);
        counters_.inject_malformed += n > 0 ? 1 : 0;
        return n > 0;
    }
    rte_pktmbuf_append(m, static_cast<std::uint16_t>(n));
    const auto kind = inject_kind({data, static_cast<std::size_t>(n)}, own_);
    dataplane::crossing(m) = {};
    dataplane::crossing(m).interface = interface;
    dataplane::crossing(m).inject = kind.inject;
    dataplane::crossing(m).from_host = kind.from_host;
    if (rte_ring_sp_enqueue(dataplane::inject_ring(*workers_[tap.worker.value], kind.inject), m) != 0) {
        rte_pktmbuf_free(m);
        ++counters_.inject_full;
        return true;
    }
    ++counters_.from_host;
    return true;
}

}  // namespace demarcd
