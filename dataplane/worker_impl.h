// The inside of a worker, for the stages. Everything here belongs to the worker's own thread unless its line says
// otherwise.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/batch.h"
#include "dataplane/forwarding.h"
#include "dataplane/police.h"
#include "dataplane/worker.h"

namespace dataplane {

inline constexpr std::size_t kEgressRoom = 1024;                // transit frames of one turn for one port
inline constexpr std::size_t kOursRoom = 192;                   // frames of control of one turn for one port
inline constexpr std::uint64_t kHeldNanoseconds = 5'000'000;    // how long a frame of ours waits for the device
inline constexpr std::uint64_t kSecond = 1'000'000'000;         // nanoseconds
using UnresolvedGate = Recent<8, kSecond>;                      // packets punted for want of a neighbour

// A frame on its way to a port: values only.
struct EgressFrame {
    rte_mbuf* mbuf;
    InterfaceId interface;   // none for a PDU of a KaY
    std::uint16_t kay_secy;  // of a PDU of a KaY; else kNoSecY
};

// The queue of a port whose transmit direction is ours. Empty at the end of a turn, `held` excepted.
struct Egress {
    std::uint16_t ours_count{}, ours_sent{};
    std::uint16_t transit_count{}, transit_sent{};
    std::uint16_t held_count{};
    bool held_clear{};                                 // held frames are of a time when the port was plain
    std::uint64_t held_since{};
    std::array<rte_mbuf*, kBatch> held;                // ours, ready for the wire, refused by the device once
    std::array<EgressFrame, kOursRoom> ours;           // the KaYs', then first, then rest
    std::array<EgressFrame, kEgressRoom> transit;
};

// The frames of one family whose destination is looked up.
template <class Address>
struct Lookups {
    std::size_t count{};
    std::array<std::uint8_t, kBatch> frame;  // index in the batch
    std::array<Address, kBatch> destination;
    std::array<Leaf, kBatch> leaf;

    void put(std::size_t k, std::size_t i, const Address& to) noexcept {
        frame[k] = static_cast<std::uint8_t>(i);
        destination[k] = to;
    }
};

// Octets taken from a connection's bucket and not yet used.
struct Credit {
    const Policer* of{};
    std::array<std::uint64_t, 2> octets{};
};

// What waits for another worker until the batch ends.
struct Outgoing {
    std::uint16_t count{};
    std::array<rte_mbuf*, kBatch> mbuf;
};

struct Worker {
    explicit Worker(const WorkerSetup&);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // The snapshot for this turn; null before the first is published.
    const Forwarding* begin_turn(std::uint64_t now_ns) noexcept;
    // Frames that came in during it.
    std::size_t end_turn() noexcept;

    const WorkerId id;
    const WorkerSetup setup;
    Batch batch;
    Lookups<net::Ipv4Address> lookups4;                // here and not on the stack: cleared once, not per batch
    Lookups<net::Ipv6Address> lookups6;
    std::array<macsec::Frame, kBatch> spans;           // the batch, as macsec sees it
    std::uint64_t now{};    // nanoseconds, read once per turn
    std::uint64_t turn{};
    std::size_t moved{};    // frames that came in during this turn
    bool timed{};           // this turn's stages are timed
    bool watched{};         // timed, or somebody watches a port: the one test that both cost while they are off

    std::array<rte_ring*, kPuntClasses> punt{};        // worker: producer, control: consumer
    std::array<rte_ring*, kInjectClasses> inject{};    // control: producer, worker: consumer
    std::array<rte_ring*, kMaxWorkers> from{};         // by the worker that hands over: it is the producer
    std::array<rte_ring*, kMaxWorkers> to{};           // by the worker that collects; it owns the ring
    std::array<Gate, kPuntClasses> punt_gates{};
    std::vector<UnresolvedGate> unresolved_gates;      // by InterfaceId, of the egress interface; the last is nobody's
    std::vector<Credit> credits;                       // by index into Forwarding::connections
    std::array<Outgoing, kMaxWorkers> outgoing{};
    std::vector<Egress> egress;                        // by PortId
    std::atomic<std::uint32_t> held{};                 // frames in all Egress::held; worker: rw, control: ro

