#include "macsec/secret.h"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include <sys/mman.h>

namespace macsec {
namespace {

constexpr std::size_t kSlotsPerChunk = 64;
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

bool equal_secrets(ConstOctets a, ConstOctets b) noexcept {
    if (a.size() != b.size()) return false;
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    return difference == 0;
}

}  // namespace macsec
