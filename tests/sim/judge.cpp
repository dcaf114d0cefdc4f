// What must hold after every step.
#include <algorithm>
#include <cstdio>

#include "macsec/mka/cp.h"
#include "tests/sim/world.h"

namespace sim {
namespace {

constexpr Timers kTimers;
constexpr Time kSlack = 200 * kMillisecond;    // clocks that skew by half a percent for patience
constexpr Time kRecoveryBound = 20 * kSecond;  // after the last fault, whatever it was: docs/adr/0010
constexpr Time kRestartBound = 6 * kSecond;    // after a restart alone
constexpr Time kWatch = 10 * kSecond;

bool has(const std::vector<std::pair<unsigned, unsigned>>& list, unsigned member, unsigned life) {
    return std::find(list.begin(), list.end(), std::pair(member, life)) != list.end();
}

}  // namespace

void World::fail(const Member& m, std::string what, std::string detail) const {
    throw Violation{std::move(what), "member " + std::to_string(m.number) + (detail.empty() ? "" : ": ") + detail};
}

void World::log(const Member& m, const std::string& text) const {
    if (verbose_) std::printf("%9.4f  %u.%u  %s\n", static_cast<double>(now_) / 1e9, m.number, m.life, text.c_str());
}

// 802.1AE 10.7.13, 10.7.26: computed here once more, from what is known of the members. A SAK comes once in a life.
void World::judge_install(const Member& m, const InstallKey& key) {
    if (std::find(m.ever.begin(), m.ever.end(), key.key) != m.ever.end()) fail(m, "a key is installed again");
    for (const Sas& s : m.sas)
        if (s.key.an == key.an) fail(m, "two keys have one AN");
    if (key.own.sci != m.identity.sci) fail(m, "an SA with another SCI than ours");
    if (m.sas.size() > 1) fail(m, "more than two keys are installed");
    if (!is_xpn(key.suite)) return;
    std::array<std::uint8_t, 12> salt = key.key.server.octets;
    salt[0] ^= static_cast<std::uint8_t>(key.key.number >> 8);
    salt[1] ^= static_cast<std::uint8_t>(key.key.number);
    salt[2] ^= static_cast<std::uint8_t>(key.key.number >> 24);
    salt[3] ^= static_cast<std::uint8_t>(key.key.number >> 16);
    if (key.salt != salt) fail(m, "the salt is wrong");
    std::vector<MemberSc> all = key.peers;
    all.push_back(key.own);
    for (const MemberSc& one : all) {
        std::uint32_t greater = 0;
        for (const MemberSc& other : all) greater += other.sci > one.sci;
        if (one.ssci.value != greater + 1) fail(m, "an SSCI is wrong");
    }
}

// A later life of that member is live under any CAK: then nobody is behind the peer of before.
bool World::knows_a_later_life(const Member& m, const MiOwner& of) const {
    for (const ParticipantStatus& p : m.kay->status(m.local(now_)).participants)
        for (const PeerStatus& peer : p.peers) {
            const auto owner = owners_.find(peer.mi);
            if (peer.live && owner != owners_.end() && owner->second.member == of.member &&
                owner->second.life > of.life)
                return true;
        }
    return false;
}

void World::judge_transmit(Member& m, Sas& s) {
    // A new transmit SA begins at PN 1: nobody else, and no former self, may have had its SAK with its SSCI or SCI.
    const auto sak = s.key.sak->octets();
    const std::uint64_t who = is_xpn(s.key.suite) ? s.key.own.ssci.value : s.key.own.sci.value;
    const auto [at, first] =
        used_.try_emplace({std::vector<std::uint8_t>(sak.begin(), sak.end()), who}, std::pair(m.number, m.life));
    if (!first && at->second != std::pair(m.number, m.life)) fail(m, "a (SAK, SSCI, PN) is transmitted twice");
    if (!s.receives_in_force) fail(m, "a key transmits before it receives");
    const Sas* working = m.transmitting();
    if (!m.open || working == nullptr || working == &s || !working->transmits_in_force) return;
    const KeyFacts& facts = facts_[s.key.key];
    const bool going_back = has(facts.transmitted_by, m.number, m.life);
    if (going_back) return;
    if (facts.maker != m.number || facts.maker_life != m.life) {
        const bool life_passed = now_ - facts.first_installed + kSlack >= kTimers.life();
        if (!has(facts.transmitted_by, facts.maker, facts.maker_life) && !life_passed)
            fail(m, "a working SA is left before the key server transmits with the new SAK");
        return;
    }
    if (now_ - facts.first_installed + kSlack >= kTimers.life()) return;
    for (const ParticipantStatus& p : m.kay->status(m.local(now_)).participants)
        for (const PeerStatus& peer : p.peers) {
            const auto owner = owners_.find(peer.mi);
            const bool counts = peer.live && p.principal && owner != owners_.end() &&
                                std::any_of(s.key.peers.begin(), s.key.peers.end(),
                                            [&](const MemberSc& c) { return c.sci == peer.sci; });
            // A peer that has given up the working SA, and says so by a new MI, loses nothing.
            // A station reports, whichever of its lives it was that received.
            const auto is_it = [&](const auto& by) { return by.first == owner->second.member; };
            if (!counts || std::any_of(facts.received_by.begin(), facts.received_by.end(), is_it)) continue;
            Member& other = members_[owner->second.member];
            const bool gone = other.life != owner->second.life && !knows_a_later_life(m, owner->second);
            if (gone || other.sa(working->key.key) != nullptr)
                fail(m, "a working SA is left before a live peer reports receiving with the new SAK");
        }
}

// An older key goes when nobody who is thought alive transmits with it any more, or SAK Retire Time after its
// successor began.
void World::judge_retire(Member& m, const Sas& s, const Actions& actions) {
    const bool closes = std::any_of(actions.begin(), actions.end(), [](const Action& a) {
        const auto* port = std::get_if<ControlledPort>(&a);
        return port != nullptr && !port->open;
    });
    if (closes || !m.open || s.transmits) return;
    const Sas* successor = m.transmitting();
    if (successor == nullptr || successor->key.an == s.key.an) return;
    if (!has(facts_[s.key.key].transmitted_by, m.number, m.life)) return;  // a newer one, given up
    const Time began = facts_[successor->key.key].first_installed;
    if (now_ - began + kSlack >= kTimers.retire()) return;
    for (const Member& other : members_) {
        if (&other == &m || !other.kay) continue;
        const Sas* theirs = other.transmitting();
        if (theirs != nullptr && theirs->key.key == s.key.key && thinks_alive(m, other))
            fail(m, "a key is retired while a peer transmits with it");
    }
}

void World::judge_port(const Member& m, const ControlledPort& port) {
    if (port.open == m.open) fail(m, "the port is told what it is");
    if (!port.open) return;
    const Sas* s = m.transmitting();
    if (s == nullptr || !s->transmits_in_force || !s->receives_in_force)
        fail(m, "the port opens without a key in force");
}

// After every call: a deadline, and no state of the CP machine beyond its own.
void World::judge_call(Member& m) {
    const Time local = m.local(now_), next = m.kay->next_deadline();
    if (next > local + kTimers.hello() + kMillisecond) fail(m, "no deadline within MKA Hello Time");
    const Time since = local - m.cp_since;
    Time most = kNever;
    if (m.cp == "TRANSMITTING") most = kTimers.retire();
    if (m.cp == "RECEIVE" || m.cp == "RECEIVING" || m.cp == "TRANSMIT") most = kTimers.life();
    if (m.cp == "SECURED" || m.cp == "READY" || (m.cp == "ABANDON" && !m.plan.keep_last_sak)) most = kTimers.patience();
    if (m.cp == "INIT") most = 0;
    if (most != kNever && since > most + kSlack) fail(m, "a state outlives its deadline", std::string(m.cp));
    // A restarted key server may choose the AN of the only key in use, which is dropped for it: until the new one is in
    // force (RECEIVE and TRANSMIT, Life Time each at most) frames have no key and are dropped, never clear.
    if (m.open && m.transmitting() == nullptr) {
        if (m.open_without_key == 0) m.open_without_key = now_;
        if (now_ - m.open_without_key > 2 * kTimers.life() + kSlack) fail(m, "the port is open without a key");
    } else {
        m.open_without_key = 0;
    }
    if (!m.open && m.cp == "RETIRE") fail(m, "at rest, and the port is closed");
    if (random_.below(8) == 0) judge_peers(m);
}

// 9.4: whom a member thinks alive has spoken, and has heard it, not too long ago; one MI per SCI; MNs only rise.
void World::judge_peers(Member& m) {
    for (const ParticipantStatus& p : m.kay->status(m.local(now_)).participants)
        for (const PeerStatus& peer : p.peers) {
            MessageNumber& mn = heard_mn_[{m.number * 1000 + m.life * 16 + p.ckn.octets[0], peer.mi}];
            if (peer.mn < mn && peer.live) fail(m, "a message number falls");
            mn = std::max(mn, peer.mn);
            if (!peer.live) continue;
            const auto owner = owners_.find(peer.mi);
            if (owner == owners_.end()) fail(m, "a live peer that never spoke");
            if (now_ - owner->second.last_sent > kTimers.life() + 5 * kSecond)
                fail(m, "a live peer has been silent for too long");
            const Time heard_us = heard_[owner->second.member][m.number];
            if (now_ - heard_us > kTimers.life() + kTimers.hello() + kSlack)
                fail(m, "a live peer has not heard us for too long");
            for (const PeerStatus& other : p.peers)
                if (other.live && other.sci == peer.sci && other.mi != peer.mi) fail(m, "two live MIs of one SCI");
        }
}

bool World::thinks_alive(const Member& m, const Member& other) const {
    for (const ParticipantStatus& p : m.kay->status(m.local(now_)).participants)
        for (const PeerStatus& peer : p.peers)
            if (peer.live && peer.sci == other.identity.sci) return true;
    return false;
}

bool World::would_receive(Member& to, const Sas& tx) const {
    const Sas* rx = to.sa(tx.key.key);
    if (rx == nullptr || !rx->receives_in_force || rx->key.an != tx.key.an || rx->key.salt != tx.key.salt) return false;
    if (!equal_secrets(rx->key.sak->octets(), tx.key.sak->octets())) return false;
    return std::find(rx->key.peers.begin(), rx->key.peers.end(), tx.key.own) != rx->key.peers.end();
}

bool World::all_secured() {
    for (Member& from : members_) {
        const Sas* tx = from.kay && from.open ? from.transmitting() : nullptr;
        if (tx == nullptr || tx->next_pn >= pn_end(tx->key.suite)) return false;
        for (Member& to : members_)
            if (&to != &from && !would_receive(to, *tx)) return false;
    }
    return true;
}

// In a calm run, and after every recovery that is watched to the end, no frame may be lost once all are secured.
void World::judge_losses() {
    const bool secured = all_secured();
    const bool all_started =
        std::all_of(members_.begin(), members_.end(), [](const Member& m) { return m.kay != nullptr; });
    if (secured) once_secured_ = true;
    if (plan_.kind == Kind::calm && once_secured_ && !secured) fail(members_[0], "a frame is lost in a calm run");
    if (now_ < plan_.end_of_faults || !all_started) return;
    if (secured && !secured_) {
        secured_ = now_;
        outcome_.recovery = now_ - plan_.end_of_faults;
    }
    const Time bound = plan_.kind == Kind::restart ? kRestartBound : kRecoveryBound;
    if (!secured && now_ > plan_.end_of_faults + bound) fail(members_[0], "frames are lost after the recovery");
    if (!secured) secured_.reset();
}

bool World::is_over() {
    const Time bound = plan_.kind == Kind::restart ? kRestartBound : kRecoveryBound;
    if (now_ < plan_.end_of_faults) return false;
    if (!secured_) judge_losses();
    if (!plan_.to_the_end && secured_ && now_ > *secured_ + kSecond) return true;
    if (now_ < plan_.end_of_faults + bound) return false;
    if (!all_secured()) {
        std::string who;
        for (const Member& m : members_)
            if (m.kay)
                who += " [" + std::to_string(m.number) + " " + std::string(m.cp) + (m.open ? " open: " : " closed: ") +
                       m.kay->status(m.local(now_)).why_not_secured + "]";
        fail(members_[0],
             plan_.kind == Kind::restart ? "not secured again within MKA Life Time of a restart"
                                         : "not secured again within the bound",
             who);
    }
    return now_ >= plan_.end_of_faults + bound + kWatch;
}

}  // namespace sim
