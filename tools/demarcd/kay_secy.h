// A KaY with the SAs it asked for: performs its actions, tells it how they fare, keeps its history. It outlives
// reloads; a SecY of another identity is another object. Control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "macsec/mka/kay.h"
#include "macsec/secy.h"
#include "tools/demarcd/event_loop.h"
#include "tools/demarcd/live_sa.h"
#include "tools/demarcd/sc_counters.h"

namespace demarcd {

// What the KaY's surroundings do for it.
struct KayEffects {
    std::function<void(macsec::ConstOctets frame)> send;       // a PDU, around protect()
    std::function<void()> publish;                             // SAs or the Controlled Port changed
    std::function<void(std::function<void()>)> when_in_force;  // once every worker has what was published
    std::function<void(Clock::duration, std::function<void()>)> after;
    std::function<void(const std::string&)> log;
};

// The configuration as the KaY wants it: key files read into locked memory. Error: names the file and the remedy.
std::expected<macsec::mka::Settings, std::string> kay_settings(const config::Mka&);
macsec::mka::Identity kay_identity(const config::SecY&, macsec::Sci, net::MacAddress port_mac);

class KaySecY : public std::enable_shared_from_this<KaySecY> {
public:
    explicit KaySecY(const macsec::mka::Identity&, macsec::mka::Random random);

    const macsec::mka::Identity& identity() const { return identity_; }

    // At the first configuration and at each reload, once it is committed. Error: nothing changed.
    std::expected<void, std::string> configure(macsec::mka::Settings, KayEffects);
    // A frame of the configured EAPOL address and EtherType, clear tags off.
    void receive(macsec::ConstOctets frame);
    // The operator wants a new SAK. Error: why there is none.
    std::expected<void, std::string> rekey();
    // Closes the port and forgets its keys. Nothing is called back afterwards.
    void stop();

    bool port_open() const { return port_open_; }
    // The SA that transmits; none while the Controlled Port is closed.
    std::optional<LiveTransmitSa> encoding() const;
    std::map<ReceiveSaKey, LiveReceiveSa> receiving() const;
    // Per SC, also those without an SA.
    const ScCounters& sc_counters() const { return sc_counters_; }

    macsec::mka::Time now() const;  // the KaY's clock
    macsec::mka::KayStatus status() const;
    const std::deque<macsec::mka::Transition>& history() const { return history_; }  // the last 64, oldest first
    const macsec::mka::Settings& settings() const { return settings_; }

private:
    // A SAK between InstallKey and RetireKey.
    struct Installed {
        macsec::mka::InstallKey install;
        std::shared_ptr<macsec::TransmitSa> transmit;
        std::map<macsec::Sci, std::shared_ptr<macsec::ReceiveSa>> receive;
        bool asked_receive{}, asked_transmit{};  // what the KaY wants
        bool receives{}, transmits{};            // what is in force in every worker
    };

    void perform(macsec::mka::Actions&&);
    void perform(const macsec::mka::SendPdu&);
    void perform(const macsec::mka::InstallKey&);
    void perform(const macsec::mka::StartReceive&);
    void perform(const macsec::mka::StartTransmit&);
    void perform(const macsec::mka::RetireKey&);
    void perform(const macsec::mka::ControlledPort&);
    void perform(const macsec::mka::RaiseLowestPn&);
    void perform(const macsec::mka::Transition&);
    void use_sc_counters();
    void publish();
    void in_force(std::uint64_t generation);
    void tick();
    void arm();
    void wait_until(macsec::mka::Time due, macsec::mka::Time at);
    void on_deadline(macsec::mka::Time due);
    std::vector<macsec::mka::SaReport> reports() const;

    const macsec::mka::Identity identity_;
    macsec::mka::Kay kay_;
    macsec::mka::Settings settings_;
    KayEffects effects_;
    std::map<macsec::mka::KeyIdentifier, Installed> keys_;
    std::optional<macsec::mka::KeyIdentifier> encoding_;
    ScCounters sc_counters_;
    bool port_open_{};
    bool changed_{};  // since the last publication
    bool stopped_{};
    std::uint64_t generation_{};  // of what was published
    macsec::mka::Time armed_{macsec::mka::kNever};
    macsec::mka::Time waited_for_{};  // the deadline that a stop of the process made late
    std::deque<macsec::mka::Transition> history_;
};

// "MI/KN" in hexadecimal and decimal: names a SAK, tells nothing about it.
std::string to_text(const macsec::mka::KeyIdentifier&);

}  // namespace demarcd
