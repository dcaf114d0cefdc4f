#include "tools/demarcd/control_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/catch.h"

using namespace demarcd;

namespace {

std::string fresh_path() {
    char name[] = "/tmp/demarc-control-XXXXXX";
    return std::string(mkdtemp(name)) + "/s";
}

int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

void say(int fd, const std::string& text) { REQUIRE(send(fd, text.data(), text.size(), MSG_NOSIGNAL) > 0); }

// What arrives until `lines` newlines, the end of the connection, or a second without anything; "EOF" marks the end.
std::string hear(EventLoop& loop, int fd, std::size_t lines) {
    std::string all;
    const auto deadline = Clock::now() + std::chrono::seconds(1);
    while (Clock::now() < deadline && static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')) < lines) {
        loop.after(std::chrono::milliseconds(1), [&] { loop.stop(); });
        loop.run();
        char buffer[4096];
        const ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n == 0) return all + "EOF";
        if (n > 0) all.append(buffer, static_cast<std::size_t>(n));
    }
    return all;
}

struct Echo {
    std::string path = fresh_path();
    EventLoop loop;
    std::unique_ptr<ControlSocket> socket = std::move(*ControlSocket::open(
        loop, path, [](std::string request, ControlSocket::Reply reply) { reply("<" + request + ">"); }));
    ~Echo() {
        socket.reset();
        std::filesystem::remove_all(std::filesystem::path(path).parent_path());
    }
};

}  // namespace

TEST_CASE("a request of one line gets an answer of one line") {
    Echo e;
    const int fd = connect_to(e.path);
    say(fd, "one\n");
    CHECK(hear(e.loop, fd, 1) == "<one>\n");
    close(fd);
}

TEST_CASE("several requests in one write are answered in order") {
    Echo e;
    const int fd = connect_to(e.path);
    say(fd, "one\ntwo\nthree\n");
    CHECK(hear(e.loop, fd, 3) == "<one>\n<two>\n<three>\n");
    close(fd);
}

TEST_CASE("a client that sends more than a request may have is disconnected") {
    Echo e;
    const int fd = connect_to(e.path);
    const std::string piece(65536, 'x');
    for (std::size_t sent = 0; sent <= kMaxRequest; sent += piece.size()) {
        send(fd, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        for (int i = 0; i < 3; ++i) {
            e.loop.after({}, [&] { e.loop.stop(); });
            e.loop.run();
        }
    }
    CHECK((hear(e.loop, fd, 1) == "EOF" || send(fd, "x", 1, MSG_NOSIGNAL) < 0));
    close(fd);
}

TEST_CASE("an answer that comes after its client went away is dropped") {
    const std::string path = fresh_path();
    EventLoop loop;
    ControlSocket::Reply later;
    auto socket =
        std::move(*ControlSocket::open(loop, path, [&](std::string, ControlSocket::Reply reply) { later = reply; }));
    const int fd = connect_to(path);
    say(fd, "slow\n");
    CHECK(hear(loop, fd, 1).empty());
    REQUIRE(later);
    close(fd);
    loop.after(std::chrono::milliseconds(5), [&] { loop.stop(); });
    loop.run();
    later("too late");
    socket.reset();
    later("much too late");
    std::filesystem::remove_all(std::filesystem::path(path).parent_path());
}

TEST_CASE("a connection that a handler takes is the handler's: nothing is answered, nobody disconnects it") {
    const std::string path = fresh_path();
    EventLoop loop;
    int taken = -1;
    ControlSocket::Reply reply;
    auto socket = std::move(*ControlSocket::open(loop, path, [&](std::string, ControlSocket::Reply r) {
        taken = r.take();
        reply = r;
    }));
    const int fd = connect_to(path);
    say(fd, "stream\nmore\n");
    CHECK(hear(loop, fd, 1).empty());
    REQUIRE(taken >= 0);
    CHECK(reply.take() == -1);
    reply("an answer to nobody");
    say(taken, "a\nb\n");
    CHECK(hear(loop, fd, 2) == "a\nb\n");
    socket.reset();
    say(taken, "c\n");
    CHECK(hear(loop, fd, 1) == "c\n");
    close(taken);
    close(fd);
    std::filesystem::remove_all(std::filesystem::path(path).parent_path());
}

TEST_CASE("the sixty-fifth client is turned away and the others still get answers") {
    Echo e;
    std::vector<int> clients;
    for (std::size_t i = 0; i < kMaxClients; ++i) {
        clients.push_back(connect_to(e.path));
        say(clients.back(), "x\n");
        CHECK(hear(e.loop, clients.back(), 1) == "<x>\n");
    }
    const int extra = connect_to(e.path);
    CHECK(hear(e.loop, extra, 1) == "EOF");
    say(clients.front(), "again\n");
    CHECK(hear(e.loop, clients.front(), 1) == "<again>\n");
    for (int fd : clients) close(fd);
    close(extra);
}

TEST_CASE("a second daemon is refused where one listens, a leftover socket is not in the way") {
    const std::string path = fresh_path();
    EventLoop loop;
    const auto nobody = [](std::string, ControlSocket::Reply) {};
    auto first = ControlSocket::open(loop, path, nobody);
    REQUIRE(first);
    const auto second = ControlSocket::open(loop, path, nobody);
    REQUIRE_FALSE(second);
    CHECK(second.error().find("another demarcd") != std::string::npos);
    struct stat status;
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0660);
    first->reset();
    const int leftover = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(bind(leftover, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    close(leftover);
    CHECK(ControlSocket::open(loop, path, nobody));
    std::filesystem::remove_all(std::filesystem::path(path).parent_path());
}
