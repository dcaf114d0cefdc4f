// What one packet of a flow carries, in 28 octets of UDP payload, big-endian:
// "Flow" | session (4) | flow (4) | sequence (8) | time sent, ns since 1970 (8). The rest is padding.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace flow {

inline constexpr std::size_t kPayloadOctets = 28;
inline constexpr std::uint32_t kMagic = 0x466C6F77;  // "Flow"
inline constexpr std::uint32_t kMaxFlows = 4096;

struct Payload {
    std::uint32_t session{};   // tells one run from another on the same port
    std::uint32_t flow{};      // 0 to kMaxFlows - 1
    std::uint64_t sequence{};  // from 0, per flow
    std::int64_t sent_ns{};
    bool operator==(const Payload&) const = default;
};

template <class T>
void store_be(std::uint8_t* p, T v) noexcept {
    for (std::size_t i = 0; i < sizeof v; ++i) p[i] = static_cast<std::uint8_t>(v >> (8 * (sizeof v - 1 - i)));
}
template <class T>
T load_be(const std::uint8_t* p) noexcept {
    T v{};
    for (std::size_t i = 0; i < sizeof v; ++i) v = static_cast<T>(static_cast<T>(v << 8) | p[i]);
    return v;
}

// The caller gives at least kPayloadOctets.
inline void encode(const Payload& payload, std::span<std::uint8_t> out) noexcept {
    store_be<std::uint32_t>(out.data(), kMagic);
    store_be<std::uint32_t>(out.data() + 4, payload.session);
    store_be<std::uint32_t>(out.data() + 8, payload.flow);
    store_be<std::uint64_t>(out.data() + 12, payload.sequence);
    store_be<std::uint64_t>(out.data() + 20, static_cast<std::uint64_t>(payload.sent_ns));
}

// Nothing, unless it is one of ours: anybody can send to the port.
inline std::optional<Payload> decode(std::span<const std::uint8_t> in) noexcept {
    if (in.size() < kPayloadOctets || load_be<std::uint32_t>(in.data()) != kMagic) return std::nullopt;
    Payload payload{.session = load_be<std::uint32_t>(in.data() + 4),
                    .flow = load_be<std::uint32_t>(in.data() + 8),
                    .sequence = load_be<std::uint64_t>(in.data() + 12),
                    .sent_ns = static_cast<std::int64_t>(load_be<std::uint64_t>(in.data() + 20))};
    if (payload.flow >= kMaxFlows) return std::nullopt;
    return payload;
}

}  // namespace flow
