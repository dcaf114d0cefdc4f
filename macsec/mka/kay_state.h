// The inside of a KaY, by what happens: kay.cpp (the outside: configuration, ticks), kay_hear.cpp (a PDU comes in),
// kay_settle.cpp (what follows from all that is known), kay_serve.cpp (SAKs between members, and the PDUs that tell of
// them), kay_words.cpp (status).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "macsec/mka/cp.h"
#include "macsec/mka/kay.h"
#include "macsec/mka/key_ring.h"
#include "macsec/mka/participant.h"
#include "macsec/mka/sak.h"

namespace macsec::mka {

// A key of the ring, and its participant while it speaks.
struct RingEntry {
    RingKey key;
    std::shared_ptr<const CakKeys> keys;
    KeyState state{KeyState::not_started};
    std::unique_ptr<Participant> participant;
    std::uint64_t wrong_cak{};
    bool by_step{};   // KeyInUse
    Time live_at{};   // when it had a live peer last; 0: never
    Time heard_at{};  // when somebody else spoke it last while by_step kept us from it; 0: never
};

// Who was heard but is no peer, for the operator: the last of its kind.
struct Stranger {
    enum class Kind : std::uint8_t { none, unknown_ckn, inactive_ckn, wrong_cak, own_sci };
    Kind kind{};
    Sci sci;
    Ckn ckn;
    Time at{};
};

// Key numbers of a key server that may not be taken any more: used already, or made before it knew us.
struct SpentKeys {
    MemberId server;
    std::uint32_t number{};
    MemberId knows;  // an MI of ours that it has listed as live: what it makes from then on is for us
};

// What a station has said last of the SAKs it uses, under any CAK and MI, and when it named a key of ours.
struct Station {
    Sci sci;
    SakUse use;
    Time at{}, held_at{};
};

// How a member fares with a SAK.
struct MemberUse {
    bool live{}, receives{}, transmits{};
    bool names_another{};  // a SAK Use without this key
};

// Is there somebody to be secure with?
struct Connect {
    bool secure{}, keep{};
    std::string_view why_not;  // a literal
};

struct Kay::State {
    State(const Identity& identity, Random random, const Primitives& primitives)
        : identity(identity), random(std::move(random)), primitives(primitives), cp(Timers{}) {}

    const Identity identity;
    const Random random;
    const Primitives primitives;
    Settings settings;  // its keys are in `ring`
    std::vector<RingEntry> ring;
    std::optional<Ckn> principal;
    ControlledPortMachine cp;
    std::vector<Sak> saks;  // pending, latest, old
    std::vector<SpentKeys> spent;
    std::vector<Station> stations;
    KayCounters counters;
    HelloTimes hellos;
    Stranger stranger;
    std::uint64_t participants{};  // that ever were
    Time last_tick{}, last_call{};
    std::int64_t wall{};
    Time live_changed{};           // in any participant
    std::optional<Time> orphaned;  // since when the newest SAK is not the elected key server's
    std::string refusal;           // why the last SAK was refused
    KeyIdentifier refused;
    unsigned given_up{};     // SAKs in a row that we distributed and did not put to use
    Time no_macsec_until{};  // the key server wants frames in clear
    Time crowded_at{};       // when a PDU came that makes more than 8 members; 0: none came
    bool keeps_last_sak{};
    bool rekey_asked{};  // by the operator; until a SAK is distributed

    // kay.cpp
    RingEntry* entry(const Ckn&) noexcept;
    Participant* participant(const Ckn&) noexcept;
    const Participant* participant(const Ckn& ckn) const noexcept { return const_cast<State*>(this)->participant(ckn); }
    const Participant* participant_of(const Sak&) const noexcept;  // null: it is gone
    Participant* principal_participant() noexcept { return principal ? participant(*principal) : nullptr; }
    void set_clock(Time now, std::int64_t wall) noexcept;
    void turn_ring(Time now, Actions&);
    MemberId random_mi() const;
    void renew(Participant&, Time now, std::string_view why, Actions&);
    void tell(Time now, std::string text, Actions&) const;

    // kay_hear.cpp
    void hear(ConstOctets frame, Time now, Actions&);
    void hear_pdu(RingEntry&, const Mkpdu&, Time now, Actions&);
    bool is_somebody_else(Participant&, const Mkpdu&, const Echo&, Time now, Actions&);
    void note_peer(Participant&, const Mkpdu&, const Echo&, Heard, Time now, Actions&);
    void note_crowd(Participant&, Sci, Time now, Actions&);
    bool is_crowded(Time now) const noexcept {
        return crowded_at != 0 && now < crowded_at + settings.timers.patience();
    }
    bool is_left_out(const Participant* p, Time now) const noexcept {
        return p != nullptr && p->left_out_at != 0 && now < p->left_out_at + settings.timers.patience();
    }
    void note_station(const SakUse&, Sci, Time now);
    void raise_lowest_pns(const SakUse&, const Mkpdu&, Actions&) const;
    void consider_sak(Participant&, const Mkpdu&, Time now, Actions&);
    void note_refusal(const Mkpdu&, Judgement, Time now, Actions&);
    SpentKeys& spent_keys(const MemberId& server);
    bool is_live(const MemberId&) const noexcept;
    void spend(const KeyIdentifier&);

    // kay_settle.cpp
    void settle(Time now, Actions&);
    void expire(Time now, Actions&);
    void elect_all() noexcept;
    void choose_principal() noexcept;
    Connect connect(Time now) noexcept;
    CpInput cp_input(const Connect&) const noexcept;
    bool step_cp(Time now, Actions&);
    void perform(const CpStep&, Time now, Actions&);
    void after(const CpTransition&, const CpInput&, Time now, Actions&);
    Time next_deadline() const noexcept;

    // kay_serve.cpp
    void serve(Time now, Actions&);
    bool waits_for_more(const Participant&, Time now) const noexcept;
    bool may_distribute(const SakDue&, Time now) const noexcept;
    Time may_give_up_at() const noexcept;
    const Station* station(Sci) const noexcept;
    MemberUse use_by(const Sak&, const SakMember&) const noexcept;
    bool has_restarted(const PeerEntry&) const noexcept;
    bool all_receive(const Sak&) const noexcept;
    bool is_transmitted_by_a_member(const Sak&) const noexcept;
    bool is_lost_by_a_member(const Sak*) const noexcept;
    bool distributes(const Sak&, const Participant&) const noexcept;
    PduExtras extras_for(const Participant&) const;
    void send_due(Time now, Actions&);
    Time pdu_interval() const noexcept;

    Sak* sak(const std::optional<CpKey>&) noexcept;
    const Sak* sak(const std::optional<CpKey>& key) const noexcept { return const_cast<State*>(this)->sak(key); }
    const Sak* newest_sak() const noexcept;  // pending, latest or old
    const Sak* newest_installed() const noexcept;
    const Sak* transmitting_sak() const noexcept;

    // kay_words.cpp
    std::string why_nobody_receives(Time now) const;
    std::string why_not_secured(Time now) const;
    KayStatus status(Time now) const;
};

// "02:00:00:00:0b:01/1" and hexadecimal digits: for words.
std::string text_of(Sci);
std::string text_of(const Ckn&);

}  // namespace macsec::mka
