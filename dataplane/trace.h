// A trace: what every stage said to the first frames that a port receives, or to those that a verdict stops. Published
// in Forwarding; its records cross a ring per worker to control, which turns them into words.
//
// A frame is marked on receipt with a bit of its mbuf and a number; both go with it from worker to worker. What the
// ingress stages say is collected, and leaves as one record when the last of them has spoken; each egress stage writes
// a record of its own. With a filter only what the verdict stops is told: an ingress stage's with what came before it,
// an egress stage's alone.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "dataplane/ids.h"
#include "dataplane/leaf.h"
#include "dataplane/net/address.h"
#include "dataplane/record_ring.h"
#include "dataplane/stage.h"
#include "dataplane/verdict.h"
#include "dataplane/watch.h"

namespace dataplane {

// What one stage said, and what is known of the frame after it. What a stage does not know is as it is here.
struct TraceStep {
    Stage stage{};
    Verdict verdict{};
    WorkerId worker{};
    bool has_sectag{};         // verify: the SecTAG that was on; protect: the one that is
    PortId port{};             // of ingress up to hand_over, of egress from there on
    InterfaceId interface {};  // of ingress in pop_vlan, of egress from route on
    std::uint16_t type{};      // EtherType behind the addresses
    NextHopId next_hop{};      // route: the member
    std::uint32_t octets{};    // length of the frame
    std::uint32_t pn{};        // of the SecTAG, as on the wire
    macsec::An an{};
    bool looked_up{};  // route: `leaf` is what the FIB said to `destination`
    WorkerId to{};     // hand_over: the worker that has the egress port
    Leaf leaf{};
    macsec::Sci sci{};    // of the SecTAG; 0: not on the wire
    std::uint64_t mac{};  // rewrite: the next hop's address
    net::IpAddress destination{};
};

// RecordKind::trace: head, then `steps` of TraceStep.
struct TraceRecord {
    RecordHead head;
    std::uint64_t when{};   // nanoseconds: of the worker's turn; to the client: since 1970
    std::uint32_t frame{};  // its number
    std::uint32_t steps{};
};
static_assert(sizeof(TraceRecord) % 8 == 0 && alignof(TraceStep) <= 8);

inline constexpr std::size_t kIngressStages = 8;

// A worker's own notes; control makes and frees them.
struct TraceNotes;
struct FreeTraceNotes {
    void operator()(TraceNotes*) const noexcept;
};
using TraceNotesPtr = std::unique_ptr<TraceNotes, FreeTraceNotes>;
// frames: how many that worker tells of at most.
TraceNotesPtr make_trace_notes(WorkerId, std::uint32_t frames);

struct Trace {
    PortId port{};                                 // frames received here; none: nobody traces
    std::uint64_t mark{};                          // the bit of rte_mbuf::ol_flags
    bool drops_only{};                             // tell of frames that are dropped
    Verdict only{};                                // tell of frames that this one stops; forward: no such filter
    std::array<RecordRing*, kMaxWorkers> rings{};  // by WorkerId
    std::array<TraceNotes*, kMaxWorkers> notes{};  // owning worker: rw
    std::shared_ptr<void> keeps_alive;             // rings and notes

    bool wants_all() const noexcept { return !drops_only && only == Verdict::forward; }
    bool wants(Verdict v) const noexcept { return wants_all() || (only != Verdict::forward ? v == only : is_drop(v)); }
};

// control. The bit of mbufs that marks a traced frame, the same one for the life of the process. Error: a sentence.
std::expected<std::uint64_t, std::string> trace_mark();

}  // namespace dataplane
