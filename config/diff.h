// Two models to what must be done, in the order it may be done. Pure; control thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model.h"

namespace config {

enum class Action : std::uint8_t { removed, added, changed };
enum class Subject : std::uint8_t {
    connection,  // its name; changed: bandwidth, burst or features
    interface,   // its name; changed: port, tags or MTU
    addresses,   // of an interface that stays
    secy,        // port and clear tags; changed: anything but keys
    secy_keys,   // port and clear tags: static keys or MKA settings of a SecY that stays
    port,        // its name; changed: facility or MTU
    bgp,
    router_name,
    log_level,
};

struct Change {
    Action action{};
    Subject subject{};
    std::string name;           // of the connection, interface or port; empty for what there is one of
    net::VlanStack clear_tags;  // of the SecY
    std::string words;          // for the user: "port ch1: mtu 1500 -> 9001"
    bool operator==(const Change&) const = default;
};

struct Differences {
    // Removals (connections, interfaces, SecYs, ports), then ports, SecYs, interfaces, connections, then the rest. A
    // port or interface that is added brings its SecYs and addresses along: no changes of their own.
    std::vector<Change> changes;
    // What cannot be applied while running; in words. Not empty: keep the old model as a whole.
    std::vector<std::string> needs_restart;
    bool empty() const { return changes.empty() && needs_restart.empty(); }
};

// Both models are valid.
Differences diff(const Model& old_model, const Model& new_model);

}  // namespace config
