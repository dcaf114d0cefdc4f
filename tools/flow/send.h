// `flow send`: many flows to one address, at a rate. Blocks for the whole run; one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "tools/flow/socket.h"

namespace flow {

struct SendOptions {
    std::string to;
    std::uint16_t port{9000};
    std::uint16_t source_port{20000};  // of flow 0; flow N has source_port + N
    std::uint32_t flows{256};
    double rate{20000};                // packets per second, all flows together
    double seconds{10};
    std::uint32_t size{64};            // octets of UDP payload
    std::uint32_t session{1};
};

struct SendResult {
    std::uint64_t sent{}, errors{};
    std::int64_t started_ns{}, ended_ns{};      // since 1970
    std::int64_t longest_stall_ns{};            // the machine's: how late we were once
    std::vector<std::uint64_t> per_flow;        // packets sent
};

// How many packets of `total` are due `elapsed_ns` after the start and not yet sent; at most one millisecond's worth,
// and not less than one: a late sender catches up in small bursts. Pure.
std::uint64_t due_now(double rate, std::int64_t elapsed_ns, std::uint64_t sent, std::uint64_t total) noexcept;

std::expected<SendResult, std::string> send(const SendOptions&, const std::atomic<bool>& stop);

}  // namespace flow
