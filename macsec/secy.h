// The SecY's two directions as functions over batches of frames (802.1AE clause 10).
//
// Published parts (TransmitSecY, ReceiveSecY) are values inside an immutable snapshot; they point to what changes
// per frame (SAs, counters), which outlives snapshots and has one writer each. No clock, no log, no allocation.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "macsec/aead.h"
#include "macsec/frame.h"
#include "macsec/receive_rules.h"
#include "macsec/types.h"

namespace macsec {

inline constexpr std::size_t kMaxBatch = 64;  // frames in one call of protect() or verify()

// A counter with one writer. Relaxed: readers see a recent value, never a torn one.
class Counter {
public:
    void add(std::uint64_t n) noexcept { v_.store(v_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
    std::uint64_t get() const noexcept { return v_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> v_{0};
};

// 802.1AE 10.7.18 and 10.7.19, per SC; survives SA changes. Octets are those of user data, padding included.
// owning worker: rw, control: ro
struct alignas(64) TransmitCounters {
    Counter out_pkts_protected, out_pkts_encrypted, out_octets_protected, out_octets_encrypted, out_pkts_too_long;
    Counter no_sa, pn_exhausted, lease_ceiling, no_room, runt;
};

// 802.1AE 10.7.9, per SC; survives SA changes. A frame with a good ICV counts octets of user data and one of ok,
// delayed (behind lowestPN, replay protection off), late or duplicate. owning worker: rw, control: ro
struct alignas(64) ReceiveCounters {
    Counter in_pkts_ok, in_pkts_unchecked, in_pkts_delayed, in_pkts_late, in_pkts_invalid, in_pkts_not_valid;
    Counter in_pkts_no_sa, in_pkts_duplicate, in_octets_validated, in_octets_decrypted;
};

// Per SecY: frames that belong to no SC of ours. owning worker: rw, control: ro
// in_pkts_no_sa_error counts every frame dropped for want of an SA, in_pkts_no_sa those delivered all the same (never
// under strict): unknown SCI (counted apart too) or unused AN (in the SC too).
struct alignas(64) ReceiveSecYCounters {
    Counter in_pkts_untagged, in_pkts_no_tag, in_pkts_bad_tag, in_pkts_no_sa, in_pkts_no_sa_error, in_pkts_unknown_sci;
};

// Key, salt, SSCI, suite and AN arrive together and never change: a new SAK is a new SA.
struct SaDescription {
    CipherSuite suite{};
    An an{};
    Sci sci{};                              // of the transmitter
    Ssci ssci{};                            // XPN only
    Salt salt{};                            // XPN only
    bool confidentiality{true};             // false: integrity only
    std::uint8_t confidentiality_offset{};  // 0, 30 or 50; 0 for XPN
};

// What of a nonce is the same for every frame: its first 64 and last 32 bits.
// XPN: salt XOR (SSCI || 0); others: SCI || 0.
struct IvBase {
    std::uint64_t high{};
    std::uint32_t low{};
};
IvBase iv_base(const SaDescription&) noexcept;

// One nonce, once, ever (802.1AE 14.5, 14.7): XPN: salt XOR (SSCI || PN 64 bits); others: SCI || PN 32 bits.
inline Iv make_iv(const IvBase& base, std::uint64_t pn) noexcept {
    return Iv::from(base.high ^ (pn >> 32), base.low ^ static_cast<std::uint32_t>(pn));
}

class TransmitSa {
public:
    // next_pn: first PN it will use; 0, which no frame may carry, counts as 1. It sends nothing until a lease raises
    // the ceiling above next_pn.
    TransmitSa(const SaDescription&, AeadKey key, std::uint64_t next_pn);

    const SaDescription description;
    const IvBase nonce;
    const AeadKey key;

    // owning worker: rw, control: ro. The PN of the next frame.
    alignas(64) std::atomic<std::uint64_t> next_pn;
    Counter pkts;  // owning worker: rw, control: ro
    // lease thread: w, owning worker: ro. PNs below it may be used; starts at 0; never falls.
    alignas(64) std::atomic<std::uint64_t> pn_ceiling{0};
};

// Replay state of one receive SA (research rules: lowest acceptable PN, recovery from it, bounded duplicate memory).
inline constexpr std::size_t kDuplicateMemory = 4096;  // PNs

class ReceiveSa {
public:
    // lowest_pn: 0 counts as 1.
    ReceiveSa(const SaDescription&, AeadKey key, std::uint64_t lowest_pn);

    const SaDescription description;
    const IvBase nonce;
    const AeadKey key;

    // owning worker: rw, control: ro
    alignas(64) std::atomic<std::uint64_t> next_pn;           // greatest PN accepted + 1
    std::atomic<std::uint64_t> lowest_pn;                     // lowest acceptable PN
    Counter pkts_ok, pkts_invalid, pkts_not_valid;            // owning worker: rw, control: ro
    std::array<std::uint64_t, kDuplicateMemory / 64> seen{};  // owning worker only: bit (PN mod 4096)
    // control: w, owning worker: ro. Delay protection (802.1X 9.10), with replay protection on: no PN below it is
    // accepted; never falls.
    alignas(64) std::atomic<std::uint64_t> floor{0};
};

// Published, one per SecY and direction.
struct TransmitSecY {
    Sci sci{};
    SciForm form{SciForm::sci};
    TransmitSa* sa{};              // encodingSA; null: nothing leaves
    TransmitCounters* counters{};  // never null when protect() sees it
    std::uint32_t max_octets{};    // of a protected frame, FCS excluded; 0: no limit
};

struct ReceiveSc {
    Sci sci{};
    std::array<ReceiveSa*, kAns> sa{};
    ReceiveCounters* counters{};  // never null when verify() sees it
};

struct ReceiveSecY {
    std::span<const ReceiveSc> scs;
    bool replay_protect{true};
    std::uint32_t replay_window{};                    // PNs: up to 2^32 - 1, XPN 2^30 - 1
    ReceiveSecYCounters* counters{};                  // never null when verify() sees it
    ValidateFrames validate{ValidateFrames::strict};  // never null: such a SecY's frames do not come here
    bool delay_protect{};                             // ReceiveSa::floor is looked at
};

// Protects each frame whose verdict is ok, in order: pads user data so that the protected frame has at least 60 octets,
// inserts the SecTAG behind the clear tags, seals, appends the ICV; data and length grow. On any other verdict the
// frame is as it was, not usable, and must be dropped; it took no PN. PNs are consecutive and never reach pn_ceiling or
// pn_end. At most kMaxBatch frames are worked on together; more are cut into such batches.
// Only the thread that owns the transmit direction may call.
void protect(const TransmitSecY&, std::span<Frame>) noexcept;

// Verifies each frame whose verdict is ok, in order: EtherType 0x88E5 stands behind clear_tags. Afterwards SecTAG, ICV
// and what a link padded behind the ICV are off. Replay is checked before and, with what the batch itself accepted,
// after opening. On any other verdict the frame must be dropped: it keeps data and length, and if it was opened
// (not-valid; late or duplicate within the batch) its encrypted octets are now zero, so that it never looks decrypted;
// replay state is untouched. E=0 on an SA agreed for confidentiality is not-encrypted; E=1 on an integrity-only SA is
// opened. What the receive rules deliver unverified (validate below strict, C clear) is stripped likewise and moves no
// replay state. At most kMaxBatch frames are worked on together; more are cut into such batches.
// Only the thread that owns the receive direction may call.
void verify(const ReceiveSecY&, std::span<Frame>) noexcept;

}  // namespace macsec
