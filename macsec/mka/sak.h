// SAKs as a KaY knows them (IEEE 802.1X-2020 9.8 to 9.10): a key server's duty to make one, a member's judgement of
// one, and what SAK Use says of those installed. Pure but for the primitives handed in.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "macsec/mka/action.h"
#include "macsec/mka/participant.h"
#include "macsec/mka/peers.h"
#include "macsec/mka/settings.h"

namespace macsec::mka {

struct SakMember {
    MemberId mi;
    Sci sci;
};

// A packet number at a time.
struct PnSample {
    std::uint64_t pn{1};
    Time at{};
};

// A SAK that was made or accepted, until it is retired.
struct Sak {
    KeyIdentifier key;
    An an;
    CipherSuite suite{};
    ConfidentialityOffset offset{};
    std::shared_ptr<const SecretBuffer> sak;
    std::vector<std::uint8_t> wrapped;  // by us as key server
    Ckn ckn;                            // the CAK it was distributed under, and its participant
    std::uint64_t participant{};
    Sci server;
    std::vector<SakMember> members;  // all that were live, but us: SSCIs follow from them
    Time made{};
    bool ours{};      // we are its server
    bool outdated{};  // ours: its members were not the live peers once; they may have given it up

    // As the dataplane reports.
    bool receives{}, transmits{};
    PnSample now;             // of the transmit SA: the last report
    PnSample rated;           // the sample that per_second was measured to last
    PnSample middle, before;  // each at least a bounded hello older than the one before it
    std::uint64_t per_second{};

    bool has_member(const MemberId& mi) const noexcept;
};

// A report of the dataplane. Reports of an older state than known change nothing.
void note_report(Sak&, const SaReport&, Time now, const Timers&);

// Everything the duty of a key server follows from.
struct ServerView {
    const Participant& participant;  // principal; we are elected in it
    const Sak* newest;               // distributed last, pending or installed; null: none
    const Sak* transmits;            // the one in use; null: none
    bool lost_by_a_member;           // a live member says which keys it uses, and `newest` is none of them
    const Settings& settings;
    Time now;
};

// Why a new SAK is due (9.8), if it is.
struct SakDue {
    std::string_view why;  // a literal
    bool for_members{};    // somebody has no SAK that works
};
std::optional<SakDue> new_sak_due(const ServerView&) noexcept;

// Its members are not those that live.
bool members_changed(const Sak&, const PeerTable&) noexcept;

// When the period of the operator is over: kNever without one.
Time next_rekey(const Sak&, const Settings&) noexcept;

// A SAK for the live members. ans: not to be used. Error: a primitive failed, in words.
std::expected<Sak, std::string> make_sak_for(Participant&, const Identity&, const Primitives&, ConstOctets nonce,
                                             std::span<const An> ans, Time now);

// What comes of a Distributed SAK.
enum class Judgement : std::uint8_t {
    taken,
    not_for_us,       // our MI is not in its live list
    known,            // its key number is not greater than one already seen
    members_unknown,  // a member was not heard yet: its SCI is not known
    no_macsec,        // the key server wants frames in clear
    other_suite,
    less_confidential,  // more in clear than this port allows
    other_ssci,         // the key server numbers members otherwise than 802.1AE 10.7.13 does
    too_many_members,   // more than a group has here
    malformed,          // unwrapping failed, or two members share an SCI
};
std::string_view word(Judgement) noexcept;  // "the key server ..."
constexpr bool is_refused(Judgement j) noexcept { return j >= Judgement::no_macsec; }

// from: the live, elected key server that sent it. known: the greatest key number of its that may not be taken.
struct SakOffer {
    const Mkpdu& pdu;
    const Participant& participant;
    std::uint32_t known;
};
// taken: `out` is filled.
Judgement judge_sak(const SakOffer&, const Identity&, const Primitives&, Time now, Sak& out);

// 802.1AE 10.7.13 over its members and us.
std::vector<Sci> scis_of(const Sak&, Sci own);
InstallKey installation(const Sak&, const Identity&);

// One key's part of SAK Use. lowest PN: what we have sent for sure; 1 for an absent key.
KeyUse key_use(const Sak*, bool receives, bool transmits, bool delay_protect) noexcept;
std::uint64_t advertised_pn(const Sak*, bool delay_protect) noexcept;

std::uint8_t octets_of(ConfidentialityOffset) noexcept;  // 0, 30 or 50

}  // namespace macsec::mka
