// One thread's epoll loop: descriptors and timers. Callbacks run on that thread, one after the other, and never block.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace demarcd {

using Clock = std::chrono::steady_clock;

class EventLoop {
public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Calls `ready(events)` while `fd` has one of `events` (EPOLLIN, EPOLLOUT). The caller keeps the descriptor open
    // until unwatch().
    void watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready);
    void change(int fd, std::uint32_t events);
    void unwatch(int fd);

    // Calls `due` once, not before `delay` from now.
    void after(Clock::duration delay, std::function<void()> due);
    // Calls `due` every `period`, first after one period, until the loop ends.
    void every(Clock::duration period, std::function<void()> due);

    // Until stop(); may be called from a callback.
    void run();
    void stop() { running_ = false; }

    // The longest time one turn took since the loop began.
    Clock::duration longest_turn() const { return longest_turn_; }

private:
    int wait_ms(Clock::time_point now) const;
    void run_due_timers();

    int epoll_{-1};
    bool running_{};
    std::unordered_map<int, std::shared_ptr<std::function<void(std::uint32_t)>>> watched_;
    std::multimap<Clock::time_point, std::function<void()>> timers_;
    Clock::duration longest_turn_{};
};

}  // namespace demarcd
