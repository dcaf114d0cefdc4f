// The one effect of rtnetlink: a NETLINK_ROUTE socket, in the network namespace of the thread that opens it (the caller
// does setns). One thread per socket.
//
// Two uses, two sockets: one with multicast groups for events and dumps, read when its fd is readable; one without
// groups for requests that are answered at once.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bgp-glue/netlink_message.h"

namespace bgp_glue {

// What a request came to when it was refused: the kernel's errno, and its words.
struct NetlinkError {
    int number{};      // errno; ETIMEDOUT when no answer came
    std::string text;  // "RTM_NEWADDR ...: Cannot assign requested address (its own words)"
};

struct NetlinkRead {
    std::size_t messages{};
    bool overrun{};           // the kernel dropped events (ENOBUFS): dump again
    bool dump_done{};         // a dump asked for by send() has come to its end
    bool dump_interrupted{};  // and was inconsistent: dump again
    std::size_t malformed{};
};

class NetlinkSocket {
public:
    // Groups are RTNLGRP_* numbers. Non-blocking, 16 MiB receive buffer (as much as allowed without CAP_NET_ADMIN).
    static std::expected<NetlinkSocket, std::string> open(std::span<const unsigned> groups = {});
    NetlinkSocket(NetlinkSocket&& other) noexcept;
    NetlinkSocket& operator=(NetlinkSocket&& other) noexcept;
    ~NetlinkSocket();

    int fd() const noexcept { return fd_; }
    std::uint32_t next_sequence() noexcept { return ++sequence_; }
    int receive_buffer() const;  // octets, as the kernel counts them

    using OnMessage = std::function<void(const NetlinkMessage&)>;

    // Reads what is there, at most `most` datagrams, so that a turn is bounded. Only the kernel is believed.
    NetlinkRead read(const OnMessage& on_message, std::size_t most = 256);

    // Sends without waiting: for dumps on the socket of events, whose answers come through read().
    std::expected<void, NetlinkError> send(std::span<const std::uint8_t> request);

    // Sends and waits for the acknowledgement, at most a second (the kernel answers before send returns). For a socket
    // without groups: events that come meanwhile are lost.
    std::expected<void, NetlinkError> request(std::span<const std::uint8_t> request);

    // Sends a dump request and gives every message of the answer.
    std::expected<void, NetlinkError> dump(std::span<const std::uint8_t> request, const OnMessage& on_message);

private:
    explicit NetlinkSocket(int fd);
    // One datagram: its octets; empty when there is none, or -errno.
    std::expected<std::span<const std::uint8_t>, int> receive();
    std::expected<void, NetlinkError> wait_answer(std::span<const std::uint8_t> request, bool dump,
                                                  const OnMessage& on_message);

    int fd_{-1};
    std::uint32_t sequence_{};
    std::vector<std::uint64_t> buffer_;  // aligned
};

std::string message_name(std::uint16_t type);  // "RTM_NEWADDR"

}  // namespace bgp_glue
