// Values from one thread to another: an unbounded queue with an eventfd to wait on. Any thread may send, one receives.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace demarcd {

template <class T>
class Channel {
public:
    Channel() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
    ~Channel() { close(event_); }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    void send(T value) {
        bool first;
        {
            const std::lock_guard lock(mutex_);
            first = values_.empty();
            values_.push_back(std::move(value));
        }
        if (first) {
            const std::uint64_t one = 1;
            [[maybe_unused]] const auto written = write(event_, &one, sizeof one);
        }
    }

    // Everything sent so far, in order.
    std::vector<T> take() {
        std::uint64_t count;
        [[maybe_unused]] const auto got = read(event_, &count, sizeof count);
        const std::lock_guard lock(mutex_);
        return std::exchange(values_, {});
    }

    // Readable when take() has something.
    int event() const { return event_; }

private:
    int event_;
    std::mutex mutex_;
    std::vector<T> values_;  // any: rw, under mutex_
};

}  // namespace demarcd
