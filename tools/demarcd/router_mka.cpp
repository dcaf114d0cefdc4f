// KaYs among the rest: 1. they start when their SecY goes live; 2. PDUs find their KaY by the snapshot they were punted
// under; 3. a KaY's PDU leaves by the worker that owns the port; 4. what a KaY changes is published at once.
#include <fmt/format.h>

#include "tools/demarcd/log.h"
#include "tools/demarcd/router.h"

namespace demarcd {

LiveSecY* Router::find_secy(const std::string& port, const net::VlanStack& clear_tags) {
    const auto found = live_.ports.find(port);
    if (found == live_.ports.end()) return nullptr;
    for (auto& secy : found->second.secys)
        if (secy.config.clear_tags == clear_tags) return &secy;
    return nullptr;
}

void Router::start_kays() {
    for (auto& [name, port] : live_.ports)
        for (auto& secy : port.secys) {
            if (!secy.kay || !secy.wanted_of_kay) continue;
            auto settings = std::move(*secy.wanted_of_kay);
            secy.wanted_of_kay.reset();
            // Held here: what the KaY does may publish, and nothing of live_ may move meanwhile.
            const auto kay = secy.kay;
            if (auto done = kay->configure(std::move(settings), kay_effects(name, secy.config.clear_tags)); !done)
                spdlog::error("port {}: mka: {}", name, done.error());
        }
}

KayEffects Router::kay_effects(const std::string& port, const net::VlanStack& clear_tags) {
    return {[this, port, clear_tags](macsec::ConstOctets frame) { from_kay(port, clear_tags, frame); },
            [this] {
                publish();
                refresh_all();
            },
            [this](std::function<void()> then) { retired_->retire(std::move(then)); },
            [this](Clock::duration delay, std::function<void()> due) { loop_.after(delay, std::move(due)); },
            [port](const std::string& text) { spdlog::info("port {}: mka: {}", port, text); }};
}

// The index is of the snapshot that the worker had; if another one has come since, the PDU may be lost: its sender
// says it again.
void Router::to_kay(dataplane::PortId port, std::uint16_t secy, macsec::ConstOctets frame) {
    if (!forwarding_ || secy >= forwarding_->secys.size() || forwarding_->secys[secy].port != port) return;
    const net::VlanStack tags = forwarding_->secys[secy].clear_tags;
    for (auto& [name, live] : live_.ports) {
        if (live.id != port) continue;
        if (LiveSecY* found = find_secy(name, tags); found != nullptr && found->kay) {
            const auto kay = found->kay;
            kay->receive(frame);
        }
        return;
    }
}

void Router::from_kay(const std::string& port, const net::VlanStack& clear_tags, macsec::ConstOctets frame) {
    const auto found = live_.ports.find(port);
    if (found == live_.ports.end() || !forwarding_) return;
    const dataplane::PortEntry& entry = forwarding_->ports[found->second.id.value];
    for (const std::uint16_t index : entry.secys)
        if (forwarding_->secys[index].clear_tags == clear_tags)
            return host_path_->from_kay(found->second.id, index, entry.transmit_worker, frame);
}

}  // namespace demarcd
