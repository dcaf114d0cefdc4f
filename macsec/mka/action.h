// What a KaY asks its surroundings to do, and what they tell it (IEEE 802.1X-2020 clauses 10, 12.4). Plain values; they
// are performed in order. Nothing here is ever a clear-text frame but SendPdu, which is always an MKPDU.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "macsec/mka/mkpdu.h"
#include "macsec/mka/settings.h"
#include "macsec/secret.h"
#include "macsec/types.h"

namespace macsec::mka {

// Send this frame around protect(): from the destination address on, without VLAN tags, FCS and padding.
struct SendPdu {
    std::vector<std::uint8_t> frame;
};

// A member's SC under one SAK. Ssci: 0 for suites without XPN.
struct MemberSc {
    Sci sci;
    Ssci ssci;
    bool operator==(const MemberSc&) const = default;
};

// createSAs: make one TransmitSa (next PN 1) and a ReceiveSa (lowest PN 1) per peer; neither is used yet. A key
// identifier is installed at most once in a KaY's life. No other key that is installed has this AN.
struct InstallKey {
    KeyIdentifier key;
    An an;
    CipherSuite suite{};
    bool confidentiality{};
    std::uint8_t confidentiality_offset{};  // 0, 30 or 50
    Salt salt{};                            // XPN only, else zero
    MemberSc own;
    std::vector<MemberSc> peers;
    std::shared_ptr<const SecretBuffer> sak;
};

// enableReceiveSAs: publish the key's receive SAs; report `receives` when every worker has them.
struct StartReceive {
    KeyIdentifier key;
};

// enableTransmitSA: it becomes the encoding SA, instead of any other; report `transmits` when the worker has it.
struct StartTransmit {
    KeyIdentifier key;
};

// deleteSAs: neither direction uses it any more. Its PN never comes back.
struct RetireKey {
    KeyIdentifier key;
};

// controlledPortEnabled. Closed: no frame but MKPDUs leaves or enters. It is closed at first.
struct ControlledPort {
    bool open{};
};

// Delay protection (9.10): the receive SA of this peer accepts no PN below this one. Never lowers.
struct RaiseLowestPn {
    KeyIdentifier key;
    Sci peer;
    std::uint64_t lowest_pn{};
};

// For the history: what changed and why, in words. from and to: states of the CP machine; equal for other events.
struct Transition {
    Time time{};
    std::string_view from, to;  // literals
    std::string reason;
};

using Action = std::variant<SendPdu, InstallKey, StartReceive, StartTransmit, RetireKey, ControlledPort, RaiseLowestPn,
                            Transition>;
using Actions = std::vector<Action>;

// How an installed key fares in the dataplane. Keys that are not reported keep what was reported last.
struct SaReport {
    KeyIdentifier key;
    bool receives{}, transmits{};  // what StartReceive and StartTransmit asked for is in force in every worker
    std::uint64_t next_pn{1};      // of the transmit SA
};

}  // namespace macsec::mka
