#include "macsec/sectag.h"

namespace macsec {
namespace {

// 802.1AE 9.7 and 9.12: how much user data there is; rest: octets behind the SecTAG.
Verdict measure(std::uint8_t sl, std::size_t rest, std::uint32_t& user_octets) noexcept {
    // Bits 7 and 8 of the octet are zero, and SL never tells 48 or more.
    if (sl >= kShortLengthLimit) return Verdict::rx_bad_tag_short_length;
    if (rest < kIcvOctets) return Verdict::rx_bad_tag_icv_short;
    const std::size_t room = rest - kIcvOctets;
    if (sl != 0) {
        // What a link padded behind the ICV is not ours.
        if (room < sl) return Verdict::rx_bad_tag_icv_short;
        user_octets = sl;
        return Verdict::ok;
    }
    if (room < kShortLengthLimit) return Verdict::rx_bad_tag_short_length;
    user_octets = static_cast<std::uint32_t>(room);
    return Verdict::ok;
}

}  // namespace

Verdict parse_sectag(ConstOctets octets, SecTag& tag) noexcept {
    if (octets.size() < kSecTagOctets) return Verdict::rx_bad_tag_short;
    const std::uint8_t* p = octets.data();
    tag.tci = p[2];
    if (const Verdict v = kTciVerdicts[tag.tci]; v != Verdict::ok) return v;
    tag.pn = load_be32(p + 4);
    tag.octets = kSecTagOctets;
    if ((tag.tci & kTciSci) != 0) {
        if (octets.size() < kSecTagOctets + kSciOctets) return Verdict::rx_bad_tag_short;
        tag.octets = kSecTagOctets + kSciOctets;
        tag.explicit_sci = Sci{load_be64(p + kSecTagOctets)};
    }
    return measure(p[3], octets.size() - tag.octets, tag.user_octets);
}

}  // namespace macsec
