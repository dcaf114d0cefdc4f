// Any octets as an EAPOL PDU: what is accepted stays the same value through encoder and decoder, and what the encoder
// makes of it is a fixed point.
#include <cstdlib>

#include "macsec/mka/mkpdu.h"

using namespace macsec;
using namespace macsec::mka;

static void require(bool holds) {
    if (!holds) std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ConstOctets eapol(data, size);
    const auto pdu = decode(eapol);
    const auto basic = peek_basic(eapol);
    if (!pdu) {
        require(!word(pdu.error()).empty());
        return 0;
    }
    require(basic.has_value() && *basic == pdu->basic);
    const std::size_t octets = pdu_octets(eapol);
    require(octets <= size && octets <= kMaxMkpduOctets);

    const auto encoded = encode(*pdu);
    require(encoded.size() == octets);
    const auto again = decode(encoded);
    require(again.has_value() && *again == *pdu);
    require(encode(*again) == encoded);
    return 0;
}
