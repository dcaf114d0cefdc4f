// The router as JSON: the parts of `status`. docs/control-protocol.md is the contract. Keys never appear. Control
// thread only.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/demarcd/host_path.h"
#include "tools/demarcd/live.h"
#include "tools/demarcd/route_values.h"
#include "tools/demarcd/watchers.h"

namespace demarcd {

using Json = nlohmann::json;
using Workers = std::vector<dataplane::WorkerPtr>;

Json worker_json(const dataplane::Worker& worker, std::size_t id);
Json port_json(const std::string& name, const LivePort& port, const Workers& workers);
Json interface_json(const std::string& name, const LiveInterface& interface, const Live& live, const Workers& workers);
Json secy_json(const std::string& port, const LiveSecY& secy);
Json routes_json(const RouteStats& stats);
Json fpm_json(const RouteStats& stats);
Json host_json(const HostPathCounters& counters);
Json tags_json(const net::VlanStack& stack);
Json captures_json(const std::vector<WatchView>& watches);
Json traces_json(const std::vector<WatchView>& watches);
// One element for each worker and stage that has been timed.
Json stages_json(const Workers& workers, double ns_per_cycle);
// Interfaces that carry clear frames.
Json unsecured_json(const Live& live);
const char* kind_word(dataplane::LeafKind kind);
const char* source_word(dataplane::Source source);

}  // namespace demarcd
