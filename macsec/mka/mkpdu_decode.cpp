// Octets to an MKPDU (802.1X 11.11.2), in the order of the octets: EAPOL header, Basic set, the other sets. Nothing is
// read before it is known to be there.
#include <algorithm>
#include <bitset>

#include "macsec/mka/mkpdu.h"
#include "macsec/mka/mkpdu_layout.h"

namespace macsec::mka {
namespace {

using Failure = std::unexpected<DecodeError>;

// A parameter set behind the Basic one: its four octets of header, and its body.
struct RawSet {
    SetType type;
    std::uint8_t second, third;  // of the header's octets; the low half of the third belongs to the length
    ConstOctets body;
};

bool bit(std::uint8_t octet, int n) noexcept { return (octet >> n & 1) != 0; }

std::size_t body_octets(const std::uint8_t* set) noexcept { return load_be16(set + 2) & kBodyLengthMask; }

MemberId member_id(const std::uint8_t* p) noexcept {
    MemberId mi;
    std::copy_n(p, mi.octets.size(), mi.octets.begin());
    return mi;
}

std::vector<std::uint8_t> copy(ConstOctets octets) { return {octets.begin(), octets.end()}; }

// The body of the EAPOL PDU (11.3); 11.11.2: whole sets, so a multiple of four octets.
std::expected<ConstOctets, DecodeError> eapol_body(ConstOctets eapol) noexcept {
    if (eapol.size() < kEapolHeaderOctets) return Failure(DecodeError::short_header);
    if (eapol[1] != kEapolTypeMka) return Failure(DecodeError::not_mka);
    const std::size_t octets = load_be16(eapol.data() + 2);
    if (octets > eapol.size() - kEapolHeaderOctets || octets % kSetAlignment != 0)
        return Failure(DecodeError::length_mismatch);
    if (octets > kMaxMkpduOctets - kEapolHeaderOctets) return Failure(DecodeError::too_long);
    return eapol.subspan(kEapolHeaderOctets, octets);
}

// 11.11.3, figure 11-8. body: of the EAPOL PDU.
std::expected<BasicSet, DecodeError> basic_set(ConstOctets body) noexcept {
    if (body.size() < kSetHeaderOctets + kBasicFixedOctets) return Failure(DecodeError::no_basic_set);
    const std::uint8_t* p = body.data();
    if (p[0] == 0) return Failure(DecodeError::bad_version);
    const std::size_t octets = body_octets(p);
    if (octets < kBasicFixedOctets) return Failure(DecodeError::no_basic_set);
    if (octets == kBasicFixedOctets || octets > kBasicFixedOctets + kMaxCknOctets) return Failure(DecodeError::bad_ckn);
    // 11.11.2: the Basic set and an ICV at least.
    if (body.size() < kSetHeaderOctets + filled(octets) + kMkaIcvOctets) return Failure(DecodeError::no_icv);
    BasicSet basic{.mka_version = p[0],
                   .key_server_priority = p[1],
                   .key_server = bit(p[2], 7),
                   .macsec_desired = bit(p[2], 6),
                   .capability = static_cast<Capability>(p[2] >> 4 & 3),
                   .sci = Sci{load_be64(p + 4)},
                   .mi = member_id(p + 12),
                   .mn = load_be32(p + 24),
                   .algorithm_agility = load_be32(p + 28),
                   .ckn = {}};
    basic.ckn.size = static_cast<std::uint8_t>(octets - kBasicFixedOctets);
    std::copy_n(p + 32, basic.ckn.size, basic.ckn.octets.begin());
    return basic;
}

// Each of these fills one member of the PDU from one set; false: the body has not the length of that set.

bool read_peers(const RawSet& set, std::optional<PeerList>& out) {
    if (set.body.size() % kPeerOctets != 0) return false;
    PeerList& list = out.emplace();
    for (ConstOctets rest = set.body; !rest.empty(); rest = rest.subspan(kPeerOctets))
        list.peers.push_back({.mi = member_id(rest.data()), .mn = load_be32(rest.data() + 12)});
    return true;
}

// high: of the bits about this key in the second octet.
KeyUse key_use(std::uint8_t second, int high, ConstOctets body) noexcept {
    KeyUse use{.an = An{static_cast<std::uint8_t>(second >> (high - 1) & 3)},
               .transmits = bit(second, high - 2),
               .receives = bit(second, high - 3),
               .key = {},
               .lowest_pn = 0};
    if (body.empty()) return use;
    use.key = {.server = member_id(body.data()), .number = load_be32(body.data() + 12)};
    use.lowest_pn = load_be32(body.data() + 16);
    return use;
}

bool read_sak_use(const RawSet& set, std::optional<SakUse>& out) noexcept {
    const bool empty = set.body.empty();
    if (!empty && set.body.size() != kSakUseOctets) return false;
    out = SakUse{.latest = key_use(set.second, 7, empty ? set.body : set.body.first(kKeyUseOctets)),
                 .old = key_use(set.second, 3, empty ? set.body : set.body.last(kKeyUseOctets)),
                 .plain_transmit = bit(set.third, 7),
                 .plain_receive = bit(set.third, 6),
                 .delay_protect = bit(set.third, 4),
                 .empty = empty};
    return true;
}

bool read_xpn(const RawSet& set, std::optional<XpnSet>& out) noexcept {
    if (set.body.size() != kXpnOctets) return false;
    out = XpnSet{.suspension_time = set.second,
                 .latest_lowest_pn_high = load_be32(set.body.data()),
                 .old_lowest_pn_high = load_be32(set.body.data() + 4)};
    return true;
}

// 11.11.3, figures 11-11 and 11-12: nothing, or KN, the cipher suite unless it is the default one, and the wrapped SAK.
std::optional<DecodeError> read_distributed_sak(const RawSet& set, std::optional<DistributedSak>& out) {
    DistributedSak& sak = out.emplace();
    sak.an = An{static_cast<std::uint8_t>(set.second >> 6)};
    sak.offset = static_cast<ConfidentialityOffset>(set.second >> 4 & 3);
    if (set.body.empty()) return std::nullopt;
    sak.named = set.body.size() != kUnnamedSakOctets;
    const std::size_t wrapped_from = sak.named ? kKeyNumberOctets + kSuiteOctets : kKeyNumberOctets;
    if (set.body.size() < wrapped_from) return DecodeError::bad_body_length;
    if (sak.named) {
        const std::uint64_t identifier = load_be64(set.body.data() + kKeyNumberOctets);
        const auto suite = suite_from_identifier(identifier);
        if (!suite) sak.unknown_suite = identifier;  // its sender lives all the same
        sak.suite = suite.value_or(CipherSuite{});
    }
    const std::size_t wrapped = set.body.size() - wrapped_from;
    const bool fits = sak.unknown_suite != 0 ? wrapped > 0 && wrapped <= kMaxWrappedOctets
                                             : wrapped == sak_octets(sak.suite) + kWrapOctets;
    if (!fits) return DecodeError::bad_body_length;
    sak.key_number = load_be32(set.body.data());
    sak.wrapped = copy(set.body.subspan(wrapped_from));
    return std::nullopt;
}

void keep_other(const RawSet& set, std::vector<OtherSet>& others) {
    others.push_back({.type = static_cast<std::uint8_t>(set.type),
                      .flags = static_cast<std::uint16_t>(set.second << 4 | set.third >> 4),
                      .body = copy(set.body)});
}

std::optional<DecodeError> read_set(const RawSet& set, Mkpdu& pdu) {
    const auto unless = [](bool good) { return good ? std::nullopt : std::optional(DecodeError::bad_body_length); };
    switch (set.type) {
        case SetType::live_peer_list: {
            const bool good = read_peers(set, pdu.live);
            if (good && pdu.basic.mka_version >= kSsciVersion) pdu.live->key_server_ssci = set.second;
            return unless(good);
        }
        case SetType::potential_peer_list: return unless(read_peers(set, pdu.potential));
        case SetType::sak_use: return unless(read_sak_use(set, pdu.sak_use));
        case SetType::distributed_sak: return read_distributed_sak(set, pdu.distributed_sak);
        case SetType::kmd: pdu.kmd = copy(set.body); return std::nullopt;
        case SetType::announcement: pdu.announcement = copy(set.body); return std::nullopt;
        case SetType::xpn: return unless(read_xpn(set, pdu.xpn));
        case SetType::icv_indicator: pdu.icv_indicator = true; return std::nullopt;
        default: keep_other(set, pdu.others); return std::nullopt;
    }
}

// The set that begins `rest`. rest: a multiple of four octets, at least four, up to the ICV.
std::expected<RawSet, DecodeError> next_set(ConstOctets rest) noexcept {
    const std::size_t octets = body_octets(rest.data());
    RawSet set{.type = SetType{rest[0]}, .second = rest[1], .third = rest[2], .body = {}};
    // 11.11.3: the body of the ICV Indicator is the ICV itself, and nothing comes between them.
    if (set.type == SetType::icv_indicator) {
        if (octets != kMkaIcvOctets || rest.size() != kSetHeaderOctets) return Failure(DecodeError::bad_body_length);
        return set;
    }
    if (filled(octets) > rest.size() - kSetHeaderOctets) return Failure(DecodeError::set_too_long);
    set.body = rest.subspan(kSetHeaderOctets, octets);
    return set;
}

}  // namespace

std::expected<BasicSet, DecodeError> peek_basic(ConstOctets eapol) noexcept {
    const auto body = eapol_body(eapol);
    if (!body) return Failure(body.error());
    return basic_set(*body);
}

std::expected<Mkpdu, DecodeError> decode(ConstOctets eapol) {
    const auto basic = peek_basic(eapol);
    if (!basic) return Failure(basic.error());
    Mkpdu pdu{.eapol_version = eapol[0],
              .basic = *basic,
              .live = {},
              .potential = {},
              .sak_use = {},
              .distributed_sak = {},
              .kmd = {},
              .announcement = {},
              .xpn = {},
              .others = {},
              .order = {}};
    ConstOctets rest = eapol.first(pdu_octets(eapol) - kMkaIcvOctets);
    rest = rest.subspan(kEapolHeaderOctets + kSetHeaderOctets + filled(kBasicFixedOctets + basic->ckn.size));
    std::bitset<256> seen;
    while (!rest.empty()) {
        const auto set = next_set(rest);
        if (!set) return Failure(set.error());
        const auto type = static_cast<std::uint8_t>(set->type);
        if (is_understood(set->type) && seen.test(type)) return Failure(DecodeError::duplicate_set);
        if (const auto error = read_set(*set, pdu)) return Failure(*error);
        seen.set(type);
        pdu.order.push_back(type);
        rest = rest.subspan(kSetHeaderOctets + filled(set->body.size()));
    }
    return pdu;
}

std::size_t pdu_octets(ConstOctets eapol) noexcept {
    if (eapol.size() < kEapolHeaderOctets) return eapol.size();
    return std::min<std::size_t>(eapol.size(), kEapolHeaderOctets + load_be16(eapol.data() + 2));
}

}  // namespace macsec::mka
