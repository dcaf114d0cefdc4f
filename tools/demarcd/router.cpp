// Start, stop, publication and what the clock brings:
// 1. leases; 2. EAL, pool, QSBR; 3. workers; 4. routes thread; 5. netlink; 6. the configuration, as a reload would
// apply it; 7. workers run; 8. the control socket answers.
#include "tools/demarcd/router.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "config/key_files.h"
#include "config/parse.h"
#include "config/validate.h"
#include "dataplane/eal.h"
#include "dataplane/netns.h"
#include "tools/demarcd/log.h"
#include "tools/demarcd/requests.h"
#include "tools/demarcd/trace_words.h"

namespace demarcd {

namespace {

constexpr auto kLeaseTick = std::chrono::milliseconds(20);
constexpr auto kRetireTick = std::chrono::milliseconds(10);

Diagnostics one(std::string rule, std::string message, std::string remedy = "") {
    return {{{}, std::move(rule), std::move(message), std::move(remedy)}};
}

int run_worker(void* worker) {
    dataplane::run(*static_cast<dataplane::Worker*>(worker));
    return 0;
}

void log_eal(std::uint32_t level, std::string_view line) {
    if (level <= 4)
        spdlog::error("dpdk: {}", line);
    else if (level == 5)
        spdlog::warn("dpdk: {}", line);
    else
        spdlog::debug("dpdk: {}", line);
}

dataplane::EalSetup eal_setup(const config::Model& model) {
    dataplane::EalSetup setup;
    for (const auto& [name, port] : model.ports)
        if (port.driver == config::Driver::pci) setup.pci.push_back(port.device);
    setup.cpus = dataplane::usable_cpus();
    setup.workers = model.workers.count;
    setup.cores = model.workers.cores;
    setup.avx512 = dataplane::has_avx512();
    return setup;
}

dataplane::WorkerSetup worker_setup(const config::Model& model, std::size_t id) {
    dataplane::WorkerSetup setup;
    setup.id = dataplane::WorkerId{static_cast<std::uint8_t>(id)};
    setup.workers = model.workers.count;
    setup.sleep = model.workers.idle == config::Idle::sleep;
    setup.interfaces = kMaxInterfaces;
    const auto& rates = model.host.punt_rates;
    setup.punt_rates = {rates.eapol, rates.bfd, rates.bgp, rates.arp_nd, rates.other};
    return setup;
}

}  // namespace

std::expected<config::Model, Diagnostics> read_config(const std::string& file) {
    std::ifstream in(file);
    if (!in)
        return std::unexpected(one("unreadable", fmt::format("cannot read {}: {}", file, std::strerror(errno)),
                                   "name a configuration with --config FILE"));
    std::string text(config::kMaxFileOctets + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    auto model = config::parse(text, file);
    if (!model) return model;
    auto wrong = config::validate(*model);
    if (wrong.empty()) wrong = config::check_key_files(*model);
    if (!wrong.empty()) return std::unexpected(std::move(wrong));
    return model;
}

std::expected<std::unique_ptr<Router>, Diagnostics> Router::start(EventLoop& loop, const std::string& config_file,
                                                                  config::Model model) {
    std::unique_ptr<Router> r(new Router(loop, config_file));
    for (auto step : {&Router::start_dataplane, &Router::start_workers, &Router::start_routes, &Router::start_netlink})
        if (auto done = (r.get()->*step)(model); !done) return std::unexpected(one("start", done.error()));
    const config::Model first = model;
    if (auto applied = r->apply(std::move(model)); !applied) return std::unexpected(applied.error());
    for (std::size_t i = 0; i < r->workers_.size(); ++i)
        rte_eal_remote_launch(run_worker, r->workers_[i].get(), static_cast<unsigned>(i + 1));
    r->workers_run_ = true;
    if (auto done = r->start_control_socket(first); !done) return std::unexpected(one("start", done.error()));
    r->start_timers();
    spdlog::info("router {} runs: {} ports, {} interfaces, {} workers", first.router.name, first.ports.size(),
                 first.interfaces.size(), r->workers_.size());
    return r;
}

std::expected<void, std::string> Router::start_dataplane(const config::Model& model) {
    auto leases = LeaseKeeper::open(model.router.state_directory);
    if (!leases) return std::unexpected(leases.error());
    leases_ = std::move(*leases);
    dataplane::redirect_eal_log(log_eal);
    if (auto done = dataplane::start_eal(eal_setup(model)); !done) return done;
    eal_runs_ = true;
    auto pool = dataplane::make_pool(model.memory.buffers, model.memory.buffer_octets);
    if (!pool) return std::unexpected(pool.error());
    pool_ = *pool;
    const auto readers = static_cast<std::uint32_t>(model.workers.count);
    qsbr_ = static_cast<rte_rcu_qsbr*>(rte_zmalloc("qsbr", rte_rcu_qsbr_get_memsize(readers), 64));
    if (qsbr_ == nullptr || rte_rcu_qsbr_init(qsbr_, readers) != 0)
        return std::unexpected("no memory for the workers' quiescent state; raise `sysctl vm.nr_hugepages`");
    retired_ = std::make_unique<RetireList>(qsbr_);
    return {};
}

std::expected<void, std::string> Router::start_workers(const config::Model& model) {
    punt_event_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    std::vector<dataplane::Worker*> all;
    for (std::size_t i = 0; i < model.workers.count; ++i) {
        auto setup = worker_setup(model, i);
        setup.pool = pool_;
        setup.qsbr = qsbr_;
        setup.control_event = punt_event_;
        auto worker = dataplane::make_worker(setup);
        if (!worker) return std::unexpected(worker.error());
        all.push_back(worker->get());
        workers_.push_back(std::move(*worker));
    }
    if (auto done = dataplane::connect_workers(all); !done) return done;
    host_path_ = std::make_unique<HostPath>(loop_, pool_, all, punt_event_);
    host_path_->set_kay([this](auto port, auto secy, auto frame) { to_kay(port, secy, frame); });
    const TraceNames names{[this](dataplane::PortId id) { return name_of(id); },
                           [this](dataplane::InterfaceId id) { return name_of(id); }};
    watchers_ = std::make_unique<Watchers>(
        loop_, workers_.size(),
        Watchers::Actions{[this] { publish(); },
                          [this](std::function<void()> gone) { retired_->retire(std::move(gone)); },
                          dataplane::turn_clock,
                          [names](std::span<const std::uint8_t> record) { return trace_line(record, names); },
                          dataplane::trace_mark});
    return {};
}

std::expected<void, std::string> Router::start_routes(const config::Model& model) {
    const dataplane::Grace grace{[q = qsbr_] { return rte_rcu_qsbr_start(q); },
                                 [q = qsbr_](std::uint64_t token) { return rte_rcu_qsbr_check(q, token, false) == 1; }};
    auto routes = Routes::make(model.fib, grace);
    if (!routes) return std::unexpected(routes.error());
    const auto address = net::parse_ip(model.host.fpm_address);
    if (!address) return std::unexpected(fmt::format("host.fpm.address {} is no IP address", model.host.fpm_address));
    auto scope = dataplane::NetnsScope::enter(model.host.netns);
    if (!scope) return std::unexpected(scope.error());
    auto server = bgp_glue::FpmServer::listen(*address, model.host.fpm_port);
    if (!server) return std::unexpected(server.error());
    routes_ = std::make_unique<RoutesThread>(std::move(*routes), std::move(*server));
    loop_.watch(routes_->events().event(), EPOLLIN, [this](std::uint32_t) { on_routes_event(); });
    adjacencies_ = std::make_unique<Adjacencies>(AdjacencyActions{[this](dataplane::NextHopId id, std::uint64_t word) {
                                                                      routes_->shared().slots()[id.value].store(
                                                                          word, std::memory_order_release);
                                                                  },
                                                                  [this](const NeighborKey& key) { probe(key); },
                                                                  [this](const NeighborKey& key, bool present) {
                                                                      routes_->send(NeighborRoute{key, present});
                                                                  }});
    return {};
}

std::expected<void, std::string> Router::start_netlink(const config::Model& model) {
    constexpr unsigned port_groups[] = {RTNLGRP_LINK};
    constexpr unsigned host_groups[] = {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
    auto ports = bgp_glue::NetlinkSocket::open(port_groups);
    if (!ports) return std::unexpected(ports.error());
    auto scope = dataplane::NetnsScope::enter(model.host.netns);
    if (!scope) return std::unexpected(scope.error());
    auto host = bgp_glue::NetlinkSocket::open(host_groups);
    auto request = bgp_glue::NetlinkSocket::open();
    if (!host || !request) return std::unexpected(!host ? host.error() : request.error());
    ports_socket_ = std::move(*ports);
    host_socket_ = std::move(*host);
    request_socket_ = std::move(*request);
    loop_.watch(ports_socket_->fd(), EPOLLIN, [this](std::uint32_t) { read_ports_socket(); });
    loop_.watch(host_socket_->fd(), EPOLLIN, [this](std::uint32_t) { read_host_socket(); });
    return {};
}

std::expected<void, std::string> Router::start_control_socket(const config::Model& model) {
    if (mkdir(model.router.run_directory.c_str(), 0750) != 0 && errno != EEXIST)
        return std::unexpected(fmt::format("{}: {}; router.run-directory must be writable", model.router.run_directory,
                                           std::strerror(errno)));
    auto socket = ControlSocket::open(
        loop_, model.router.run_directory + "/demarc.sock",
        [this](std::string request, ControlSocket::Reply reply) { answer_request(*this, request, std::move(reply)); });
    if (!socket) return std::unexpected(socket.error());
    control_ = std::move(*socket);
    return {};
}

void Router::start_timers() {
    loop_.every(kLeaseTick, [this] { every_lease_tick(); });
    loop_.every(kRetireTick, [this] { retired_->collect(); });
    loop_.every(std::chrono::seconds(1), [this] { every_second(); });
}

void Router::publish() {
    const Routes& routes = routes_->shared();
    auto fresh = build_forwarding(live_, model_, {&routes.fib4(), &routes.fib6(), routes.arrays()}, ++generation_);
    fresh->stage_clocks = stage_clocks_;
    watchers_->enter(*fresh);
    for (auto& worker : workers_) dataplane::publish(*worker, fresh.get());
    std::shared_ptr<const dataplane::Forwarding> old = std::move(forwarding_);
    forwarding_ = std::move(fresh);
    if (old) retired_->retire([old] {});
    watchers_->published();
}

void Router::every_lease_tick() {
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last_lease_tick_).count();
    last_lease_tick_ = now;
    bool moved = false;
    for (auto& [name, port] : live_.ports)
        for (auto& secy : port.secys) {
            const bool was_due = secy.needs_new_sak();
            const bool published = tend_leases(secy, *leases_, seconds);
            if (secy.needs_new_sak() && !was_due)
                spdlog::warn("port {}: the packet numbers of transmit SAK {} near their end: configure a new SAK", name,
                             secy.encoding->fingerprint);
            if (!published) continue;
            moved = true;
            spdlog::info("port {}: transmits with AN {}, key {}", name, secy.encoding->sa->description.an.value,
                         secy.encoding->fingerprint);
        }
    if (moved) publish();
    refresh_all();
}

void Router::every_second() {
    adjacencies_->probe_unresolved();
    if (retired_->waiting() > 64)
        spdlog::warn("{} retired objects wait: a worker does not come round", retired_->waiting());
}

void Router::stop() {
    control_.reset();
    for (auto& [name, port] : live_.ports)
        for (auto& secy : port.secys)
            if (secy.kay) secy.kay->stop();
    for (auto& worker : workers_) dataplane::stop(*worker);
    if (workers_run_) rte_eal_mp_wait_lcore();
    workers_run_ = false;
    if (watchers_) watchers_->stop();
    if (host_path_) host_path_->drain();
    for (auto& [name, interface] : live_.interfaces) host_path_->remove(interface.id);
    live_.interfaces.clear();
    for (const auto& [name, port] : live_.ports)
        for (const auto& secy : port.secys)
            for (const auto& [key, receive] : secy.receive) remember_lowest(receive, *leases_);
    for (auto& [name, port] : live_.ports)
        if (auto closed = port.device->close(); !closed) spdlog::error("port {}: {}", name, closed.error());
    live_.ports.clear();
    if (retired_) retired_->collect();
    spdlog::info("router stopped");
}

Router::~Router() {
    stop();
    adjacencies_.reset();
    if (routes_) loop_.unwatch(routes_->events().event());
    routes_.reset();
    host_path_.reset();
    workers_.clear();
    if (ports_socket_) loop_.unwatch(ports_socket_->fd());
    if (host_socket_) loop_.unwatch(host_socket_->fd());
    retired_.reset();
    forwarding_.reset();
    leases_.reset();
    if (punt_event_ >= 0) close(punt_event_);
    rte_free(qsbr_);
    rte_mempool_free(pool_);
    if (eal_runs_) dataplane::stop_eal();
}

}  // namespace demarcd
