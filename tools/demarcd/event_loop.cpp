#include "tools/demarcd/event_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace demarcd {

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

EventLoop::~EventLoop() { close(epoll_); }

void EventLoop::watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) {
    epoll_event e{};
    e.events = events;
    e.data.fd = fd;
    const int op = watched_.contains(fd) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(epoll_, op, fd, &e) != 0) throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    watched_[fd] = std::make_shared<std::function<void(std::uint32_t)>>(std::move(ready));
}

void EventLoop::change(int fd, std::uint32_t events) {
    epoll_event e{};
    e.events = events;
    e.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &e);
}

void EventLoop::unwatch(int fd) {
    if (watched_.erase(fd) != 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::after(Clock::duration delay, std::function<void()> due) {
    timers_.emplace(Clock::now() + delay, std::move(due));
}

void EventLoop::every(Clock::duration period, std::function<void()> due) {
    after(period, [this, period, due = std::move(due)]() mutable {
        due();
        every(period, std::move(due));
    });
}

int EventLoop::wait_ms(Clock::time_point now) const {
    if (timers_.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - now).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void EventLoop::run_due_timers() {
    const auto now = Clock::now();
    while (running_ && !timers_.empty() && timers_.begin()->first <= now) {
        auto due = timers_.extract(timers_.begin());
        due.mapped()();
    }
}

void EventLoop::run() {
    running_ = true;
    std::array<epoll_event, 64> events;
    while (running_) {
        const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms(Clock::now()));
        const auto begin = Clock::now();
        for (int i = 0; i < n && running_; ++i) {
            const auto found = watched_.find(events[static_cast<std::size_t>(i)].data.fd);
            if (found == watched_.end()) continue;  // unwatched by an earlier callback of this turn
            const auto keep = found->second;        // the callback may unwatch itself
            (*keep)(events[static_cast<std::size_t>(i)].events);
        }
        run_due_timers();
        longest_turn_ = std::max(longest_turn_, Clock::now() - begin);
    }
}

}  // namespace demarcd
