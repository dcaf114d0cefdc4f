// The tables of rules, one per subject, for validate.cpp. Pure; control thread.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "config/model.h"
#include "config/report.h"

namespace config {

// Where the checks of one rule put what they find.
class Findings {
public:
    Findings(const Places& places, std::string_view rule, Report& report)
        : places_(places), rule_(rule), report_(report) {}
    // path: of the value that should change; its place, or its surroundings', is looked up.
    void add(std::string_view path, std::string message, std::string remedy) {
        report_.add(place_of(places_, path), rule_, std::move(message), std::move(remedy));
    }
    bool full() const noexcept { return report_.full(); }
    // Where else something stands, for messages: " (line 12)"; empty in a model that was not parsed.
    std::string line_of(std::string_view path) const {
        const int line = place_of(places_, path).line;
        return line == 0 ? "" : " (line " + std::to_string(line) + ")";
    }

private:
    const Places& places_;
    std::string_view rule_;
    Report& report_;
};

struct Rule {
    std::string_view id;
    void (*check)(const Model&, Findings&);
};

std::span<const Rule> system_rules();
std::span<const Rule> port_rules();
std::span<const Rule> secy_rules();
std::span<const Rule> key_rules();
std::span<const Rule> interface_rules();
std::span<const Rule> bgp_rules();
std::span<const Rule> warning_rules();

// "key-file-twice". same_key: a key file, and the file its key is known by; a file not in it stands for itself.
void find_repeated_ivs(const Model&, const std::map<std::string, std::string>& same_key, Findings&);

// f(port name, port, SecY, path of the SecY) for every SecY.
template <class F>
void for_each_secy(const Model& m, F f) {
    for (const auto& [name, port] : m.ports)
        for (std::size_t i = 0; i < port.macsec.size(); ++i)
            f(name, port, port.macsec[i], "ports." + name + ".macsec[" + std::to_string(i) + "]");
}

// f(SA, SCI of a receive SC or null, path of the SA) for every static SA of a SecY.
template <class F>
void for_each_sa(const SecY& secy, const std::string& path, F f) {
    if (!secy.static_keys) return;
    f(secy.static_keys->transmit, static_cast<const macsec::Sci*>(nullptr), path + ".static.transmit");
    const auto& scs = secy.static_keys->receive;
    for (std::size_t i = 0; i < scs.size(); ++i)
        for (std::size_t j = 0; j < scs[i].sas.size(); ++j)
            f(scs[i].sas[j], &scs[i].sci,
              path + ".static.receive[" + std::to_string(i) + "].sas[" + std::to_string(j) + "]");
}

// f(MKA key, path) for every key of a ring, then the fallback.
template <class F>
void for_each_mka_key(const SecY& secy, const std::string& path, F f) {
    if (!secy.mka) return;
    for (std::size_t i = 0; i < secy.mka->key_ring.size(); ++i)
        f(secy.mka->key_ring[i], path + ".mka.key-ring[" + std::to_string(i) + "]");
    if (secy.mka->fallback) f(*secy.mka->fallback, path + ".mka.fallback");
}

}  // namespace config
