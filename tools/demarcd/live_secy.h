// A SecY as it is now: its SAs, counters, and the transmit SA that waits for its lease. Control thread only.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "macsec/secy.h"
#include "tools/demarcd/kay_secy.h"
#include "tools/demarcd/lease_keeper.h"
#include "tools/demarcd/live_sa.h"
#include "tools/demarcd/sc_counters.h"

namespace demarcd {

struct LiveSecY {
    config::SecY config;
    macsec::Sci sci;
    std::optional<LiveTransmitSa> encoding;  // published; sends while its lease lasts
    std::optional<LiveTransmitSa> next;      // takes over once its lease is held
    std::map<ReceiveSaKey, LiveReceiveSa> receive;
    std::shared_ptr<macsec::TransmitCounters> transmit_counters;
    std::shared_ptr<macsec::ReceiveSecYCounters> receive_counters;
    ScCounters sc_counters;
    // With MKA its SAs take the place of those above; null without it.
    std::shared_ptr<KaySecY> kay;
    std::optional<macsec::mka::Settings> wanted_of_kay;  // prepared; the KaY gets it when the SecY goes live

    // What is published: of the static keys, or of the KaY.
    std::optional<LiveTransmitSa> transmitting() const { return kay ? kay->encoding() : encoding; }
    std::map<ReceiveSaKey, LiveReceiveSa> receiving() const { return kay ? kay->receiving() : receive; }
    // Of every SC in receiving(), and of some that are gone.
    const ScCounters::BySci& counters() const { return (kay ? kay->sc_counters() : sc_counters).all(); }

    // The Controlled Port may send: a transmit SA with a held lease that is not used up.
    bool secured() const;
    std::string why_not_secured() const;
    // Its static transmit SAK nears the end of its packet numbers, or is there: the operator must replace it. False
    // under MKA, whose KaYs make a new one by themselves.
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
