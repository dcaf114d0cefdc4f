// Network namespaces: the daemon runs in that of its ports; TAPs and the FPM socket live in the host's.
#pragma once

#include <expected>
#include <string>

namespace dataplane {

// Where a namespace is: a name under /run/netns, an absolute path, or empty for our own.
std::string netns_path(const std::string& name);

// The calling thread is inside the namespace until the scope ends. Sockets and TAPs made meanwhile stay there, and
// /proc/sys/net shows that namespace's values to this thread only. Cannot be moved to another thread. If the way back
// is barred the process aborts: a thread in the wrong namespace would do the right things to the wrong devices.
class NetnsScope {
public:
    // Error: a sentence with the remedy. Needs CAP_SYS_ADMIN unless `name` is empty.
    static std::expected<NetnsScope, std::string> enter(const std::string& name);
    NetnsScope(NetnsScope&& other) noexcept : home_(other.home_) { other.home_ = -1; }
    NetnsScope& operator=(NetnsScope&&) = delete;
    ~NetnsScope();

private:
    explicit NetnsScope(int home) noexcept : home_(home) {}
    int home_{-1};  // descriptor of the namespace to return to; -1: never left
};

}  // namespace dataplane
