#include "dataplane/sysctl.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ranges>
#include <system_error>

namespace dataplane {
namespace {

std::string sentence(const std::string& name, std::string_view value, int error) {
    return fmt::format("cannot set /proc/sys/{} to {}: {}; {}", name, value, std::generic_category().message(error),
                       error == EACCES || error == EPERM || error == EROFS
                           ? "run as root with a writable /proc/sys"
                           : "the kernel lacks the setting or the netdev is gone");
}

}  // namespace

std::expected<std::string, int> read_sysctl(const std::string& name) {
    const int fd = ::open(("/proc/sys/" + name).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::unexpected(errno);
    std::array<char, 256> text;
    const auto n = ::read(fd, text.data(), text.size());
    const int error = errno;
    ::close(fd);
    if (n < 0) return std::unexpected(error);
    std::string value(text.data(), static_cast<std::size_t>(n));
    while (!value.empty() && value.back() == '\n') value.pop_back();
    return value;
}

std::expected<void, int> write_sysctl(const std::string& name, std::string_view value) {
    const int fd = ::open(("/proc/sys/" + name).c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return std::unexpected(errno);
    const auto n = ::write(fd, value.data(), value.size());
    const int error = n < 0 ? errno : EIO;
    ::close(fd);
    if (n != static_cast<ssize_t>(value.size())) return std::unexpected(error);
    return {};
}

std::expected<void, std::string> SysctlRecord::set(const std::string& name, std::string_view value, bool optional) {
    const auto old = read_sysctl(name);
    if (!old && old.error() == ENOENT && optional) return {};
    if (!old) return std::unexpected(sentence(name, value, old.error()));
    if (*old == value) return {};
    if (const auto done = write_sysctl(name, value); !done) return std::unexpected(sentence(name, value, done.error()));
    old_.push_back({name, *old});
    return {};
}

std::expected<void, std::string> SysctlRecord::restore() {
    std::expected<void, std::string> result;
    for (const auto& [name, value] : std::views::reverse(old_))
        if (const auto done = write_sysctl(name, value); !done && done.error() != ENOENT && result)
            result = std::unexpected(sentence(name, value, done.error()));
    old_.clear();
    return result;
}

}  // namespace dataplane
