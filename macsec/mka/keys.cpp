#include "macsec/mka/keys.h"

#include <algorithm>
#include <initializer_list>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace macsec::mka {
namespace {

constexpr std::size_t kBlock = 16;        // of AES
constexpr std::size_t kWrapExtra = 8;     // octets that AES Key Wrap adds (RFC 3394)
constexpr std::size_t kKeyIdOctets = 16;  // of a CKN that name KEK and ICK (9.3.3)

std::unexpected<std::string> failure(const char* what) { return std::unexpected(std::string(what)); }

bool is_key_size(std::size_t octets) noexcept { return octets == 16 || octets == 32; }

std::string octets_wrong(const char* what, std::size_t octets) {
    return std::string(what) + " has 16 or 32 octets, not " + std::to_string(octets);
}

constexpr const char* kNoOpenssl = "AES-CMAC is not available; check the OpenSSL configuration";

// Contexts hold expanded keys: freeing wipes them.
struct FreeMac {
    void operator()(EVP_MAC_CTX* c) const noexcept { EVP_MAC_CTX_free(c); }
};
struct FreeCipher {
    void operator()(EVP_CIPHER_CTX* c) const noexcept { EVP_CIPHER_CTX_free(c); }
};

// First in a function, so that it goes last: what a cipher leaves in the registers goes with it.
struct ClearRegisters {
    ~ClearRegisters() { clear_vector_registers(); }
};

// The algorithm, without a key: looked up once.
EVP_MAC* cmac_algorithm() noexcept {
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "CMAC", nullptr);
    return algorithm;
}

using Parts = std::initializer_list<ConstOctets>;

// CMAC over the parts one behind the other. out: 16 octets. False: OpenSSL cannot.
bool cmac_into(ConstOctets key, Parts parts, std::uint8_t* out) {
    const ClearRegisters clear;
    if (cmac_algorithm() == nullptr) return false;
    const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(EVP_MAC_CTX_new(cmac_algorithm()));
    std::string cipher = key.size() == 16 ? "AES-128-CBC" : "AES-256-CBC";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher.data(), cipher.size()),
        OSSL_PARAM_construct_end()};
    if (!context || EVP_MAC_init(context.get(), key.data(), key.size(), parameters) != 1) return false;
    for (const ConstOctets part : parts)
        if (!part.empty() && EVP_MAC_update(context.get(), part.data(), part.size()) != 1) return false;
    std::size_t written = 0;
    return EVP_MAC_final(context.get(), out, &written, kBlock) == 1 && written == kBlock;
}

ConstOctets octets_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

const EVP_CIPHER* wrap_cipher(std::size_t kek_octets) noexcept {
    return kek_octets == 16 ? EVP_aes_128_wrap() : EVP_aes_256_wrap();
}

// AES Key Wrap, or its reverse. out: room for what comes of `in`. False: refused by OpenSSL, or by the check value.
bool key_wrap(bool wrap, ConstOctets kek, ConstOctets in, Octets out) {
    const ClearRegisters clear;
    const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
    if (!context) return false;
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    int written = 0;
    return EVP_CipherInit_ex(context.get(), wrap_cipher(kek.size()), nullptr, kek.data(), nullptr, wrap ? 1 : 0) == 1 &&
           EVP_CipherUpdate(context.get(), out.data(), &written, in.data(), static_cast<int>(in.size())) == 1 &&
           static_cast<std::size_t>(written) == out.size();
}

}  // namespace

std::expected<Icv16, std::string> cmac(ConstOctets key, ConstOctets text) {
    if (!is_key_size(key.size())) return std::unexpected(octets_wrong("a key of AES-CMAC", key.size()));
    Icv16 out{};
    if (!cmac_into(key, {text}, out.data())) return failure(kNoOpenssl);
    return out;
}

// 6.2.1: CMAC(key, i | label | 0 | context | length in bits), i = 1, 2.
std::expected<SecretBuffer, std::string> kdf(ConstOctets key, std::string_view label, ConstOctets context,
                                             std::size_t octets) {
    if (!is_key_size(key.size())) return std::unexpected(octets_wrong("a key to derive from", key.size()));
    if (!is_key_size(octets)) return std::unexpected(octets_wrong("a derived key", octets));
    auto out = SecretBuffer::create(octets);
    if (!out) return out;
    const std::uint8_t zero = 0;
    std::uint8_t length[2];
    store_be16(length, static_cast<std::uint16_t>(8 * octets));
    for (std::uint8_t i = 1; i <= octets / kBlock; ++i)
        if (!cmac_into(key, {{&i, 1}, octets_of(label), {&zero, 1}, context, length},
                       out->writable().data() + (i - 1) * kBlock))
            return failure(kNoOpenssl);
    return out;
}

