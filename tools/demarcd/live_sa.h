// SAs that exist: what a SecY's configuration or its KaY made. Control thread only.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "macsec/secy.h"

namespace demarcd {

struct LiveTransmitSa {
    std::string fingerprint;  // of a static key: names its lease; of a SAK of MKA: its key identifier
    std::string sak_id;       // of a static key: the same without the salt
    std::shared_ptr<macsec::TransmitSa> sa;
    std::uint64_t asked{};    // the ceiling last asked for; 0: none yet
    double since_asked{};     // seconds
    std::uint64_t last_pn{};  // next PN when last looked at
    double rate{};            // packet numbers per second, over about a second
    bool new_sak_due{};       // 802.1X 9.8: it nears its end
};
struct LiveReceiveSa {
    std::string fingerprint;
    std::shared_ptr<macsec::ReceiveSa> sa;
    std::uint64_t remembered_pn{};  // lowest PN on disk
};
// Identity of a receive SA: a new key with the same AN is another SA.
struct ReceiveSaKey {
    macsec::Sci sci;
    std::uint8_t an{};
    std::string fingerprint;
    auto operator<=>(const ReceiveSaKey&) const = default;
};

}  // namespace demarcd
