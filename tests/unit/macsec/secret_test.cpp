#include "macsec/secret.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <ostream>
#include <sstream>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sys/wait.h>
#include <unistd.h>

#include "macsec/aead.h"
#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

// AddressSanitizer makes mlock() do nothing.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLocks = false;
#else
constexpr bool kLocks = true;
#endif

template <typename T>
concept Streamable = requires(std::ostream& out, const T& t) { out << t; };

template <typename T>
constexpr bool kept_to_itself = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> && !Streamable<T> &&
                                !fmt::is_formattable<T>::value && std::is_nothrow_move_constructible_v<T>;

// The line of flags that the kernel keeps for the mapping around p.
std::string flags_of_mapping(const void* p) {
    std::ifstream maps("/proc/self/smaps");
    const auto address = reinterpret_cast<std::uintptr_t>(p);
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        unsigned long from = 0, to = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) inside = address >= from && address < to;
        if (inside && line.starts_with("VmFlags:")) return line + ' ';
    }
    return {};
}

}  // namespace

static_assert(kept_to_itself<Secret<16>>);
static_assert(kept_to_itself<Secret<32>>);
static_assert(kept_to_itself<SecretBuffer>);
static_assert(kept_to_itself<AeadKey>);
static_assert(!kept_to_itself<std::string>);

TEST_CASE("a secret lies in memory that is locked, not dumped and empty in a child") {
    auto secret = Secret<32>::create();
    REQUIRE(secret.has_value());
    const std::string flags = flags_of_mapping(secret->octets().data());
    INFO(flags);
    CHECK((flags.find(" lo ") != std::string::npos) == kLocks);
    CHECK(flags.find(" dd ") != std::string::npos);
    CHECK(flags.find(" wf ") != std::string::npos);
    CHECK(reinterpret_cast<std::uintptr_t>(secret->octets().data()) % 64 == 0);
}

