// 1. a socket per flow, bound to its source port.
// 2. every quarter of a millisecond: how many are due; flows in turn, so a flow's packets are evenly spaced.
// 3. a sequence number is used only when the kernel took the packet: what the kernel refuses is an error, not a loss.
#include "tools/flow/send.h"

#include <time.h>

#include <algorithm>
#include <cerrno>

#include "tools/flow/payload.h"

namespace flow {

namespace {

constexpr std::int64_t kTurnNs = 250'000;
constexpr unsigned kBatch = 64;

std::int64_t clock_ns(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void sleep_until(std::int64_t monotonic_ns) {
    const timespec t{monotonic_ns / 1'000'000'000, monotonic_ns % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr);
}

// `count` packets of one flow in one system call; how many the kernel took.
unsigned send_batch(int fd, const SendOptions& o, std::uint32_t flow, std::uint64_t first, unsigned count,
                    std::vector<std::uint8_t>& octets) {
    mmsghdr messages[kBatch]{};
    iovec parts[kBatch];
    octets.resize(std::size_t{kBatch} * o.size);
    for (unsigned i = 0; i < count; ++i) {
        std::span place(octets.data() + std::size_t{i} * o.size, o.size);
        encode({.session = o.session, .flow = flow, .sequence = first + i, .sent_ns = clock_ns(CLOCK_REALTIME)}, place);
        parts[i] = {place.data(), place.size()};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int taken = sendmmsg(fd, messages, count, 0);
    return taken < 0 ? 0 : static_cast<unsigned>(taken);
}

std::expected<std::vector<Socket>, std::string> open_flows(const SendOptions& o) {
    auto to = endpoint(o.to, o.port);
    if (!to) return std::unexpected(to.error());
    std::vector<Socket> sockets;
    for (std::uint32_t flow = 0; flow < o.flows; ++flow) {
        auto s = open_sender(*to, static_cast<std::uint16_t>(o.source_port + flow));
        if (!s) return std::unexpected(s.error());
        sockets.push_back(std::move(*s));
    }
    return sockets;
}

// One turn's packets, dealt to the flows in order from `next_flow`.
void send_turn(const std::vector<Socket>& sockets, const SendOptions& o, std::uint64_t due, std::uint32_t& next_flow,
               SendResult& result, std::vector<std::uint8_t>& octets) {
    while (due > 0) {
        const auto share = std::max<std::uint64_t>(1, due / o.flows);
        const auto count = static_cast<unsigned>(std::min<std::uint64_t>({share, due, kBatch}));
        auto& flow_sent = result.per_flow[next_flow];
        const unsigned taken = send_batch(sockets[next_flow].fd(), o, next_flow, flow_sent, count, octets);
        flow_sent += taken;
        result.sent += taken;
        result.errors += count - taken;
        due -= count;
        next_flow = (next_flow + 1) % o.flows;
    }
}

}  // namespace

std::uint64_t due_now(double rate, std::int64_t elapsed_ns, std::uint64_t sent, std::uint64_t total) noexcept {
    const auto wanted = std::min(total, static_cast<std::uint64_t>(rate * static_cast<double>(elapsed_ns) / 1e9) + 1);
    const auto burst = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rate / 1000));
    return wanted <= sent ? 0 : std::min(wanted - sent, burst);
}

std::expected<SendResult, std::string> send(const SendOptions& o, const std::atomic<bool>& stop) {
    auto sockets = open_flows(o);
    if (!sockets) return std::unexpected(sockets.error());
    const auto total = static_cast<std::uint64_t>(o.rate * o.seconds + 0.5);
    SendResult result;
    result.per_flow.resize(o.flows);
    result.started_ns = clock_ns(CLOCK_REALTIME);
    const std::int64_t start = clock_ns(CLOCK_MONOTONIC);
    // Nobody listening is an ICMP error per packet: such a run ends too.
    const std::int64_t last = start + static_cast<std::int64_t>(o.seconds * 2e9) + 1'000'000'000;
    std::vector<std::uint8_t> octets;
    std::uint32_t next_flow = 0;
    for (std::int64_t now = start, turn = start; !stop && now < last && result.sent + result.errors < total;) {
        const auto due = due_now(o.rate, now - start, result.sent + result.errors, total);
        send_turn(*sockets, o, due, next_flow, result, octets);
        turn = std::max(turn + kTurnNs, clock_ns(CLOCK_MONOTONIC));
        sleep_until(turn);
        now = clock_ns(CLOCK_MONOTONIC);
        result.longest_stall_ns = std::max(result.longest_stall_ns, now - turn);
    }
    result.ended_ns = clock_ns(CLOCK_REALTIME);
    return result;
}

}  // namespace flow
