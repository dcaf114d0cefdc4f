// Two stations that are secured; number 1 is key server.
#pragma once

#include "tests/unit/catch.h"
#include "tests/unit/macsec/mka/bench.h"

namespace macsec::mka::test {

inline constexpr CipherSuite kSuites[] = {CipherSuite::gcm_aes_128, CipherSuite::gcm_aes_256,
                                          CipherSuite::gcm_aes_xpn_128, CipherSuite::gcm_aes_xpn_256};

struct Pair {
    Bench bench;
    Settings s1, s2;
    Station *a, *b;

    explicit Pair(const Settings& first = settings_of(16, {ring_key(1)}),
                  const Settings& second = settings_of(32, {ring_key(1)}),
                  CipherSuite suite = CipherSuite::gcm_aes_xpn_256)
        : s1(first), s2(second), a(&bench.add(1, s1, suite)), b(&bench.add(2, s2, suite)) {
        REQUIRE(bench.run_until_secured(3 * kSecond));
        bench.run_for(5 * kSecond);
    }
    KayStatus status(const Station* s) const { return s->kay.status(bench.now); }
    std::string why(const Station* s) const { return status(s).why_not_secured; }
};

}  // namespace macsec::mka::test
