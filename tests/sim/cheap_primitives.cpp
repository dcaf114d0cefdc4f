#include "tests/sim/cheap_primitives.h"

#include <algorithm>

namespace sim {
namespace {

using namespace macsec;
using namespace macsec::mka;

std::uint64_t mix(std::uint64_t h, std::uint64_t v) noexcept {
    h = (h ^ v) * 0x9E37'79B9'7F4A'7C15u;
    return h ^ (h >> 29);
}

std::uint64_t digest(std::uint64_t h, ConstOctets octets) noexcept {
    h = mix(h, octets.size());
    while (octets.size() >= 8) {
        h = mix(h, load_be64(octets.data()));
        octets = octets.subspan(8);
    }
    for (const std::uint8_t o : octets) h = mix(h, o);
    return h;
}

std::expected<SecretBuffer, std::string> secret_of(std::uint64_t a, std::uint64_t b) {
    auto secret = SecretBuffer::create(16);
    if (!secret) return secret;
    store_be64(secret->writable().data(), a);
    store_be64(secret->writable().data() + 8, b);
    return secret;
}

std::expected<CakKeys, std::string> cheap_derive(ConstOctets cak, const Ckn& ckn) {
    const std::uint64_t seed = digest(digest(1, cak), ckn.span());
    auto kek = secret_of(mix(seed, 2), mix(seed, 3)), ick = secret_of(mix(seed, 4), mix(seed, 5));
    if (!kek || !ick) return std::unexpected("no secret memory");
    return CakKeys{std::move(*kek), std::move(*ick)};
}

std::expected<Icv16, std::string> cheap_icv(const SecretBuffer& ick, ConstOctets addresses, ConstOctets eapol) {
    const std::uint64_t h = digest(digest(load_be64(ick.octets().data()), addresses), eapol);
    Icv16 out;
    store_be64(out.data(), h);
    store_be64(out.data() + 8, mix(h, 7));
    return out;
}

bool cheap_icv_is_good(const SecretBuffer& ick, ConstOctets addresses, ConstOctets eapol) {
    const std::size_t octets = pdu_octets(eapol);
    if (octets < kMkaIcvOctets) return false;
    const auto icv = cheap_icv(ick, addresses, eapol.first(octets - kMkaIcvOctets));
    return icv &&
           std::equal(icv->begin(), icv->end(), eapol.begin() + static_cast<std::ptrdiff_t>(octets - kMkaIcvOctets));
}

std::expected<SecretBuffer, std::string> cheap_make_sak(ConstOctets, CipherSuite suite, ConstOctets nonce,
                                                        std::span<const MemberId>, std::uint32_t) {
    auto sak = SecretBuffer::create(sak_octets(suite));
    if (sak) std::copy_n(nonce.begin(), sak->size(), sak->writable().begin());
    return sak;
}

std::uint64_t tag_of(const SecretBuffer& kek, ConstOctets sak) noexcept {
    return digest(load_be64(kek.octets().data()), sak);
}

std::expected<std::vector<std::uint8_t>, std::string> cheap_wrap(const SecretBuffer& kek, ConstOctets sak) {
    std::vector<std::uint8_t> out(8);
    store_be64(out.data(), tag_of(kek, sak));
    out.insert(out.end(), sak.begin(), sak.end());
    return out;
}

std::expected<SecretBuffer, std::string> cheap_unwrap(const SecretBuffer& kek, ConstOctets wrapped) {
    const ConstOctets octets = wrapped.subspan(8);
    if (tag_of(kek, octets) != load_be64(wrapped.data())) return std::unexpected("wrapped by another KEK");
    auto sak = SecretBuffer::create(octets.size());
    if (sak) std::copy(octets.begin(), octets.end(), sak->writable().begin());
    return sak;
}

}  // namespace

const Primitives kCheapPrimitives{&cheap_derive,   &cheap_icv,  &cheap_icv_is_good,
                                  &cheap_make_sak, &cheap_wrap, &cheap_unwrap};

}  // namespace sim
