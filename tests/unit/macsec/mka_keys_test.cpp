// The MKA key hierarchy against NIST, RFC 3394 and what wpa_supplicant logged; what it refuses; where keys lie.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/macsec/mka_support.h"

using namespace macsec;
using namespace macsec::mka;
using namespace macsec::test;
using nlohmann::json;

namespace {

std::string hex(const SecretBuffer& secret) { return to_hex(secret.octets()); }

// KDF of one or two rounds, written out.
std::string kdf_by_hand(const Bytes& key, const std::string& label, const Bytes& context, int bits) {
    std::string out;
    for (std::uint8_t i = 1; i <= bits / 128; ++i) {
        Bytes text{i};
        text = text + Bytes(label.begin(), label.end()) + Bytes{0} + context +
               Bytes{static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(bits)};
        out += to_hex(cmac(key, text).value());
    }
    return out;
}

constexpr std::uint8_t kMask = 0xA5;

Bytes masked(ConstOctets octets) {
    Bytes out(octets.begin(), octets.end());
    for (auto& o : out) o ^= kMask;
    return out;
}

std::size_t occurrences(const Bytes& where, std::size_t size, const Bytes& masked_key) {
    const int first = masked_key[0] ^ kMask;
    const auto is_key = [&](const std::uint8_t* p) {
        for (std::size_t i = 0; i < masked_key.size(); ++i)
            if ((p[i] ^ kMask) != masked_key[i]) return false;
        return true;
    };
    std::size_t found = 0;
    for (std::size_t at = 0; at + masked_key.size() <= size; ++at) {
        const void* next = std::memchr(where.data() + at, first, size - masked_key.size() + 1 - at);
        if (next == nullptr) break;
        at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(next) - where.data());
        found += is_key(where.data() + at);
    }
    return found;
}

// How often a key stands in the writable memory of this process: stack, heap, secrets. The key is given masked.
std::size_t in_memory(const Bytes& masked_key) {
    constexpr std::size_t kLargest = std::size_t{64} << 20;  // a sanitizer's shadow is far larger
    static Bytes copy(std::size_t{1} << 20);
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    REQUIRE(memory >= 0);
    std::ifstream maps("/proc/self/maps");
    std::size_t found = 0, read = 0;
    for (std::string line; std::getline(maps, line);) {
        std::uint64_t from = 0, to = 0;
        char rights[5]{};
        REQUIRE(std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, rights) == 3);
        if (rights[1] != 'w' || to - from > kLargest) continue;
        for (const std::size_t step = copy.size() - masked_key.size(); from < to; from += step) {
            const auto n = ::pread(memory, copy.data(), std::min(copy.size(), to - from), static_cast<off_t>(from));
            if (n <= 0) break;
            // What stands in `copy` itself is what it held before: clear, so that nothing is found twice.
            found += occurrences(copy, static_cast<std::size_t>(n), masked_key);
            read += static_cast<std::size_t>(n);
            std::fill(copy.begin(), copy.end(), std::uint8_t{0});
        }
    }
    ::close(memory);
    REQUIRE(read > 100'000);
    return found;
}

}  // namespace

TEST_CASE("AES-CMAC gives the examples of NIST SP 800-38B") {
    const std::string key_128 = "2b7e151628aed2a6abf7158809cf4f3c";
    const std::string key_256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    const std::string text =
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    const struct {
        const std::string& key;
        std::size_t octets;
        const char* mac;
    } examples[] = {
        {key_128, 0, "bb1d6929e95937287fa37d129b756746"},  {key_128, 16, "070a16b46b4d4144f79bdd9dd04a287c"},
        {key_128, 40, "dfa66747de9ae63030ca32611497c827"}, {key_128, 64, "51f0bebf7e3b9d92fc49741779363cfe"},
        {key_256, 0, "028962f61b7bf89efc6b551f4667d983"},  {key_256, 16, "28a7023f452e8f82bd4bf28d8c37c35c"},
        {key_256, 40, "aaf3d8f1de5640c232f5b169b9c911e6"}, {key_256, 64, "e1992190549f6ed5696a2c056c315410"},
    };
    for (const auto& e : examples)
        CHECK(to_hex(cmac(from_hex(e.key), from_hex(text.substr(0, 2 * e.octets))).value()) == e.mac);
}

