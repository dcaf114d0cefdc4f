// The control socket: one JSON document per request. Control thread only.
//
// A client sends an object and a newline. At most kMaxClients; a client that is silent for kClientTimeout, or sends
// more than kMaxRequest octets without a newline, is disconnected; a client that does not read its answer is, too. A
// handler may take a connection for a stream of its own: then none of this is its concern any more.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "tools/demarcd/event_loop.h"

namespace demarcd {

inline constexpr std::size_t kMaxClients = 64;
inline constexpr std::size_t kMaxRequest = 1 << 20;
inline constexpr auto kClientTimeout = std::chrono::seconds(10);

class ControlSocket {
public:
    // Answers one request, now or later: it may be called once, from the control thread, also after the client went
    // away. Or, instead of that, take(): the descriptor of the connection, non-blocking, which the caller closes; -1
    // when the client went away.
    struct Reply {
        std::function<void(std::string)> answer;
        std::function<int()> take;
        void operator()(std::string text) const { answer(std::move(text)); }
        explicit operator bool() const { return static_cast<bool>(answer); }
    };
    using Handler = std::function<void(std::string request, Reply reply)>;

    // Error: a sentence with the remedy.
    static std::expected<std::unique_ptr<ControlSocket>, std::string> open(EventLoop&, const std::string& path,
                                                                           Handler);
    ~ControlSocket();

private:
    struct Client {
        std::string in, out;
        bool answering{};
        Clock::time_point last;
    };
    ControlSocket(EventLoop& loop, std::string path, int fd, Handler handler);
    void accept_client();
    void on_client(int fd, std::uint32_t events);
    bool read_some(int fd, Client&);
    void next_request(std::uint64_t id, int fd, Client&);
    void answer(std::uint64_t id, int fd, const std::string& text);
    int take(std::uint64_t id, int fd);
    bool write_some(int fd, Client&);
    void drop(int fd);
    void drop_silent();

    EventLoop& loop_;
    std::string path_;
    int listen_;
    Handler handler_;
    std::uint64_t next_id_{1};
    std::unordered_map<int, std::pair<std::uint64_t, Client>> clients_;
    std::shared_ptr<bool> alive_{std::make_shared<bool>(true)};
};

}  // namespace demarcd
