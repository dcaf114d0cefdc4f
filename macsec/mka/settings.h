// What a KaY is told (IEEE 802.1X-2020 clauses 9 and 12). Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "macsec/mka/mkpdu.h"
#include "macsec/secret.h"
#include "macsec/types.h"

namespace macsec::mka {

// Nanoseconds of a monotonic clock. Not zero.
using Time = std::uint64_t;
inline constexpr Time kMillisecond = 1'000'000;
inline constexpr Time kSecond = 1'000'000'000;
inline constexpr Time kNever = ~Time{0};

inline constexpr std::size_t kMaxRingKeys = 5;   // beside the fallback key
inline constexpr std::size_t kMaxLivePeers = 7;  // a group CA has up to 8 members
inline constexpr std::size_t kMaxPeers = 32;     // live and potential ones of one participant

// Table 9-3. Labs shorten them; all members of a CA should agree. hello <= life / 3.
struct Timers {
    std::uint32_t hello_ms{2000};         // MKA Hello Time
    std::uint32_t bounded_hello_ms{500};  // MKA Bounded Hello Time: with delay protection
    std::uint32_t life_ms{6000};          // MKA Life Time
    std::uint32_t retire_ms{3000};        // SAK Retire Time
    bool operator==(const Timers&) const = default;

    Time hello() const noexcept { return hello_ms * kMillisecond; }
    Time bounded_hello() const noexcept { return bounded_hello_ms * kMillisecond; }
    Time life() const noexcept { return life_ms * kMillisecond; }
    Time retire() const noexcept { return retire_ms * kMillisecond; }
    // Between two PDUs of one participant, however much changes.
    Time gap() const noexcept { return hello() / 40; }
    // Since what the CA waits for began: a peer that can act has acted, a dead one has expired.
    Time patience() const noexcept { return 2 * life(); }
};

// One pre-shared CAK. Wall-clock seconds since 1970, UTC: used from start on, before end.
struct RingKey {
    Ckn ckn;
    std::shared_ptr<const SecretBuffer> cak;  // 16 or 32 octets; never null
    std::optional<std::int64_t> start, end;
    bool fallback{};  // used when it reaches somebody whom no other key reaches; its times are ignored
};

// What does not change while a KaY lives. A change of it is a new KaY.
struct Identity {
    Sci sci;
    std::array<std::uint8_t, 6> source{};  // MAC address PDUs are sent from
    std::array<std::uint8_t, 6> destination{0x01, 0x80, 0xC2, 0x00, 0x00, 0x03};
    std::uint16_t ethertype{kEtherTypeEapol};
    CipherSuite suite{CipherSuite::gcm_aes_xpn_256};  // made as key server; any other suite is refused
    bool confidentiality{true};                       // true: a SAK for integrity only is refused
    std::uint8_t confidentiality_offset{};            // 0, 30 or 50; a SAK with a greater one is refused
    bool operator==(const Identity&) const = default;
};

// What a reload may change.
struct Settings {
    std::uint8_t key_server_priority{16};  // 255: never key server
    Timers timers;
    std::uint64_t
        sak_rekey_ms{};         // as key server: a new SAK this often; 0: only when peers or packet numbers ask for it
    bool icv_indicator{};       // off: wpa_supplicant stops parsing at it
    bool delay_protect{};       // peers' lowest PNs raise ours; PDUs every bounded_hello
    bool keep_last_sak{};       // a lost peer does not close the Controlled Port
    bool hard_expiry{};         // a key is dropped at its end even if it is the last
    std::vector<RingKey> keys;  // up to kMaxRingKeys and one fallback key; CKNs differ
};

}  // namespace macsec::mka
