// ask() against real sockets of this process.
#include "tools/demarc/client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/unit/catch.h"

namespace {

using namespace std::chrono_literals;

// A listening socket in a directory of its own.
struct Listener {
    Listener() {
        char name[] = "/tmp/demarc-client-XXXXXX";
        directory = mkdtemp(name);
        path = directory + "/s";
        sockaddr_un a{};
        a.sun_family = AF_UNIX;
        std::memcpy(a.sun_path, path.data(), path.size());
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0);
        REQUIRE(listen(fd, 4) == 0);
    }
    ~Listener() {
        if (fd >= 0) close(fd);
        std::filesystem::remove_all(directory);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    std::string directory, path;
    int fd{};
};

std::string read_line(int fd) {
    std::string line;
    for (char c; read(fd, &c, 1) == 1 && c != '\n';) line += c;
    return line;
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

TEST_CASE("a question gets its answer, also when it comes in pieces") {
    Listener l;
    std::string asked;
    std::jthread daemon([&] {
        const int c = accept(l.fd, nullptr, nullptr);
        asked = read_line(c);
        write_all(c, R"({"ok":)");
        std::this_thread::sleep_for(5ms);
        write_all(c, "true}\n{\"next\":1}\n");
        close(c);
    });
    const auto answer = cli::ask(l.path, R"({"request":"status"})");
    daemon.join();
    REQUIRE(answer);
    CHECK(*answer == R"({"ok":true})");
    CHECK(asked == R"({"request":"status"})");
}

TEST_CASE("a daemon that closes the connection before its answer ends is one sentence") {
    Listener l;
    std::jthread daemon([&] {
        const int c = accept(l.fd, nullptr, nullptr);
        read_line(c);
        write_all(c, R"({"ok":)");
        close(c);
    });
    const auto answer = cli::ask(l.path, "{}");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().find("closed the connection") != std::string::npos);
}

TEST_CASE("a daemon that does not answer is given up after the timeout") {
    Listener l;
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = cli::ask(l.path, "{}", 50ms);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().find("no answer") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("an answer without end is given up at its bound") {
    Listener l;
    std::jthread daemon([&] {
        const int c = accept(l.fd, nullptr, nullptr);
        const std::string chunk(1 << 20, 'x');
        for (int i = 0; i < 70; ++i) write_all(c, chunk);
        close(c);
    });
    const auto answer = cli::ask(l.path, "{}");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().find("longer than") != std::string::npos);
}

TEST_CASE("no daemon, no socket and no path are three sentences, each with a remedy") {
    Listener l;
    close(l.fd);
    l.fd = -1;
    CHECK(cli::ask(l.path, "{}").error().find("nobody listens") != std::string::npos);
    CHECK(cli::ask(l.directory + "/none", "{}").error().find("--socket") != std::string::npos);
    CHECK(cli::ask(std::string(200, 'p'), "{}").error().find("--socket") != std::string::npos);
    CHECK(cli::ask("", "{}").error().find("--socket") != std::string::npos);
}
