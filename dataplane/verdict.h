// What a stage decides about a frame. One enum: the value stops the frame, is its counter and is the word the CLI
// prints. Punts reach the host; everything else but `forward` is a drop. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "macsec/verdict.h"

// X(enumerator, word)
#define DATAPLANE_PUNTS(X)           \
    X(punt_eapol, "eapol")           \
    X(punt_bfd, "bfd")               \
    X(punt_bgp, "bgp")               \
    X(punt_arp_nd, "arp-nd")         \
    X(punt_local, "local")           \
    X(punt_ttl, "ttl-expired")       \
    X(punt_too_big, "too-big")       \
    X(punt_unresolved, "unresolved") \
    X(punt_options, "ip-options")

#define DATAPLANE_DROPS(X)                                  \
    X(runt, "runt")                                         \
    X(oversized, "oversized")                               \
    X(secured_port_lldp, "clear-lldp-on-secured-port")      \
    X(secured_port_lacp, "clear-lacp-on-secured-port")      \
    X(secured_port_ptp, "clear-ptp-on-secured-port")        \
    X(secured_port_clear, "clear-frame-on-secured-port")    \
    X(unexpected_macsec, "macsec-on-clear-port")            \
    X(unexpected_eapol, "eapol-without-kay")                \
    X(not_our_mac, "not-our-mac")                           \
    X(multicast_not_wanted, "multicast-not-wanted")         \
    X(unknown_vlan, "unknown-vlan")                         \
    X(bad_vlan_stack, "bad-vlan-stack")                     \
    X(unknown_ethertype, "unknown-ethertype")               \
    X(ip_truncated, "ip-truncated")                         \
    X(ip_bad_version, "ip-bad-version")                     \
    X(ip_bad_header_length, "ip-bad-header-length")         \
    X(ip_bad_checksum, "ip-bad-checksum")                   \
    X(ip_source_route, "ip-source-route")                   \
    X(ip_bad_source, "ip-bad-source")                       \
    X(ip_bad_destination, "ip-bad-destination")             \
    X(link_local_not_forwarded, "link-local-not-forwarded") \
    X(no_route, "no-route")                                 \
    X(blackhole, "blackhole")                               \
    X(unreachable, "unreachable")                           \
    X(foreign_route, "route-out-of-foreign-interface")      \
    X(next_hop_down, "next-hop-down")                       \
    X(unresolved, "next-hop-unresolved")                    \
    X(policed, "policed")                                   \
    X(hand_over_full, "hand-over-ring-full")                \
    X(egress_gone, "egress-interface-gone")                 \
    X(punt_policed, "punt-policed")                         \
    X(punt_ring_full, "punt-ring-full")                     \
    X(inject_bad, "inject-malformed")                       \
    X(egress_full, "egress-full")                           \
    X(port_down, "egress-port-down")                        \
    X(no_headroom, "no-headroom")                           \
    X(tx_refused, "transmit-refused")

namespace dataplane {

enum class Verdict : std::uint8_t {
    forward,  // go on
// The macsec verdicts keep their order, so that a cast with an offset of kMacsec maps them.
#define X(enumerator, word, counter) macsec_##enumerator,
    MACSEC_VERDICTS(X)
#undef X
#define X(enumerator, word) enumerator,
        DATAPLANE_DROPS(X) first_punt_marker_,
    DATAPLANE_PUNTS(X)
#undef X
        count_
};

inline constexpr std::size_t kVerdicts = static_cast<std::size_t>(Verdict::count_);

constexpr Verdict from(macsec::Verdict v) noexcept { return static_cast<Verdict>(v); }
static_assert(from(macsec::Verdict::ok) == Verdict::forward);
static_assert(from(macsec::Verdict::tx_no_sa) == Verdict::macsec_tx_no_sa);

constexpr bool is_punt(Verdict v) noexcept { return v > Verdict::first_punt_marker_ && v < Verdict::count_; }
constexpr bool is_drop(Verdict v) noexcept { return v != Verdict::forward && v < Verdict::first_punt_marker_; }

constexpr std::string_view word(Verdict v) noexcept {
    constexpr std::string_view words[] = {"forward",
#define X(enumerator, word, counter) word,
                                          MACSEC_VERDICTS(X)
#undef X
#define X(enumerator, word) word,
                                              DATAPLANE_DROPS(X) "",
                                          DATAPLANE_PUNTS(X)
#undef X
    };
    return words[static_cast<std::size_t>(v)];
}

}  // namespace dataplane
