// What protect() and verify() decide about a frame: one enum; each value is a counter and a word in the CLI.
// The comment names the 802.1AE-2018 10.7.9 / 10.7.18 counter it adds to.
#pragma once

#include <cstdint>

// X(enumerator, word, IEEE counter)
#define MACSEC_VERDICTS(X)                                                            \
    X(rx_bad_tag_short, "bad-tag-short", "InPktsBadTag")                              \
    X(rx_bad_tag_version, "bad-tag-version", "InPktsBadTag")                          \
    X(rx_bad_tag_es_sc, "bad-tag-es-with-sc", "InPktsBadTag")                         \
    X(rx_bad_tag_scb_sc, "bad-tag-scb-with-sc", "InPktsBadTag")                       \
    X(rx_e_without_c, "e-without-c", "")                                              \
    X(rx_bad_tag_short_length, "bad-tag-short-length", "InPktsBadTag")                \
    X(rx_bad_tag_pn_zero, "bad-tag-pn-zero", "InPktsBadTag")                          \
    X(rx_bad_tag_icv_short, "bad-tag-icv-short", "InPktsBadTag")                      \
    X(rx_unknown_sci, "unknown-sci", "InPktsNoSAError")                               \
    X(rx_unused_an, "unused-an", "InPktsNoSAError")                                   \
    X(rx_late, "late", "InPktsLate")                                                  \
    X(rx_duplicate, "duplicate", "InPktsLate")                                        \
    X(rx_not_valid, "not-valid", "InPktsNotValid")                                    \
    X(rx_not_encrypted, "not-encrypted", "InPktsNotValid")                            \
    X(tx_no_sa, "no-transmit-sa", "")                                                 \
    X(tx_pn_exhausted, "pn-exhausted", "")                                            \
    X(tx_lease_ceiling, "pn-lease-ceiling", "")                                       \
    X(tx_too_long, "too-long-to-protect", "OutPktsTooLong")                           \
    X(tx_no_room, "no-room-to-protect", "")                                           \
    X(tx_runt, "runt-to-protect", "")

namespace macsec {

enum class Verdict : std::uint8_t {
    ok,  // go on
#define X(enumerator, word, counter) enumerator,
    MACSEC_VERDICTS(X)
#undef X
    count_
};

}  // namespace macsec
