// Real sockets on the loopback.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp-glue/fpm_routes.h"
#include "tests/unit/bgp-glue/zebra_says.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;
using namespace zebra_says;

namespace {

FpmServer server_on_any_port() {
    auto server = FpmServer::listen(ip("127.0.0.1"), 0);
    REQUIRE(server);
    return std::move(*server);
}

bool readable(int fd) {
    pollfd p{fd, POLLIN, 0};
    return fd >= 0 && ::poll(&p, 1, 100) == 1;
}

// zebra's end.
class Peer {
public:
    explicit Peer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    }
    Peer(const Peer&) = delete;
    ~Peer() { close(); }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    void say(const Octets& octets) {
        REQUIRE(::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size()));
    }
    bool closed_by_server() {
        char c;
        return readable(fd_) && ::recv(fd_, &c, 1, 0) <= 0;
    }

private:
    int fd_;
};

// A server and its loop.
struct Loop {
    std::uint16_t port;
    FpmRoutes routes;
    Loop() : Loop(server_on_any_port()) {}
    explicit Loop(FpmServer server) : port(server.port()), routes(std::move(server)) {}
    void turn() {
        if (readable(routes.listen_fd())) routes.on_listen_readable(Time{});
        while (readable(routes.connection_fd())) routes.on_connection_readable(Time{});
    }
};

}  // namespace

TEST_CASE("routes said over a socket end in the queue") {
    Loop loop;
    Peer peer(loop.port);
    const auto frame = fpm_frame(announce("10.1.0.0/16", {"10.0.0.1", 2}));
    peer.say(Octets(frame.begin(), frame.begin() + 7));
    loop.turn();
    CHECK(loop.routes.queue().empty());
    CHECK(loop.routes.status().connected);
    peer.say(Octets(frame.begin() + 7, frame.end()));
    loop.turn();
    CHECK(loop.routes.drain(10) == RouteChanges{SetRoute{254, prefix("10.1.0.0/16"), bgp_route({hop("10.0.0.1", 2)})}});
    CHECK(loop.routes.status().counters.frames == 1);
    CHECK(loop.routes.status().counters.octets == frame.size());
    peer.close();
    loop.turn();
    CHECK_FALSE(loop.routes.status().connected);
    CHECK(loop.routes.status().last_error == "closed by the peer");
    CHECK(loop.routes.rib().routes().size() == 1);
    CHECK(loop.routes.rib().state() == SyncState::disconnected);
}

TEST_CASE("nonsense costs its connection, the next one is served, the routes stay") {
    Loop loop;
    {
        Peer peer(loop.port);
        peer.say(fpm_frame(announce("10.1.0.0/16", {"10.0.0.1", 2})));
        peer.say({'G', 'E', 'T', ' ', '/'});
        loop.turn();
        CHECK(peer.closed_by_server());
    }
    CHECK(loop.routes.status().counters.faults[static_cast<std::size_t>(FpmFault::version)] == 1);
    CHECK(loop.routes.status().last_error.find("version 71") != std::string::npos);
    CHECK(loop.routes.connection_fd() == -1);
    Peer again(loop.port);
    again.say(fpm_frame(announce("10.2.0.0/16", {"10.0.0.1", 2})));
    loop.turn();
    CHECK(loop.routes.rib().routes().size() == 2);
}

TEST_CASE("the newest connection wins") {
    Loop loop;
    Peer old(loop.port);
    loop.turn();
    old.say({1, 1, 0});  // half a header of the old stream must not reach the new one's parser
    loop.turn();
    Peer young(loop.port);
    loop.turn();
    CHECK(old.closed_by_server());
    young.say(fpm_frame(announce("10.1.0.0/16", {"10.0.0.1", 2})));
    loop.turn();
    CHECK(loop.routes.rib().routes().size() == 1);
    CHECK(loop.routes.status().counters.connections == 2);
    CHECK(loop.routes.status().counters.replaced == 1);
}

TEST_CASE("a frame of 64 KiB and a half frame at the end are survived") {
    Loop loop;
    Peer peer(loop.port);
    std::vector<Octets> many;
    for (int i = 0; i < 1000; ++i) {
        const auto destination = "10." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + ".0/24";
        many.push_back(announce(destination.c_str(), {"10.0.0.1", 2}));
    }
    auto payload = together(many);
    payload.resize(65531);  // the rest is nonsense within the frame
    peer.say(fpm_frame(payload));
    peer.say({1, 1, 0xFF, 0xFF, 0});
    loop.turn();
    peer.close();
    loop.turn();
    CHECK(loop.routes.rib().routes().size() == 1000);
    CHECK(loop.routes.messages().errors() == 1);
    CHECK(loop.routes.status().counters.faults[static_cast<std::size_t>(FpmFault::truncated)] == 1);
}

TEST_CASE("a port that is taken is one error with the remedy") {
    auto server = server_on_any_port();
    const auto second = FpmServer::listen(ip("127.0.0.1"), server.port());
    REQUIRE_FALSE(second);
    CHECK(second.error().find("127.0.0.1:" + std::to_string(server.port())) != std::string::npos);
    CHECK(second.error().find("host.fpm") != std::string::npos);
}
