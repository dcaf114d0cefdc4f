#include "macsec/mka/key_fingerprint.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <openssl/evp.h>

#include "macsec/secret.h"

namespace macsec {
namespace {

constexpr std::string_view kLabel = "demarc key fingerprint 1";
constexpr std::size_t kFingerprintOctets = 16;

struct FreeContext {
    void operator()(EVP_MD_CTX* c) const noexcept { EVP_MD_CTX_free(c); }  // wipes what it held
};

// Fixed width, so that no two inputs run into each other: suite, then SCI or SSCI, then salt (zero without XPN).
std::array<std::uint8_t, 1 + 8 + 12> nonce_identity(const SaDescription& d) {
    std::array<std::uint8_t, 1 + 8 + 12> out{};
    out[0] = static_cast<std::uint8_t>(d.suite);
    store_be64(out.data() + 1, is_xpn(d.suite) ? d.ssci.value : d.sci.value);
    if (is_xpn(d.suite)) std::copy(d.salt.begin(), d.salt.end(), out.begin() + 9);
    return out;
}

std::string hex(ConstOctets octets) {
    std::string text;
    for (const std::uint8_t octet : octets) {
        text += "0123456789abcdef"[octet >> 4];
        text += "0123456789abcdef"[octet & 15];
    }
    return text;
}

}  // namespace

std::expected<std::string, std::string> key_fingerprint(const SaDescription& d, ConstOctets sak) {
    if (sak.size() != sak_octets(d.suite))
        return std::unexpected("a SAK for " + std::string(to_string(d.suite)) + " has " +
                               std::to_string(sak_octets(d.suite)) + " octets, not " + std::to_string(sak.size()));
    const auto identity = nonce_identity(d);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    const bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1 &&
                      EVP_DigestUpdate(context.get(), kLabel.data(), kLabel.size()) == 1 &&
                      EVP_DigestUpdate(context.get(), identity.data(), identity.size()) == 1 &&
                      EVP_DigestUpdate(context.get(), sak.data(), sak.size()) == 1 &&
                      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
    clear_vector_registers();  // words of the SAK
    if (!good) return std::unexpected(std::string("SHA-256 is not available; check the OpenSSL configuration"));
    return hex(ConstOctets(digest).first(kFingerprintOctets));
}

}  // namespace macsec
