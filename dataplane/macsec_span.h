// An mbuf as macsec sees it, and back. Any worker.
#pragma once

#include "dataplane/worker_impl.h"
#include "macsec/frame.h"

namespace dataplane {

static_assert(kBatch <= macsec::kMaxBatch);

inline macsec::Frame span_of(rte_mbuf* m, std::uint32_t clear_tags) noexcept {
    return {frame_of(m), m->data_len, rte_pktmbuf_headroom(m), rte_pktmbuf_tailroom(m),
            static_cast<std::uint8_t>(clear_tags), macsec::Verdict::ok};
}

inline void write_back(rte_mbuf* m, const macsec::Frame& frame) noexcept {
    m->data_off = static_cast<std::uint16_t>(frame.data - static_cast<std::uint8_t*>(m->buf_addr));
    set_length(m, static_cast<std::uint16_t>(frame.length));
}

}  // namespace dataplane
