// A batch of frames and what the stages learned about each. One worker's; never shared.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/ids.h"
#include "dataplane/verdict.h"

struct rte_mbuf;

namespace dataplane {

inline constexpr std::size_t kBatch = 64;
inline constexpr std::uint16_t kNoSecY = 0xFFFF;

// As new on receive: nothing survives from the frame that used this place before.
struct Meta {
    Verdict verdict{Verdict::forward};
    std::uint8_t secy_of_port{};   // index into PortEntry::secys of the ingress port, when `secy` says there is one
    bool group_mac{};              // the destination MAC address was a group's
    bool local_only{};             // a link-local source: for the host or for nobody
    bool secured{};                // came through verify
    bool kay{};                    // egress: a PDU of the KaY of `secy`
    bool ours{};                   // egress: from control, sent before transit
    InterfaceId ingress{};
    InterfaceId egress{};
    std::uint16_t secy{kNoSecY};   // index into Forwarding::secys: of ingress up to hand_over, of egress from push_vlan
    std::uint64_t slot{};          // of the chosen next hop: its MAC address
};

struct Batch {
    std::uint16_t count{};
    bool unsettled{};                       // some verdict is not `forward`: settle() before the next stage
    PortId port{};                          // where all of it came from, or goes to; none for frames of rings
    std::array<rte_mbuf*, kBatch> mbuf;     // not initialised; the first `count` are valid
    std::array<Meta, kBatch> meta;

    void stop(std::size_t i, Verdict v) noexcept {
        meta[i].verdict = v;
        unsettled = true;
    }
};

}  // namespace dataplane