    WorkerCounters counters;                           // control: ro
    std::vector<InterfaceCounters> interface_counters;  // by InterfaceId; control: ro
    std::array<PortCounters, kMaxPorts> port_counters{};  // control: ro

    alignas(64) std::atomic<const Forwarding*> published{};  // control: w, worker: r
    std::atomic<bool> stopping{};                            // control: w, worker: r
    alignas(64) std::atomic<bool> control_listens{true};     // control: sets, worker: clears before it writes the event
};

inline std::uint8_t* frame_of(rte_mbuf* m) noexcept { return rte_pktmbuf_mtod(m, std::uint8_t*); }

// The frame without its first `octets`; the caller has checked that they are there.
inline void shorten_front(rte_mbuf* m, std::uint16_t octets) noexcept {
    m->data_off = static_cast<std::uint16_t>(m->data_off + octets);
    m->data_len = static_cast<std::uint16_t>(m->data_len - octets);
    m->pkt_len = m->data_len;
}
inline void lengthen_front(rte_mbuf* m, std::uint16_t octets) noexcept {
    m->data_off = static_cast<std::uint16_t>(m->data_off - octets);
    m->data_len = static_cast<std::uint16_t>(m->data_len + octets);
    m->pkt_len = m->data_len;
}
inline void set_length(rte_mbuf* m, std::uint16_t octets) noexcept {
    m->data_len = octets;
    m->pkt_len = octets;
}
// Takes `octets` of tags from behind the addresses.
void strip_tags(rte_mbuf*, std::uint16_t octets) noexcept;

// Null when the snapshot has no such interface: an id that came from a ring or from routes may be of another snapshot.
inline const InterfaceEntry* find(const Forwarding& f, InterfaceId id) noexcept {
    if (id.value >= f.interfaces.size()) return nullptr;
    const InterfaceEntry& entry = f.interfaces[id.value];
    return entry.present ? &entry : nullptr;
}

inline void count_verdict(Worker& w, Verdict v, std::uint64_t n = 1) noexcept {
    w.counters.verdicts[static_cast<std::size_t>(v)].add(n);
}
// Frees and counts frames that are in no batch.
void drop(Worker& w, std::span<rte_mbuf* const> frames, Verdict v) noexcept;

// Room check for control's and others' ids; the last entry is nobody's.
inline InterfaceCounters& counters_of(Worker& w, InterfaceId id) noexcept {
    return w.interface_counters[std::min<std::size_t>(id.value, w.interface_counters.size() - 1)];
}
inline PortCounters& counters_of(Worker& w, PortId id) noexcept { return w.port_counters[id.value]; }

// Adds the frames of one batch to their interfaces' counters: one addition per run of equal interfaces.
template <Counter InterfaceCounters::*packets, Counter InterfaceCounters::*octets>
class InterfaceRun {
public:
    explicit InterfaceRun(Worker& w) noexcept : w_(w) {}
    ~InterfaceRun() { end(); }
    InterfaceRun(const InterfaceRun&) = delete;
    InterfaceRun& operator=(const InterfaceRun&) = delete;

    void add(InterfaceId id, std::uint32_t frame_octets) noexcept {
        if (id != id_) [[unlikely]]
            end();
        id_ = id;
        ++packets_;
        octets_ += frame_octets;
    }

private:
    void end() noexcept {
        if (packets_ != 0) add(w_, id_, packets_, octets_);
        packets_ = octets_ = 0;
    }
    // Out of line and by value: in a stage's loop the sums stay in registers.
    [[gnu::noinline]] static void add(Worker& w, InterfaceId id, std::uint64_t n, std::uint64_t sum) noexcept {
        InterfaceCounters& c = counters_of(w, id);
        (c.*packets).add(n);
        (c.*octets).add(sum);
    }
    Worker& w_;
    InterfaceId id_{};
    std::uint64_t packets_{}, octets_{};
};
using CountIn = InterfaceRun<&InterfaceCounters::in_packets, &InterfaceCounters::in_octets>;
using CountOut = InterfaceRun<&InterfaceCounters::out_packets, &InterfaceCounters::out_octets>;

}  // namespace dataplane
