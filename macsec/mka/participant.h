// An MKA participant (IEEE 802.1X-2020 clause 9): one CAK, its MI and MN, its peers, its PDUs. It knows nothing of
// other CAKs and of SAs: the KaY puts those in. One owner.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "macsec/mka/keys.h"
#include "macsec/mka/mkpdu.h"
#include "macsec/mka/peers.h"
#include "macsec/mka/primitives.h"
#include "macsec/mka/settings.h"

namespace macsec::mka {

inline constexpr std::uint8_t kNeverServer = 255;  // the priority of a member that cannot be key server

// Who is key server, as this participant sees it (9.5).
struct Election {
    enum class Result : std::uint8_t {
        nobody,     // no live peer, or none of the live members can
        waits_for,  // that member has not heard of it yet
        peer,
        self,
    };
    Result result{};
    MemberId mi;
    Sci sci;
    bool operator==(const Election&) const = default;
};

// The best priority, then the numerically lowest SCI, among us and live peers; 255 and peers without MACsec cannot.
Election elect(const PeerTable&, const MemberId& own_mi, Sci own_sci, std::uint8_t own_priority) noexcept;

// What the KaY adds to a PDU.
struct PduExtras {
    bool key_server{};
    std::optional<SakUse> sak_use;
    std::optional<XpnSet> xpn;
    std::optional<DistributedSak> distributed_sak;
    std::uint8_t key_server_ssci{};
    bool operator==(const PduExtras&) const = default;
};

// What a received PDU says of our own identity.
enum class OwnMi : std::uint8_t { not_listed, young, stale, never_sent };
struct Echo {
    OwnMi own{};
    std::optional<Time> sent_at;  // of a young one
    bool in_live_list{};
};

class Participant {
public:
    // mi: random.
    // serial: another one's for every participant of a KaY, also under the same CKN.
    Participant(const RingKey& key, std::shared_ptr<const CakKeys> keys, const MemberId& mi, std::uint64_t serial)
        : key(key), keys(std::move(keys)), serial(serial), mi(mi) {}

    RingKey key;
    std::shared_ptr<const CakKeys> keys;
    std::uint64_t serial;
    MemberId mi;
    PeerTable peers;
    Election election;
    std::uint32_t key_number{};  // the last used as key server with this MI
    Time left_out_at{};          // when more than 8 members were heard last, 8 of them better than us; 0: never

    MessageNumber mn() const noexcept { return mn_; }
    // 9.4.2: peers will see a new member with our SCI. Their liveness for us stands; key numbers begin again.
    void renew(const MemberId& mi, Time now, const Timers&) noexcept;

    Echo echo_in(const Mkpdu&, Time now, const Timers&) const noexcept;

    // Wants a PDU now, as soon as the last one is old enough.
    void hurry(Time now, const Timers&) noexcept;
    Time next_pdu() const noexcept { return next_pdu_; }
    Time last_pdu() const noexcept { return last_sent_; }  // 0: none yet

    // The next PDU as a frame; nothing if the primitives fail. Takes an MN. interval: until the next one.
    std::optional<std::vector<std::uint8_t>> pdu(const Identity&, const Settings&, const PduExtras&, const Primitives&,
                                                 Time now, Time interval);
    bool wants_new_mi() const noexcept { return mn_ == ~MessageNumber{0}; }

    // True when other things stand in the PDU than in the last one sent, packet numbers aside.
    bool says_something_new(const PduExtras&) const noexcept;

private:
    Mkpdu value(const Identity&, const Settings&, const PduExtras&) const;
    PeerList list(bool live) const;

    static constexpr std::size_t kRemembered = 128;  // MNs: at 40 per Hello Time, those of MKA Life Time
    MessageNumber mn_{};
    std::array<Time, kRemembered> sent_at_{};
    Time last_sent_{}, next_pdu_{};
    PduExtras said_;
};

}  // namespace macsec::mka
