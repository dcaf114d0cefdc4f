// A netdev's offloads and channels, by the ethtool ioctl, recorded so that they can be put back. Netdevs are those of
// the calling thread's namespace. control thread only.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace dataplane {

class OffloadRecord {
public:
    explicit OffloadRecord(std::string netdev) : netdev_(std::move(netdev)) {}

    // Off: what would hand us frames that never were on the wire (GRO, LRO) or take a VLAN tag out of the frame. A
    // device without one of them, or that cannot switch it off, is left as it is: the names of the latter are returned.
    std::vector<std::string> switch_off();
    // One receive queue: an AF_XDP port binds queue 0 and drops what arrives on others. Error: a sentence with the
    // remedy.
    std::expected<void, std::string> one_channel();
    void restore() noexcept;

private:
    struct Flag {
        std::uint32_t get, set, mask;  // ethtool commands; mask 0: a plain value
        const char* name;
    };
    static const Flag kFlags[];

    std::string netdev_;
    std::vector<const Flag*> switched_off_;
    std::uint32_t combined_{}, receive_{};  // channels before; 0: untouched
};

}  // namespace dataplane
