#include "tools/demarcd/adjacencies.h"

#include "tests/unit/catch.h"

using namespace demarcd;
using dataplane::InterfaceId;
using dataplane::NextHopId;
using dataplane::Slot;

namespace {

const NeighborKey kPeer{InterfaceId{1}, *net::parse_ip("10.0.0.2")};
const NeighborKey kLinkLocal{InterfaceId{1}, *net::parse_ip("fe80::2")};
const net::MacAddress kMac{{2, 0, 0, 0, 0, 9}};

// Records what the adjacencies ask for.
struct Recorder {
    std::map<std::uint16_t, std::uint64_t> slots;
    std::vector<NeighborKey> probes;
    std::vector<std::pair<NeighborKey, bool>> routes;
    Adjacencies adjacencies{{[this](NextHopId id, std::uint64_t word) { slots[id.value] = word; },
                             [this](const NeighborKey& key) { probes.push_back(key); },
                             [this](const NeighborKey& key, bool present) { routes.emplace_back(key, present); }}};
};

}  // namespace

TEST_CASE("a next hop is usable once its neighbour is resolved and its interface may send") {
    Recorder r;
    r.adjacencies.next_hop_added(NextHopId{7}, kPeer);
    CHECK(r.slots[7] == 0);
    r.adjacencies.neighbor(kPeer, kMac);
    CHECK(r.slots[7] == (kMac.number() | Slot::kResolved));
    r.adjacencies.interface_usable(kPeer.first, true);
    CHECK(r.slots[7] == (kMac.number() | Slot::kResolved | Slot::kUsable));
}

TEST_CASE("an interface that goes down takes its next hops down and keeps their MAC addresses") {
    Recorder r;
    r.adjacencies.interface_usable(kPeer.first, true);
    r.adjacencies.next_hop_added(NextHopId{7}, kPeer);
    r.adjacencies.neighbor(kPeer, kMac);
    r.adjacencies.interface_usable(kPeer.first, false);
    CHECK(r.slots[7] == (kMac.number() | Slot::kResolved));
    r.adjacencies.interface_usable(kPeer.first, true);
    CHECK((r.slots[7] & Slot::kUsable) != 0);
}

TEST_CASE("an unresolved next hop is asked for when it appears and again until it is resolved") {
    Recorder r;
    r.adjacencies.interface_usable(kPeer.first, true);
    r.adjacencies.next_hop_added(NextHopId{7}, kPeer);
    CHECK(r.probes.size() == 1);
    r.adjacencies.probe_unresolved();
    CHECK(r.probes.size() == 2);
    r.adjacencies.neighbor(kPeer, kMac);
    r.adjacencies.probe_unresolved();
    CHECK(r.probes.size() == 2);
}

TEST_CASE("a resolved neighbour gets a host route, a link-local one does not") {
    Recorder r;
    r.adjacencies.neighbor(kPeer, kMac);
    r.adjacencies.neighbor(kPeer, net::MacAddress{{2, 0, 0, 0, 0, 10}});
    r.adjacencies.neighbor(kLinkLocal, kMac);
    REQUIRE(r.routes.size() == 1);
    CHECK(r.routes[0] == std::pair(kPeer, true));
    r.adjacencies.neighbor(kPeer, std::nullopt);
    CHECK(r.routes.back() == std::pair(kPeer, false));
}

TEST_CASE("a neighbour that a dump does not name is gone") {
    Recorder r;
    r.adjacencies.next_hop_added(NextHopId{7}, kPeer);
    r.adjacencies.neighbor(kPeer, kMac);
    r.adjacencies.begin_dump();
    r.adjacencies.neighbor(kLinkLocal, kMac);
    r.adjacencies.end_dump();
    CHECK(r.slots[7] == 0);
    CHECK(r.adjacencies.neighbors().size() == 1);
}

TEST_CASE("a removed next hop leaves an empty slot behind") {
    Recorder r;
    r.adjacencies.interface_usable(kPeer.first, true);
    r.adjacencies.neighbor(kPeer, kMac);
    r.adjacencies.next_hop_added(NextHopId{7}, kPeer);
    r.adjacencies.next_hop_removed(NextHopId{7});
    CHECK(r.slots[7] == 0);
    r.adjacencies.neighbor(kPeer, net::MacAddress{{2, 0, 0, 0, 0, 10}});
    CHECK(r.slots[7] == 0);
}
