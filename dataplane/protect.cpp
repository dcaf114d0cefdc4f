// 1. a plain port's frames pass
// 2. on a secured port, a PDU of the KaY passes when it is one, octet by octet, and nothing else does
// 3. every run of one SecY's frames becomes spans and is protected in one call; a frame without a SecY is dropped
// 4. what is protected is a longer frame; everything else is stopped with macsec's own verdict: never in clear
#include <span>

#include "dataplane/inject.h"
#include "dataplane/macsec_span.h"
#include "dataplane/stages.h"

namespace dataplane {

namespace {

// The only way around the cipher.
Verdict pass_around(const Forwarding& f, const PortEntry& port, const rte_mbuf* m, const Meta& meta) noexcept {
    const SecYEntry& secy = f.secys[meta.secy];
    const macsec::ConstOctets frame{rte_pktmbuf_mtod(m, const std::uint8_t*), m->data_len};
    return is_kay_pdu(secy, port.mac, frame, secy.clear_tags.octets()) ? Verdict::forward : Verdict::inject_bad;
}

void protect_run(Worker& w, const SecYEntry& secy, Batch& b, std::size_t start, std::size_t end) noexcept {
    auto& frames = w.spans;
    for (std::size_t i = start; i < end; ++i) frames[i] = span_of(b.mbuf[i], secy.clear_tags.octets());
    macsec::protect(secy.transmit, std::span(frames).subspan(start, end - start));
    for (std::size_t i = start; i < end; ++i) {
        if (frames[i].verdict == macsec::Verdict::ok) [[likely]]
            write_back(b.mbuf[i], frames[i]);
        else
            b.stop(i, from(frames[i].verdict));
    }
}

bool same_run(const Meta& a, const Meta& b) noexcept { return a.secy == b.secy && a.kay == b.kay; }

}  // namespace

void protect(Worker& w, const Forwarding& f, Batch& b) noexcept {
    const PortEntry& port = f.ports[b.port.value];
    if (!port.secured) return;
    for (std::size_t start = 0, end = 0; start < b.count; start = end) {
        const Meta& first = b.meta[start];
        for (end = start + 1; end < b.count && same_run(first, b.meta[end]);) ++end;
        if (!first.kay && first.secy < f.secys.size() && f.secys[first.secy].port == b.port) [[likely]] {
            protect_run(w, f.secys[first.secy], b, start, end);
            continue;
        }
        for (std::size_t i = start; i < end; ++i) {
            const Verdict v = first.kay ? pass_around(f, port, b.mbuf[i], b.meta[i]) : Verdict::macsec_tx_no_sa;
            if (v != Verdict::forward) b.stop(i, v);
        }
    }
}

}  // namespace dataplane
