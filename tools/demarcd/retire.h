// What workers may still be reading waits here until every one of them has been quiescent. Writers never wait.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

struct rte_rcu_qsbr;

namespace demarcd {

// One thread's list; each writer thread has its own over the one QSBR domain.
class RetireList {
public:
    explicit RetireList(rte_rcu_qsbr* qsbr) : qsbr_(qsbr) {}

    // `gone` runs, on this thread, in a later collect() once no worker can hold what was reachable before this call.
    void retire(std::function<void()> gone);
    void collect();
    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Waiting {
        std::uint64_t token;
        std::function<void()> gone;
    };
    rte_rcu_qsbr* qsbr_;
    std::deque<Waiting> waiting_;
};

}  // namespace demarcd
