// What a KaY tells about itself: everything `demarc show mka` prints. Plain values, no key material.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "macsec/mka/cp.h"
#include "macsec/mka/mkpdu.h"
#include "macsec/mka/settings.h"
#include "macsec/types.h"

namespace macsec::mka {

// PDUs: sent; received ones are accepted or one of those down to too-many-peers. Then what happened.
#define MKA_COUNTERS(X)                     \
    X(sent, "sent")                         \
    X(accepted, "accepted")                 \
    X(not_eapol, "not-eapol")               \
    X(decode_error, "decode-error")         \
    X(other_algorithm, "other-algorithm")   \
    X(unknown_ckn, "unknown-ckn")           \
    X(inactive_ckn, "inactive-ckn")         \
    X(wrong_cak, "wrong-cak")               \
    X(own_frame, "own-frame")               \
    X(own_sci, "own-sci-elsewhere")         \
    X(duplicate_mi, "duplicate-mi")         \
    X(replayed_mn, "replayed-mn")           \
    X(too_many_peers, "too-many-peers")     \
    X(stale_echo, "stale-echo")             \
    X(peers_live, "peers-live")             \
    X(peers_lost, "peers-lost")             \
    X(peers_restarted, "peers-restarted")   \
    X(saks_made, "saks-made")               \
    X(saks_taken, "saks-taken")             \
    X(saks_refused, "saks-refused")         \
    X(saks_used, "saks-used")               \
    X(identity_renewed, "identity-renewed") \
    X(port_opened, "port-opened")           \
    X(port_closed, "port-closed")

inline constexpr std::size_t kDecodeErrors = 0
#define X(enumerator, word) +1
    MKA_DECODE_ERRORS(X)
#undef X
    ;

struct KayCounters {
#define X(name, word) std::uint64_t name{};
    MKA_COUNTERS(X)
#undef X
    std::array<std::uint64_t, kDecodeErrors> decode_errors{};  // by DecodeError; their sum is decode_error
};

// How punctual our PDUs are, all participants together. Late: after the time at which one was due. Longest gap: between
// two PDUs of one participant; MKA Hello Time when all is well.
struct HelloTimes {
    std::uint64_t on_time{};                                // less than 50 ms late
    std::uint64_t late_50_ms{}, late_250_ms{}, late_1_s{};  // so late, or more; each PDU counts once
    Time most_late{}, longest_gap{};
    // sent_before: the PDU before it, 0: none.
    void note(Time sent_before, Time due, Time now) noexcept;
};

struct PeerStatus {
    MemberId mi;
    MessageNumber mn{};  // the last heard
    Sci sci;
    bool live{};
    bool key_server{}, macsec_desired{};  // what it says; MACsec is desired here, whatever a peer desires
    std::uint8_t priority{};
    Capability capability{};
    Time last_heard{};
    std::optional<KeyIdentifier> latest_key;  // as its SAK Use says
    bool receives_latest{}, transmits_latest{};
};

// A key of the ring, by the wall clock.
enum class KeyState : std::uint8_t {
    not_started,  // its start has not come
    active,       // within its times
    kept,         // beyond its times, yet it carries, or no key does and it spoke or is heard, or it is the last of all
    ended,        // beyond its end
    standby,      // the fallback key: it speaks, and is used when it reaches somebody whom no other key reaches
    held,         // within its times, but by a step of the wall clock only: it waits while another key carries
};
std::string_view word(KeyState) noexcept;

struct ParticipantStatus {
    Ckn ckn;
    KeyState state{};
    bool speaks{};  // a participant exists; the fields below are its own
    bool principal{};
    std::optional<std::int64_t> start, end;
    MemberId mi;
    MessageNumber mn{};             // the last sent
    std::optional<Sci> key_server;  // elected; ours: we are
    std::vector<PeerStatus> peers;
    std::uint64_t wrong_cak{};  // PDUs with this CKN whose ICV another CAK made
};

struct KeyStatus {
    KeyIdentifier key;
    An an;
    bool receives{}, transmits{};
    Sci server;             // who made it
    Ckn ckn;                // under which CAK
    Time since{};           // installed
    std::size_t members{};  // ours included
    Ssci ssci;              // ours; 0 without XPN
    std::uint64_t next_pn{};
};

struct KayStatus {
    std::vector<ParticipantStatus> participants;  // one per key of the ring, in its order
    CpState cp{};
    Time cp_since{};
    bool port_open{};
    bool keeps_last_sak{};  // open without a live peer: shown in red
    std::optional<Sci> key_server;
    bool is_key_server{};
    std::optional<KeyStatus> latest, old;
    std::optional<Time> next_rekey;  // as key server with a period
    KayCounters counters;
    HelloTimes hellos;
    std::string why_not_secured;  // in words; empty when the port is open and a peer receives
};

}  // namespace macsec::mka
