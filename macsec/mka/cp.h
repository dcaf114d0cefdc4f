// The Controlled Port machine (IEEE 802.1X-2020 12.4, figure 12-2) for a port that must be secure: when SAs are made,
// used and deleted, and when the Controlled Port is open. ALLOWED and AUTHENTICATED, which open the port without
// MACsec, do not exist here.
//
//   INIT -> CHANGE -> SECURED -> RECEIVE -> RECEIVING -> READY -> TRANSMIT -> TRANSMITTING -> RETIRE -> RECEIVE ...
//                                   |            |         |         |
//                                   +------------+---------+---------+--> ABANDON -> RECEIVE
//
// Deadlines, after which a state is left whatever happens:
//   SECURED       patience   no SAK came                                CHANGE
//   RECEIVE       life       the receive SAs are not in force           ABANDON
//   RECEIVING     life       (transmitWhen) somebody does not receive   TRANSMIT
//   READY         patience   the key server does not transmit           ABANDON
//   TRANSMIT      life       the transmit SA is not in force            ABANDON
//   TRANSMITTING  retire     (retireWhen)                               RETIRE
//   ABANDON       patience   no other SAK came; at once without an old key   CHANGE
// CHANGE and RETIRE are where nothing is to be done. From every state, CHANGE follows at once when `secure` ends.
//
// A pure machine: time is an argument, what is to be done comes out. One object is one thread's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "macsec/mka/mkpdu.h"
#include "macsec/mka/settings.h"

namespace macsec::mka {

enum class CpState : std::uint8_t {
    init,
    change,
    secured,
    receive,
    receiving,
    ready,
    transmit,
    transmitting,
    abandon,
    retire
};
std::string_view word(CpState) noexcept;  // as in figure 12-2: "INIT", ...

// A SAK the machine holds.
struct CpKey {
    KeyIdentifier key;
    An an;
    bool receives{}, transmits{};  // lrx, ltx or orx, otx
    bool operator==(const CpKey&) const = default;
};

struct CpInput {
    bool secure{};                    // connect is SECURE: somebody to be secure with
    std::string_view why_not_secure;  // a literal, when it is not
    bool elected_self{};              // we are key server
    // Of the latest key:
    bool using_receive_sas{};  // the dataplane's word
    bool using_transmit_sa{};
    bool server_changed{};       // chgdServer: its maker is not the elected key server
    bool maker_lives{};          // its maker is a live peer
    bool all_receiving{};        // every live member reports receiving with it
    bool server_transmitting{};  // its maker reports transmitting with it
    bool member_transmitting{};  // any live member does
    // Of the old key:
    bool old_key_unneeded{};  // nobody alive holds it
    bool keep_old{};          // keep-last-sak: ABANDON holds it for as long as it takes
};

// What is to be done, in order.
enum class CpOrder : std::uint8_t { install, start_receive, start_transmit, retire, open, close };
struct CpStep {
    CpOrder order{};
    KeyIdentifier key;  // not of open and close
    bool operator==(const CpStep&) const = default;
};
struct CpTransition {
    CpState from{}, to{};
    std::string_view reason;  // a literal
};

class ControlledPortMachine {
public:
    explicit ControlledPortMachine(Timers timers) noexcept : timers_(timers) {}

    // newSAK: a SAK was distributed. The machine takes it when its state allows; a later one takes its place.
    void distribute(const KeyIdentifier& key, An an) noexcept { pending_ = CpKey{key, an}; }
    // The timers of states entered from now on.
    void set_timers(Timers timers) noexcept { timers_ = timers; }

    // At most one transition. Call until it returns nothing, with inputs that belong to the keys as they then are.
    std::optional<CpTransition> step(const CpInput&, Time now, std::vector<CpStep>& out);

    CpState state() const noexcept { return state_; }
    Time since() const noexcept { return since_; }
    Time deadline() const noexcept { return deadline_; }  // kNever in INIT, CHANGE and RETIRE
    bool port_open() const noexcept { return open_; }
    const std::optional<CpKey>& latest() const noexcept { return latest_; }
    const std::optional<CpKey>& old() const noexcept { return old_; }
    const std::optional<CpKey>& pending() const noexcept { return pending_; }
    // A key server may distribute: nothing is under way, and every AN but that of one key is free.
    bool takes_new_sak() const noexcept;
    // A SAK is under way that is not yet transmitted with.
    bool is_under_way() const noexcept {
        return state_ == CpState::receive || state_ == CpState::receiving || state_ == CpState::ready;
    }
    // The port is open and an older SA than the latest transmits: what must not be left early.
    bool working() const noexcept { return open_ && old_ && old_->transmits; }

private:
    struct Next {
        CpState state;
        std::string_view reason;
    };
    std::optional<Next> next(const CpInput&, Time now) const noexcept;
    void enter(std::vector<CpStep>& out);
    void enter_change(std::vector<CpStep>& out);
    void enter_receive(std::vector<CpStep>& out);
    void enter_transmitting(std::vector<CpStep>& out);
    void enter_retire(std::vector<CpStep>& out);
    void drop(std::optional<CpKey>&, std::vector<CpStep>& out);
    Time stay(CpState) const noexcept;

    Timers timers_;
    CpState state_{CpState::init};
    Time since_{}, deadline_{kNever};
    bool open_{};
    std::optional<CpKey> latest_, old_, pending_;
};

}  // namespace macsec::mka
