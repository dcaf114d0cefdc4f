// Kernel settings under /proc/sys, set and put back. /proc/sys/net shows the calling thread's network namespace.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace dataplane {

// `name` with slashes: "net/ipv4/conf/all/forwarding". Error: errno.
std::expected<std::string, int> read_sysctl(const std::string& name);
std::expected<void, int> write_sysctl(const std::string& name, std::string_view value);

// What was changed, as values, so that it can be put back. control thread only.
class SysctlRecord {
public:
    // Sets it, remembering the old value when that differs. A name that does not exist is no error if `optional`: a
    // kernel without IPv6 has nothing to be told about it. Error: a sentence with the remedy.
    std::expected<void, std::string> set(const std::string& name, std::string_view value, bool optional = false);
    // Last change first. Every value is tried; error: the first sentence.
    std::expected<void, std::string> restore();

private:
    struct Old {
        std::string name, value;
    };
    std::vector<Old> old_;
};

}  // namespace dataplane
