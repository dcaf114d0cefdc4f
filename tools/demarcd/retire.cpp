#include "tools/demarcd/retire.h"

#include <rte_rcu_qsbr.h>

namespace demarcd {

void RetireList::retire(std::function<void()> gone) {
    waiting_.push_back({rte_rcu_qsbr_start(qsbr_), std::move(gone)});
}

void RetireList::collect() {
    while (!waiting_.empty() && rte_rcu_qsbr_check(qsbr_, waiting_.front().token, false) == 1) {
        auto gone = std::move(waiting_.front().gone);
        waiting_.pop_front();
        gone();
    }
}

}  // namespace demarcd
