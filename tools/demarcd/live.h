// What exists now: ports, interfaces, SecYs, connections. Owned by control; a snapshot is built from it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/model.h"
#include "dataplane/forwarding.h"
#include "dataplane/netdev.h"
#include "dataplane/port.h"
#include "dataplane/tap.h"
#include "tools/demarcd/event_loop.h"
#include "tools/demarcd/live_secy.h"
#include "tools/demarcd/port_claim.h"

namespace demarcd {

struct LivePort {
    dataplane::PortId id{};
    config::Port config;
    PortClaim claim;  // freed after the device
    std::unique_ptr<dataplane::Port> device;
    std::uint32_t ifindex{};  // of its netdev; 0: a PCI device
    bool link{};
    std::vector<LiveSecY> secys;  // parallel to config.macsec
};

struct LiveInterface {
    dataplane::InterfaceId id{};
    config::Interface config;
    std::unique_ptr<dataplane::Tap> tap;
    std::uint32_t ifindex{};                   // of its TAP, in the host's namespace
    std::set<net::IpAddress> link_local;       // what the kernel gave the TAP
    Clock::time_point usable_since{};
    bool usable{};                             // link up and Controlled Port open: next hops may be used
    bool carrier{};                            // what the TAP shows: `usable`, up after 200 ms
};

struct Live {
    std::map<std::string, LivePort> ports;
    std::map<std::string, LiveInterface> interfaces;
    std::map<std::string, std::shared_ptr<dataplane::Policer>> connections;
};

// The SecY an interface stands on; null on a plain port.
const LiveSecY* secy_of(const Live& live, const LiveInterface& interface);

// Its SecY is open, or it has none.
bool may_send(const Live& live, const LiveInterface& interface);

// Every address of the router, link-local ones included.
std::set<net::IpAddress> own_addresses(const Live& live);

}  // namespace demarcd
