// on the traced port, after each ingress stage:
// 1. receive: frames get a row of notes and a mark
// 2. each stage adds a step to its frames' rows; a verdict closes the row: told, or forgotten
// 3. hand_over: what it did not stop is on its way; its row closes
// on every port, after each egress stage, for marked frames:
// 4. push_vlan, protect: a step is told at once
// 5. transmit takes the frames: they are noted before, and told afterwards, by how many the device took
#include "dataplane/trace.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "dataplane/egress.h"
#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "macsec/sectag.h"

namespace dataplane {

namespace {

struct Row {
    std::uint32_t frame{};
    std::uint32_t steps{};
    bool open{};
    TraceStep sectag{};  // has_sectag, an, pn, sci: as classify saw them
    std::array<TraceStep, kIngressStages> step;
};

// Behind Crossing, which hand_over writes, in the mbuf's private area.
constexpr std::size_t kNumberAt = 16;
static_assert(sizeof(Crossing) <= kNumberAt && kNumberAt + sizeof(std::uint32_t) <= kMbufPrivate);
std::uint32_t& number_of(rte_mbuf* m) noexcept {
    return *reinterpret_cast<std::uint32_t*>(static_cast<std::uint8_t*>(rte_mbuf_to_priv(m)) + kNumberAt);
}

}  // namespace

struct TraceNotes {
    std::uint32_t left{};  // frames to tell of
    std::uint32_t next{};  // number of the next one
    std::uint32_t base{};  // of the first row
    std::uint32_t rows{};  // in use: of the batch that is under way
    std::array<Row, kBatch> row;
    std::uint32_t leaving{};  // frames that transmit gets
    std::uint64_t sent_before{};
    std::array<TraceStep, kBatch> leaving_step;
    std::array<std::uint32_t, kBatch> leaving_frame;
    std::array<std::uint16_t, kBatch> leaving_place;  // in the batch: the device takes the first ones
};

void FreeTraceNotes::operator()(TraceNotes* notes) const noexcept { delete notes; }

TraceNotesPtr make_trace_notes(WorkerId worker, std::uint32_t frames) {
    TraceNotesPtr notes(new TraceNotes);
    notes->left = frames;
    notes->next = (worker.value + 1u) << 27;
    return notes;
}

std::expected<std::uint64_t, std::string> trace_mark() {
    static const rte_mbuf_dynflag description{"demarc_trace", 0};
    const int bit = rte_mbuf_dynflag_register(&description);
    if (bit >= 0) return std::uint64_t{1} << bit;
    return std::unexpected(std::string("no bit of a frame is free for a mark: ") + rte_strerror(rte_errno));
}

namespace {

void tell(RecordRing& ring, std::uint64_t now, std::uint32_t frame, std::span<const TraceStep> steps) noexcept {
    std::uint8_t* to =
        ring.add(sizeof(TraceRecord) + steps.size_bytes(), static_cast<std::uint32_t>(RecordKind::trace));
    if (to == nullptr) return ring.dropped.add(1);
    TraceRecord record;
    std::memcpy(&record.head, to, sizeof record.head);
    record.when = now;
    record.frame = frame;
    record.steps = static_cast<std::uint32_t>(steps.size());
    std::memcpy(to, &record, sizeof record);
    std::memcpy(to + sizeof record, steps.data(), steps.size_bytes());
    ring.kept.add(1);
    ring.publish();
}

// What every stage knows.
TraceStep common(const Worker& w, const Batch& b, std::size_t i, Stage stage) noexcept {
    TraceStep s;
    s.stage = stage;
    s.verdict = b.meta[i].verdict;
    s.worker = w.id;
    s.port = b.port;
    s.octets = b.mbuf[i]->pkt_len;
    if (b.mbuf[i]->data_len >= net::kEthernetOctets) s.type = net::type_at(frame_of(b.mbuf[i]), net::kAddressOctets);
    return s;
}

// The SecTAG behind so many octets of clear tags, if one is there.
void read_sectag(rte_mbuf* m, std::size_t clear, TraceStep& s) noexcept {
    const std::size_t at = net::kAddressOctets + clear;
    if (m->data_len < at + 2 || net::type_at(frame_of(m), at) != macsec::kEtherTypeMacsec) return;
    macsec::SecTag tag;
    if (macsec::parse_sectag({frame_of(m) + at, m->data_len - at}, tag) != macsec::Verdict::ok) return;
    s.has_sectag = true;
    s.an = tag.an();
    s.pn = tag.pn;
    if (tag.form() != macsec::SciForm::none) s.sci = macsec::sci_of(tag, frame_of(m) + net::kAddressOctets / 2);
}
void copy_sectag(const TraceStep& from, TraceStep& to) noexcept {
    to.has_sectag = from.has_sectag;
    to.an = from.an;
    to.pn = from.pn;
    to.sci = from.sci;
}

template <class Address>
bool find_leaf(const Lookups<Address>& l, std::size_t i, TraceStep& s) noexcept {
    const auto* end = l.frame.data() + l.count;
    const auto* found = std::find(l.frame.data(), end, static_cast<std::uint8_t>(i));
    if (found == end) return false;
    const auto k = static_cast<std::size_t>(found - l.frame.data());
    s.looked_up = true;
    s.leaf = l.leaf[k];
    s.destination = net::IpAddress::from(l.destination[k]);
    return true;
}

// The member that has the slot which route chose.
void find_member(const Forwarding& f, const Meta& meta, TraceStep& s) noexcept {
    if (s.leaf.kind() != LeafKind::group || s.leaf.index() >= f.hops.groups.size()) return;
    const Group& g = f.hops.groups[s.leaf.index()];
    for (std::size_t i = 0; i < g.count; ++i) {
        const NextHop& hop = f.hops.next_hops[g.member[i].value];
        const std::uint64_t slot = f.hops.slots[g.member[i].value].load(std::memory_order_relaxed);
        if (hop.interface == meta.egress && slot == meta.slot) s.next_hop = g.member[i];
    }
}

void add_route(const Worker& w, const Forwarding& f, const Batch& b, std::size_t i, TraceStep& s) noexcept {
    s.interface = b.meta[i].egress;
    if (!find_leaf(w.lookups4, i, s) && !find_leaf(w.lookups6, i, s)) return;
    find_member(f, b.meta[i], s);
    s.mac = b.meta[i].slot & Slot::kMac;
}

// What an ingress stage knows beyond that.
TraceStep ingress_step(Worker& w, const Forwarding& f, const Batch& b, std::size_t i, Stage stage, Row& row) noexcept {
    TraceStep s = common(w, b, i, stage);
    const Meta& meta = b.meta[i];
    if (stage == Stage::classify && meta.secy != kNoSecY)
        read_sectag(b.mbuf[i], f.secys[meta.secy].clear_tags.octets(), row.sectag);
    if (stage == Stage::verify) copy_sectag(row.sectag, s);
    if (stage == Stage::pop_vlan) s.interface = meta.ingress;
    if (stage == Stage::route) add_route(w, f, b, i, s);
    if (stage > Stage::route) s.interface = meta.egress;
    if (stage == Stage::rewrite) s.mac = meta.slot & Slot::kMac;
    return s;
}

void add(Row& row, const TraceStep& s) noexcept {
    if (row.steps < row.step.size()) row.step[row.steps++] = s;
}

void close(Worker& w, const Trace& t, Row& row, Verdict verdict) noexcept {
    row.open = false;
    if (!t.wants(verdict)) return;
    TraceNotes& notes = *t.notes[w.id.value];
    if (!t.wants_all()) {
        if (notes.left == 0) return;
        --notes.left;
    }
    tell(*t.rings[w.id.value], w.now, row.frame, std::span(row.step).first(row.steps));
}

void begin(const Trace& t, TraceNotes& notes, const Batch& b) noexcept {
    notes.rows = t.wants_all() ? std::min<std::uint32_t>(b.count, notes.left) : notes.left != 0 ? b.count : 0;
    notes.base = notes.next;
    notes.next += notes.rows;
    if (t.wants_all()) notes.left -= notes.rows;
    for (std::uint32_t i = 0; i < b.count; ++i) {
        b.mbuf[i]->ol_flags &= ~t.mark;
        if (i >= notes.rows) continue;
        b.mbuf[i]->ol_flags |= t.mark;
        number_of(b.mbuf[i]) = notes.base + i;
        Row& row = notes.row[i];
        row.frame = notes.base + i;
        row.steps = 0;
        row.open = true;
        row.sectag = TraceStep{};
    }
}

// The notes on a frame of this batch; null: it has none.
Row* row_of(const Trace& t, TraceNotes& notes, rte_mbuf* m) noexcept {
    if (!(m->ol_flags & t.mark)) return nullptr;
    const std::uint32_t at = number_of(m) - notes.base;
    return at < notes.rows ? &notes.row[at] : nullptr;
}

void ingress(Worker& w, const Forwarding& f, const Batch& b, Stage stage) noexcept {
    const Trace& t = f.trace;
    TraceNotes& notes = *t.notes[w.id.value];
    if (stage == Stage::receive) begin(t, notes, b);
    for (std::size_t i = 0; i < b.count; ++i) {
        Row* row = row_of(t, notes, b.mbuf[i]);
        if (row == nullptr) continue;
        add(*row, ingress_step(w, f, b, i, stage, *row));
        if (b.meta[i].verdict != Verdict::forward) close(w, t, *row, b.meta[i].verdict);
    }
    if (stage != Stage::hand_over) return;
    for (Row& row : std::span(notes.row).first(notes.rows)) {
        if (!row.open) continue;
        TraceStep s = row.step[row.steps - 1];
        const Exit exit = exit_of(f, s.interface);
        s.stage = stage;
        s.port = exit.port;
        s.to = exit.worker;
        add(row, s);
        close(w, t, row, Verdict::forward);
    }
    notes.rows = 0;
}

void egress(Worker& w, const Forwarding& f, const Batch& b, Stage stage) noexcept {
    const Trace& t = f.trace;
    for (std::size_t i = 0; i < b.count; ++i) {
        const Meta& meta = b.meta[i];
        if (!(b.mbuf[i]->ol_flags & t.mark) || !t.wants(meta.verdict)) continue;
        TraceStep s = common(w, b, i, stage);
        s.interface = meta.egress;
        if (stage == Stage::protect && meta.secy < f.secys.size())
            read_sectag(b.mbuf[i], f.secys[meta.secy].clear_tags.octets(), s);
        tell(*t.rings[w.id.value], w.now, number_of(b.mbuf[i]), {&s, 1});
    }
}

void after_transmit(Worker& w, const Trace& t, TraceNotes& notes) noexcept {
    for (std::uint32_t k = 0; k < notes.leaving; ++k) {
        TraceStep& s = notes.leaving_step[k];
        const std::uint64_t sent = counters_of(w, s.port).out_frames.get() - notes.sent_before;
        if (notes.leaving_place[k] >= sent) s.verdict = Verdict::tx_refused;
        if (t.wants(s.verdict)) tell(*t.rings[w.id.value], w.now, notes.leaving_frame[k], {&s, 1});
    }
    notes.leaving = 0;
}

}  // namespace

void trace_before_transmit(Worker& w, const Forwarding& f, const Batch& b) noexcept {
    const Trace& t = f.trace;
    if (t.notes[w.id.value] == nullptr || b.count == 0) return;
    TraceNotes& notes = *t.notes[w.id.value];
    notes.leaving = 0;
    notes.sent_before = counters_of(w, b.port).out_frames.get();
    for (std::size_t i = 0; i < b.count; ++i) {
        if (!(b.mbuf[i]->ol_flags & t.mark)) continue;
        b.mbuf[i]->ol_flags &= ~t.mark;
        TraceStep& s = notes.leaving_step[notes.leaving];
        s = common(w, b, i, Stage::transmit);
        s.interface = b.meta[i].egress;
        notes.leaving_frame[notes.leaving] = number_of(b.mbuf[i]);
        notes.leaving_place[notes.leaving++] = static_cast<std::uint16_t>(i);
    }
}

void trace(Worker& w, const Forwarding& f, const Batch& b, Stage stage) noexcept {
    const Trace& t = f.trace;
    if (t.notes[w.id.value] == nullptr || t.rings[w.id.value] == nullptr) return;
    if (stage <= Stage::hand_over) {
        if (b.port == t.port) ingress(w, f, b, stage);
    } else if (stage == Stage::push_vlan || stage == Stage::protect) {
        egress(w, f, b, stage);
    } else if (stage == Stage::transmit) {
        after_transmit(w, t, *t.notes[w.id.value]);
    }
}

}  // namespace dataplane
