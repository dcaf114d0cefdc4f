// Random MKPDUs: every set there or not, in any order.
#pragma once

#include <algorithm>

#include "macsec/mka/mkpdu.h"
#include "tests/unit/macsec/mka_support.h"

namespace macsec::test {

inline bool flip(Random& random) { return below(random, 2) == 0; }
inline std::uint8_t octet(Random& random) { return static_cast<std::uint8_t>(random()); }
inline std::uint32_t word32(Random& random) { return static_cast<std::uint32_t>(random()); }

inline mka::PeerList random_peers(Random& random) {
    mka::PeerList list;
    for (std::size_t i = below(random, 4); i > 0; --i)
        list.peers.push_back({.mi = random_mi(random), .mn = word32(random)});
    return list;
}

inline mka::KeyUse random_use(Random& random, bool empty) {
    mka::KeyUse use{.an = An{static_cast<std::uint8_t>(below(random, 4))},
                    .transmits = flip(random),
                    .receives = flip(random),
                    .key = {},
                    .lowest_pn = 0};
    if (empty) return use;
    use.key = {.server = random_mi(random), .number = word32(random)};
    use.lowest_pn = word32(random);
    return use;
}

inline mka::SakUse random_sak_use(Random& random) {
    const bool empty = below(random, 4) == 0;
    return {.latest = random_use(random, empty),
            .old = random_use(random, empty),
            .plain_transmit = flip(random),
            .plain_receive = flip(random),
            .delay_protect = flip(random),
            .empty = empty};
}

inline mka::DistributedSak random_sak(Random& random) {
    mka::DistributedSak sak;
    sak.an = An{static_cast<std::uint8_t>(below(random, 4))};
    sak.offset = static_cast<mka::ConfidentialityOffset>(below(random, 4));
    if (below(random, 4) == 0) return sak;
    sak.suite = static_cast<CipherSuite>(below(random, 4));
    sak.named = sak.suite != CipherSuite::gcm_aes_128 || flip(random);
    sak.key_number = word32(random);
    sak.wrapped = random_bytes(random, sak_octets(sak.suite) + 8);
    return sak;
}

inline void add_sets(Random& random, mka::Mkpdu& pdu) {
    if (flip(random)) pdu.live = random_peers(random);
    if (pdu.live && pdu.basic.mka_version >= 3) pdu.live->key_server_ssci = octet(random);
    if (flip(random)) pdu.potential = random_peers(random);
    if (flip(random)) pdu.sak_use = random_sak_use(random);
    if (flip(random)) pdu.distributed_sak = random_sak(random);
    if (flip(random)) pdu.kmd = random_bytes(random, below(random, 30));
    if (flip(random)) pdu.announcement = random_bytes(random, below(random, 30));
    if (flip(random)) pdu.xpn = mka::XpnSet{octet(random), word32(random), word32(random)};
    for (std::size_t i = below(random, 3); i > 0; --i)
        pdu.others.push_back({.type = static_cast<std::uint8_t>(9 + below(random, 246)),
                              .flags = static_cast<std::uint16_t>(below(random, 4096)),
                              .body = random_bytes(random, below(random, 30))});
    pdu.icv_indicator = flip(random);
}

// The types of what is there, in an order of its own.
inline std::vector<std::uint8_t> random_order(Random& random, const mka::Mkpdu& pdu) {
    std::vector<std::uint8_t> order;
    const bool there[] = {pdu.live.has_value(),
                          pdu.potential.has_value(),
                          pdu.sak_use.has_value(),
                          pdu.distributed_sak.has_value(),
                          false,
                          pdu.kmd.has_value(),
                          pdu.announcement.has_value(),
                          pdu.xpn.has_value()};
    for (std::uint8_t type = 1; type <= 8; ++type)
        if (there[type - 1]) order.push_back(type);
    order.insert(order.end(), pdu.others.size(), 0);
    std::shuffle(order.begin(), order.end(), random);
    auto other = pdu.others.begin();
    for (std::uint8_t& type : order)
        if (type == 0) type = (other++)->type;
    if (pdu.icv_indicator) order.push_back(255);
    return order;
}

inline mka::Mkpdu random_mkpdu(Random& random) {
    mka::Mkpdu pdu;
    pdu.eapol_version = static_cast<std::uint8_t>(1 + below(random, 3));
    pdu.basic = {.mka_version = static_cast<std::uint8_t>(1 + below(random, 3)),
                 .key_server_priority = octet(random),
                 .key_server = flip(random),
                 .macsec_desired = flip(random),
                 .capability = static_cast<mka::Capability>(below(random, 4)),
                 .sci = Sci{random()},
                 .mi = random_mi(random),
                 .mn = word32(random),
                 .algorithm_agility = word32(random),
                 .ckn = mka::Ckn::from(random_bytes(random, 1 + below(random, 32))).value()};
    add_sets(random, pdu);
    pdu.order = random_order(random, pdu);
    return pdu;
}

}  // namespace macsec::test
