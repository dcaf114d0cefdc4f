// Our two BPF programs: `steer` decides about an AF_XDP port's frames, `demarc_drop` keeps the kernel's stack off a
// port's netdev. Netdevs are those of the calling thread's namespace. Errors are sentences with the remedy. control
// thread only.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace dataplane {

inline constexpr std::string_view kSteerProgram = "steer";
inline constexpr std::string_view kDropProgram = "demarc_drop";

// The object file of `steer` as a path: the driver opens one. Lives in memory, until the port's queues are set up.
class SteerFile {
public:
    static std::expected<SteerFile, std::string> make();
    SteerFile(SteerFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    SteerFile& operator=(SteerFile&&) = delete;
    ~SteerFile();
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
    explicit SteerFile(int fd) noexcept : fd_(fd) {}
    int fd_;
};

// The name of the XDP program on a netdev; empty: none.
std::expected<std::string, std::string> xdp_program(std::uint32_t ifindex, const std::string& netdev);
// Takes `steer` off, if it is there (its owner was killed). Another's program is an error and stays.
// The drop must be in force: until the port is attached anew, the kernel sees the netdev's frames.
std::expected<void, std::string> detach_steer(std::uint32_t ifindex, const std::string& netdev);

// clsact with `demarc_drop` on ingress and egress. What AF_XDP and AF_PACKET (qdisc_bypass) sockets send and receive
// does not pass there; everything of the kernel's own does. Nothing is undone by destruction: the drop outlives a
// killed process, and the next start replaces it in one step.
class DropFilter {
public:
    static std::expected<DropFilter, std::string> attach(std::uint32_t ifindex, const std::string& netdev);
    // Takes the filters off, and clsact if it was made for them (the filters' handle remembers, also across a kill).
    std::expected<void, std::string> detach();

private:
    DropFilter(std::uint32_t ifindex, std::string netdev, std::uint32_t handle)
        : ifindex_(ifindex), netdev_(std::move(netdev)), handle_(handle) {}
    std::uint32_t ifindex_;
    std::string netdev_;
    std::uint32_t handle_;
};

// What libbpf said last about a failure (drivers call it too), and forgets it; empty: nothing. One line.
std::string take_bpf_message();

}  // namespace dataplane