TEST_CASE("a child does not see a secret") {
    auto secret = Secret<16>::from_hex("ffffffffffffffffffffffffffffffff");
    REQUIRE(secret.has_value());
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(secret->octets()[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("an expanded key lies in the same kind of memory") {
    const AeadKey key = key_of(CipherSuite::gcm_aes_256, Bytes(32, 9));
    CHECK((flags_of_mapping(key.expanded()).find(" lo ") != std::string::npos) == kLocks);
    CHECK(flags_of_mapping(key.expanded()).find(" dd ") != std::string::npos);
}

TEST_CASE("a secret is wiped when it is destroyed") {
    const std::uint8_t* where = nullptr;
    {
        auto secret = Secret<16>::from_hex("00112233445566778899aabbccddeeff");
        REQUIRE(secret.has_value());
        where = secret->octets().data();
        REQUIRE(to_hex({where, 16}) == "00112233445566778899aabbccddeeff");
    }
    CHECK(to_hex({where, 16}) == std::string(32, '0'));
}

TEST_CASE("an expanded key is wiped when it is destroyed or replaced") {
    const std::uint8_t* first = nullptr;
    const std::uint8_t* second = nullptr;
    {
        AeadKey key = key_of(CipherSuite::gcm_aes_128, Bytes(16, 9));
        first = static_cast<const std::uint8_t*>(key.expanded());
        REQUIRE(to_hex({first, 16}) == to_hex(Bytes(16, 9)));  // the first round key is the SAK
        key = key_of(CipherSuite::gcm_aes_128, Bytes(16, 8));
        second = static_cast<const std::uint8_t*>(key.expanded());
        CHECK(Bytes(first, first + kSecretSlot) == Bytes(kSecretSlot, 0));
        REQUIRE(to_hex({second, 16}) == to_hex(Bytes(16, 8)));
    }
    CHECK(Bytes(second, second + kSecretSlot) == Bytes(kSecretSlot, 0));
}

TEST_CASE("a moved secret leaves nothing behind and keeps its place") {
    auto secret = SecretBuffer::create(16);
    REQUIRE(secret.has_value());
    secret->writable()[0] = 7;
    const std::uint8_t* where = secret->octets().data();
    SecretBuffer moved = std::move(*secret);
    CHECK(secret->octets().empty());
    CHECK(moved.octets().data() == where);
    CHECK(moved.octets()[0] == 7);
    auto other = SecretBuffer::create(4);
    REQUIRE(other.has_value());
    moved = std::move(*other);
    CHECK(moved.size() == 4);
    CHECK(*where == 0);
}

TEST_CASE("many secrets have many places and each starts as zero") {
    std::vector<SecretBuffer> secrets;
    for (int i = 0; i < 300; ++i) {
        auto one = SecretBuffer::create(kSecretSlot);
        REQUIRE(one.has_value());
        REQUIRE(Bytes(one->octets().begin(), one->octets().end()) == Bytes(kSecretSlot, 0));
        std::fill(one->writable().begin(), one->writable().end(), static_cast<std::uint8_t>(i));
        secrets.push_back(std::move(*one));
    }
    for (std::size_t i = 0; i < secrets.size(); ++i) CHECK(secrets[i].octets()[1023] == static_cast<std::uint8_t>(i));
    CHECK(!SecretBuffer::create(kSecretSlot + 1).has_value());
}

TEST_CASE("hexadecimal digits of both cases become octets") {
    const auto secret = secret_from_hex("00fFAa10", 4);
    REQUIRE(secret.has_value());
    CHECK(to_hex(secret->octets()) == "00ffaa10");
}

TEST_CASE("a key of the wrong length or with a foreign character is refused without repeating it") {
    const auto odd = secret_from_hex("c0ffeec0f", 16);
    REQUIRE(!odd.has_value());
    CHECK(odd.error().find("exactly 32 hexadecimal digits") != std::string::npos);
    CHECK(odd.error().find("c0ffee") == std::string::npos);
    const auto foreign = secret_from_hex("c0ffeeg0", 4);
    REQUIRE(!foreign.has_value());
    CHECK(foreign.error().find("character 7") != std::string::npos);
    CHECK(foreign.error().find("c0ffee") == std::string::npos);
    CHECK(!secret_from_hex("0x00", 2).has_value());
    CHECK(!secret_from_hex("00 0", 2).has_value());
}

TEST_CASE("nothing stays in a vector register after work with keys") {
    alignas(64) std::array<std::uint8_t, 64> in, out;
    in.fill(0x5c);
    out.fill(0x5c);
    if (__builtin_cpu_supports("avx512f")) {
        asm volatile("vmovdqu64 %0, %%zmm7\n\tvmovdqu64 %0, %%zmm31" ::"m"(in));
        clear_vector_registers();
        asm volatile("vporq %%zmm31, %%zmm7, %%zmm7\n\tvmovdqu64 %%zmm7, %0" : "=m"(out));
        CHECK(out == std::array<std::uint8_t, 64>{});
        out.fill(0x5c);
    }
    asm volatile("movdqu %0, %%xmm15" ::"m"(in));
    clear_vector_registers();
    asm volatile("movdqu %%xmm15, %0" : "=m"(out));
    CHECK(std::all_of(out.begin(), out.begin() + 16, [](std::uint8_t o) { return o == 0; }));
}

TEST_CASE("secrets are compared whole") {
    CHECK(equal_secrets(from_hex("0102"), from_hex("0102")));
    CHECK(!equal_secrets(from_hex("0102"), from_hex("0103")));
    CHECK(!equal_secrets(from_hex("0202"), from_hex("0102")));
    CHECK(!equal_secrets(from_hex("01"), from_hex("0102")));
}

TEST_CASE("a SAK of the wrong size makes no key and is not repeated") {
    const auto key = AeadKey::create(CipherSuite::gcm_aes_xpn_256, Bytes(16, 0xAB));
    REQUIRE(!key.has_value());
    CHECK(key.error() == "a SAK for gcm-aes-xpn-256 has 32 octets, not 16");
}
