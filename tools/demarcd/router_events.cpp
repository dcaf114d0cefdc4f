// What the kernel and the routes thread say: link state of ports, neighbours and addresses of TAPs, next hops; and what
// follows from it: whether an interface may carry frames, and what its TAP's carrier shows.
#include <linux/if.h>

#include "bgp-glue/address_message.h"
#include "bgp-glue/link_message.h"
#include "bgp-glue/neighbor_message.h"
#include "tools/demarcd/log.h"
#include "tools/demarcd/router.h"

namespace demarcd {

namespace {

constexpr auto kStable = std::chrono::milliseconds(200);  // before carrier is shown up
constexpr auto kRepeat = std::chrono::seconds(2);          // after carrier: a busy zebra hears our addresses once more

}  // namespace

void Router::read_ports_socket() {
    const auto read = ports_socket_->read([this](const auto& message) { on_port_link(message); });
    if (read.overrun || read.dump_interrupted) dump_ports();
    if (read.messages != 0) refresh_all();
}

void Router::dump_ports() {
    if (auto sent = ports_socket_->send(bgp_glue::dump_links_request(ports_socket_->next_sequence())); !sent)
        spdlog::error("netlink: {}", sent.error().text);
}

void Router::on_port_link(const bgp_glue::NetlinkMessage& message) {
    const auto link = bgp_glue::decode_link(message);
    if (!link || !*link) return;
    for (auto& [name, port] : live_.ports) {
        if (port.ifindex == 0 || port.ifindex != (*link)->ifindex) continue;
        const bool up = !(*link)->removed && (*link)->up && (*link)->lower_up && (*link)->running;
        if (up != port.link) spdlog::info("port {}: link {}", name, up ? "up" : "down");
        port.link = up;
    }
}

// Links, addresses, neighbours, one dump after the other: a socket has one at a time.
void Router::dump_host() {
    host_dump_ = Dump::addresses;
    if (auto sent = host_socket_->send(bgp_glue::dump_addresses_request(host_socket_->next_sequence())); !sent)
        spdlog::error("netlink: {}", sent.error().text);
}

void Router::read_host_socket() {
    const auto read = host_socket_->read([this](const auto& message) { on_host_event(message); });
    if (read.overrun || read.dump_interrupted) return dump_host();
    if (!read.dump_done) return;
    if (host_dump_ == Dump::addresses) {
        host_dump_ = Dump::neighbors;
        adjacencies_->begin_dump();
        if (auto sent = host_socket_->send(bgp_glue::dump_neighbors_request(host_socket_->next_sequence())); !sent)
            spdlog::error("netlink: {}", sent.error().text);
    } else if (host_dump_ == Dump::neighbors) {
        host_dump_ = Dump::none;
        adjacencies_->end_dump();
    }
}

void Router::on_host_event(const bgp_glue::NetlinkMessage& message) {
    on_neighbor(message);
    on_address(message);
}

void Router::on_neighbor(const bgp_glue::NetlinkMessage& message) {
    const auto change = bgp_glue::decode_neighbor(message);
    if (!change || !*change) return;
    const LiveInterface* interface = by_ifindex((*change)->ifindex);
    if (interface == nullptr) return;
    const bool good = !(*change)->removed && (*change)->has_mac && (*change)->usable() && !(*change)->mac.is_group();
    adjacencies_->neighbor({interface->id, (*change)->address}, good ? std::optional((*change)->mac) : std::nullopt);
}

// The kernel gives a TAP its link-local address; ours are in the configuration.
void Router::on_address(const bgp_glue::NetlinkMessage& message) {
    const auto change = bgp_glue::decode_address(message);
    if (!change || !*change) return;
    LiveInterface* interface = by_ifindex((*change)->ifindex);
    const auto& address = (*change)->address.address;
    if (interface == nullptr || address.family != net::Family::ipv6 || !address.v6().is_link_local()) return;
    const bool changed = (*change)->removed ? interface->link_local.erase(address) != 0
                                            : interface->link_local.insert(address).second;
    if (!changed) return;
    host_path_->set_own_addresses(own_addresses(live_));
    publish();
}

void Router::on_routes_event() {
    for (const auto& value : routes_->events().take()) {
        if (const auto* event = std::get_if<dataplane::NextHopEvent>(&value)) {
            if (event->appeared) {
                adjacencies_->next_hop_added(event->id, {event->hop.interface, event->hop.neighbor});
            } else {
                adjacencies_->next_hop_removed(event->id);
                routes_->send(NextHopEmptied{event->id});
            }
            continue;
        }
        const auto& answer = std::get<Answer>(value);
        if (auto waiting = waiting_answers_.extract(answer.id)) waiting.mapped()(answer);
    }
}

void Router::probe(const NeighborKey& key) {
    const LiveInterface* interface = by_id(key.first);
    if (interface == nullptr || !interface->carrier) return;
    const auto request =
        bgp_glue::probe_neighbor_request(interface->ifindex, key.second, request_socket_->next_sequence());
    if (auto asked = request_socket_->request(request); !asked) spdlog::debug("probe: {}", asked.error().text);
}

void Router::refresh_all() {
    for (auto& [name, interface] : live_.interfaces) refresh(interface);
}

// Down at once; up once it has been stable.
void Router::refresh(LiveInterface& interface) {
    const bool usable = live_.ports.at(interface.config.port).link && may_send(live_, interface);
    if (usable == interface.usable) return;
    interface.usable = usable;
    interface.usable_since = Clock::now();
    adjacencies_->interface_usable(interface.id, usable);
    if (!usable) return set_carrier(interface, false);
    carrier_up_later(name_of(interface.id));
}

void Router::carrier_up_later(const std::string& name) {
    loop_.after(kStable, [this, name] {
        const auto found = live_.interfaces.find(name);
        if (found == live_.interfaces.end() || !found->second.usable || found->second.carrier) return;
        if (Clock::now() - found->second.usable_since < kStable) return;  // it flapped: the later timer decides
        set_carrier(found->second, true);
    });
}

void Router::set_carrier(LiveInterface& interface, bool up) {
    if (interface.carrier == up) return;
    interface.carrier = up;
    if (auto done = interface.tap->set_carrier(up); !done)
        spdlog::error("interface {}: {}", name_of(interface.id), done.error());
    spdlog::info("interface {}: carrier {}", name_of(interface.id), up ? "up" : "down");
    say_own_routes();
    if (!up) return;
    adjacencies_->probe_unresolved();
    repeat_addresses(name_of(interface.id));
    loop_.after(kRepeat, [this, name = name_of(interface.id)] { repeat_addresses(name); });
}

void Router::repeat_addresses(const std::string& name) {
    const auto found = live_.interfaces.find(name);
    if (found == live_.interfaces.end()) return;
    if (auto done = found->second.tap->repeat_addresses(); !done) spdlog::error("interface {}: {}", name, done.error());
}

LiveInterface* Router::by_ifindex(std::uint32_t ifindex) {
    for (auto& [name, interface] : live_.interfaces)
        if (interface.ifindex == ifindex) return &interface;
    return nullptr;
}

const LiveInterface* Router::by_id(dataplane::InterfaceId id) const {
    for (const auto& [name, interface] : live_.interfaces)
        if (interface.id == id) return &interface;
    return nullptr;
}

std::string Router::name_of(dataplane::PortId id) const {
    for (const auto& [name, port] : live_.ports)
        if (port.id == id) return name;
    return "";
}

std::string Router::name_of(dataplane::InterfaceId id) const {
    for (const auto& [name, interface] : live_.interfaces)
        if (interface.id == id) return name;
    return "";
}

}  // namespace demarcd
