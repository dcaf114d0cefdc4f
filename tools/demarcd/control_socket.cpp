#include "tools/demarcd/control_socket.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace demarcd {

namespace {

// True when a daemon answers there; a socket that nobody listens on is a leftover.
bool somebody_listens(const sockaddr_un& address) {
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool yes = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(probe);
    return yes;
}

}  // namespace

std::expected<std::unique_ptr<ControlSocket>, std::string> ControlSocket::open(EventLoop& loop, const std::string& path,
                                                                               Handler handler) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return std::unexpected(
            fmt::format("{}: the path of the control socket has more than {} octets; choose a shorter "
                        "router.run-directory",
                        path, sizeof address.sun_path - 1));
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (somebody_listens(address))
        return std::unexpected(
            fmt::format("{}: another demarcd listens there; stop it, or choose another "
                        "router.run-directory",
                        path));
    unlink(path.c_str());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const mode_t old = umask(0117);  // 0660
    const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const int why = errno;
    umask(old);
    if (!bound || listen(fd, 16) != 0) {
        close(fd);
        return std::unexpected(fmt::format("{}: cannot listen: {}; the run directory must exist and be writable", path,
                                           std::strerror(why)));
    }
    return std::unique_ptr<ControlSocket>(new ControlSocket(loop, path, fd, std::move(handler)));
}

ControlSocket::ControlSocket(EventLoop& loop, std::string path, int fd, Handler handler)
    : loop_(loop), path_(std::move(path)), listen_(fd), handler_(std::move(handler)) {
    loop_.watch(listen_, EPOLLIN, [this](std::uint32_t) { accept_client(); });
    loop_.every(std::chrono::seconds(1), [this, alive = alive_] {
        if (*alive) drop_silent();
    });
}

ControlSocket::~ControlSocket() {
    *alive_ = false;
    for (const auto& [fd, client] : clients_) {
        loop_.unwatch(fd);
        close(fd);
    }
    loop_.unwatch(listen_);
    close(listen_);
    unlink(path_.c_str());
}

void ControlSocket::accept_client() {
    const int fd = accept4(listen_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (clients_.size() >= kMaxClients) {
        close(fd);
        return;
    }
    clients_[fd] = {next_id_++, Client{{}, {}, false, Clock::now()}};
    loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t events) { on_client(fd, events); });
}

void ControlSocket::on_client(int fd, std::uint32_t events) {
    auto& [id, client] = clients_.at(fd);
    if ((events & EPOLLOUT) != 0 && !write_some(fd, client)) return drop(fd);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !read_some(fd, client)) return drop(fd);
    next_request(id, fd, client);
}

bool ControlSocket::read_some(int fd, Client& client) {
    char buffer[65536];
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    client.in.append(buffer, static_cast<std::size_t>(n));
    return client.in.size() <= kMaxRequest;
}

void ControlSocket::next_request(std::uint64_t id, int fd, Client& client) {
    const auto end = client.in.find('\n');
    if (client.answering || !client.out.empty() || end == std::string::npos) return;
    client.last = Clock::now();  // a client that trickles octets, in or out, is as silent as one that hangs
    std::string request = client.in.substr(0, end);
    client.in.erase(0, end + 1);
    client.answering = true;
    handler_(std::move(request), {[this, alive = alive_, id, fd](std::string text) {
                                      if (*alive) answer(id, fd, text);
                                  },
                                  [this, alive = alive_, id, fd] { return *alive ? take(id, fd) : -1; }});
}

int ControlSocket::take(std::uint64_t id, int fd) {
    const auto found = clients_.find(fd);
    if (found == clients_.end() || found->second.first != id) return -1;
    loop_.unwatch(fd);
    clients_.erase(found);
    return fd;
}

void ControlSocket::answer(std::uint64_t id, int fd, const std::string& text) {
    const auto found = clients_.find(fd);
    if (found == clients_.end() || found->second.first != id) return;  // went away meanwhile
    Client& client = found->second.second;
    client.answering = false;
    client.out += text;
    client.out += '\n';
    if (!write_some(fd, client)) return drop(fd);
    // The next one has to wait for the next turn: a client that sends many small requests at once starves nobody.
    loop_.after({}, [this, alive = alive_, id, fd] {
        if (!*alive) return;
        const auto again = clients_.find(fd);
        if (again != clients_.end() && again->second.first == id) next_request(id, fd, again->second.second);
    });
}

bool ControlSocket::write_some(int fd, Client& client) {
    const ssize_t n = send(fd, client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (n > 0) client.out.erase(0, static_cast<std::size_t>(n));
    loop_.change(fd, client.out.empty() ? EPOLLIN : EPOLLOUT);
    return true;
}

void ControlSocket::drop(int fd) {
    loop_.unwatch(fd);
    close(fd);
    clients_.erase(fd);
}

void ControlSocket::drop_silent() {
    std::vector<int> silent;
    for (const auto& [fd, entry] : clients_)
        if (Clock::now() - entry.second.last > kClientTimeout) silent.push_back(fd);
    for (int fd : silent) drop(fd);
}

}  // namespace demarcd
