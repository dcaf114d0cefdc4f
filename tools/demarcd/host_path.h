// Between workers and the kernel: punted packets to TAPs, the kernel's frames to workers. Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "dataplane/ids.h"
#include "dataplane/net/address.h"
#include "dataplane/worker.h"
#include "tools/demarcd/event_loop.h"

struct rte_mbuf;
struct rte_mempool;

namespace demarcd {

struct HostPathCounters {
    std::uint64_t to_host{}, from_host{};
    std::uint64_t tap_write_errors{};  // the kernel refused a punted packet: TAP down, or its queue full
    std::uint64_t no_tap{};            // punted on an interface that is gone
    std::uint64_t inject_full{};       // a worker's ring was full
    std::uint64_t inject_no_buffer{};  // no mbuf for a frame of the kernel's
    std::uint64_t inject_malformed{};  // shorter than an Ethernet header
    std::uint64_t to_kay{}, from_kay{};
};

// What a frame of the kernel's is, by its first octets. Pure.
struct InjectKind {
    dataplane::InjectClass inject{};
    bool from_host{};  // its source address is ours, or it is ARP
};
InjectKind inject_kind(macsec::ConstOctets frame, const std::set<net::IpAddress>& own);

class HostPath {
public:
    // punt_event: the eventfd that workers write.
    HostPath(EventLoop& loop, rte_mempool* pool, std::vector<dataplane::Worker*> workers, int punt_event);
    ~HostPath();
    HostPath(const HostPath&) = delete;
    HostPath& operator=(const HostPath&) = delete;

    // From now on `tap` is the TAP of `interface`, whose egress port belongs to `worker`. The caller keeps the
    // descriptor.
    void add(dataplane::InterfaceId interface, int tap, dataplane::WorkerId worker);
    void remove(dataplane::InterfaceId interface);
    // PDUs for KaYs go here, clear tags off: of which port, and the index of the SecY in the snapshot of that moment.
    using ToKay = std::function<void(dataplane::PortId, std::uint16_t secy, macsec::ConstOctets frame)>;
    void set_kay(ToKay to_kay) { to_kay_ = std::move(to_kay); }
    // A PDU of the KaY of that SecY, to the worker that owns the port's transmit direction. Lost when there is no room:
    // counted; the KaY says it again.
    void from_kay(dataplane::PortId, std::uint16_t secy, dataplane::WorkerId, macsec::ConstOctets frame);

    // Every address of the router, link-local ones included.
    void set_own_addresses(std::set<net::IpAddress> own) { own_ = std::move(own); }

    // Everything that waits, at once: before rings go away.
    void drain();
    const HostPathCounters& counters() const { return counters_; }

private:
    struct Tap {
        int fd{-1};
        dataplane::WorkerId worker{};
    };
    void on_punts();
    bool drain_ring(dataplane::Worker&, dataplane::PuntClass);
    void to_host(rte_mbuf*);
    void to_tap(rte_mbuf*);
    void on_tap(dataplane::InterfaceId);
    bool inject_one(dataplane::InterfaceId, const Tap&);

    EventLoop& loop_;
    rte_mempool* pool_;
    std::vector<dataplane::Worker*> workers_;
    int punt_event_;
    std::unordered_map<std::uint16_t, Tap> taps_;
    std::set<net::IpAddress> own_;
    ToKay to_kay_;
    HostPathCounters counters_;
    std::shared_ptr<bool> alive_{std::make_shared<bool>(true)};
};

}  // namespace demarcd
