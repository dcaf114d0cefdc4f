// `flow receive`: counts what arrives, per flow. Blocks until the time is over or `stop`; one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <string>

#include "tools/flow/sequence_tracker.h"

namespace flow {

struct ReceiveOptions {
    std::uint16_t port{9000};
    double seconds{12};
    std::uint32_t session{0};  // 0: the first one seen
};

struct ReceivedFlow {
    std::string source;
    std::uint16_t source_port{};
    SequenceTracker tracker;
};

struct ReceiveResult {
    std::uint64_t malformed{};       // not a packet of ours, or a sequence number beyond belief
    std::uint64_t other_session{};
    std::uint64_t socket_drops{};    // by the receiving socket's buffer: the machine's loss, not the network's
    std::uint32_t session{};
    std::map<std::uint32_t, ReceivedFlow> flows;
};

// Writes "ready" and a newline to `ready_fd` once packets can come; -1: tells nobody.
std::expected<ReceiveResult, std::string> receive(const ReceiveOptions&, int ready_fd, const std::atomic<bool>& stop);

}  // namespace flow
