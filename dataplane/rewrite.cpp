// 1. destination address: the next hop's, from its slot; source address: the egress interface's
#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

void rewrite(Worker&, const Forwarding& f, Batch& b) noexcept {
    for (std::size_t i = 0; i < b.count; ++i) {
        const Meta& meta = b.meta[i];
        const std::uint64_t source = f.interfaces[meta.egress.value].mac.number();
        net::write_addresses(frame_of(b.mbuf[i]), meta.slot & Slot::kMac, source);
    }
}

}  // namespace dataplane
