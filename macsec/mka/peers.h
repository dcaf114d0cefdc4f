// The peers of one participant (IEEE 802.1X-2020 9.4.3): live ones have proved, by echoing an MN of ours that is young
// enough, that they hear us now; potential ones were heard. Never two live MIs of one SCI. Of more than kMaxLivePeers
// the best ranked are live, whoever came first: so all members of a crowded LAN find the same CA. A pure table; one
// owner.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "macsec/mka/mkpdu.h"
#include "macsec/mka/settings.h"

namespace macsec::mka {

// Packet numbers a peer has used with its newest key, as its SAK Use says: when they run out, and how fast.
struct PeerPn {
    KeyIdentifier key;
    std::uint64_t next_pn{}, per_second{};
    Time at{};
};

struct PeerEntry {
    MemberId mi;
    Sci sci;
    MessageNumber mn{};  // the greatest heard
    bool live{};
    std::uint8_t mka_version{}, priority{};
    bool key_server{}, macsec_desired{};
    Capability capability{};
    Time first_heard{}, last_heard{}, expires{};
    Time echoed{};              // when we sent the youngest MN that it has echoed
    std::optional<SakUse> use;  // the last it told
    PeerPn pn;
};

// What a PDU of a peer did to the table.
enum class Heard : std::uint8_t {
    refreshed,
    new_potential,
    now_live,
    restarted,       // live, in place of an older MI of the same SCI
    displaces,       // live, in place of the peer that ranks worst, which is a potential one again
    replayed_mn,     // not greater than the last one heard, also of one that is gone; nothing changed
    replaced_mi,     // its station has a newer MI that is live: it has echoed a younger MN of ours; it is not live
    duplicate_mi,    // two SCIs use one MI; nothing changed
    too_many_peers,  // the table or the CA is full; nothing changed, or it stays potential
};
constexpr bool is_accepted(Heard h) noexcept { return h <= Heard::displaces; }

class PeerTable {
public:
    // echo: when we sent the MN that the PDU echoes, if it echoes one younger than MKA Life Time.
    Heard hear(const BasicSet&, std::optional<Time> echo, Time now, const Timers&);

    // Takes away whose time is over; returns the live ones of them.
    std::vector<PeerEntry> expire(Time now, const Timers&);
    Time next_expiry() const noexcept;

    PeerEntry* find(const MemberId&) noexcept;
    const PeerEntry* find(const MemberId&) const noexcept;
    const std::vector<PeerEntry>& all() const noexcept { return entries_; }
    std::size_t live() const noexcept;
    bool any_does_macsec() const noexcept;                               // a live one: its capability is not `none`
    std::uint8_t lowest_version() const noexcept;                        // of the live, or if none is of all; 0: nobody
    bool reaches(Sci) const noexcept;                                    // a live peer has this SCI
    std::size_t better_than(std::uint8_t priority, Sci) const noexcept;  // peers that rank better, live or not

private:
    // An MI that is in the table no more, and the MNs it may not use again while an echo of it may be young.
    struct Gone {
        MemberId mi;
        MessageNumber mn;
        enum class Why : std::uint8_t { expired, replaced, replaced_by_older } why;
        Time until;
    };
    PeerEntry* add(const BasicSet&, Time now, const Timers&);
    std::optional<Heard> stays_away(const BasicSet&, std::optional<Time> echo, Time now) const noexcept;
    const PeerEntry* successor_of(const MemberId&, Sci) const noexcept;
    void note_gone(const Gone&, Time now);
    bool replace_older(const PeerEntry&, Time now, const Timers&);
    bool displace_worse(const PeerEntry&, Time now, const Timers&) noexcept;

    std::vector<PeerEntry> entries_;
    std::vector<Gone> gone_;
};

// What a SAK Use says of a key; nothing if it does not name it.
struct UseOfKey {
    bool receives{}, transmits{};
};
std::optional<UseOfKey> use_of(const SakUse&, const KeyIdentifier&) noexcept;

// Remembers how far the peer's packet numbers have come. xpn: the upper halves, if they were sent.
void note_use(PeerEntry&, const SakUse&, const std::optional<XpnSet>& xpn, Time now);

// The lowest PN of a KeyUse; nothing for an absent key.
std::optional<std::uint64_t> lowest_pn(const KeyUse&, std::optional<std::uint32_t> high) noexcept;

}  // namespace macsec::mka
