#include "macsec/secret.h"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include <sys/mman.h>

namespace macsec {
namespace {

constexpr std::size_t kSlotsPerChunk = 256;
constexpr std::size_t kChunk = kSlotsPerChunk * kSecretSlot;
static_assert(kChunk % 65536 == 0, "whole pages, for every page size in use");

// Never destroyed: secrets of other static objects may outlive any order.
class Arena {
public:
    std::expected<std::uint8_t*, std::string> take() {
        const std::scoped_lock lock(mutex_);
        if (free_.empty())
            if (auto grown = grow(); !grown) return std::unexpected(std::move(grown.error()));
        std::uint8_t* slot = free_.back();
        free_.pop_back();
        return slot;
    }

    void give_back(std::uint8_t* slot) noexcept {
        explicit_bzero(slot, kSecretSlot);
        const std::scoped_lock lock(mutex_);
        free_.push_back(slot);  // room was reserved when the slot came to be
    }

private:
    std::expected<void, std::string> grow() {
        free_.reserve(slots_ + kSlotsPerChunk);
        void* chunk = ::mmap(nullptr, kChunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (chunk == MAP_FAILED) return failure("no memory for keys", errno, "free some memory");
        if (const char* step = guard(chunk); step != nullptr) {
            const int error = errno;
            ::munmap(chunk, kChunk);
            return failure(step, error, "raise the locked-memory limit (systemd: LimitMEMLOCK=, shell: ulimit -l)");
        }
        slots_ += kSlotsPerChunk;
        for (std::size_t i = 0; i < kSlotsPerChunk; ++i)
            free_.push_back(static_cast<std::uint8_t*>(chunk) + i * kSecretSlot);
        return {};
    }

    static const char* guard(void* chunk) noexcept {
        if (::mlock(chunk, kChunk) != 0) return "memory for keys cannot be locked";
        if (::madvise(chunk, kChunk, MADV_DONTDUMP) != 0) return "memory for keys cannot be kept out of core dumps";
        if (::madvise(chunk, kChunk, MADV_WIPEONFORK) != 0) return "memory for keys cannot be kept from children";
        return nullptr;
    }

    static std::unexpected<std::string> failure(const char* what, int error, const char* remedy) {
        return std::unexpected(std::string(what) + ": " + std::strerror(error) + "; " + remedy);
    }

    std::mutex mutex_;
    std::vector<std::uint8_t*> free_;
    std::size_t slots_{};
};

Arena& arena() {
    static Arena* const instance = new Arena;
    return *instance;
}

// 0 to 15, or 0xFF.
std::uint8_t hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
    return 0xFF;
}

}  // namespace

std::expected<std::uint8_t*, std::string> take_secret_slot() { return arena().take(); }

void return_secret_slot(std::uint8_t* slot) noexcept {
    if (slot != nullptr) arena().give_back(slot);
}

std::expected<SecretBuffer, std::string> SecretBuffer::create(std::size_t octets) {
    if (octets > kSecretSlot)
        return std::unexpected("a secret has at most " + std::to_string(kSecretSlot) + " octets, not " +
                               std::to_string(octets));
    auto slot = take_secret_slot();
    if (!slot) return std::unexpected(std::move(slot.error()));
    return SecretBuffer(*slot, octets);
}

std::expected<SecretBuffer, std::string> secret_from_hex(std::string_view digits, std::size_t octets) {
    if (digits.size() != 2 * octets)
        return std::unexpected("the key has " + std::to_string(digits.size()) + " digits; write exactly " +
                               std::to_string(2 * octets) + " hexadecimal digits (" + std::to_string(octets) +
                               " octets)");
    auto secret = SecretBuffer::create(octets);
    if (!secret) return secret;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const std::uint8_t value = hex_value(digits[i]);
        if (value > 15)
            return std::unexpected("character " + std::to_string(i + 1) +
                                   " of the key is not a hexadecimal digit; use 0-9, a-f, A-F only");
        std::uint8_t& octet = secret->writable()[i / 2];
        octet = static_cast<std::uint8_t>(octet << 4 | value);
    }
    return secret;
}

// No call keeps anything in a vector register (System V ABI), so that the compiler need not be told what changes.
__attribute__((noinline)) void clear_vector_registers() noexcept {
    if (__builtin_cpu_supports("avx512f"))
        asm volatile(
            "vpxord %zmm16, %zmm16, %zmm16\n\tvpxord %zmm17, %zmm17, %zmm17\n\tvpxord %zmm18, %zmm18, %zmm18\n\t"
            "vpxord %zmm19, %zmm19, %zmm19\n\tvpxord %zmm20, %zmm20, %zmm20\n\tvpxord %zmm21, %zmm21, %zmm21\n\t"
            "vpxord %zmm22, %zmm22, %zmm22\n\tvpxord %zmm23, %zmm23, %zmm23\n\tvpxord %zmm24, %zmm24, %zmm24\n\t"
            "vpxord %zmm25, %zmm25, %zmm25\n\tvpxord %zmm26, %zmm26, %zmm26\n\tvpxord %zmm27, %zmm27, %zmm27\n\t"
            "vpxord %zmm28, %zmm28, %zmm28\n\tvpxord %zmm29, %zmm29, %zmm29\n\tvpxord %zmm30, %zmm30, %zmm30\n\t"
            "vpxord %zmm31, %zmm31, %zmm31");
    if (__builtin_cpu_supports("avx")) {
        asm volatile("vzeroall");
        return;
    }
    asm volatile(
        "pxor %xmm0, %xmm0\n\tpxor %xmm1, %xmm1\n\tpxor %xmm2, %xmm2\n\tpxor %xmm3, %xmm3\n\tpxor %xmm4, %xmm4\n\t"
        "pxor %xmm5, %xmm5\n\tpxor %xmm6, %xmm6\n\tpxor %xmm7, %xmm7\n\tpxor %xmm8, %xmm8\n\tpxor %xmm9, %xmm9\n\t"
        "pxor %xmm10, %xmm10\n\tpxor %xmm11, %xmm11\n\tpxor %xmm12, %xmm12\n\tpxor %xmm13, %xmm13\n\t"
        "pxor %xmm14, %xmm14\n\tpxor %xmm15, %xmm15");
}

bool equal_secrets(ConstOctets a, ConstOctets b) noexcept {
    if (a.size() != b.size()) return false;
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

}  // namespace macsec
