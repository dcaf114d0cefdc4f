// AES-GCM for MACsec. The one place that knows intel-ipsec-mb is aead_ipsec_mb.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <expected>
#include <span>
#include <string>

#include "macsec/octets.h"
#include "macsec/types.h"

namespace macsec {

// An expanded key. It *is* the key (its first round key is the SAK): it lives in locked, undumped memory, is wiped when
// destroyed, is not copyable and not printable.
class AeadKey {
public:
    // sak: 16 or 32 octets, as the suite wants; the caller wipes its own copy. Error: a sentence without key material.
    // Any thread.
    static std::expected<AeadKey, std::string> create(CipherSuite suite, ConstOctets sak);
    AeadKey(AeadKey&&) noexcept;
    AeadKey& operator=(AeadKey&&) noexcept;
    AeadKey(const AeadKey&) = delete;
    AeadKey& operator=(const AeadKey&) = delete;
    ~AeadKey();

    const void* expanded() const noexcept { return expanded_; }   // for aead_ipsec_mb.cpp
    bool is_256() const noexcept { return is_256_; }

private:
    AeadKey(void* expanded, bool is_256) noexcept : expanded_(expanded), is_256_(is_256) {}
    void* expanded_{};
    bool is_256_{};
};

// 96 bits of IV in 128 bits of room, made by one vector store: narrow stores right before the cipher reads it stall.
struct alignas(16) Iv {
    using Lanes = std::uint64_t __attribute__((vector_size(16)));
    Lanes lanes;

    // The first 64 and the last 32 bits, as numbers.
    static Iv from(std::uint64_t high, std::uint32_t low) noexcept {
        return {Lanes{__builtin_bswap64(high), std::uint64_t{__builtin_bswap32(low)}}};
    }
    const std::uint8_t* octets() const noexcept { return reinterpret_cast<const std::uint8_t*>(&lanes); }
};

using Icv = std::array<std::uint8_t, kIcvOctets>;

// One frame to seal or open in place: `aad` octets from `start`, `text` octets behind them, the ICV behind those.
// No default values: a batch of them costs nothing until it is filled.
struct AeadFrame {
    Iv iv;
    const AeadKey* key;
    std::uint8_t* start;
    std::uint32_t aad;   // octets
    std::uint32_t text;  // octets

    std::uint8_t* icv() const noexcept { return start + aad + text; }
};

// Encrypts each text and writes its ICV behind it. Any thread; no two threads on one frame.
void seal(std::span<const AeadFrame>) noexcept;

// Decrypts each text and writes the ICV it should have to `computed` (room for as many as `frames`). What was decrypted
// must not be believed before same_icv().
void open(std::span<const AeadFrame> frames, std::span<Icv> computed) noexcept;

// Constant time.
inline bool same_icv(const std::uint8_t* received, const Icv& computed) noexcept {
    std::uint64_t a[2], b[2];
    std::memcpy(a, received, sizeof a);
    std::memcpy(b, computed.data(), sizeof b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

}  // namespace macsec
