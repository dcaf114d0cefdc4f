// A SecY as it is now: its SAs, counters, and the transmit SA that waits for its lease. Control thread only.
#pragma once

#include <compare>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "macsec/secy.h"
#include "tools/demarcd/lease_keeper.h"

namespace demarcd {

struct LiveTransmitSa {
    std::string fingerprint;  // of the key; names the lease
    std::string sak_id;       // the same without the salt
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

struct LiveSecY {
    config::SecY config;
    macsec::Sci sci;
    std::optional<LiveTransmitSa> encoding;  // published; sends while its lease lasts
    std::optional<LiveTransmitSa> next;      // takes over once its lease is held
    std::map<ReceiveSaKey, LiveReceiveSa> receive;
    std::shared_ptr<macsec::TransmitCounters> transmit_counters;
    std::shared_ptr<macsec::ReceiveSecYCounters> receive_counters;
    std::map<macsec::Sci, std::shared_ptr<macsec::ReceiveCounters>> sc_counters;  // survive SA changes

    // The Controlled Port may send: a transmit SA with a held lease that is not used up.
    bool secured() const;
    std::string why_not_secured() const;
    // Its transmit SAK nears the end of its packet numbers, or is there: the operator must replace a static one.
    bool needs_new_sak() const { return encoding && encoding->new_sak_due; }
};

// What `wanted` makes of `old` (null: nothing yet): SAs whose (SCI, AN, key) is unchanged are kept with their PNs, the
// others are made from their key files. Changes nothing that is live; the result replaces the old one when everything
// else succeeded, too. Error: a sentence that names the file and the remedy.
std::expected<LiveSecY, std::string> prepare_secy(const config::SecY& wanted, net::MacAddress port_mac,
                                                  const LiveSecY* old, const LeaseKeeper& leases);

// The SecY goes live: its new transmit SA holds its key from now on.
void hold_keys(const LiveSecY& secy, LeaseKeeper& leases);

// Stores the lowest PN of a receive SA that is about to go, or has gone: every 2^20 is not enough then.
void remember_lowest(const LiveReceiveSa& receive, LeaseKeeper& leases);

// Asks for the leases that are due and stores lowest PNs; moves to `next` once its lease is held. True when it moved:
// publish.
bool tend_leases(LiveSecY& secy, LeaseKeeper& leases, double seconds_since_last);

}  // namespace demarcd
