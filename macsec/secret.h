// Where key material lives: memory that is locked (never swapped), not dumped, empty in a forked child, and wiped when
// it is given back. A secret can be moved, never copied, compared only in constant time, and nothing prints it.
// Any thread; one object is one thread's at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "macsec/octets.h"

namespace macsec {

inline constexpr std::size_t kSecretSlot = 1280;  // octets; an expanded key of ipsec-mb 2.0 fits; 64-octet aligned

// The arena behind all secrets: slots of kSecretSlot octets, zero when handed out. Error: a sentence with the remedy.
std::expected<std::uint8_t*, std::string> take_secret_slot();
// Wipes it. nullptr is nothing.
void return_secret_slot(std::uint8_t* slot) noexcept;

// A secret of a size known at run time: a SAK of 16 or 32 octets, a key file's text.
class SecretBuffer {
public:
    // octets: at most kSecretSlot; they start as zero.
    static std::expected<SecretBuffer, std::string> create(std::size_t octets);

    SecretBuffer(SecretBuffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    SecretBuffer& operator=(SecretBuffer&& other) noexcept {
        if (this != &other) {
            return_secret_slot(data_);
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }
    SecretBuffer(const SecretBuffer&) = delete;
    SecretBuffer& operator=(const SecretBuffer&) = delete;
    ~SecretBuffer() { return_secret_slot(data_); }

    Octets writable() noexcept { return {data_, size_}; }
    ConstOctets octets() const noexcept { return {data_, size_}; }
    std::size_t size() const noexcept { return size_; }
    void shrink(std::size_t octets) noexcept { size_ = octets < size_ ? octets : size_; }

private:
    SecretBuffer(std::uint8_t* data, std::size_t size) noexcept : data_(data), size_(size) {}
    std::uint8_t* data_{};
    std::size_t size_{};
};

// Hexadecimal digits, upper or lower case, exactly two per octet; no copy is left behind (the text stays the caller's
// to wipe). Error: what is wrong and the remedy, without any of the digits.
std::expected<SecretBuffer, std::string> secret_from_hex(std::string_view digits, std::size_t octets);

// Ciphers and hashes leave round keys and message words in vector registers, which reach memory when the thread sleeps:
// after work with keys all of them are cleared, those that only AVX-512 knows too, whatever this was compiled for.
void clear_vector_registers() noexcept;

// Constant time for equal sizes.
bool equal_secrets(ConstOctets a, ConstOctets b) noexcept;

// A secret of N octets.
template <std::size_t N>
class Secret {
    static_assert(N > 0 && N <= kSecretSlot);

public:
    static std::expected<Secret, std::string> create() {
        auto buffer = SecretBuffer::create(N);
        if (!buffer) return std::unexpected(std::move(buffer.error()));
        return Secret(std::move(*buffer));
    }
    static std::expected<Secret, std::string> from_hex(std::string_view digits) {
        auto buffer = secret_from_hex(digits, N);
        if (!buffer) return std::unexpected(std::move(buffer.error()));
        return Secret(std::move(*buffer));
    }

    // After a move the source has none left: size 0.
    Octets writable() noexcept { return buffer_.writable(); }
    ConstOctets octets() const noexcept { return buffer_.octets(); }

private:
    explicit Secret(SecretBuffer buffer) noexcept : buffer_(std::move(buffer)) {}
    SecretBuffer buffer_;
};

}  // namespace macsec
