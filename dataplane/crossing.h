// What travels with a frame from thread to thread, in the mbuf's private area: values only, never a pointer into a
// snapshot.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "dataplane/ids.h"
#include "dataplane/verdict.h"

namespace dataplane {

// worker -> control: what kind of frame the host gets; each class has a ring and a policer.
enum class PuntClass : std::uint8_t { eapol, bfd, bgp, arp_nd, other, count_ };
inline constexpr std::size_t kPuntClasses = static_cast<std::size_t>(PuntClass::count_);

// control -> worker: the order in which a port sends.
enum class InjectClass : std::uint8_t { kay, first, rest, count_ };
inline constexpr std::size_t kInjectClasses = static_cast<std::size_t>(InjectClass::count_);

struct Crossing {
    InterfaceId interface {};  // ingress of a punt; egress of an injected or handed-over frame
    PortId port{};             // of a KaY's frame
    std::uint16_t secy{};      // of a KaY's frame: index into Forwarding::secys of `generation`
    Verdict reason{};          // why it was punted
    InjectClass inject{};
    bool from_host{};  // injected: its source address is ours, exempt from policing
};

inline constexpr std::uint16_t kMbufPrivate = 32;  // octets; every pool of ours is made with it
static_assert(sizeof(Crossing) <= kMbufPrivate);

inline Crossing& crossing(rte_mbuf* m) noexcept { return *static_cast<Crossing*>(rte_mbuf_to_priv(m)); }

}  // namespace dataplane
