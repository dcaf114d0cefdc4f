// The only place that knows everybody: turns a configuration into ports, TAPs, SAs, routes and the snapshot that
// workers read, and keeps them in step with what the kernel, zebra and the operator say. Control thread only.
#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bgp-glue/netlink_socket.h"
#include "config/model.h"
#include "dataplane/worker.h"
#include "tools/demarcd/adjacencies.h"
#include "tools/demarcd/control_socket.h"
#include "tools/demarcd/event_loop.h"
#include "tools/demarcd/host_path.h"
#include "tools/demarcd/lease_keeper.h"
#include "tools/demarcd/live.h"
#include "tools/demarcd/retire.h"
#include "tools/demarcd/routes_thread.h"
#include "tools/demarcd/snapshot.h"
#include "tools/demarcd/watchers.h"

namespace demarcd {

inline constexpr std::size_t kMaxInterfaces = 1024;  // that one process can have had, removed ones included

using Diagnostics = std::vector<config::Diagnostic>;

// Reads, parses and judges a configuration, key files included.
std::expected<config::Model, Diagnostics> read_config(const std::string& file);

struct Changes {
    std::vector<std::string> words;  // one a change
    std::uint64_t generation{};
};

class Router {
public:
    // Everything from EAL to running workers. Error: what is wrong and the remedy; nothing is left behind.
    static std::expected<std::unique_ptr<Router>, Diagnostics> start(EventLoop& loop, const std::string& config_file,
                                                                     config::Model model);
    ~Router();
    // Frames stop, ports go down, netdevs and TAPs are given back.
    void stop();

    // Reads the configuration file again and applies it: all or nothing.
    std::expected<Changes, Diagnostics> reload();
    const std::string& config_file() const { return config_file_; }

private:
    friend class Requests;  // reads everything, switches stage clocks

    Router(EventLoop& loop, std::string config_file) : loop_(loop), config_file_(std::move(config_file)) {}

    // router.cpp
    std::expected<void, std::string> start_dataplane(const config::Model& model);
    std::expected<void, std::string> start_workers(const config::Model& model);
    std::expected<void, std::string> start_routes(const config::Model& model);
    std::expected<void, std::string> start_netlink(const config::Model& model);
    std::expected<void, std::string> start_control_socket(const config::Model& model);
    void start_timers();
    void publish();
    void every_lease_tick();
    void every_second();

    // router_apply.cpp
    std::expected<void, Diagnostics> apply(config::Model model);
    std::expected<void, Diagnostics> prepare(const config::Model& model, Live& fresh);
    std::expected<void, Diagnostics> check_devices(const config::Model& model);
    std::expected<LivePort, Diagnostics> prepare_port(const std::string& name, const config::Port& wanted);
    std::expected<void, std::string> prepare_secys(LivePort& port, const LivePort* old, net::MacAddress mac);
    std::expected<LiveInterface, Diagnostics> prepare_interface(const std::string& name,
                                                                const config::Interface& wanted, net::MacAddress mac);
    void commit(config::Model model, Live fresh);
    void retire_removed(Live& gone);
    void stop_removed_kays(const Live& gone);
    void remember_removed_keys(const Live& gone);
    std::expected<void, Diagnostics> change_taps(const config::Model& model, const Live& fresh);
    void say_own_routes();
    void say_interfaces();

    // router_mka.cpp
    void start_kays();
    KayEffects kay_effects(const std::string& port, const net::VlanStack& clear_tags);
    void to_kay(dataplane::PortId port, std::uint16_t secy, macsec::ConstOctets frame);
    void from_kay(const std::string& port, const net::VlanStack& clear_tags, macsec::ConstOctets frame);
    LiveSecY* find_secy(const std::string& port, const net::VlanStack& clear_tags);

    // router_events.cpp
    void on_port_link(const bgp_glue::NetlinkMessage& message);
    void on_host_event(const bgp_glue::NetlinkMessage& message);
    void on_neighbor(const bgp_glue::NetlinkMessage& message);
    void on_address(const bgp_glue::NetlinkMessage& message);
    void read_ports_socket();
    void read_host_socket();
    void dump_ports();
    void dump_host();
    void on_routes_event();
    void refresh(LiveInterface& interface);
    void refresh_all();
    void carrier_up_later(const std::string& name);
    void set_carrier(LiveInterface& interface, bool up);
    void repeat_addresses(const std::string& name);
    void probe(const NeighborKey& key);
    LiveInterface* by_ifindex(std::uint32_t ifindex);
    const LiveInterface* by_id(dataplane::InterfaceId id) const;
    std::string name_of(dataplane::InterfaceId id) const;
    std::string name_of(dataplane::PortId id) const;

    EventLoop& loop_;
    const std::string config_file_;
    config::Model model_;
    Live live_;
    std::uint64_t generation_{};
    bool stage_clocks_{};
    std::uint16_t next_port_{}, next_interface_{};
    std::map<std::string, std::string> device_owners_;  // every device opened so far -> its port

    std::unique_ptr<LeaseKeeper> leases_;
    bool eal_runs_{};
    rte_mempool* pool_{};
    rte_rcu_qsbr* qsbr_{};
    int punt_event_{-1};
    std::vector<dataplane::WorkerPtr> workers_;
    bool workers_run_{};
    std::unique_ptr<const dataplane::Forwarding> forwarding_;
    std::unique_ptr<RetireList> retired_;
    std::unique_ptr<RoutesThread> routes_;
    std::unique_ptr<HostPath> host_path_;
    std::unique_ptr<Adjacencies> adjacencies_;
    std::optional<bgp_glue::NetlinkSocket> ports_socket_, host_socket_, request_socket_;
    enum class Dump : std::uint8_t { none, links, addresses, neighbors };
    Dump host_dump_{Dump::none};
    std::unique_ptr<dataplane::HostNamespace> host_;
    // As the routes thread was told.
    std::map<std::pair<net::IpPrefix, dataplane::Source>, dataplane::Leaf> own_routes_;
    std::unique_ptr<Watchers> watchers_;
    std::unique_ptr<ControlSocket> control_;
    std::map<std::uint64_t, std::function<void(const Answer&)>> waiting_answers_;
    std::uint64_t next_query_{1};
    Clock::time_point started_{Clock::now()};
    Clock::time_point last_lease_tick_{Clock::now()};
};

}  // namespace demarcd
