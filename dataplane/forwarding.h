// Everything workers read: built aside by control, published by one pointer store, never changed afterwards, retired
// through QSBR. What changes per frame (SAs, counters, slots, FIB) is pointed to and outlives the snapshot.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/fib.h"
#include "dataplane/ids.h"
#include "dataplane/net/address.h"
#include "dataplane/net/vlan.h"
#include "dataplane/next_hop.h"
#include "dataplane/police.h"
#include "dataplane/trace.h"
#include "dataplane/watch.h"
#include "macsec/secy.h"

namespace dataplane {

// One SecY: a port and the clear tags before its SecTAG.
struct SecYEntry {
    PortId port{};
    net::VlanStack clear_tags;
    bool has_kay{};  // EAPOL goes to it; without a KaY it is dropped
    net::MacAddress eapol_destination{};
    std::uint16_t eapol_ethertype{};
    macsec::TransmitSecY transmit;
    macsec::ReceiveSecY receive;  // its spans point into `receive_scs`
    std::vector<macsec::ReceiveSc> receive_scs;
    std::vector<std::shared_ptr<void>> keeps_alive;  // SAs and counters
};

// Tags inside the SecY (or of a plain port) -> interface.
struct TagMap {
    struct Pair {
        net::VlanStack tags;  // depth 2
        InterfaceId interface {};
    };
    InterfaceId untagged{};
    std::vector<InterfaceId> customer;  // by VID of one 802.1Q tag: empty or 4096
    std::vector<InterfaceId> service;   // by VID of one 802.1ad tag: empty or 4096
    std::vector<Pair> pairs;            // sorted by tags
};

struct PortEntry {
    bool present{};
    std::uint16_t ethdev{};  // DPDK's number
    bool secured{};          // any SecY with must-secure: what is not MACsec or EAPOL is dropped
    WorkerId receive_worker{}, transmit_worker{};
    net::MacAddress mac{};
    std::vector<std::uint16_t> secys;  // indexes into Forwarding::secys
    TagMap plain;                      // interfaces of a port without SecYs
    std::vector<TagMap> inside;        // parallel to `secys`
};

// Whole lines, what frames need in the first: an index is a shift, an entry one miss.
struct alignas(64) InterfaceEntry {
    bool present{};
    PortId port{};
    std::uint16_t secy{0xFFFF};  // index into Forwarding::secys; 0xFFFF on a plain port
    net::VlanStack tags;         // inside MACsec
    std::uint32_t mtu{};         // layer 3
    net::MacAddress mac{};
    TableId table{};
    std::uint16_t connection{0xFFFF};           // index into Forwarding::connections; 0xFFFF: none
    std::vector<net::Ipv6Address> link_local;   // ours on this link
    std::vector<net::IpAddress> own;            // all our addresses on it, for inject's "is it from us"
    std::vector<net::IpAddress> bgp_neighbors;  // TCP 179 from these is class bgp
};

struct WorkerPorts {
    std::vector<PortId> receive, transmit;
};

struct Forwarding {
    std::uint64_t generation{};
    std::array<PortEntry, kMaxPorts> ports{};
    std::vector<InterfaceEntry> interfaces;  // by InterfaceId
    std::vector<SecYEntry> secys;
    std::vector<std::shared_ptr<Policer>> connections;
    std::array<WorkerPorts, kMaxWorkers> workers{};  // by WorkerId
    const Fib4* fib4{};
    const Fib6* fib6{};
    NextHopArrays hops;
    bool stage_clocks{};
    bool watched{};              // somebody looks: there are `watches`, or `trace` is somebody's
    std::vector<Watch> watches;
    Trace trace;
};

static_assert(sizeof(InterfaceEntry) == 128);

}  // namespace dataplane
