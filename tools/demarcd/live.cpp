#include "tools/demarcd/live.h"

namespace demarcd {

const LiveSecY* secy_of(const Live& live, const LiveInterface& interface) {
    for (const auto& secy : live.ports.at(interface.config.port).secys)
        if (secy.config.clear_tags == interface.config.clear_tags) return &secy;
    return nullptr;
}

bool may_send(const Live& live, const LiveInterface& interface) {
    const LiveSecY* secy = secy_of(live, interface);
    return secy == nullptr || secy->config.policy == config::Policy::off || secy->secured();
}

std::set<net::IpAddress> own_addresses(const Live& live) {
    std::set<net::IpAddress> own;
    for (const auto& [name, interface] : live.interfaces) {
        for (const auto& address : interface.config.addresses) own.insert(address.address);
        own.insert(interface.link_local.begin(), interface.link_local.end());
    }
    return own;
}

}  // namespace demarcd
