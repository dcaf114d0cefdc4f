// The Key Agreement Entity (IEEE 802.1X-2020 clauses 9 and 12): octets and time in, actions out.
//
//   frame -> decode -> participant of its CKN (ICV, MN, liveness) -> election, principal -> SAK -> CP -> actions
//
// No I/O, no clock, no log, no thread: ten of them, a lossy vector between and a counter for `now` are a simulation.
// All functions of one object are called from one thread (control), with times that never fall.
//
// How to run one:
//   Kay kay(identity, random);
//   kay.configure(settings, now, wall, actions);        at start and at each reload
//   kay.receive(frame, now, actions);                   each frame of the configured EAPOL address and EtherType
//   kay.tick(now, wall, reports, actions);              at next_deadline(), and as soon as a report turned true
//   perform(actions) in order, after each of these
//
// What it decides, beyond the standard's text:
// - MKPDU version 3 is sent with XPN suites, which need its XPN set and key server SSCI, and where all peers
//   speak it; else version 1.
// - A live peer has echoed one of our MNs that is younger than MKA Life Time (the last two always are). It lives for
//   MKA Life Time after that PDU, at most until MKA Life Time + Hello Time after we sent the echoed one (9.4.3).
// - A peer's new MI takes the place of its old one (same SCI) as soon as it has proved liveness.
// - Key server: the best priority, then the lowest SCI, of all live members that are not 255; a member that has not
//   heard of its election yet is waited for (9.5).
// - A SAK is accepted from the elected, live key server, in a PDU whose live list has our MI and only members we have
//   heard, with a greater key number than any it used before it knew us. So no SAK comes back after a restart.
// - Principal actor: the CAK with most live peers, so that a newer one leaves nobody behind; of equals the newest start
//   time, the fallback CAK last. A key server distributes by it; others follow the participant the SAK came by.
// - When the port closes, or a SAK is given up and no other is there, the participants take new MIs: so the key server
//   learns of it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "macsec/mka/action.h"
#include "macsec/mka/primitives.h"
#include "macsec/mka/settings.h"
#include "macsec/mka/status.h"
#include "macsec/octets.h"

namespace macsec::mka {

// Fills octets that nobody can guess: the kernel's. It does not fail.
using Random = std::function<void(Octets)>;

class Kay {
public:
    Kay(const Identity&, Random, const Primitives& = kRealPrimitives);
    Kay(Kay&&) noexcept;
    Kay& operator=(Kay&&) noexcept;
    ~Kay();

    // All or nothing. A key whose CKN and CAK are unchanged keeps its participant; others come and go, and traffic
    // moves to another key without loss if one has the peer. Error: what is wrong with the keys; nothing changed.
    // wall: seconds since 1970, UTC.
    std::expected<void, std::string> configure(Settings, Time now, std::int64_t wall, Actions&);

    // A frame from the destination address on, without VLAN tags. Any octets are welcome.
    void receive(ConstOctets frame, Time now, Actions&);

    // Does what is due. reports: of keys between InstallKey and RetireKey.
    void tick(Time now, std::int64_t wall, std::span<const SaReport> reports, Actions&);

    // The operator wants a new SAK. Error: why we cannot make one, in words.
    std::expected<void, std::string> rekey(Time now, Actions&);

    // When tick() is wanted next, at the latest. At most one MKA Hello Time ahead.
    Time next_deadline() const noexcept;

    // Closes the port and retires its keys: the end, before the object goes.
    void stop(Time now, Actions&);

    KayStatus status(Time now) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace macsec::mka
