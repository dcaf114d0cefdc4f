#include "dataplane/netns.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace dataplane {

std::string netns_path(const std::string& name) {
    if (name.empty()) return "/proc/thread-self/ns/net";
    return name.front() == '/' ? name : "/run/netns/" + name;
}

std::expected<NetnsScope, std::string> NetnsScope::enter(const std::string& name) {
    if (name.empty()) return NetnsScope(-1);
    const auto path = netns_path(name);
    const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    const int there = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const int result = home < 0 || there < 0 ? -1 : ::setns(there, CLONE_NEWNET);
    const int error = errno;
    if (there >= 0) ::close(there);
    if (result == 0) return NetnsScope(home);
    if (home >= 0) ::close(home);
    return std::unexpected(fmt::format(
        "network namespace {}: {}; {}", path, std::generic_category().message(error),
        error == EPERM ? "run as root or with CAP_SYS_ADMIN" : fmt::format("create it with `ip netns add {}`", name)));
}

NetnsScope::~NetnsScope() {
    if (home_ < 0) return;
    if (::setns(home_, CLONE_NEWNET) != 0) std::abort();
    ::close(home_);
}

}  // namespace dataplane
