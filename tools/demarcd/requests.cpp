#include "tools/demarcd/requests.h"

#include <rte_cycles.h>
#include <rte_mempool.h>
#include <unistd.h>

#include "config/validate.h"
#include "tools/demarcd/log.h"
#include "tools/demarcd/status.h"

namespace demarcd {

namespace {

Json failure(std::string error, std::string remedy) {
    return {{"ok", false}, {"error", std::move(error)}, {"remedy", std::move(remedy)}};
}

std::string text_of(const Json& request, const char* key) {
    const auto found = request.find(key);
    return found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string dump(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

// A whole number in a request; `otherwise` when it is not there, nothing when it is none or out of bounds.
std::optional<std::uint32_t> number_of(const Json& request, const char* key, std::uint32_t least, std::uint32_t most,
                                       std::uint32_t otherwise) {
    const auto found = request.find(key);
    if (found == request.end()) return otherwise;
    if (!found->is_number_unsigned() || *found < least || *found > most) return std::nullopt;
    return found->get<std::uint32_t>();
}

std::optional<Refusal> read_capture(const Json& request, WatchWish& wish) {
    const std::string point = text_of(request, "point"), direction = text_of(request, "direction");
    if (point != "before" && point != "after")
        return Refusal{"a capture needs a point", R"(say "point":"before" or "after" (MACsec))"};
    if (direction != "in" && direction != "out" && direction != "both")
        return Refusal{"a capture needs a direction", R"(say "direction":"in", "out" or "both")"};
    wish.point = point == "before" ? dataplane::CapturePoint::clear : dataplane::CapturePoint::wire;
    wish.in = direction != "out";
    wish.out = direction != "in";
    const auto snaplen = number_of(request, "snaplen", kMinSnaplen, kMaxSnaplen, kMaxSnaplen);
    if (!snaplen) return Refusal{"that snaplen cannot be", "say 14 to 65535 octets, or nothing for all"};
    wish.snaplen = *snaplen;
    return std::nullopt;
}

std::optional<Refusal> read_trace(const Json& request, WatchWish& wish) {
    const auto frames = number_of(request, "count", 1, kMaxTraced, 10);
    if (!frames) return Refusal{"that count cannot be", "say 1 to 1000000 frames, or nothing for 10"};
    wish.frames = *frames;
    const auto drops = request.find("drops");
    wish.drops_only = drops != request.end() && drops->is_boolean() && drops->get<bool>();
    if (!request.contains("verdict")) return std::nullopt;
    const std::string verdict = text_of(request, "verdict");
    for (std::size_t v = 1; v < dataplane::kVerdicts; ++v)
        if (word(static_cast<dataplane::Verdict>(v)) == verdict) wish.only = static_cast<dataplane::Verdict>(v);
    if (wish.only == dataplane::Verdict::forward || verdict.empty())
        return Refusal{"there is no verdict `" + verdict + "`", "name one as `show drops` prints them"};
    return std::nullopt;
}

}  // namespace

// One request; reads the router, changes nothing but by reload, and what an operator watches.
class Requests {
public:
    Requests(Router& router, ControlSocket::Reply reply) : r_(router), reply_(std::move(reply)) {}

    void answer(const Json& request) {
        const std::string what = text_of(request, "request");
        if (what == "status") return ask({}, [self = *this](const Answer& a) { self.send(self.status(a)); });
        if (what == "show") return show(request);
        if (what == "lookup") return lookup(text_of(request, "address"));
        if (what == "reload") return send(reload());
        if (what == "mka-rekey") return send(rekey(text_of(request, "port")));
        if (what == "capture" || what == "trace") return watch(request, what == "trace");
        if (what == "clocks") return clocks(request);
        send(failure("unknown request `" + what + "`",
                     "ask for status, show, lookup, reload, mka-rekey, capture, trace or clocks"));
    }

private:
    void send(const Json& answer) const { reply_(dump(answer)); }

    void ask(Query query, std::function<void(const Answer&)> then) const {
        query.id = r_.next_query_++;
        r_.waiting_answers_[query.id] = std::move(then);
        r_.routes_->send(query);
    }

    Json status(const Answer& a) const {
        Json j{{"ok", true},
               {"name", r_.model_.router.name},
               {"version", DEMARC_VERSION},
               {"pid", getpid()},
               {"uptime_s", std::chrono::duration<double>(Clock::now() - r_.started_).count()},
               {"generation", r_.generation_},
               {"unsecured", unsecured_json(r_.live_)},
               {"host", host_json(r_.host_path_->counters())},
               {"control",
                {{"longest_turn_ms", std::chrono::duration<double, std::milli>(r_.loop_.longest_turn()).count()},
                 {"retired_waiting", r_.retired_->waiting()},
                 {"lease_failures", r_.leases_->failures()}}},
               {"pool", {{"buffers", r_.pool_->size}, {"free", rte_mempool_avail_count(r_.pool_)}}},
               {"captures", captures_json(r_.watchers_->all())},
               {"traces", traces_json(r_.watchers_->all())},
               {"routes", routes_json(a.stats)},
               {"fpm", fpm_json(a.stats)}};
        j.update(parts());
        return j;
    }

    Json parts() const {
        Json workers = Json::array(), ports = Json::array(), interfaces = Json::array(), macsec = Json::array();
        for (std::size_t i = 0; i < r_.workers_.size(); ++i) workers.push_back(worker_json(*r_.workers_[i], i));
        for (const auto& [name, port] : r_.live_.ports) {
            ports.push_back(port_json(name, port, r_.workers_));
            for (const auto& secy : port.secys) macsec.push_back(secy_json(name, port, secy, r_.live_, r_.workers_));
        }
        for (const auto& [name, interface] : r_.live_.interfaces)
            interfaces.push_back(interface_json(name, interface, r_.live_, r_.workers_));
        return {{"workers", std::move(workers)},
                {"ports", std::move(ports)},
                {"interfaces", std::move(interfaces)},
                {"macsec", std::move(macsec)},
                {"next_hops", next_hops()}};
    }

    Json next_hops() const {
        Json all = Json::array();
        for (const auto& n : r_.adjacencies_->next_hops())
            all.push_back({{"id", n.id.value},
                           {"interface", r_.name_of(n.key.first)},
                           {"neighbor", net::to_string(n.key.second)},
                           {"mac", n.mac ? Json(net::to_string(*n.mac)) : Json(nullptr)},
                           {"resolved", n.mac.has_value()},
                           {"usable", n.usable}});
        return all;
    }

    void show(const Json& request) const {
        const std::string what = text_of(request, "what");
        if (what == "routes") return show_routes(text_of(request, "prefix"));
        if (what == "neighbors") return send(neighbors());
        if (what == "stages") return send(stages());
        if (what == "fpm")
            return ask({}, [self = *this](const Answer& a) { self.send({{"ok", true}, {"fpm", fpm_json(a.stats)}}); });
        if (what == "mka") return send({{"ok", true}, {"mka", kays()}});
        if (what == "history") return send(history(text_of(request, "port")));
        const Json all = parts();
        const std::string key = what == "next-hops" ? "next_hops" : what == "drops" ? "workers" : what;
        if (!all.contains(key))
            return send(failure("unknown subject `" + what + "`",
                                "ask for ports, interfaces, macsec, mka, history, routes, next-hops, neighbors, drops, "
                                "stages or fpm"));
        send({{"ok", true}, {key, all.at(key)}, {"unsecured", unsecured_json(r_.live_)}});
    }

    Json kays() const {
        Json all = Json::array();
        for (const auto& [name, port] : r_.live_.ports)
            for (const auto& secy : port.secys)
                if (secy.kay) all.push_back(kay_json(name, secy));
        return all;
    }

    // The SecYs of a port that have a KaY. Error: an answer that says so.
    std::expected<std::vector<const LiveSecY*>, Json> kays_of(const std::string& name) const {
        const auto found = r_.live_.ports.find(name);
        if (found == r_.live_.ports.end())
            return std::unexpected(failure("there is no port `" + name + "`", "demarc show ports lists them"));
        std::vector<const LiveSecY*> all;
        for (const auto& secy : found->second.secys)
            if (secy.kay) all.push_back(&secy);
        if (all.empty())
            return std::unexpected(
                failure("port " + name + " has no KaY", "its macsec needs `mka` in the configuration"));
        return all;
    }

    Json history(const std::string& name) const {
        const auto secys = kays_of(name);
        if (!secys) return secys.error();
        Json all = Json::array();
        for (const auto* secy : *secys)
            all.push_back({{"port", name},
                           {"clear_tags", tags_json(secy->config.clear_tags)},
                           {"transitions", history_json(*secy)}});
        return {{"ok", true}, {"history", std::move(all)}};
    }

    Json rekey(const std::string& name) const {
        const auto secys = kays_of(name);
        if (!secys) return secys.error();
        Json refused = Json::array();
        for (const auto* secy : *secys) {
            const auto kay = secy->kay;
            if (const auto asked = kay->rekey(); !asked)
                refused.push_back({{"clear_tags", tags_json(secy->config.clear_tags)}, {"reason", asked.error()}});
        }
        if (refused.size() == secys->size())
            return failure("port " + name + ": " + refused[0]["reason"].get<std::string>(),
                           "demarc show mka tells more");
        return {{"ok", true}, {"asked", secys->size() - refused.size()}, {"refused", std::move(refused)}};
    }

    Json neighbors() const {
        Json all = Json::array();
        for (const auto& [key, mac] : r_.adjacencies_->neighbors())
            all.push_back({{"interface", r_.name_of(key.first)},
                           {"address", net::to_string(key.second)},
                           {"mac", net::to_string(mac)},
                           {"state", "resolved"}});
        return {{"ok", true}, {"neighbors", std::move(all)}};
    }

    void show_routes(const std::string& prefix) const {
        Query query;
        query.what = Query::What::list;
        if (!prefix.empty()) {
            query.within = net::parse_prefix(prefix);
            if (!query.within)
                return send(failure("`" + prefix + "` is no prefix", "write ADDRESS/LENGTH with no host bits set"));
        }
        ask(query, [self = *this](const Answer& a) {
            Json routes = Json::array();
            for (const auto& route : a.routes) routes.push_back(self.route(route));
            self.send({{"ok", true}, {"routes", std::move(routes)}, {"more", a.more}});
        });
    }

    Json hop(const dataplane::WeightedHop& h) const {
        Json j{{"interface", r_.name_of(h.hop.interface)},
               {"tap", r_.name_of(h.hop.interface)},
               {"neighbor", net::to_string(h.hop.neighbor)},
               {"weight", h.weight},
               {"next_hop", nullptr},
               {"mac", nullptr},
               {"usable", false}};
        for (const auto& n : r_.adjacencies_->next_hops()) {
            if (n.key != NeighborKey{h.hop.interface, h.hop.neighbor}) continue;
            j["next_hop"] = n.id.value;
            j["usable"] = n.usable;
            if (n.mac) j["mac"] = net::to_string(*n.mac);
        }
        return j;
    }

    Json route(const RouteView& v) const {
        Json hops = Json::array();
        for (const auto& h : v.hops) hops.push_back(hop(h));
        const bool group = v.leaf.kind() == dataplane::LeafKind::group;
        return {{"prefix", net::to_string(v.prefix)},
                {"kind", kind_word(v.leaf.kind())},
                {"source", source_word(v.source)},
                {"group", group ? Json(v.leaf.index()) : Json(nullptr)},
                {"hops", std::move(hops)}};
    }

    void lookup(const std::string& text) const {
        const auto address = net::parse_ip(text);
        if (!address) return send(failure("`" + text + "` is no IP address", "write an IPv4 or IPv6 address"));
        Query query;
        query.what = Query::What::lookup;
        query.address = *address;
        ask(query, [self = *this, text](const Answer& a) {
            if (a.routes.empty())
                return self.send({{"ok", true},
                                  {"address", text},
                                  {"prefix", nullptr},
                                  {"kind", "none"},
                                  {"group", nullptr},
                                  {"members", Json::array()}});
            Json j = self.route(a.routes.front());
            j["ok"] = true;
            j["address"] = text;
            j["members"] = std::move(j["hops"]);
            j.erase("hops");
            self.send(j);
        });
    }

    Json reload() const {
        const auto changes = r_.reload();
        if (changes) return {{"ok", true}, {"changes", changes->words}, {"generation", changes->generation}};
        Json all = Json::array();
        for (const auto& d : changes.error()) {
            spdlog::error("reload: {}", config::render(d, r_.config_file()));
            all.push_back({{"file", r_.config_file()},
                           {"line", d.place.line},
                           {"column", d.place.column},
                           {"rule", d.rule},
                           {"message", d.message},
                           {"remedy", d.remedy}});
        }
        return {{"ok", false},
                {"error", "the configuration was refused; nothing has changed"},
                {"remedy", "mend what the diagnostics name and reload again"},
                {"diagnostics", std::move(all)}};
    }

    Json stages() const {
        return {{"ok", true},
                {"clocks", r_.stage_clocks_},
                {"stages", stages_json(r_.workers_, 1e9 / static_cast<double>(rte_get_tsc_hz()))}};
    }

    void clocks(const Json& request) const {
        const auto on = request.find("on");
        if (on == request.end() || !on->is_boolean())
            return send(failure("clocks are on or off", R"(say "on":true or "on":false)"));
        r_.stage_clocks_ = on->get<bool>();
        r_.publish();
        spdlog::info("stage clocks are {}", r_.stage_clocks_ ? "on" : "off");
        send({{"ok", true}, {"clocks", r_.stage_clocks_}});
    }

    // The answer is the first line of a stream that watchers send.
    void watch(const Json& request, bool trace) const {
        WatchWish wish;
        wish.trace = trace;
        auto wrong = read_port(request, wish);
        if (!wrong) wrong = trace ? read_trace(request, wish) : read_capture(request, wish);
        if (!wrong) wrong = r_.watchers_->refusal(wish);
        if (wrong) return send(failure(wrong->first, wrong->second));
        Json answer{{"ok", true}, {"port", wish.name}};
        if (!trace) answer["snaplen"] = wish.snaplen;
        if (const int fd = reply_.take(); fd >= 0) r_.watchers_->start(std::move(wish), fd, dump(answer) + "\n");
    }

    std::optional<Refusal> read_port(const Json& request, WatchWish& wish) const {
        wish.name = text_of(request, "port");
        const auto port = r_.live_.ports.find(wish.name);
        if (port == r_.live_.ports.end())
            return Refusal{"there is no port `" + wish.name + "`", "ask for one of `show ports`"};
        wish.port = port->second.id;
        return std::nullopt;
    }

    Router& r_;
    ControlSocket::Reply reply_;
};

void answer_request(Router& router, const std::string& text, ControlSocket::Reply reply) {
    const Json request = Json::parse(text, nullptr, false);
    if (!request.is_object()) {
        reply(dump(failure("the request is not a JSON object", R"(send {"request":"status"} and a newline)")));
        return;
    }
    Requests(router, std::move(reply)).answer(request);
}

}  // namespace demarcd
