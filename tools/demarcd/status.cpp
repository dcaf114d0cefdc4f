#include "tools/demarcd/status.h"

#include <fmt/format.h>

#include "dataplane/steering.h"

namespace demarcd {

namespace {

const char* driver_word(config::Driver driver) {
    constexpr const char* words[] = {"pci", "af_xdp", "af_packet"};
    return words[static_cast<std::size_t>(driver)];
}

}  // namespace

Json worker_json(const dataplane::Worker& worker, std::size_t id) {
    using namespace dataplane;
    const WorkerCounters& c = counters(worker);
    Json drops = Json::object(), punts = Json::object();
    std::uint64_t dropped = 0;
    for (std::size_t v = 0; v < kVerdicts; ++v) {
        const auto verdict = static_cast<Verdict>(v);
        const std::uint64_t n = c.verdicts[v].get();
        if (n == 0) continue;
        if (is_punt(verdict)) punts[std::string(word(verdict))] = n;
        if (is_drop(verdict)) {
            drops[std::string(word(verdict))] = n;
            dropped += n;
        }
    }
    return {{"id", id},
            {"received", c.received.get()},
            {"injected", c.injected.get()},
            {"collected", c.collected.get()},
            {"transmitted", c.transmitted.get()},
            {"punted", c.punted.get()},
            {"handed_over", c.handed_over.get()},
            {"dropped", dropped},
            {"drops", std::move(drops)},
            {"punts", std::move(punts)},
            {"in_rings", frames_in_rings(worker)},
            {"turns", c.turns.get()},
            {"idle_turns", c.idle_turns.get()},
            {"sleeps", c.sleeps.get()}};
}

Json port_json(const std::string& name, const LivePort& port, const Workers& workers) {
    std::uint64_t in_frames = 0, in_octets = 0, out_frames = 0, out_octets = 0;
    for (const auto& worker : workers) {
        const auto& c = dataplane::counters(*worker, port.id);
        in_frames += c.in_frames.get();
        in_octets += c.in_octets.get();
        out_frames += c.out_frames.get();
        out_octets += c.out_octets.get();
    }
    Json program = nullptr;
    if (port.config.driver == config::Driver::af_xdp)
        if (const auto attached = dataplane::xdp_program(port.ifindex, port.config.device);
            attached && !attached->empty())
            program = *attached;
    return {{"name", name},
            {"driver", driver_word(port.config.driver)},
            {"device", port.config.device},
            {"mac", net::to_string(port.device->mac())},
            {"facility", port.config.facility},
            {"mtu", port.config.mtu},
            {"link", port.link},
            {"receive_worker", port.config.receive_worker},
            {"transmit_worker", port.config.transmit_worker},
            {"in_frames", in_frames},
            {"in_octets", in_octets},
            {"in_missed", port.device->missed()},
            {"out_frames", out_frames},
            {"out_octets", out_octets},
            {"xdp_program", std::move(program)}};
}

Json tags_json(const net::VlanStack& stack) {
    Json tags = Json::array();
    for (std::size_t i = 0; i < stack.depth; ++i)
        tags.push_back({{"tpid", fmt::format("{:#06x}", stack.tags[i].tpid)}, {"vid", stack.tags[i].vid}});
    return tags;
}

Json interface_json(const std::string& name, const LiveInterface& interface, const Live& live, const Workers& workers) {
    std::uint64_t in_packets = 0, in_octets = 0, out_packets = 0, out_octets = 0;
    for (const auto& worker : workers) {
        const auto& c = dataplane::counters(*worker, interface.id);
        in_packets += c.in_packets.get();
        in_octets += c.in_octets.get();
        out_packets += c.out_packets.get();
        out_octets += c.out_octets.get();
    }
    Json addresses = Json::array();
    for (const auto& address : interface.config.addresses) addresses.push_back(net::to_string(address));
    const LiveSecY* secy = secy_of(live, interface);
    const bool clear = secy == nullptr || secy->config.policy == config::Policy::off;
    return {{"name", name},
            {"port", interface.config.port},
            {"tags", tags_json(interface.config.tags)},
            {"mtu", interface.config.mtu},
            {"secured", clear ? Json(nullptr) : Json(secy->why_not_secured().empty())},
            {"carrier", interface.carrier},
            {"addresses", std::move(addresses)},
            {"in_packets", in_packets},
            {"in_octets", in_octets},
            {"out_packets", out_packets},
            {"out_octets", out_octets}};
}

Json routes_json(const RouteStats& s) {
    return {{"ipv4", s.ipv4},
            {"ipv6", s.ipv6},
            {"pending", s.pending},
            {"full", s.full},
            {"refused", s.refused},
            {"nodes4_used", s.nodes4_used},
            {"nodes6_used", s.nodes6_used},
            {"groups", s.groups.groups},
            {"next_hops", s.groups.next_hops},
            {"longest_turn_ms", static_cast<double>(s.longest_turn_us) / 1000.0}};
}

Json fpm_json(const RouteStats& s) {
    return {{"listening", s.fpm_listening},
            {"connected", s.fpm_connected},
            {"synced", s.fpm_synced},
            {"state", s.fpm_state},
            {"last_error", s.fpm_last_error},
            {"connections", s.fpm_connections},
            {"frames", s.fpm_frames},
            {"messages", s.fpm_messages},
            {"skipped", s.fpm_skipped},
            {"octets", s.fpm_octets},
            {"errors", s.fpm_errors},
            {"stale", s.stale}};
}

Json host_json(const HostPathCounters& c) {
    return {{"to_host", c.to_host},
            {"from_host", c.from_host},
            {"tap_write_errors", c.tap_write_errors},
            {"no_tap", c.no_tap},
            {"inject_full", c.inject_full},
            {"inject_no_buffer", c.inject_no_buffer},
            {"inject_malformed", c.inject_malformed}};
}

namespace {

Json watch_json(const WatchView& w) {
    return {{"port", w.wish.name}, {"uid", w.uid}, {"pid", w.pid}, {"seconds", w.seconds}, {"dropped", w.dropped}};
}

}  // namespace

Json captures_json(const std::vector<WatchView>& watches) {
    Json all = Json::array();
    for (const auto& w : watches) {
        if (w.wish.trace) continue;
        Json& j = all.emplace_back(watch_json(w));
        j["point"] = w.wish.point == dataplane::CapturePoint::clear ? "before" : "after";
        j["direction"] = w.wish.in && w.wish.out ? "both" : w.wish.in ? "in" : "out";
        j["snaplen"] = w.wish.snaplen;
        j["plaintext"] = w.plaintext;
        j["captured"] = w.kept;
    }
    return all;
}

Json traces_json(const std::vector<WatchView>& watches) {
    Json all = Json::array();
    for (const auto& w : watches)
        if (w.wish.trace) all.push_back(watch_json(w));
    return all;
}

Json stages_json(const Workers& workers, double ns_per_cycle) {
    using namespace dataplane;
    Json all = Json::array();
    for (std::size_t worker = 0; worker < workers.size(); ++worker)
        for (std::size_t stage = 0; stage < kStages; ++stage) {
            const StageClock& clock = counters(*workers[worker]).clocks[stage];
            const std::uint64_t frames = clock.frames.get(), cycles = clock.cycles.get();
            if (frames == 0) continue;
            all.push_back({{"worker", worker},
                           {"stage", std::string(kStageWords[stage])},
                           {"frames", frames},
                           {"cycles", cycles},
                           {"ns_per_frame", static_cast<double>(cycles) * ns_per_cycle / static_cast<double>(frames)}});
        }
    return all;
}

Json unsecured_json(const Live& live) {
    Json names = Json::array();
    for (const auto& [name, interface] : live.interfaces) {
        const LiveSecY* secy = secy_of(live, interface);
        if (secy == nullptr || secy->config.policy == config::Policy::off) names.push_back(name);
    }
    return names;
}

const char* kind_word(dataplane::LeafKind kind) {
    constexpr const char* words[] = {"none",      "group",       "local",   "connected",
                                     "blackhole", "unreachable", "foreign", "none"};
    return words[static_cast<std::size_t>(kind)];
}

const char* source_word(dataplane::Source source) {
    constexpr const char* words[] = {"local", "neighbor", "connected", "fpm", "none"};
    return words[static_cast<std::size_t>(source)];
}

}  // namespace demarcd
