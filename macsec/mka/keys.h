// The MKA key hierarchy (IEEE 802.1X-2020 clauses 6.2, 9.3, 9.4.1, 9.8): KDF over AES-CMAC, ICK, KEK, SAK, key wrap,
// ICV; and what XPN derives from a key identifier (802.1AE 10.7.13, 10.7.26). OpenSSL does the primitives. Random
// octets are arguments. Every secret lives in SecretBuffer; an error is a sentence without key material. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "macsec/mka/mkpdu.h"
#include "macsec/octets.h"
#include "macsec/secret.h"
#include "macsec/types.h"

namespace macsec::mka {

using Icv16 = std::array<std::uint8_t, kMkaIcvOctets>;

// AES-CMAC (NIST SP 800-38B). key: 16 or 32 octets.
std::expected<Icv16, std::string> cmac(ConstOctets key, ConstOctets text);

// KDF of 6.2.1: `octets` (16 or 32) from key, label and context.
std::expected<SecretBuffer, std::string> kdf(ConstOctets key, std::string_view label, ConstOctets context,
                                             std::size_t octets);

// What a CAK gives (6.2.2, 9.3.3): as long as the CAK. cak: 16 or 32 octets.
struct CakKeys {
    SecretBuffer kek, ick;
};
std::expected<CakKeys, std::string> derive_keys(ConstOctets cak, const Ckn&);

// 9.4.1: over destination and source address, EtherType and PDU up to the ICV. addresses_and_type: 14 octets (VLAN tags
// left out); eapol: from the EAPOL header up to, not with, the ICV.
std::expected<Icv16, std::string> icv(const SecretBuffer& ick, ConstOctets addresses_and_type, ConstOctets eapol);
// eapol: from the EAPOL header on, ICV included; octets behind its length are ignored. False also when OpenSSL fails.
bool icv_is_good(const SecretBuffer& ick, ConstOctets addresses_and_type, ConstOctets eapol);

// 9.8.1: SAK = KDF(CAK, "IEEE8021 SAK", KS-nonce | MI list | KN). nonce: as many octets of true random as the SAK has.
// mis: of the live participants, the server's included. Nobody else has to compute it: it only must be fresh.
std::expected<SecretBuffer, std::string> make_sak(ConstOctets cak, CipherSuite, ConstOctets nonce,
                                                  std::span<const MemberId> mis, std::uint32_t key_number);

// AES Key Wrap (RFC 3394) with the KEK: 16 -> 24, 32 -> 40 octets. Unwrapping fails when it was wrapped by another KEK.
std::expected<std::vector<std::uint8_t>, std::string> wrap_sak(const SecretBuffer& kek, ConstOctets sak);
std::expected<SecretBuffer, std::string> unwrap_sak(const SecretBuffer& kek, ConstOctets wrapped);

// 802.1AE 10.7.26: the server's MI, its first 4 octets XORed with the key number: octets 0-1 with its low, octets 2-3
// with its high 16 bits.
Salt salt_of(const KeyIdentifier&) noexcept;

// 802.1AE 10.7.13: 1 for the numerically greatest SCI of `live` (ours included, each once), 2 for the next. 0: not in
// it.
Ssci ssci_of(Sci, std::span<const Sci> live) noexcept;

}  // namespace macsec::mka
