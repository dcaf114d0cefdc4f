// 1. the ingress interface's connection, direction in
// 2. the egress interface's connection, direction out
// Frames for the host have left the batch before; frames of the host are judged by inject.
#include "dataplane/police.h"

#include "dataplane/police_credit.h"
#include "dataplane/stages.h"

namespace dataplane {

void police(Worker& w, const Forwarding& f, Batch& b) noexcept {
    if (f.connections.empty()) return;
    for (std::size_t i = 0; i < b.count; ++i) {
        const std::uint32_t octets = b.mbuf[i]->pkt_len;
        const Meta& meta = b.meta[i];
        if (!spend(w, f, f.interfaces[meta.ingress.value].connection, Direction::in, octets) ||
            !spend(w, f, f.interfaces[meta.egress.value].connection, Direction::out, octets)) [[unlikely]]
            b.stop(i, Verdict::policed);
    }
}

}  // namespace dataplane
