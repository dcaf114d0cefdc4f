// An MKPDU to octets (802.1X 11.11.3), and the words of both directions.
#include "macsec/mka/mkpdu.h"

#include <algorithm>

#include "macsec/mka/mkpdu_layout.h"

namespace macsec::mka {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr SetType kByType[] = {SetType::live_peer_list,
                               SetType::potential_peer_list,
                               SetType::sak_use,
                               SetType::distributed_sak,
                               SetType::kmd,
                               SetType::announcement,
                               SetType::xpn};

void put(Bytes& out, ConstOctets octets) { out.insert(out.end(), octets.begin(), octets.end()); }
void put16(Bytes& out, std::size_t v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8));
    out.push_back(static_cast<std::uint8_t>(v));
}
void put32(Bytes& out, std::uint32_t v) {
    put16(out, v >> 16);
    put16(out, v & 0xFFFF);
}
void put64(Bytes& out, std::uint64_t v) {
    put32(out, static_cast<std::uint32_t>(v >> 32));
    put32(out, static_cast<std::uint32_t>(v));
}

std::uint8_t shifted(bool flag, int bit) noexcept { return static_cast<std::uint8_t>(flag ? 1 << bit : 0); }

// third: the flags above the length, as they stand in the octet.
void put_header(Bytes& out, std::uint8_t first, std::uint8_t second, std::uint8_t third, std::size_t body) {
    out.push_back(first);
    out.push_back(second);
    put16(out, static_cast<std::size_t>(third) << 8 | (body & kBodyLengthMask));
}

void put_header(Bytes& out, SetType type, std::uint8_t second, std::uint8_t third, std::size_t body) {
    put_header(out, static_cast<std::uint8_t>(type), second, third, body);
}

// From the end of what is there; everything before it is a multiple of four octets.
void fill(Bytes& out) { out.resize(filled(out.size())); }

void put_basic(Bytes& out, const BasicSet& basic) {
    const std::size_t ckn = std::min<std::size_t>(basic.ckn.size, kMaxCknOctets);
    const auto third = static_cast<std::uint8_t>(shifted(basic.key_server, 7) | shifted(basic.macsec_desired, 6) |
                                                 (static_cast<unsigned>(basic.capability) & 3) << 4);
    put_header(out, basic.mka_version, basic.key_server_priority, third, kBasicFixedOctets + ckn);
    put64(out, basic.sci.value);
    put(out, basic.mi.octets);
    put32(out, basic.mn);
    put32(out, basic.algorithm_agility);
    put(out, ConstOctets(basic.ckn.octets).first(ckn));
    fill(out);
}

void put_peers(Bytes& out, SetType type, std::uint8_t second, const PeerList& list) {
    put_header(out, type, second, 0, list.peers.size() * kPeerOctets);
    for (const Peer& peer : list.peers) {
        put(out, peer.mi.octets);
        put32(out, peer.mn);
    }
}

std::uint8_t use_bits(const KeyUse& use) noexcept {
    return static_cast<std::uint8_t>((use.an.value & 3) << 2 | shifted(use.transmits, 1) | shifted(use.receives, 0));
}

void put_key_use(Bytes& out, const KeyUse& use) {
    put(out, use.key.server.octets);
    put32(out, use.key.number);
    put32(out, use.lowest_pn);
}

void put_sak_use(Bytes& out, const SakUse& use) {
    const auto third = static_cast<std::uint8_t>(shifted(use.plain_transmit, 7) | shifted(use.plain_receive, 6) |
                                                 shifted(use.delay_protect, 4));
    const auto second = static_cast<std::uint8_t>(use_bits(use.latest) << 4 | use_bits(use.old));
    put_header(out, SetType::sak_use, second, third, use.empty ? 0 : kSakUseOctets);
    if (use.empty) return;
    put_key_use(out, use.latest);
    put_key_use(out, use.old);
}

void put_distributed_sak(Bytes& out, const DistributedSak& sak) {
    const auto second =
        static_cast<std::uint8_t>((sak.an.value & 3) << 6 | (static_cast<unsigned>(sak.offset) & 3) << 4);
    const std::size_t wrapped = std::min(sak.wrapped.size(), kMaxWrappedOctets);
    const bool named = sak.named || sak.unknown_suite != 0 || sak.suite != CipherSuite::gcm_aes_128;
    const std::size_t body = wrapped == 0 ? 0 : kKeyNumberOctets + (named ? kSuiteOctets : 0) + wrapped;
    put_header(out, SetType::distributed_sak, second, 0, body);
    if (body == 0) return;
    put32(out, sak.key_number);
    if (named) put64(out, sak.unknown_suite != 0 ? sak.unknown_suite : suite_identifier(sak.suite));
    put(out, ConstOctets(sak.wrapped).first(wrapped));
    fill(out);
}

void put_octets(Bytes& out, SetType type, const Bytes& body) {
    put_header(out, type, 0, 0, body.size());
    put(out, body);
    fill(out);
}

