// Members, their dataplanes, and the network between them, on a virtual clock.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "macsec/mka/kay.h"
#include "tests/sim/random.h"
#include "tests/sim/scenario.h"

namespace sim {

using namespace macsec;
using namespace macsec::mka;

// What an invariant says when it does not hold. what: without times, so that equal ones can be counted.
struct Violation {
    std::string what, detail;
};

// One key in a dataplane.
struct Sas {
    InstallKey key;
    bool receives{}, transmits{};  // ordered
    bool receives_in_force{}, transmits_in_force{};
    std::uint64_t next_pn{1};
    Time transmits_since{};
};

struct Member {
    unsigned number{};
    MemberPlan plan;
    Identity identity;
    std::vector<RingKey> keys;
    std::unique_ptr<Kay> kay;  // null: crashed, or not started
    unsigned life{};           // how often it has started
    Time deadline{};
    std::int64_t wall_step{};  // while a clock fault lasts
    std::vector<Sas> sas;
    std::vector<KeyIdentifier> ever;  // installed in this life
    bool open{};
    std::string_view cp;      // state of the CP machine
    Time cp_since{};          // local
    Time open_without_key{};  // since when; 0: not so
    std::uint64_t pns_per_second{};

    Sas* sa(const KeyIdentifier& key) {
        for (Sas& s : sas)
            if (s.key.key == key) return &s;
        return nullptr;
    }
    const Sas* transmitting() const {
        for (const Sas& s : sas)
            if (s.transmits) return &s;
        return nullptr;
    }
    // Its own clock, and back.
    Time local(Time t) const {
        const auto ms = static_cast<std::int64_t>(t / 1000);
        return 1'000'000 * kSecond + t + static_cast<Time>(ms * plan.skew);
    }
    Time global(Time local) const {
        const Time t = local - 1'000'000 * kSecond;
        return t * 1000 / static_cast<Time>(1000 + plan.skew) + 1000;
    }
};

// Whose an MI is, and what is known of it.
struct MiOwner {
    unsigned member{}, life{};
    Time last_sent{};
};

struct KeyFacts {
    unsigned maker{}, maker_life{};
    Time first_installed{};
    std::vector<std::pair<unsigned, unsigned>> received_by, transmitted_by;  // member, life
};

struct Flight {
    Time at{};
    std::uint64_t order{};
    unsigned to{}, from{};
    unsigned to_life{};
    Time sent{};
    bool intact{};
    std::shared_ptr<const std::vector<std::uint8_t>> frame;  // none: the dataplane answers
    bool operator>(const Flight& o) const { return std::pair(at, order) > std::pair(o.at, o.order); }
};

struct Outcome {
    std::optional<Violation> violation;
    Time violation_at{};
    std::array<bool, kFaultKinds> happened{};
    std::optional<Time> recovery;  // after the last fault, until all were secured
    std::uint64_t pdus{};
};

class World {
public:
    World(const Scenario&, bool verbose);
    Outcome run();

private:
    // world.cpp: what happens
    Time next_time() const;
    void turn();
    void start(Member&);
    void crash(Member&);
    void configure(Member&);
    void reload(const Reload&);
    void begin(const Fault&);
    void end(const Fault&);
    void tick(Member&);
    void deliver(const Flight&);
    std::vector<SaReport> reports(Member&);
    std::int64_t wall(const Member&) const;
    void perform(Member&, Actions&);
    void act(Member&, SendPdu&);
    void act(Member&, InstallKey&);
    void act(Member&, StartReceive&);
    void act(Member&, StartTransmit&);
    void act(Member&, RetireKey&);
    void act(Member&, ControlledPort&);
    void act(Member&, RaiseLowestPn&);
    void act(Member&, Transition&);
    void answer_later(Member&);
    void send(Member& from, Member& to, const std::shared_ptr<const std::vector<std::uint8_t>>&);
    bool is_lost(const Member& from, const Member& to);
    RingKey ring_key(const KeyPlan&) const;
    const KeyPlan* plan_of(std::uint8_t name) const;
    bool active(const Fault& f) const { return now_ >= f.from && now_ < f.to; }
    bool is_over();

    // judge.cpp: what must hold
    void judge_install(const Member&, const InstallKey&);
    void judge_transmit(Member&, Sas&);
    bool knows_a_later_life(const Member&, const MiOwner&) const;
    void judge_retire(Member&, const Sas&, const Actions&);
    void judge_port(const Member&, const ControlledPort&);
    void judge_call(Member&);
    void judge_peers(Member&);
    void judge_losses();
    bool all_secured();
    bool thinks_alive(const Member&, const Member& other) const;
    bool would_receive(Member&, const Sas&) const;
    [[noreturn]] void fail(const Member&, std::string what, std::string detail = {}) const;
    void log(const Member&, const std::string&) const;

    const Scenario& plan_;
    const bool verbose_;
    Random random_;
    Time now_{};
    std::uint64_t order_{};
    std::vector<Member> members_;
    std::vector<std::uint8_t> changed_caks_;
    std::priority_queue<Flight, std::vector<Flight>, std::greater<>> flights_;
    std::size_t next_reload_{};
    std::vector<std::uint8_t> fault_state_;  // 0: to come, 1: begun, 2: over
    Time next_fault_{};
    std::map<MemberId, MiOwner> owners_;
    std::map<KeyIdentifier, KeyFacts> facts_;
    std::map<std::pair<std::vector<std::uint8_t>, std::uint64_t>, std::pair<unsigned, unsigned>> used_;
    std::map<std::pair<unsigned, MemberId>, MessageNumber> heard_mn_;
    std::array<std::array<Time, 8>, 8> heard_{};  // [who][whom]: when the newest PDU that came intact was sent
    bool dirty_{}, once_secured_{};
    std::optional<Time> secured_;
    Outcome outcome_;
};

}  // namespace sim
