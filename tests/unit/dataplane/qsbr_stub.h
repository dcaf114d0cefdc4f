// Quiescent states without DPDK: what the router gets from rte_rcu_qsbr.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/grace.h"

namespace fib_test {

class QsbrStub {
public:
    explicit QsbrStub(std::size_t readers) : readers_(readers) {}

    // A reader: holds nothing it read before.
    void quiescent(std::size_t reader) noexcept {
        seen_[reader].value.store(token_.load(std::memory_order_acquire), std::memory_order_release);
    }
    void offline(std::size_t reader) noexcept {
        seen_[reader].value.store(~std::uint64_t{0}, std::memory_order_release);
    }

    dataplane::Grace grace() {
        return {[this] { return token_.fetch_add(1, std::memory_order_acq_rel) + 1; },
                [this](std::uint64_t token) {
                    for (std::size_t i = 0; i < readers_; ++i)
                        if (seen_[i].value.load(std::memory_order_acquire) < token) return false;
                    return true;
                }};
    }

private:
    struct alignas(64) Seen {
        std::atomic<std::uint64_t> value{};  // reader: w, writer: ro
    };
    const std::size_t readers_;
    std::atomic<std::uint64_t> token_{};  // writer: rw, readers: ro
    std::array<Seen, 8> seen_{};
};

}  // namespace fib_test