TEST_CASE("AES Key Wrap gives the examples of RFC 3394 and takes them back") {
    const std::string kek_256 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const std::string data = "00112233445566778899aabbccddeeff", more = "000102030405060708090a0b0c0d0e0f";
    const struct {
        std::string kek, data, wrapped;
    } examples[] = {
        {kek_256.substr(0, 32), data, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
        {kek_256, data, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
        {kek_256, data + more, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
    };
    for (const auto& e : examples) {
        const SecretBuffer kek = secret_of(from_hex(e.kek));
        CHECK(to_hex(wrap_sak(kek, from_hex(e.data)).value()) == e.wrapped);
        CHECK(hex(unwrap_sak(kek, from_hex(e.wrapped)).value()) == e.data);
    }
}

TEST_CASE("KEK and ICK of a CAK are those that wpa_supplicant derived") {
    for (const std::string name : kMkaRuns) {
        const MkaRun run = mka_run(name);
        const CakKeys keys = keys_from(run.cak, run.ckn);
        CHECK(hex(keys.kek) == run.about.at("kek").get<std::string>());
        CHECK(hex(keys.ick) == run.about.at("ick").get<std::string>());
    }
}

TEST_CASE("the KDF is CMAC over counter, label, zero, context and length") {
    Random random(6'02);
    for (const std::size_t key_octets : {16u, 32u})
        for (const std::size_t octets : {16u, 32u}) {
            const Bytes key = random_bytes(random, key_octets), context = random_bytes(random, 45);
            CHECK(hex(kdf(key, "a label", context, octets).value()) ==
                  kdf_by_hand(key, "a label", context, static_cast<int>(8 * octets)));
        }
}

TEST_CASE("KEK and ICK know the first 16 octets of a CKN, filled with zeros") {
    const Bytes cak(16, 0x42);
    const auto kek = [&](const std::string& ckn) { return hex(keys_from(cak, Ckn::from(from_hex(ckn)).value()).kek); };
    CHECK(kek("aa") == kek("aa00000000000000000000000000000000"));
    CHECK(kek("aa") == kdf_by_hand(cak, "IEEE8021 KEK", from_hex("aa") + Bytes(15, 0), 128));
    CHECK(kek("00112233445566778899aabbccddeeff01") == kek("00112233445566778899aabbccddeeff02ffff"));
    CHECK(kek("aa") != kek("ab"));
}

TEST_CASE("the ICV of every captured MKPDU is good, and with another CAK every one is bad") {
    for (const std::string name : kMkaRuns) {
        const MkaRun run = mka_run(name);
        Bytes other = run.cak;
        other.back() ^= 1;
        const CakKeys keys = keys_from(run.cak, run.ckn), wrong = keys_from(other, run.ckn);
        for (const Bytes& frame : run.mkpdus()) {
            CHECK(icv_is_good(keys.ick, addresses_and_type(frame), eapol_of(frame)));
            CHECK_FALSE(icv_is_good(wrong.ick, addresses_and_type(frame), eapol_of(frame)));
            CHECK_FALSE(icv_is_good(keys.kek, addresses_and_type(frame), eapol_of(frame)));
        }
    }
}

TEST_CASE("an ICV covers every bit from the destination address on, and no Ethernet filling") {
    const MkaRun run = mka_run(kMkaRuns[0]);
    const CakKeys keys = keys_from(run.cak, run.ckn);
    Bytes frame = run.mkpdus().at(4);
    const auto good = [&] { return icv_is_good(keys.ick, addresses_and_type(frame), eapol_of(frame)); };
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
        frame[bit / 8] = static_cast<std::uint8_t>(frame[bit / 8] ^ 1 << bit % 8);
        CHECK_FALSE(good());
        frame[bit / 8] = static_cast<std::uint8_t>(frame[bit / 8] ^ 1 << bit % 8);
    }
    frame.resize(frame.size() + 9, 0x77);
    CHECK(good());
}

TEST_CASE("octets that are too few for an ICV have no good one") {
    const SecretBuffer ick = secret_of(Bytes(16, 1));
    for (std::size_t n = 0; n < 24; ++n) CHECK_FALSE(icv_is_good(ick, Bytes(14), Bytes(n)));
    CHECK_FALSE(icv_is_good(secret_of({}), Bytes(14), Bytes(100)));
}

TEST_CASE("the SAKs that were distributed are those that both members logged, and are wrapped to the same octets") {
    for (const std::string name : kMkaRuns) {
        const MkaRun run = mka_run(name);
        const CakKeys keys = keys_from(run.cak, run.ckn);
        std::size_t saks = 0;
        for (const json& mkpdu : run.about.at("mkpdus"))
            for (const json& set : mkpdu.at("sets")) {
                if (set.at("type") != "dist-sak") continue;
                const auto frame = from_hex(mkpdu.at("frame").get<std::string>());
                const auto sak = decode(eapol_of(frame)).value().distributed_sak.value();
                const auto unwrapped = unwrap_sak(keys.kek, sak.wrapped);
                REQUIRE(unwrapped.has_value());
                CHECK(hex(*unwrapped) == set.at("sak").get<std::string>());
                CHECK(to_hex(wrap_sak(keys.kek, unwrapped->octets()).value()) == to_hex(sak.wrapped));
                ++saks;
            }
        CHECK(saks >= 2);
    }
}

TEST_CASE("a wrapped SAK opens with its own KEK only and not when damaged") {
    Random random(33'94);
    for (const std::size_t octets : {16u, 32u}) {
        const SecretBuffer kek = secret_of(random_bytes(random, 16)), other = secret_of(random_bytes(random, 16));
        auto wrapped = wrap_sak(kek, random_bytes(random, octets)).value();
        CHECK(wrapped.size() == octets + 8);
        CHECK_FALSE(unwrap_sak(other, wrapped).has_value());
        for (std::size_t at = 0; at < wrapped.size(); ++at) {
            wrapped[at] ^= 0x10;
            CHECK_FALSE(unwrap_sak(kek, wrapped).has_value());
            wrapped[at] ^= 0x10;
        }
        CHECK(unwrap_sak(kek, wrapped).has_value());
    }
}

TEST_CASE("a SAK that was wrapped does not stay in a vector register") {
    if (!__builtin_cpu_supports("avx512f")) return;
    Random random(33'95);
    const SecretBuffer kek = secret_of(random_bytes(random, 32)), sak = secret_of(random_bytes(random, 32));
    alignas(64) std::array<std::uint8_t, 4 * 64> registers;
    const auto wrapped = wrap_sak(kek, sak.octets());
    asm volatile(
        "vmovdqu64 %%zmm16, (%0)\n\tvmovdqu64 %%zmm17, 64(%0)\n\tvmovdqu64 %%zmm18, 128(%0)\n\t"
        "vmovdqu64 %%zmm19, 192(%0)" ::"r"(registers.data())
        : "memory");
    REQUIRE(wrapped.has_value());
    const auto first = sak.octets().first(16);
    CHECK(std::search(registers.begin(), registers.end(), first.begin(), first.end()) == registers.end());
}

TEST_CASE("a SAK is derived from nonce, member list and key number, and changes with each of them") {
    const Bytes cak(16, 0x42), nonce(32, 0x17);
    std::vector<MemberId> mis(2);
    mis[0].octets.fill(1);
    mis[1].octets.fill(2);
    const auto sak = [&](CipherSuite suite, const Bytes& n, std::uint32_t number) {
        return hex(make_sak(cak, suite, n, mis, number).value());
    };
    const std::string made = sak(CipherSuite::gcm_aes_xpn_256, nonce, 0x01020304);
    CHECK(made == kdf_by_hand(cak, "IEEE8021 SAK", nonce + Bytes(12, 1) + Bytes(12, 2) + from_hex("01020304"), 256));
    CHECK(made == sak(CipherSuite::gcm_aes_256, nonce, 0x01020304));
    CHECK(made != sak(CipherSuite::gcm_aes_256, nonce, 0x01020305));
    CHECK(made != sak(CipherSuite::gcm_aes_256, Bytes(32, 0x18), 0x01020304));
    CHECK(sak(CipherSuite::gcm_aes_128, Bytes(16, 3), 1).size() == 32);
    std::swap(mis[0], mis[1]);
    CHECK(made != sak(CipherSuite::gcm_aes_xpn_256, nonce, 0x01020304));
}

TEST_CASE("keys and nonces of a wrong size are refused") {
    const Bytes good(16, 1);
    const auto ckn = Ckn::from(good).value();
    for (const std::size_t octets : {0u, 15u, 17u, 24u, 31u, 33u, 64u}) {
        const Bytes key(octets, 1);
        CHECK_FALSE(cmac(key, good).has_value());
        CHECK_FALSE(kdf(key, "x", good, 16).has_value());
        CHECK_FALSE(kdf(good, "x", good, octets).has_value());
        CHECK_FALSE(derive_keys(key, ckn).has_value());
        CHECK_FALSE(icv(secret_of(key), Bytes(14), good).has_value());
        CHECK_FALSE(make_sak(key, CipherSuite::gcm_aes_128, good, {}, 1).has_value());
        CHECK_FALSE(make_sak(good, CipherSuite::gcm_aes_128, key, {}, 1).has_value());
        CHECK_FALSE(wrap_sak(secret_of(key), good).has_value());
        CHECK_FALSE(wrap_sak(secret_of(good), key).has_value());
        CHECK_FALSE(unwrap_sak(secret_of(key), Bytes(24)).has_value());
        CHECK_FALSE(unwrap_sak(secret_of(good), Bytes(octets)).has_value());
    }
    CHECK_FALSE(make_sak(good, CipherSuite::gcm_aes_256, good, {}, 1).has_value());
}

TEST_CASE("an error names sizes and never a key") {
    const std::string error = derive_keys(Bytes(17, 0xab), Ckn::from(Bytes(1, 1)).value()).error();
    CHECK(error == "a CAK has 16 or 32 octets, not 17");
    CHECK(unwrap_sak(secret_of(Bytes(16, 0xab)), Bytes(24, 0xcd)).error() ==
          "the SAK was wrapped with another KEK, or damaged");
}

TEST_CASE("a salt is the server's MI, its first octets mixed with the key number, low half first") {
    KeyIdentifier key{.server = {}, .number = 0x01020304};
    CHECK(to_hex(salt_of(key)) == "030401020000000000000000");
    key.server.octets = {0xff, 0xff, 0xff, 0xff, 5, 6, 7, 8, 9, 10, 11, 12};
    CHECK(to_hex(salt_of(key)) == "fcfbfefd05060708090a0b0c");
    key.number = 1;
    CHECK(to_hex(salt_of(key)) == "fffeffff05060708090a0b0c");
}

TEST_CASE("SSCI 1 belongs to the greatest SCI, 2 to the next, and none to a stranger") {
    const std::array live{Sci{0x0200'0000'0b01'0001}, Sci{0xfe00'0000'0001'0001}, Sci{0x0200'0000'0b01'0002}};
    CHECK(ssci_of(live[1], live) == Ssci{1});
    CHECK(ssci_of(live[2], live) == Ssci{2});
    CHECK(ssci_of(live[0], live) == Ssci{3});
    CHECK(ssci_of(Sci{1}, live) == Ssci{0});
    CHECK(ssci_of(Sci{1}, {}) == Ssci{0});
}

TEST_CASE("a key is in memory in its secret only, and nowhere when that is gone") {
    Random random(9'03);
    std::vector<Bytes> keys;  // masked
    {
        SecretBuffer cak = secret_of(Bytes(32));
        for (auto& o : cak.writable()) o = static_cast<std::uint8_t>(random());
        const CakKeys derived = keys_from(cak.octets(), Ckn::from(Bytes(3, 7)).value());
        const std::vector<MemberId> mis(2);
        auto sak = make_sak(cak.octets(), CipherSuite::gcm_aes_xpn_256, Bytes(32, 7), mis, 1);
        REQUIRE(sak.has_value());
        const auto wrapped = wrap_sak(derived.kek, sak->octets());
        REQUIRE(wrapped.has_value());
        REQUIRE(unwrap_sak(derived.kek, *wrapped).has_value());
        REQUIRE(icv(derived.ick, Bytes(14), Bytes(100)).has_value());
        keys = {masked(cak.octets()), masked(derived.kek.octets()), masked(derived.ick.octets()),
                masked(sak->octets())};
        for (const Bytes& key : keys) CHECK(in_memory(key) == 1);
    }
    for (const Bytes& key : keys) CHECK(in_memory(key) == 0);
}
