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
// status_macsec.cpp: every name of 802.1AE-2018 clause 10.7 that has a value, as docs/ieee-names.md lists them.
Json secy_json(const std::string& name, const LivePort& port, const LiveSecY& secy, const Live& live,
               const Workers& workers);
// status_mka.cpp. Of a SecY that has a KaY.
Json kay_json(const std::string& port, const LiveSecY& secy);
Json history_json(const LiveSecY& secy);
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
