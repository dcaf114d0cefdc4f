// PN leases on disk: the effects around macsec/pn_lease.h.
//
// A transmit SA with a static SAK sends only PNs below a ceiling that has been fsynced; a start begins at the ceiling,
// so that no PN is used twice whatever happened in between. A receive SA's lowest PN is kept too, for the upper half
// of an XPN. One thread writes and fsyncs; it raises SA ceilings itself, after the fsync. Files:
// STATE/leases/FINGERPRINT.transmit and .receive.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "macsec/pn_lease.h"
#include "macsec/secy.h"
#include "tools/demarcd/channel.h"

namespace demarcd {

class LeaseKeeper {
public:
    // Locks STATE for this process: two daemons must not share leases. Error: a sentence with the remedy.
    static std::expected<std::unique_ptr<LeaseKeeper>, std::string> open(const std::string& state_directory);
    ~LeaseKeeper();  // everything asked for so far is on disk afterwards

    // control. Where an SA of this key starts: the stored ceiling or lowest PN; 1 for a key never seen. Error: the key
    // was seen and its lease is unreadable: the key must not be used.
    std::expected<std::uint64_t, std::string> first_transmit_pn(const std::string& fingerprint) const;
    std::expected<std::uint64_t, std::string> first_receive_pn(const std::string& fingerprint) const;

    // control. A SAK is used with one salt, ever: the low 64 bits of salt and packet number are XORed, so under
    // another salt nonces would repeat whatever the packet numbers. sak_id: the key's fingerprint without its salt.
    // Error: it was another, or the key was used and its lease is gone.
    std::expected<void, std::string> check_salt(const std::string& sak_id, const std::string& fingerprint) const;

    // control. From now on `sa`, and no other SA of this key, may be given packet numbers.
    void hold(const std::string& fingerprint, const std::string& sak_id, const std::shared_ptr<macsec::TransmitSa>& sa);
    // control. Stores a ceiling; once it is on disk raises sa->pn_ceiling to it. Nothing when another SA holds the key.
    void extend(const std::string& fingerprint, const std::shared_ptr<macsec::TransmitSa>& sa, std::uint64_t ceiling);
    // control. Stores a receive SA's lowest PN; it never goes back.
    void remember(const std::string& fingerprint, std::uint64_t lowest_pn);

    // Any thread. Writes that failed so far; the SA's ceiling stayed where it was.
    std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

private:
    struct Write {
        macsec::PnLease lease;
        std::shared_ptr<macsec::TransmitSa> sa;  // null for a receive SA
        std::string sak_id;                      // of a transmit SA: its salt is recorded, too
    };
    // Who may be given packet numbers of a key, and the highest ceiling ever asked for: neither ever goes back.
    struct Use {
        std::weak_ptr<macsec::TransmitSa> holder;
        std::string sak_id;
        std::uint64_t top{};
    };
    LeaseKeeper(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}
    std::expected<std::optional<std::uint64_t>, std::string> stored(const std::string& fingerprint,
                                                                    macsec::LeaseDirection direction) const;
    std::expected<void, std::string> check_lease(const std::string& fingerprint) const;
    void run(const std::stop_token& stop);
    bool record_salt(const Write&);
    void write(const Write&);

    const std::string directory_;
    const int lock_;
    std::map<std::string, Use> uses_;            // control: rw; by fingerprint
    std::map<std::string, std::uint64_t> lowest_;  // control: rw; by fingerprint: as remember() was told
    std::map<std::string, std::string> salted_;    // control: rw; sak_id -> fingerprint
    std::set<std::string> recorded_;             // lease thread: rw; sak_ids whose salt is on disk
    Channel<Write> writes_;
    std::atomic<std::uint64_t> failures_{0};  // lease thread: w, any: r
    std::jthread thread_;                     // last: it ends before what it uses
};

}  // namespace demarcd
