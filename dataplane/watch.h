// What an operator looks at while it runs: a port's frames before or after MACsec. Published in Forwarding; the records
// cross a ring per worker to control, and from there a socket to the program that asked, on the same machine: native
// byte order.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "dataplane/ids.h"
#include "dataplane/record_ring.h"

namespace dataplane {

// Where frames of a port are seen.
//   clear   in: what verify opened. out: what protect gets, also what it then drops; unpadded. Nothing of a KaY's.
//   wire    in: as received, whatever becomes of it. out: what transmit gets, KaY's PDUs too; unpadded.
// On a plain port both are the frame itself: in as received, out as transmit gets it.
enum class CapturePoint : std::uint8_t { clear, wire };

// One client's. Workers write, control reads `rings`.
struct Watch {
    PortId port{};
    CapturePoint point{};
    bool in{}, out{};
    std::uint32_t snaplen{};                       // octets of a frame that are kept
    std::array<RecordRing*, kMaxWorkers> rings{};  // by WorkerId; null: that worker has no direction of the port
    std::shared_ptr<void> keeps_alive;             // the rings
};

enum class RecordKind : std::uint32_t { filler, frame, end, trace };

// RecordKind::frame: head, then `captured` octets.
struct FrameRecord {
    RecordHead head;
    std::uint64_t when{};      // nanoseconds: of the worker's turn; to the client: since 1970
    std::uint32_t length{};    // of the frame
    std::uint32_t captured{};  // octets that follow
    std::uint32_t out{};       // 1: transmitted, 0: received
    std::uint32_t unused{};
};
static_assert(sizeof(FrameRecord) == 32);

// RecordKind::end: the last one of a client's stream.
struct EndRecord {
    RecordHead head;
    std::uint64_t kept{}, dropped{};  // records that crossed the rings, and that found them full
};
static_assert(sizeof(EndRecord) == 24);

}  // namespace dataplane