std::expected<CakKeys, std::string> derive_keys(ConstOctets cak, const Ckn& ckn) {
    if (!is_key_size(cak.size())) return std::unexpected(octets_wrong("a CAK", cak.size()));
    const auto key_id = ConstOctets(ckn.octets).first(kKeyIdOctets);  // zeros behind a shorter CKN
    auto kek = kdf(cak, "IEEE8021 KEK", key_id, cak.size());
    if (!kek) return std::unexpected(std::move(kek.error()));
    auto ick = kdf(cak, "IEEE8021 ICK", key_id, cak.size());
    if (!ick) return std::unexpected(std::move(ick.error()));
    return CakKeys{.kek = std::move(*kek), .ick = std::move(*ick)};
}

std::expected<Icv16, std::string> icv(const SecretBuffer& ick, ConstOctets addresses_and_type, ConstOctets eapol) {
    if (!is_key_size(ick.size())) return std::unexpected(octets_wrong("an ICK", ick.size()));
    Icv16 out{};
    if (!cmac_into(ick.octets(), {addresses_and_type, eapol}, out.data())) return failure(kNoOpenssl);
    return out;
}

bool icv_is_good(const SecretBuffer& ick, ConstOctets addresses_and_type, ConstOctets eapol) {
    eapol = eapol.first(pdu_octets(eapol));
    if (eapol.size() < kMkaIcvOctets) return false;
    const auto made = icv(ick, addresses_and_type, eapol.first(eapol.size() - kMkaIcvOctets));
    return made && CRYPTO_memcmp(made->data(), eapol.last(kMkaIcvOctets).data(), kMkaIcvOctets) == 0;
}

std::expected<SecretBuffer, std::string> make_sak(ConstOctets cak, CipherSuite suite, ConstOctets nonce,
                                                  std::span<const MemberId> mis, std::uint32_t key_number) {
    if (nonce.size() != sak_octets(suite)) return failure("the nonce of a SAK has as many octets as the SAK");
    std::vector<std::uint8_t> context(nonce.begin(), nonce.end());
    for (const MemberId& mi : mis) context.insert(context.end(), mi.octets.begin(), mi.octets.end());
    context.resize(context.size() + sizeof key_number);
    store_be32(context.data() + context.size() - sizeof key_number, key_number);
    return kdf(cak, "IEEE8021 SAK", context, sak_octets(suite));
}

std::expected<std::vector<std::uint8_t>, std::string> wrap_sak(const SecretBuffer& kek, ConstOctets sak) {
    if (!is_key_size(kek.size())) return std::unexpected(octets_wrong("a KEK", kek.size()));
    if (!is_key_size(sak.size())) return std::unexpected(octets_wrong("a SAK", sak.size()));
    std::vector<std::uint8_t> wrapped(sak.size() + kWrapExtra);
    if (!key_wrap(true, kek.octets(), sak, wrapped)) return failure("AES Key Wrap is not available; check OpenSSL");
    return wrapped;
}

std::expected<SecretBuffer, std::string> unwrap_sak(const SecretBuffer& kek, ConstOctets wrapped) {
    if (!is_key_size(kek.size())) return std::unexpected(octets_wrong("a KEK", kek.size()));
    if (wrapped.size() < kWrapExtra || !is_key_size(wrapped.size() - kWrapExtra))
        return std::unexpected("a wrapped SAK has 24 or 40 octets, not " + std::to_string(wrapped.size()));
    auto sak = SecretBuffer::create(wrapped.size() - kWrapExtra);
    if (!sak) return sak;
    if (!key_wrap(false, kek.octets(), wrapped, sak->writable()))
        return failure("the SAK was wrapped with another KEK, or damaged");
    return sak;
}

Salt salt_of(const KeyIdentifier& key) noexcept {
    Salt salt = key.server.octets;
    const std::uint32_t low_first = key.number << 16 | key.number >> 16;
    store_be32(salt.data(), load_be32(salt.data()) ^ low_first);
    return salt;
}

Ssci ssci_of(Sci sci, std::span<const Sci> live) noexcept {
    if (std::find(live.begin(), live.end(), sci) == live.end()) return Ssci{0};
    const auto greater = std::count_if(live.begin(), live.end(), [sci](Sci other) { return other > sci; });
    return Ssci{static_cast<std::uint32_t>(greater + 1)};
}

}  // namespace macsec::mka
