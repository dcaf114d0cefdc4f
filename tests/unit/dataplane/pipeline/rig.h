// A router in memory: real ethdevs over rings, a real FIB, real MACsec, real workers driven turn by turn.
//
//   port 0 "lan"   plain:    interface 0 untagged, 1 C-tag 30, 2 S-tag 20, 3 S-tag 20 + C-tag 30
//   port 1 "wan"   plain:    interface 4 untagged, 10.20.0.0/16 and fd00:20::/32 behind it
//   port 2 "ch1"   secured:  interface 5, C-tag 1101 inside, 10.30.0.0/16 and fd00:30::/32 behind it
//   port 3 "ch2"   secured:  clear tag 7, a KaY, interface 6 untagged inside, 10.40.0.0/16 behind it
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/batch.h"
#include "dataplane/crossing.h"
#include "dataplane/forwarding.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/pipeline/packet.h"

struct rte_mempool;
struct rte_ring;

namespace rig {

using dataplane::InterfaceId;
using dataplane::PortId;
using dataplane::Verdict;
using packet::Octets;

inline constexpr PortId kLan{0}, kWan{1}, kCh1{2}, kCh2{3};
inline constexpr InterfaceId kLan0{0}, kLanC30{1}, kLanS20{2}, kLanS20C30{3}, kWan0{4}, kCh1Inside{5}, kCh2Inside{6};
inline constexpr std::size_t kPorts = 4;

net::MacAddress our_mac(PortId);
net::MacAddress neighbor_mac(
    std::size_t next_hop);  // next hops: 1 wan, 2 ch1, 3 ch2, 4 wan (down), 5 wan (unresolved), ...
inline const net::MacAddress kHostMac = packet::mac("02:aa:aa:aa:aa:01");

// As the host behind `lan` sends it, and as the peer of `ch1` before its MACsec.
inline Octets from_host(const packet::Ipv4& p) {
    return packet::padded(packet::ethernet(our_mac(kLan), kHostMac, 0x0800, p.octets()));
}
inline Octets from_peer(const packet::Ipv4& p, unsigned vid = 1101) {
    using namespace packet;
    return octets_of(our_mac(kCh1)) + octets_of(neighbor_mac(2)) + tag(0x8100, vid) + be16(0x0800) + p.octets();
}

bool start_eal();
// The verdicts that some test of this process has seen counted.
std::vector<Verdict> verdicts_not_reached();

// One turn of any worker.
void poll_worker(dataplane::Worker&, std::uint64_t now);

struct Punted {
    Octets frame;
    dataplane::Crossing crossing;
};

class Rig {
public:
    explicit Rig(std::size_t workers = 1);
    ~Rig();   // checks the law of conservation and that every buffer is back
    Rig(const Rig&) = delete;

    // The snapshot that the next turn sees; change it between turns.
    dataplane::Forwarding& forwarding() { return *forwarding_; }
    void publish();
    void route(const char* prefix, dataplane::Leaf);
    void set_slot(std::size_t next_hop, std::uint64_t bits);
    dataplane::Group& group(std::size_t id) { return groups_[id]; }

    void send(PortId, const Octets&);                      // onto the wire towards the port
    void send_segments(PortId, const Octets&, const Octets&);
    void send_stripped(PortId, const Octets&, std::uint16_t tci, std::uint16_t outer_tci = 0,
                       std::uint16_t headroom = 128);
    std::vector<Octets> sent(PortId);                      // from the wire
    void inject(dataplane::InjectClass, dataplane::Crossing, const Octets&, std::size_t worker = 0);
    std::vector<Punted> punted(dataplane::PuntClass, std::size_t worker = 0);
    // One turn of every worker, a microsecond later than the last one.
    void turn(int n = 1);
    void later(std::uint64_t nanoseconds) { now_ += nanoseconds; }

    // Leaves room for so many frames on the port's wire; `open_wire` takes that back.
    void fill_wire(PortId, std::size_t room);
    void open_wire(PortId);

    std::uint64_t count(Verdict) const;
    dataplane::Worker& worker(std::size_t i = 0) { return *workers_[i]; }
    const dataplane::WorkerCounters& counters(std::size_t i = 0) const { return dataplane::counters(*workers_[i]); }

    // The other end of ch1 and ch2: protects with the peer's key.
    Octets protect(PortId, Octets frame, std::uint64_t pn = 0);
    // What the protect stage alone says to one frame for the port.
    Verdict protect_stage(PortId, dataplane::Meta, const Octets&);
    // What we sent on ch1 or ch2, opened with our key. Empty when it does not open.
    Octets open(PortId, Octets frame);
    macsec::TransmitSa& our_sa(PortId port) { return *ours_.at(port.value - kCh1.value); }
    macsec::TransmitSa& peer_sa(PortId port) { return *peers_.at(port.value - kCh1.value); }

private:
    void build();
    void build_ports();
    void build_interfaces();
    void build_next_hops();
    void build_secy(PortId, net::VlanStack clear_tags, bool has_kay);
    void build_workers(std::size_t count);

    std::unique_ptr<dataplane::Forwarding> forwarding_;
    std::unique_ptr<dataplane::Fib4> fib4_;
    std::unique_ptr<dataplane::Fib6> fib6_;
    std::vector<dataplane::NextHop> next_hops_;
    std::vector<dataplane::Group> groups_;
    std::vector<std::atomic<std::uint64_t>> slots_;
    std::vector<std::shared_ptr<macsec::TransmitSa>> ours_, peers_;
    std::vector<std::shared_ptr<macsec::ReceiveSa>> their_sas_;   // what the other end opens our frames with
    std::vector<dataplane::WorkerPtr> workers_;
    std::uint64_t now_{10'000'000'000};
};

}  // namespace rig
