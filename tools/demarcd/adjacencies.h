// Which next hops may carry frames: the kernel's neighbours, the interfaces' state, and out of both each next hop's
// slot word. Pure but for the actions it is given. Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "dataplane/ids.h"
#include "dataplane/net/address.h"
#include "dataplane/next_hop.h"

namespace demarcd {

// (interface, address): who stands behind which interface.
using NeighborKey = std::pair<dataplane::InterfaceId, net::IpAddress>;

struct AdjacencyActions {
    // Stores a next hop's slot word (dataplane::Slot).
    std::function<void(dataplane::NextHopId, std::uint64_t)> store_slot;
    // Asks the kernel to resolve a neighbour.
    std::function<void(const NeighborKey&)> probe;
    // A neighbour of a connected subnet came or went: it has a host route of its own.
    std::function<void(const NeighborKey&, bool present)> host_route;
};

struct NextHopView {
    dataplane::NextHopId id{};
    NeighborKey key;
    std::optional<net::MacAddress> mac;
    bool usable{};
};

class Adjacencies {
public:
    explicit Adjacencies(AdjacencyActions actions) : actions_(std::move(actions)) {}

    // The kernel's word about a neighbour: its MAC address, or nothing when it failed or went away.
    void neighbor(const NeighborKey& key, std::optional<net::MacAddress> mac);
    // Before a dump of the kernel's neighbours, and after it: what the dump did not name is gone.
    void begin_dump();
    void end_dump();

    // The routes thread uses a next hop from now on, or no longer.
    void next_hop_added(dataplane::NextHopId id, const NeighborKey& key);
    void next_hop_removed(dataplane::NextHopId id);

    // Link and Controlled Port of an interface: frames may leave through it.
    void interface_usable(dataplane::InterfaceId interface, bool usable);
    // Forgets an interface and its neighbours.
    void interface_gone(dataplane::InterfaceId interface);

    // Asks for every next hop that is used, could be used, and is not resolved.
    void probe_unresolved();

    std::vector<NextHopView> next_hops() const;
    const std::map<NeighborKey, net::MacAddress>& neighbors() const { return neighbors_; }

private:
    bool usable(dataplane::InterfaceId interface) const { return usable_.contains(interface); }
    void update(dataplane::NextHopId id, const NeighborKey& key);
    void update_all(const NeighborKey& key);

    AdjacencyActions actions_;
    std::map<NeighborKey, net::MacAddress> neighbors_;
    std::set<NeighborKey> dumped_;
    bool dumping_{};
    std::map<dataplane::NextHopId, NeighborKey> by_id_;
    std::map<NeighborKey, dataplane::NextHopId> by_key_;
    std::set<dataplane::InterfaceId> usable_;
};

}  // namespace demarcd
