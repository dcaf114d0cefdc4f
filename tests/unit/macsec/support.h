// What the tests of macsec/ share: frames with room around them, SAs with both ends, random octets, OpenSSL's GCM.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>

#include "macsec/secret.h"
#include "macsec/sectag.h"
#include "macsec/secy.h"

namespace macsec::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes from_hex(std::string_view digits) {
    Bytes out;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoul(std::string(digits.substr(i, 2)), nullptr, 16)));
    return out;
}

inline std::string to_hex(ConstOctets octets) {
    std::string text;
    for (const std::uint8_t o : octets) {
        text += "0123456789abcdef"[o >> 4];
        text += "0123456789abcdef"[o & 15];
    }
    return text;
}

inline Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t limit) { return random() % limit; }

inline Bytes random_bytes(Random& random, std::size_t n) {
    Bytes out(n);
    for (auto& o : out) o = static_cast<std::uint8_t>(random());
    return out;
}

// A frame in the middle of a buffer whose margins are watched.
class Room {
public:
    static constexpr std::size_t kMargin = 64;

    explicit Room(const Bytes& frame, std::uint8_t clear_tags = 0, std::size_t margin = kMargin)
        : octets_(frame.size() + 2 * margin, 0xEE) {
        std::copy(frame.begin(), frame.end(), octets_.begin() + static_cast<std::ptrdiff_t>(margin));
        this->frame = {.data = octets_.data() + margin,
                       .length = static_cast<std::uint32_t>(frame.size()),
                       .headroom = static_cast<std::uint16_t>(margin),
                       .tailroom = static_cast<std::uint16_t>(margin),
                       .clear_tags = clear_tags};
    }

    Bytes bytes() const { return {frame.data, frame.data + frame.length}; }
    // headroom and tailroom still say the truth.
    bool adds_up() const {
        return frame.data - octets_.data() == frame.headroom &&
               frame.headroom + frame.length + frame.tailroom == octets_.size();
    }

    Frame frame;

private:
    Bytes octets_;
};

inline AeadKey key_of(CipherSuite suite, ConstOctets sak) {
    auto key = AeadKey::create(suite, sak);
    if (!key) throw std::runtime_error(key.error());
    return std::move(*key);
}

// One SC with one SA, both ends.
struct Pair {
    SaDescription description;
    TransmitCounters sent;
    ReceiveCounters received;
    ReceiveSecYCounters secy_received;
    std::unique_ptr<TransmitSa> transmit_sa;
    std::unique_ptr<ReceiveSa> receive_sa;
    std::array<ReceiveSc, 1> scs;
    TransmitSecY transmit;
    ReceiveSecY receive;

    Pair(const SaDescription& d, ConstOctets sak, SciForm form = SciForm::sci, std::uint64_t pn = 1) : description(d) {
        transmit_sa = std::make_unique<TransmitSa>(d, key_of(d.suite, sak), pn);
        transmit_sa->pn_ceiling = ~std::uint64_t{0};
        receive_sa = std::make_unique<ReceiveSa>(d, key_of(d.suite, sak), pn);
        scs[0].sci = d.sci;
        scs[0].sa[d.an.value] = receive_sa.get();
        scs[0].counters = &received;
        transmit = {.sci = d.sci, .form = form, .sa = transmit_sa.get(), .counters = &sent};
        receive = {.scs = scs, .replay_protect = true, .replay_window = 0, .counters = &secy_received};
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    Verdict protect(Room& room) {
        macsec::protect(transmit, {&room.frame, 1});
        return room.frame.verdict;
    }
    Verdict verify(Room& room) {
        macsec::verify(receive, {&room.frame, 1});
        return room.frame.verdict;
    }
    // A protected frame with this PN, whatever came before.
    Bytes frame_with_pn(std::uint64_t pn, const Bytes& plain) {
        transmit_sa->next_pn = pn;
        Room room(plain);
        if (protect(room) != Verdict::ok) throw std::runtime_error("not protected");
        return room.bytes();
    }
    Verdict receive_bytes(const Bytes& wire) {
        Room room(wire);
        return verify(room);
    }
};

inline constexpr Sci kSci{0x0200'0000'0a01'0001};

inline SaDescription describe(CipherSuite suite, bool confidentiality = true) {
    SaDescription d{.suite = suite, .an = An{2}, .sci = kSci, .confidentiality = confidentiality};
    if (is_xpn(suite)) {
        d.ssci = Ssci{1};
        d.salt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    }
    return d;
}

inline Bytes sak_for(CipherSuite suite) { return Bytes(sak_octets(suite), 0x5c); }

// An untagged frame with this much user data (EtherType included), from the SC's MAC address.
inline Bytes plain_frame(std::size_t user_octets) {
    Bytes frame = from_hex("02000000b101" "020000000a01");
    for (std::size_t i = 0; i < user_octets; ++i) frame.push_back(static_cast<std::uint8_t>(i * 7 + 8));
    return frame;
}

// GCM by OpenSSL: what text becomes, and the ICV.
struct Sealed {
    Bytes text, icv;
};

inline Sealed openssl_seal(const Bytes& sak, const Bytes& iv, const Bytes& aad, const Bytes& text) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
    Sealed sealed{Bytes(text.size()), Bytes(kIcvOctets)};
    int n = 0;
    const auto* cipher = sak.size() == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    bool good = EVP_EncryptInit_ex(context.get(), cipher, nullptr, sak.data(), iv.data()) == 1 &&
                EVP_EncryptUpdate(context.get(), nullptr, &n, aad.data(), static_cast<int>(aad.size())) == 1;
    const auto size = static_cast<int>(text.size());
    if (good && size != 0)
        good = EVP_EncryptUpdate(context.get(), sealed.text.data(), &n, text.data(), size) == 1;
    std::uint8_t none = 0;
    good = good && EVP_EncryptFinal_ex(context.get(), &none, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kIcvOctets, sealed.icv.data()) == 1;
    if (!good) throw std::runtime_error("OpenSSL's GCM failed");
    return sealed;
}

inline std::size_t cases_from_environment(std::size_t usual) {
    const char* text = std::getenv("DEMARC_DIFFERENTIAL_CASES");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : usual;
}

}  // namespace macsec::test
