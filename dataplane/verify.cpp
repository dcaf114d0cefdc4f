// 1. a plain port's frames pass
// 2. the frames become spans: the macsec folder knows no mbufs
// 3. every run of one SecY's frames is verified in one call
// 4. what is verified is a shorter frame; everything else is stopped with macsec's own verdict
#include <span>

#include "dataplane/macsec_span.h"
#include "dataplane/stages.h"

namespace dataplane {

void verify(Worker& w, const Forwarding& f, Batch& b) noexcept {
    if (!f.ports[b.port.value].secured) return;
    auto& frames = w.spans;
    for (std::size_t start = 0, end = 0; start < b.count; start = end) {
        const std::uint16_t index = b.meta[start].secy;
        const SecYEntry& secy = f.secys[index];  // classify lets nothing pass without one
        for (end = start; end < b.count && b.meta[end].secy == index; ++end)
            frames[end] = span_of(b.mbuf[end], secy.clear_tags.octets());
        macsec::verify(secy.receive, std::span(frames).subspan(start, end - start));
    }
    for (std::size_t i = 0; i < b.count; ++i) {
        if (frames[i].verdict != macsec::Verdict::ok) [[unlikely]] {
            b.stop(i, from(frames[i].verdict));
            continue;
        }
        write_back(b.mbuf[i], frames[i]);
        b.meta[i].secured = true;
    }
}

}  // namespace dataplane
