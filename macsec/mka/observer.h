// An observer of MKA who knows CAKs: reads the MKPDUs of a capture in their order and tells which SAK each SC has used
// with which AN. It takes no part: it sends nothing, judges nobody's liveness, and has no clock.
//
//   1. decode; find CAKs by the CKN; check the ICV. Only what has a good ICV counts below.
//   2. an MI belongs to the SCI that its own MKPDUs name.
//   3. a distributed SAK is unwrapped with the KEK. Those who have it: its sender and the sender's live peers; under a
//      32-bit suite also whoever says so in SAK Use.
//   4. a key comes out once for each of their SCIs that is known. Under XPN only when all are known, because the SSCIs
//      follow from all of them (802.1AE 10.7.13).
//
// Any thread; one object is one thread's at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "macsec/mka/keys.h"
#include "macsec/mka/mkpdu.h"
#include "macsec/octets.h"
#include "macsec/secret.h"
#include "macsec/secy.h"
#include "macsec/types.h"

namespace macsec::mka {

struct KnownCak {
    SecretBuffer cak;  // 16 or 32 octets
    Ckn ckn;
};

// The SAK of one SA: an SC and an AN. Several for the same SA follow each other in time.
struct ObservedKey {
    Ckn ckn;
    KeyIdentifier key;
    Sci sci;
    An an;
    CipherSuite suite{};
    Ssci ssci;    // XPN, else 0
    Salt salt{};  // XPN, else 0
    ConfidentialityOffset offset{};
    std::shared_ptr<const SecretBuffer> sak;  // one secret for all members of the association
};

// For verify(): the receive SA of this key.
SaDescription description_of(const ObservedKey&) noexcept;

enum class IcvVerdict : std::uint8_t { ok, bad, unknown_ckn, unknown_algorithm };
std::string_view word(IcvVerdict) noexcept;  // "ok", "bad", "unknown-ckn", "unknown-algorithm"

struct Observation {
    Mkpdu pdu;
    IcvVerdict icv{};
    std::size_t new_keys{};  // so many at the end of keys() came with this PDU
    std::string sak_error;   // why a distributed SAK could not be unwrapped; empty when it was, or there was none
};

class Observer {
public:
    // Two CAKs may have one CKN. Error: a CAK of a wrong size, or no memory for keys.
    static std::expected<Observer, std::string> create(std::span<const KnownCak>);

    // The next MKPDU. addresses_and_type: 14 octets, VLAN tags left out; eapol: from the EAPOL header on, filling
    // behind it is ignored.
    std::expected<Observation, DecodeError> see(ConstOctets addresses_and_type, ConstOctets eapol);

    // eapol begins as an MKPDU under a CKN of create(). Nothing is verified.
    bool knows_sender_of(ConstOctets eapol) const noexcept;

    // In order of appearance. References stay good as long as the observer lives.
    const std::deque<ObservedKey>& keys() const noexcept { return keys_; }
    // Those of one SA, oldest first.
    std::vector<const ObservedKey*> keys_of(Sci, An) const;

private:
    // A SAK and who has it.
    struct Distribution {
        ObservedKey key;  // all but SCI and SSCI
        std::vector<MemberId> holders;
        std::vector<Sci> told;  // those of them whose key came out
    };
    // What one CAK binds together.
    struct Association {
        Ckn ckn;
        CakKeys keys;
        std::map<MemberId, Sci> members;
        std::map<KeyIdentifier, std::vector<Distribution>> distributions;  // several: a server that errs
    };

    explicit Observer(std::vector<Association> associations) noexcept : associations_(std::move(associations)) {}

    Association* find(const BasicSet&, ConstOctets addresses_and_type, ConstOctets eapol, IcvVerdict&);
    void learn(Association&, const Mkpdu&, Observation&);
    void take_sak(Association&, const Mkpdu&, Observation&);
    void take_use(Association&, const MemberId&, const KeyIdentifier&);
    void tell(Association&, Distribution&);
    void tell_xpn(Association&, Distribution&);

    std::vector<Association> associations_;
    std::deque<ObservedKey> keys_;
};

}  // namespace macsec::mka
