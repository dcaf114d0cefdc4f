// 1. wait at most 100 ms for packets; 2. take up to 64; 3. judge each by its payload and the kernel's time of arrival.
#include "tools/flow/receive.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "tools/flow/payload.h"
#include "tools/flow/socket.h"

namespace flow {

namespace {

constexpr unsigned kBatch = 64;
constexpr std::size_t kRoom = 2048;  // of a packet; more is cut off, the payload is in front

struct Buffers {
    std::array<std::array<std::uint8_t, kRoom>, kBatch> octets;
    std::array<std::array<char, 128>, kBatch> control;
    std::array<sockaddr_storage, kBatch> from;
    std::array<iovec, kBatch> parts;
    std::array<mmsghdr, kBatch> messages;
};

void prepare(Buffers& b) {
    for (unsigned i = 0; i < kBatch; ++i) {
        b.parts[i] = {b.octets[i].data(), kRoom};
        b.messages[i] = {};
        b.messages[i].msg_hdr = {.msg_name = &b.from[i], .msg_namelen = sizeof b.from[i], .msg_iov = &b.parts[i],
                                 .msg_iovlen = 1, .msg_control = b.control[i].data(),
                                 .msg_controllen = b.control[i].size(), .msg_flags = 0};
    }
}

std::int64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// Arrival time and the socket's count of drops (since it was opened) ride beside a packet.
std::int64_t read_control(msghdr& message, std::uint64_t& socket_drops) {
    std::int64_t arrival = -1;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_TIMESTAMPNS) {
            timespec t{};
            std::memcpy(&t, CMSG_DATA(c), sizeof t);
            arrival = std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
        } else if (c->cmsg_type == SO_RXQ_OVFL) {
            std::uint32_t drops{};
            std::memcpy(&drops, CMSG_DATA(c), sizeof drops);
            socket_drops = drops;
        }
    }
    return arrival >= 0 ? arrival : now_ns();
}

void take(std::span<const std::uint8_t> octets, const sockaddr_storage& from, std::int64_t arrival,
          ReceiveResult& result) {
    const auto payload = decode(octets);
    if (!payload) {
        ++result.malformed;
        return;
    }
    if (result.session == 0) result.session = payload->session;
    if (payload->session != result.session) {
        ++result.other_session;
        return;
    }
    auto& flow = result.flows[payload->flow];
    if (flow.source.empty()) {
        flow.source = address_text(from);
        flow.source_port = port_of(from);
    }
    if (flow.tracker.accept(payload->sequence, arrival) == Arrival::out_of_range) ++result.malformed;
}

void drain(int fd, Buffers& b, ReceiveResult& result) {
    for (;;) {
        prepare(b);
        const int count = recvmmsg(fd, b.messages.data(), kBatch, MSG_DONTWAIT, nullptr);
        if (count <= 0) return;
        for (int i = 0; i < count; ++i) {
            const auto index = static_cast<std::size_t>(i);
            const auto arrival = read_control(b.messages[index].msg_hdr, result.socket_drops);
            take({b.octets[index].data(), b.messages[index].msg_len}, b.from[index], arrival, result);
        }
        if (count < static_cast<int>(kBatch)) return;
    }
}

}  // namespace

std::expected<ReceiveResult, std::string> receive(const ReceiveOptions& o, int ready_fd,
                                                  const std::atomic<bool>& stop) {
    auto socket = open_receiver(o.port);
    if (!socket) return std::unexpected(socket.error());
    if (ready_fd >= 0 && write(ready_fd, "ready\n", 6) != 6) return std::unexpected("cannot tell that we are ready");
    ReceiveResult result;
    result.session = o.session;
    auto buffers = std::make_unique<Buffers>();
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(o.seconds * 1e9);
    while (!stop && now_ns() < end) {
        pollfd p{socket->fd(), POLLIN, 0};
        if (poll(&p, 1, 100) > 0) drain(socket->fd(), *buffers, result);
    }
    drain(socket->fd(), *buffers, result);
    return result;
}

}  // namespace flow
