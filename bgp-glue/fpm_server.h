// The FPM server's sockets: zebra -M dplane_fpm_nl connects, we only read. Two file descriptors for a level-triggered
// epoll loop, no thread, no clock. The listening socket belongs to the network namespace of the thread that opens it.
// routes thread.
//
// The newest connection wins: zebra connects again after a restart whose old socket we have not yet seen die, and a
// second zebra must not wait unnoticed in the backlog.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "bgp-glue/fpm_frame.h"
#include "bgp-glue/rib.h"
#include "dataplane/net/address.h"

namespace bgp_glue {

struct FpmCounters {
    std::uint64_t connections{};
    std::uint64_t replaced{};        // connections closed because a newer one came
    std::uint64_t disconnections{};  // by the peer or by an error of the socket
    std::uint64_t frames{};
    std::uint64_t octets{};
    std::array<std::uint64_t, kFpmFaults> faults{};  // by FpmFault: connections closed for nonsense
};

// For `demarc show fpm`.
struct FpmStatus {
    std::string listening;     // "127.0.0.1:2620"
    bool connected{};
    std::string peer;          // "127.0.0.1:53622"; of the last connection
    Time since{};              // of the connection, or of its end
    Time last_frame{};
    std::string last_error;    // why the last connection ended, in words
    FpmCounters counters;
};

// What the server tells. A frame's payload is valid during the call.
struct FpmEvents {
    std::function<void(Time now)> connected;
    std::function<void(macsec::ConstOctets payload, Time now)> frame;
    std::function<void(Time now)> disconnected;  // also before `connected` of a newer connection
};

class FpmServer {
public:
    static std::expected<FpmServer, std::string> listen(const net::IpAddress& address, std::uint16_t port);
    FpmServer(FpmServer&& other) noexcept;
    FpmServer& operator=(FpmServer&&) = delete;
    ~FpmServer();

    int listen_fd() const noexcept { return listen_fd_; }
    int connection_fd() const noexcept { return connection_fd_; }  // -1: none
    std::uint16_t port() const;                                    // as bound (0 asks for any)

    // listen_fd() is readable. connection_fd() may change: a new one is to be watched (a closed one left epoll itself).
    void on_listen_readable(Time now, const FpmEvents& events);

    // connection_fd() is readable: reads at most `most` octets, so that a turn is bounded, and gives their frames.
    void on_connection_readable(Time now, const FpmEvents& events, std::size_t most = 4 << 20);

    const FpmStatus& status() const noexcept { return status_; }

private:
    FpmServer(int fd, std::string listening);
    void close_connection(Time now, const FpmEvents& events, std::string why);
    bool read_once(Time now, const FpmEvents& events, std::size_t& left);

    int listen_fd_{-1};
    int connection_fd_{-1};
    FpmParser parser_;
    std::vector<std::uint32_t> buffer_;  // aligned
    FpmStatus status_;
};

}  // namespace bgp_glue