void put_xpn(Bytes& out, const XpnSet& xpn) {
    put_header(out, SetType::xpn, xpn.suspension_time, 0, kXpnOctets);
    put32(out, xpn.latest_lowest_pn_high);
    put32(out, xpn.old_lowest_pn_high);
}

void put_other(Bytes& out, const OtherSet& set) {
    put_header(out, set.type, static_cast<std::uint8_t>(set.flags >> 4), static_cast<std::uint8_t>(set.flags << 4),
               set.body.size());
    put(out, set.body);
    fill(out);
}

// One of the sets that Mkpdu has a member for, if it is there.
void put_set(Bytes& out, const Mkpdu& pdu, SetType type) {
    const std::uint8_t ssci = pdu.live && pdu.basic.mka_version >= kSsciVersion ? pdu.live->key_server_ssci : 0;
    switch (type) {
        case SetType::live_peer_list: return pdu.live ? put_peers(out, type, ssci, *pdu.live) : void();
        case SetType::potential_peer_list: return pdu.potential ? put_peers(out, type, 0, *pdu.potential) : void();
        case SetType::sak_use: return pdu.sak_use ? put_sak_use(out, *pdu.sak_use) : void();
        case SetType::distributed_sak:
            return pdu.distributed_sak ? put_distributed_sak(out, *pdu.distributed_sak) : void();
        case SetType::kmd: return pdu.kmd ? put_octets(out, type, *pdu.kmd) : void();
        case SetType::announcement: return pdu.announcement ? put_octets(out, type, *pdu.announcement) : void();
        case SetType::xpn: return pdu.xpn ? put_xpn(out, *pdu.xpn) : void();
        default: return;
    }
}

// As `order` says, then what it forgot.
void put_sets(Bytes& out, const Mkpdu& pdu) {
    std::vector<SetType> done;
    std::size_t others = 0;
    for (const std::uint8_t number : pdu.order) {
        const SetType type{number};
        if (!is_understood(type)) {
            if (others < pdu.others.size()) put_other(out, pdu.others[others++]);
        } else if (std::find(done.begin(), done.end(), type) == done.end()) {
            put_set(out, pdu, type);
            done.push_back(type);
        }
    }
    for (const SetType type : kByType)
        if (std::find(done.begin(), done.end(), type) == done.end()) put_set(out, pdu, type);
    for (; others < pdu.others.size(); ++others) put_other(out, pdu.others[others]);
}

Bytes encode_whole(const Mkpdu& pdu) {
    Bytes out{pdu.eapol_version, kEapolTypeMka, 0, 0};
    put_basic(out, pdu.basic);
    put_sets(out, pdu);
    if (pdu.icv_indicator) put_header(out, SetType::icv_indicator, 0, 0, kMkaIcvOctets);
    out.resize(out.size() + kMkaIcvOctets);
    store_be16(out.data() + 2, static_cast<std::uint16_t>(out.size() - kEapolHeaderOctets));
    return out;
}

// Takes away peers from the end of a list until `excess` octets are gone or the list is empty.
void shorten(std::optional<PeerList>& list, std::size_t& excess) {
    if (!list) return;
    const std::size_t drop = std::min(list->peers.size(), (excess + kPeerOctets - 1) / kPeerOctets);
    list->peers.resize(list->peers.size() - drop);
    excess -= std::min(excess, drop * kPeerOctets);
}

Mkpdu cut(Mkpdu pdu, std::size_t excess) {
    shorten(pdu.potential, excess);
    shorten(pdu.live, excess);
    if (excess == 0) return pdu;
    pdu.others.clear();
    pdu.announcement.reset();
    pdu.kmd.reset();
    return pdu;
}

}  // namespace

std::optional<Ckn> Ckn::from(ConstOctets name) noexcept {
    if (name.empty() || name.size() > kMaxCknOctets) return std::nullopt;
    Ckn ckn;
    std::copy(name.begin(), name.end(), ckn.octets.begin());
    ckn.size = static_cast<std::uint8_t>(name.size());
    return ckn;
}

std::string_view word(SetType type) noexcept {
    switch (type) {
        case SetType::live_peer_list: return "live-peer-list";
        case SetType::potential_peer_list: return "potential-peer-list";
        case SetType::sak_use: return "sak-use";
        case SetType::distributed_sak: return "distributed-sak";
        case SetType::distributed_cak: return "distributed-cak";
        case SetType::kmd: return "kmd";
        case SetType::announcement: return "announcement";
        case SetType::xpn: return "xpn";
        case SetType::icv_indicator: return "icv-indicator";
    }
    return "unknown";
}

std::string_view word(DecodeError error) noexcept {
    constexpr std::string_view words[] = {
#define X(enumerator, word) word,
        MKA_DECODE_ERRORS(X)
#undef X
    };
    return words[static_cast<std::size_t>(error)];
}

std::vector<std::uint8_t> encode(const Mkpdu& pdu) {
    Bytes whole = encode_whole(pdu);
    if (whole.size() <= kMaxMkpduOctets) return whole;
    return encode_whole(cut(pdu, whole.size() - kMaxMkpduOctets));
}

}  // namespace macsec::mka
