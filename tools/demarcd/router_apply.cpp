// A configuration becomes what is: the same path at start and at reload, all or nothing.
// 1. Everything that can fail is made beside what runs: ports, TAPs, SAs. On an error it is destroyed and nothing has
//    changed.
// 2. TAPs that stay are changed; the first that refuses takes all of it back.
// 3. Commit cannot fail: what stays moves over, what is gone leaves the snapshot first and is closed after its grace
//    period.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/diff.h"
#include "tools/demarcd/log.h"
#include "tools/demarcd/router.h"

namespace demarcd {

namespace {

Diagnostics refuse(config::Place place, std::string rule, std::string message) {
    return {{place, std::move(rule), std::move(message), "nothing has been changed"}};
}

// Room for every interface the port's MTU allows: two tags inside and the SecYs' clear ones.
std::uint32_t frame_of(const config::Port& port) {
    std::uint32_t clear = 0;
    for (const auto& secy : port.macsec) clear = std::max<std::uint32_t>(clear, secy.clear_tags.depth);
    return dataplane::frame_octets(port.mtu, 2 + clear, !port.macsec.empty());
}

dataplane::PortDriver driver_of(config::Driver d) {
    switch (d) {
        case config::Driver::pci: return dataplane::PortDriver::pci;
        case config::Driver::af_xdp: return dataplane::PortDriver::af_xdp;
        default: return dataplane::PortDriver::af_packet;
    }
}

dataplane::TapSetup tap_setup(const std::string& name, const config::Interface& wanted, net::MacAddress mac) {
    return {name, mac, wanted.mtu, wanted.addresses};
}

// Two SAs that would make the same nonces with the same key.
std::expected<void, std::string> check_fingerprints(const Live& fresh) {
    std::set<std::string> seen;
    for (const auto& [name, port] : fresh.ports)
        for (const auto& secy : port.secys) {
            const auto& sa = secy.next ? secy.next : secy.encoding;
            if (sa && !seen.insert(sa->fingerprint).second)
                return std::unexpected(
                    fmt::format("port {}: its transmit SAK protects another SecY with the same SSCI or SCI, "
                                "so nonces would repeat; give every SecY a SAK of its own",
                                name));
        }
    return {};
}

// A port that stays has its device in `live` until the commit.
net::MacAddress mac_of(const std::string& port, const Live& fresh, const Live& live) {
    const auto& device = fresh.ports.at(port).device;
    return device ? device->mac() : live.ports.at(port).device->mac();
}

}  // namespace

std::expected<Changes, Diagnostics> Router::reload() {
    auto model = read_config(config_file_);
    if (!model) return std::unexpected(model.error());
    const auto differences = config::diff(model_, *model);
    if (!differences.needs_restart.empty()) {
        Diagnostics all;
        for (const auto& words : differences.needs_restart)
            all.push_back({{}, "needs-restart", words, "restart demarcd to apply it; nothing has been changed"});
        return std::unexpected(std::move(all));
    }
    const auto level = model->log_level;
    if (auto done = apply(std::move(*model)); !done) return std::unexpected(done.error());
    set_log_level(level);
    Changes changes;
    for (const auto& change : differences.changes) {
        spdlog::info("reload: {}", change.words);
        changes.words.push_back(change.words);
    }
    changes.generation = generation_;
    return changes;
}

std::expected<void, Diagnostics> Router::apply(config::Model model) {
    if (!host_) {
        auto host = dataplane::HostNamespace::open(model.host.netns);
        if (!host) return std::unexpected(refuse({}, "host", host.error()));
        host_ = std::make_unique<dataplane::HostNamespace>(std::move(*host));
    }
    Live fresh;
    if (auto done = prepare(model, fresh); !done) return done;
    if (auto done = change_taps(model, fresh); !done) return done;
    commit(std::move(model), std::move(fresh));
    return {};
}

std::expected<void, Diagnostics> Router::prepare(const config::Model& model, Live& fresh) {
    const auto added = [](const auto& wanted, const auto& live) {
        return std::ranges::count_if(wanted, [&](const auto& entry) { return !live.contains(entry.first); });
    };
    if (next_port_ + static_cast<std::size_t>(added(model.ports, live_.ports)) > dataplane::kMaxPorts ||
        next_interface_ + static_cast<std::size_t>(added(model.interfaces, live_.interfaces)) > kMaxInterfaces)
        return std::unexpected(refuse({}, "needs-restart",
                                      "this process has had as many ports or interfaces as it can; restart "
                                      "demarcd to apply it"));
    if (auto moved = check_devices(model); !moved) return moved;
    for (const auto& [name, wanted] : model.ports) {
        auto port = prepare_port(name, wanted);
        if (!port) return std::unexpected(port.error());
        fresh.ports.emplace(name, std::move(*port));
    }
    if (auto done = check_fingerprints(fresh); !done) return std::unexpected(refuse({}, "sak-shared", done.error()));
    for (const auto& [name, wanted] : model.interfaces) {
        auto interface = prepare_interface(name, wanted, mac_of(wanted.port, fresh, live_));
        if (!interface) return std::unexpected(interface.error());
        fresh.interfaces.emplace(name, std::move(*interface));
    }
    for (const auto& [name, wanted] : model.connections) {
        const auto old = live_.connections.find(name);
        fresh.connections[name] = old != live_.connections.end() ? old->second : std::make_shared<dataplane::Policer>();
    }
    return {};
}

// A device belongs to one port while the process lives: another name for it would take it from under the workers.
std::expected<void, Diagnostics> Router::check_devices(const config::Model& model) {
    for (const auto& [name, wanted] : model.ports) {
        const auto owner = device_owners_.find(wanted.device);
        if (owner == device_owners_.end() || (owner->second == name && live_.ports.contains(name))) continue;
        return std::unexpected(refuse(wanted.place, "needs-restart",
                                      fmt::format("port {}: {} has been port {}'s; restart demarcd to move it", name,
                                                  wanted.device, owner->second)));
    }
    return {};
}

// A port that stays keeps its device, which commit() moves over.
std::expected<LivePort, Diagnostics> Router::prepare_port(const std::string& name, const config::Port& wanted) {
    const auto found = live_.ports.find(name);
    const LivePort* old = found == live_.ports.end() ? nullptr : &found->second;
    LivePort port;
    port.config = wanted;
    if (old != nullptr && frame_of(wanted) > old->device->setup().frame)
        return std::unexpected(
            refuse(wanted.place, "needs-restart",
                   fmt::format("port {}: frames of {} octets do not fit what it was opened for ({}); restart "
                               "demarcd to apply it",
                               name, frame_of(wanted), old->device->setup().frame)));
    if (old == nullptr) {
        auto claim = PortClaim::take(wanted.device);
        if (!claim)
            return std::unexpected(refuse(wanted.place, "port", fmt::format("port {}: {}", name, claim.error())));
        port.claim = std::move(*claim);
        auto device =
            dataplane::open_port({name, driver_of(wanted.driver), wanted.device, frame_of(wanted), false, pool_});
        if (!device) return std::unexpected(refuse(wanted.place, "port", device.error()));
        port.device = std::make_unique<dataplane::Port>(std::move(*device));
        if (auto started = port.device->start(); !started)
            return std::unexpected(refuse(wanted.place, "port", started.error()));
        port.ifindex = port.device->netdev() != nullptr ? port.device->netdev()->index() : 0;
        port.link = port.device->link_up();
    }
    const auto mac = old != nullptr ? old->device->mac() : port.device->mac();
    if (auto done = prepare_secys(port, old, mac); !done)
        return std::unexpected(refuse(wanted.place, "macsec", fmt::format("port {}: {}", name, done.error())));
    return port;
}

std::expected<void, std::string> Router::prepare_secys(LivePort& port, const LivePort* old, net::MacAddress mac) {
    for (const auto& wanted : port.config.macsec) {
        const LiveSecY* before = nullptr;
        if (old != nullptr)
            for (const auto& secy : old->secys)
                if (secy.config.clear_tags == wanted.clear_tags) before = &secy;
        auto secy = prepare_secy(wanted, mac, before, *leases_);
        if (!secy) return std::unexpected(secy.error());
        port.secys.push_back(std::move(*secy));
    }
    return {};
}

std::expected<LiveInterface, Diagnostics> Router::prepare_interface(const std::string& name,
                                                                    const config::Interface& wanted,
                                                                    net::MacAddress mac) {
    LiveInterface interface;
    interface.config = wanted;
    if (live_.interfaces.contains(name)) return interface;
    auto tap = dataplane::Tap::make(*host_, tap_setup(name, wanted, mac));
    if (!tap)
        return std::unexpected(refuse(wanted.place, "interface", fmt::format("interface {}: {}", name, tap.error())));
    interface.tap = std::make_unique<dataplane::Tap>(std::move(*tap));
    interface.ifindex = interface.tap->index();
    return interface;
}

void Router::commit(config::Model model, Live fresh) {
    for (auto& [name, port] : fresh.ports) {
        const auto old = live_.ports.find(name);
        if (old == live_.ports.end()) {
            port.id = dataplane::PortId{next_port_++};
            device_owners_[port.config.device] = name;
            continue;
        }
        port.id = old->second.id;
        port.claim = std::move(old->second.claim);
        port.device = std::move(old->second.device);
        port.ifindex = old->second.ifindex;
        port.link = old->second.link;
    }
    for (auto& [name, interface] : fresh.interfaces) {
        const auto old = live_.interfaces.find(name);
        if (old == live_.interfaces.end()) {
            interface.id = dataplane::InterfaceId{next_interface_++};
            continue;
        }
        const auto wanted = interface.config;
        interface = std::move(old->second);
        interface.config = wanted;
    }
    for (const auto& [name, wanted] : model.connections) {
        fresh.connections.at(name)->rate_bps.store(wanted.bandwidth_bps, std::memory_order_relaxed);
        fresh.connections.at(name)->burst_octets.store(wanted.burst_octets, std::memory_order_relaxed);
    }
    for (const auto& [name, port] : fresh.ports)
        for (const auto& secy : port.secys) hold_keys(secy, *leases_);
    std::swap(live_, fresh);
    model_ = std::move(model);
    publish();
    retire_removed(fresh);
    remember_removed_keys(fresh);
    start_kays();
    for (auto& [name, interface] : live_.interfaces)
        host_path_->add(interface.id, interface.tap->fd(),
                        dataplane::WorkerId{
                            static_cast<std::uint8_t>(live_.ports.at(interface.config.port).config.transmit_worker)});
    host_path_->set_own_addresses(own_addresses(live_));
    say_interfaces();
    say_own_routes();
    dump_ports();
    dump_host();
    refresh_all();
}

// A KaY that no SecY has any more falls silent; its SAs left the snapshot.
void Router::stop_removed_kays(const Live& gone) {
    std::set<const KaySecY*> kept;
    for (const auto& [name, port] : live_.ports)
        for (const auto& secy : port.secys) kept.insert(secy.kay.get());
    for (const auto& [name, port] : gone.ports)
        for (const auto& secy : port.secys)
            if (secy.kay && !kept.contains(secy.kay.get())) secy.kay->stop();
}

// `gone` holds what was moved out, empty, and what nobody wants any more, whole.
void Router::retire_removed(Live& gone) {
    stop_removed_kays(gone);
    for (auto& [name, interface] : gone.interfaces) {
        if (!interface.tap) continue;
        host_path_->remove(interface.id);
        adjacencies_->interface_gone(interface.id);
        retired_->retire([tap = std::shared_ptr(std::move(interface.tap))] {});
    }
    for (auto& [name, port] : gone.ports) {
        if (!port.device) continue;
        retired_->retire([name = name, claim = std::make_shared<PortClaim>(std::move(port.claim)),
                          device = std::shared_ptr(std::move(port.device))] {
            if (auto closed = device->close(); !closed) spdlog::error("port {}: {}", name, closed.error());
        });
    }
}

// A worker may accept frames with a removed receive SA until its grace period ends: its lowest PN is stored now, for a
// reload that brings the key back at once, and again when nobody has the SA any more.
void Router::remember_removed_keys(const Live& gone) {
    std::set<const macsec::ReceiveSa*> kept;
    for (const auto& [name, port] : live_.ports)
        for (const auto& secy : port.secys)
            for (const auto& [key, receive] : secy.receive) kept.insert(receive.sa.get());
    for (const auto& [name, port] : gone.ports)
        for (const auto& secy : port.secys)
            for (const auto& [key, receive] : secy.receive) {
                if (kept.contains(receive.sa.get())) continue;
                remember_lowest(receive, *leases_);
                retired_->retire([this, receive = receive] { remember_lowest(receive, *leases_); });
            }
}

// The kernel may refuse (an address of a family that is switched off, an MTU): all of it or nothing.
std::expected<void, Diagnostics> Router::change_taps(const config::Model& model, const Live& fresh) {
    std::vector<std::pair<dataplane::Tap*, dataplane::TapSetup>> changed;
    for (const auto& [name, wanted] : model.interfaces) {
        const auto found = live_.interfaces.find(name);
        if (found == live_.interfaces.end()) continue;
        changed.emplace_back(found->second.tap.get(), found->second.tap->setup());
        const auto done = found->second.tap->change(tap_setup(name, wanted, mac_of(wanted.port, fresh, live_)));
        if (done) continue;
        for (const auto& [tap, old] : changed)
            if (auto back = tap->change(old); !back) spdlog::error("interface {}: {}", old.name, back.error());
        return std::unexpected(refuse(wanted.place, "interface", fmt::format("interface {}: {}", name, done.error())));
    }
    return {};
}

void Router::say_interfaces() {
    InterfaceMap map;
    for (const auto& [name, interface] : live_.interfaces) map.by_ifindex[interface.ifindex] = interface.id;
    routes_->send(std::move(map));
}

// Local addresses, and the subnets of interfaces with carrier; what is no longer ours goes.
void Router::say_own_routes() {
    using dataplane::Leaf;
    using dataplane::LeafKind;
    using dataplane::Source;
    std::map<std::pair<net::IpPrefix, Source>, Leaf> wanted;
    for (const auto& [name, interface] : live_.interfaces)
        for (const auto& address : interface.config.addresses) {
            const auto bits = static_cast<std::uint8_t>(address.address.bits());
            wanted[{{address.address, bits}, Source::local}] = Leaf::make(LeafKind::local, interface.id.value);
            if (interface.carrier && address.length < bits)
                wanted[{address.subnet(), Source::connected}] = Leaf::make(LeafKind::connected, interface.id.value);
        }
    for (const auto& [key, leaf] : own_routes_)
        if (!wanted.contains(key)) routes_->send(OwnRoute{key.first, key.second, {}});
    for (const auto& [key, leaf] : wanted) {
        const auto known = own_routes_.find(key);
        if (known == own_routes_.end() || known->second != leaf) routes_->send(OwnRoute{key.first, key.second, leaf});
    }
    own_routes_ = std::move(wanted);
}

}  // namespace demarcd
