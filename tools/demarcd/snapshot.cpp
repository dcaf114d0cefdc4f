// 1. ports, with their SecYs; 2. interfaces, each entered into the tag map of its place; 3. connections; 4. who owns
// what.
#include "tools/demarcd/snapshot.h"

#include <algorithm>

namespace demarcd {

using namespace dataplane;

namespace {

constexpr std::size_t kVids = 4096;

// An SC without SAs is none: its frames are as unknown as any other's, and a peer that sends no SCI has one SC.
macsec::ReceiveSc& receive_sc(SecYEntry& e, macsec::Sci sci, const std::shared_ptr<macsec::ReceiveCounters>& counters) {
    for (auto& sc : e.receive_scs)
        if (sc.sci == sci) return sc;
    e.keeps_alive.push_back(counters);
    e.receive_scs.push_back({sci, {}, counters.get()});
    return e.receive_scs.back();
}

void add_port(Forwarding& f, const LivePort& port) {
    PortEntry& e = f.ports[port.id.value];
    e.present = true;
    e.ethdev = port.device->ethdev();
    e.receive_worker = WorkerId{static_cast<std::uint8_t>(port.config.receive_worker)};
    e.transmit_worker = WorkerId{static_cast<std::uint8_t>(port.config.transmit_worker)};
    e.mac = port.device->mac();
    for (const auto& secy : port.secys) {
        if (secy.config.policy == config::Policy::off) continue;
        e.secured = true;
        e.secys.push_back(static_cast<std::uint16_t>(f.secys.size()));
        f.secys.push_back(secy_entry(port.id, secy, port.device->setup().frame));
    }
    e.inside.resize(e.secys.size());
    f.workers[e.receive_worker.value].receive.push_back(port.id);
    f.workers[e.transmit_worker.value].transmit.push_back(port.id);
}

void add_to_map(TagMap& map, const net::VlanStack& tags, InterfaceId id) {
    if (tags.depth == 0) {
        map.untagged = id;
    } else if (tags.depth == 1) {
        auto& by_vid = tags.tags[0].tpid == net::kTpidService ? map.service : map.customer;
        by_vid.resize(kVids);
        by_vid[tags.tags[0].vid] = id;
    } else {
        map.pairs.push_back({tags, id});
        std::ranges::sort(map.pairs, {}, &TagMap::Pair::tags);
    }
}

// The index in PortEntry::secys of the SecY with these clear tags; none: the port's plain part.
std::optional<std::size_t> place_of(const Forwarding& f, const PortEntry& port, const net::VlanStack& clear_tags) {
    for (std::size_t i = 0; i < port.secys.size(); ++i)
        if (f.secys[port.secys[i]].clear_tags == clear_tags) return i;
    return std::nullopt;
}

void add_addresses(InterfaceEntry& e, const LiveInterface& live, const config::Model& model, const std::string& name) {
    for (const auto& address : live.config.addresses) e.own.push_back(address.address);
    for (const auto& address : live.link_local) {
        e.own.push_back(address);
        if (address.family == net::Family::ipv6) e.link_local.push_back(address.v6());
    }
    if (!model.bgp) return;
    for (const auto& neighbor : model.bgp->neighbors)
        if (neighbor.interface == name) e.bgp_neighbors.push_back(neighbor.address);
}

void add_interface(Forwarding& f, const Live& live, const config::Model& model, const std::string& name) {
    const LiveInterface& from = live.interfaces.at(name);
    PortEntry& port = f.ports[live.ports.at(from.config.port).id.value];
    InterfaceEntry& e = f.interfaces[from.id.value];
    e.present = true;
    e.port = live.ports.at(from.config.port).id;
    e.tags = from.config.tags;
    e.mtu = from.config.mtu;
    e.mac = port.mac;
    add_addresses(e, from, model, name);
    if (const auto place = place_of(f, port, from.config.clear_tags)) {
        e.secy = port.secys[*place];
        add_to_map(port.inside[*place], e.tags, from.id);
    } else if (!port.secured) {  // a secured port has no plain part: never a clear frame
        add_to_map(port.plain, e.tags, from.id);
    } else {
        e.present = false;
    }
}

}  // namespace

SecYEntry secy_entry(PortId port, const LiveSecY& live, std::uint32_t largest_frame) {
    SecYEntry e;
    e.port = port;
    e.clear_tags = live.config.clear_tags;
    e.has_kay = live.config.mka.has_value();
    e.eapol_destination = live.config.eapol_destination;
    e.eapol_ethertype = live.config.eapol_ethertype;
    const auto transmitting = live.transmitting();
    e.transmit = {live.sci, live.config.sci_form, transmitting ? transmitting->sa.get() : nullptr,
                  live.transmit_counters.get(), largest_frame};
    e.keeps_alive.push_back(live.transmit_counters);
    if (transmitting) e.keeps_alive.push_back(transmitting->sa);
    for (const auto& [key, sa] : live.receiving()) {
        receive_sc(e, key.sci, live.counters().at(key.sci)).sa[key.an] = sa.sa.get();
        e.keeps_alive.push_back(sa.sa);
    }
    e.receive = {e.receive_scs, live.config.replay_window.has_value(), live.config.replay_window.value_or(0),
                 live.receive_counters.get()};
    e.receive.delay_protect = live.config.mka && live.config.mka->delay_protect;
    e.keeps_alive.push_back(live.receive_counters);
    return e;
}

std::unique_ptr<Forwarding> build_forwarding(const Live& live, const config::Model& model, const Tables& tables,
                                             std::uint64_t generation) {
    auto f = std::make_unique<Forwarding>();
    f->generation = generation;
    f->fib4 = tables.fib4;
    f->fib6 = tables.fib6;
    f->hops = tables.hops;
    for (const auto& [name, port] : live.ports) add_port(*f, port);
    std::size_t interfaces = 0;
    for (const auto& [name, interface] : live.interfaces)
        interfaces = std::max<std::size_t>(interfaces, interface.id.value + 1u);
    f->interfaces.resize(interfaces);
    for (const auto& [name, interface] : live.interfaces) add_interface(*f, live, model, name);
    for (const auto& [name, connection] : model.connections) {
        for (const auto& feature : connection.features)
            f->interfaces[live.interfaces.at(feature).id.value].connection =
                static_cast<std::uint16_t>(f->connections.size());
        f->connections.push_back(live.connections.at(name));
    }
    return f;
}

}  // namespace demarcd
