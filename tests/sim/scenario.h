// What happens in one run, all from its seed: members, settings, faults, reloads. Times are virtual, from 0.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "macsec/mka/settings.h"

namespace sim {

using macsec::mka::kMillisecond;
using macsec::mka::kSecond;
using macsec::mka::Time;

enum class FaultKind : std::uint8_t {
    lose,
    delay,
    duplicate,
    reorder,
    corrupt,
    partition,
    crash,
    packet_numbers,
    keys,
    clock,
    slow_dataplane
};
inline constexpr std::size_t kFaultKinds = 11;
std::string_view word(FaultKind) noexcept;

struct Fault {
    FaultKind kind{};
    Time from{}, to{};
    unsigned member{}, other{};  // of a partition: frames from `member` to `other` are lost
    unsigned percent{};          // of frames
    Time amount{};               // the most a frame, or the dataplane's answer, is late
    std::int64_t seconds{};      // the wall clock steps
    bool lasts{};                // and nobody sets it right
    bool to_the_end{};           // packet numbers: used up, not nearly
};

// A change of a member's configuration. name: of a key.
struct Reload {
    Time at{};
    unsigned member{};
    enum class What : std::uint8_t { add, remove, change_cak, priority } what{};
    std::uint8_t name{};
    std::uint8_t priority{};
};

struct KeyPlan {
    std::uint8_t name{};
    std::int64_t start{-10'000}, end{10'000};  // wall-clock seconds from the run's begin
    bool fallback{}, there{true};              // there: from the beginning
};

struct MemberPlan {
    std::uint8_t priority{16};
    bool delay_protect{}, keep_last_sak{};
    std::int64_t skew{};  // of its clock, in thousandths
    std::int64_t wall_offset{};
    Time start{};
};

// chaos: any faults, a bound for recovery. calm: the network is perfect, keys and packet numbers change: nothing may be
// lost. restart: a member crashes and comes back: the bound is MKA Life Time.
enum class Kind : std::uint8_t { chaos, calm, restart };

struct Scenario {
    std::uint64_t seed{};
    Kind kind{};
    bool real_primitives{};
    bool to_the_end{};  // not over when secured: watched for a while after
    macsec::CipherSuite suite{};
    std::uint64_t rekey_ms{};
    Time network{};  // the most a frame is under way
    std::vector<MemberPlan> members;
    std::vector<KeyPlan> keys;
    std::vector<Fault> faults;
    std::vector<Reload> reloads;  // by time
    Time end_of_faults{};
};

Scenario scenario_of(std::uint64_t seed);

}  // namespace sim
