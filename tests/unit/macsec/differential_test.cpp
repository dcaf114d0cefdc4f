// protect() and verify() against OpenSSL's GCM over random suites, sizes, offsets, SCI forms, tags and PNs.
// DEMARC_DIFFERENTIAL_CASES says how many cases, DEMARC_DIFFERENTIAL_SEED which.
#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

// What the standard says a frame becomes, computed the slow way from its own words.
Bytes reference(const SaDescription& d, SciForm form, const Bytes& sak, std::uint64_t pn, const Bytes& plain,
                std::size_t clear_tags) {
    const std::size_t tag_octets = form == SciForm::sci ? 16 : 8;
    Bytes addresses(plain.begin(), plain.begin() + 12);
    Bytes tags(plain.begin() + 12, plain.begin() + 12 + static_cast<std::ptrdiff_t>(clear_tags));
    Bytes user(plain.begin() + 12 + static_cast<std::ptrdiff_t>(clear_tags), plain.end());
    while (12 + clear_tags + tag_octets + user.size() + 16 < 60) user.push_back(0);

    Bytes number(8);
    store_be64(number.data(), pn);
    Bytes sci(8);
    store_be64(sci.data(), d.sci.value);
    const bool wide = d.suite == CipherSuite::gcm_aes_xpn_128 || d.suite == CipherSuite::gcm_aes_xpn_256;
    Bytes iv(12);
    if (wide) {
        store_be32(iv.data(), d.ssci.value);
        std::copy(number.begin(), number.end(), iv.begin() + 4);
        for (std::size_t i = 0; i < 12; ++i) iv[i] ^= d.salt[i];
    } else {
        std::copy(sci.begin(), sci.end(), iv.begin());
        std::copy(number.begin() + 4, number.end(), iv.begin() + 8);
    }

    const std::uint8_t form_bits = form == SciForm::sci ? 0x20
                                 : form == SciForm::es  ? 0x40
                                 : form == SciForm::scb ? 0x10
                                                        : 0x00;
    Bytes tag{0x88, 0xE5, static_cast<std::uint8_t>(form_bits | (d.confidentiality ? 0x0C : 0) | d.an.value),
              static_cast<std::uint8_t>(user.size() < 48 ? user.size() : 0)};
    tag.insert(tag.end(), number.begin() + 4, number.end());
    if (form == SciForm::sci) tag = tag + sci;

    const std::size_t offset = std::min<std::size_t>(d.confidentiality ? d.confidentiality_offset : ~0u, user.size());
    const auto cut = user.begin() + static_cast<std::ptrdiff_t>(offset);
    const Bytes in_clear(user.begin(), cut);
    const Sealed sealed = openssl_seal(sak, iv, addresses + tag + in_clear, Bytes(cut, user.end()));
    return addresses + tags + tag + in_clear + sealed.text + sealed.icv;
}

SaDescription random_description(Random& random, SciForm form, const Bytes& source) {
    SaDescription d;
    d.suite = static_cast<CipherSuite>(below(random, 4));
    d.an = An{static_cast<std::uint8_t>(below(random, 4))};
    const std::uint64_t port = form == SciForm::es ? 1 : form == SciForm::scb ? 0 : below(random, 65536);
    d.sci = Sci{load_be48(source.data()) << 16 | port};
    d.confidentiality = below(random, 4) != 0;
    if (is_xpn(d.suite)) {
        d.ssci = Ssci{static_cast<std::uint32_t>(random())};
        for (auto& octet : d.salt) octet = static_cast<std::uint8_t>(random());
    } else if (d.confidentiality) {
        constexpr std::uint8_t offsets[] = {0, 30, 50};
        d.confidentiality_offset = offsets[below(random, 3)];
    }
    return d;
}

std::size_t random_size(Random& random) {
    switch (below(random, 8)) {
        case 0: return 2 + below(random, 9200);
        case 1: return 2 + below(random, 1500);
        default: return 2 + below(random, 130);
    }
}

struct Made {
    std::unique_ptr<Pair> pair;
    Bytes plain, wire;
    std::uint8_t clear_tags;
};

Made random_case(Random& random) {
    const auto form = static_cast<SciForm>(below(random, 4));
    const Bytes source = random_bytes(random, 6);
    const SaDescription d = random_description(random, form, source);
    const Bytes sak = random_bytes(random, sak_octets(d.suite));
    const std::uint64_t pn = 1 + (is_xpn(d.suite) ? random() >> (1 + below(random, 62)) : below(random, 0xFFFF'FFF0));
    const auto clear_tags = static_cast<std::uint8_t>(4 * (below(random, 3) == 0 ? below(random, 3) : 0));
    Made made{std::make_unique<Pair>(d, sak, form, pn), {}, {}, clear_tags};
    made.plain = random_bytes(random, 6) + source + random_bytes(random, clear_tags + random_size(random));
    made.wire = reference(d, form, sak, pn, made.plain, clear_tags);
    return made;
}

}  // namespace

TEST_CASE("frames are made and opened exactly as OpenSSL's GCM says") {
    const char* given = std::getenv("DEMARC_DIFFERENTIAL_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20240607;
    Random random(seed);
    const std::size_t cases = cases_from_environment(10000);
    for (std::size_t i = 0; i < cases; ++i) {
        Made c = random_case(random);
        CAPTURE(seed, i);
        Room room(c.plain, c.clear_tags);
        const Verdict sent = c.pair->protect(room);
        if (sent != Verdict::ok || room.bytes() != c.wire || !room.adds_up()) FAIL("protect differs");
        Room opened(c.wire, c.clear_tags);
        const Verdict got = c.pair->verify(opened);
        Bytes plain = opened.bytes();
        // Only padding may have been added.
        if (got != Verdict::ok || plain.size() < c.plain.size() || !opened.adds_up()) FAIL("verify refuses");
        const auto end = plain.begin() + static_cast<std::ptrdiff_t>(c.plain.size());
        if (Bytes(plain.begin(), end) != c.plain || std::count(end, plain.end(), 0) != plain.end() - end)
            FAIL("verify differs");
    }
    SUCCEED();
}

TEST_CASE("one flipped bit anywhere that is authenticated is always caught") {
    Random random(99);
    for (std::size_t i = 0, cases = cases_from_environment(10000) / 4; i < cases; ++i) {
        Made c = random_case(random);
        Bytes wire = c.wire;
        const std::size_t user = wire.size() - 12 - c.clear_tags;
        std::size_t at = below(random, 12 + user);
        if (at >= 12) at += c.clear_tags;
        wire[at] ^= static_cast<std::uint8_t>(1u << below(random, 8));
        Room room(wire, c.clear_tags);
        const std::uint64_t next = c.pair->receive_sa->next_pn;
        CAPTURE(i, at);
        if (c.pair->verify(room) == Verdict::ok) FAIL("a changed frame passed");
        if (c.pair->receive_sa->next_pn != next) FAIL("a changed frame moved the window");
    }
    SUCCEED();
}
