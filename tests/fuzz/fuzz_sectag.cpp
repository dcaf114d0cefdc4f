// Any octets as what follows a frame's addresses: what is accepted lies inside the frame and is built back the same.
#include <cstdlib>
#include <cstring>

#include "macsec/sectag.h"

using namespace macsec;

static void require(bool holds) {
    if (!holds) std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    SecTag tag;
    const Verdict verdict = parse_sectag({data, size}, tag);
    if (verdict != Verdict::ok) return 0;
    require(tag.user_octets >= 1);
    require(tag.octets + tag.user_octets + kIcvOctets <= size);
    require((tag.user_octets < kShortLengthLimit) == (data[3] != 0));
    require(judge_tci(tag.tci) == Verdict::ok);
    require(tag.octets == sectag_octets(tag.form()));

    std::uint8_t built[kSecTagOctets + kSciOctets];
    store_sectag(built, tag.tci, short_length(tag.user_octets), tag.pn);
    store_be64(built + kSecTagOctets, tag.explicit_sci.value);
    require(std::memcmp(built + 2, data + 2, tag.octets - 2u) == 0);
    return 0;
}
