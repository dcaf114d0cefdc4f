// The text of a key file in memory that is locked, not dumped, empty in a child, and wiped when it is given back.
// Any thread; one object is one thread's at a time.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace cli {

inline constexpr std::size_t kMaxKeyFileOctets = 256 * 1024;

// Which file a descriptor is, whatever its names are.
struct FileId {
    dev_t device{};
    ino_t inode{};
    bool operator==(const FileId&) const = default;
};

class KeyFileText {
public:
    // A regular file that nobody but its owner may use, the owner being `us` or root. Error: a sentence with the
    // remedy, without content.
    static std::expected<KeyFileText, std::string> read(const std::string& path, uid_t us = geteuid());

    KeyFileText(KeyFileText&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), id_(other.id_) {}
    KeyFileText& operator=(KeyFileText&&) = delete;
    ~KeyFileText();

    std::string_view text() const noexcept { return {data_, size_}; }
    FileId id() const noexcept { return id_; }

private:
    KeyFileText() = default;
    char* data_{};
    std::size_t size_{};
    FileId id_;
};

}  // namespace cli
