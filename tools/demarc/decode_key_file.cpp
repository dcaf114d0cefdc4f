// 1. open, and look at the file itself, not at its name
// 2. memory for it: locked, not dumped, empty in a child
// 3. read
#include "tools/demarc/decode_key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "tools/demarc/style.h"

namespace cli {
namespace {

constexpr std::size_t kRoom = kMaxKeyFileOctets + 4096;  // more than the longest file: too long is seen

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

std::unexpected<std::string> refuse(const std::string& path, std::string_view what) {
    return std::unexpected(fmt::format("{} {}", escaped(path), what));
}

std::expected<FileId, std::string> look_at(int fd, const std::string& path, uid_t us) {
    struct stat s {};
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        return refuse(path, "is no regular file; name a file that holds the list of keys");
    if ((s.st_mode & 0077) != 0)
        return refuse(path, fmt::format("has mode {:04o}: others may use the keys in it; chmod 0600 {}",
                                        s.st_mode & 07777, escaped(path)));
    if (s.st_uid != us && s.st_uid != 0)
        return refuse(path, fmt::format("belongs to user {}; make a copy that is yours, with mode 0600", s.st_uid));
    return FileId{s.st_dev, s.st_ino};
}

std::expected<char*, std::string> locked_room() {
    void* const room = mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return std::unexpected("no memory for keys; free some memory");
    if (mlock(room, kRoom) == 0 && madvise(room, kRoom, MADV_DONTDUMP) == 0 &&
        madvise(room, kRoom, MADV_WIPEONFORK) == 0)
        return static_cast<char*>(room);
    const int error = errno;
    munmap(room, kRoom);
    return std::unexpected(
        fmt::format("memory for keys cannot be locked: {}; raise the limit (ulimit -l)", strerror(error)));
}

}  // namespace

KeyFileText::~KeyFileText() {
    if (data_ == nullptr) return;
    explicit_bzero(data_, kRoom);
    munmap(data_, kRoom);
}

std::expected<KeyFileText, std::string> KeyFileText::read(const std::string& path, uid_t us) {
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (fd.get() < 0)
        return refuse(path,
                      fmt::format("cannot be opened: {}; name a list of keys that you may read", strerror(errno)));
    const auto id = look_at(fd.get(), path, us);
    if (!id) return std::unexpected(id.error());
    const auto room = locked_room();
    if (!room) return std::unexpected(room.error());
    KeyFileText text;
    text.data_ = *room;
    text.id_ = *id;
    while (text.size_ <= kMaxKeyFileOctets) {
        const ssize_t n = ::read(fd.get(), text.data_ + text.size_, kRoom - text.size_);
        if (n == 0) return text;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return refuse(path, fmt::format("cannot be read: {}", strerror(errno)));
        text.size_ += static_cast<std::size_t>(n);
    }
    return refuse(path,
                  fmt::format("is longer than {} octets; keep the keys that this capture needs", kMaxKeyFileOctets));
}

}  // namespace cli
