// protect(), per batch (802.1AE 10.5):
//   1. plan: what is the same for every frame; how many PNs are left
//   2. admit each frame: is it a frame, has it room, is there a PN for it
//   3. insert: pad, move the addresses ahead, SecTAG and IV of the whole batch before the first cipher call
//   4. PNs are spent before anything is sealed
//   5. seal
//   6. clear tags go back to their place, counters
#include <algorithm>
#include <cstring>

#include "macsec/secy.h"
#include "macsec/sectag.h"

namespace macsec {
namespace {

constexpr std::uint32_t kAddresses = 12;       // octets of DA and SA
constexpr std::uint32_t kMinimumFrame = 60;    // octets, FCS excluded
constexpr std::uint32_t kMaximumClearTags = 8;  // octets

struct Plan {
    const TransmitSa& sa;
    std::uint64_t sci;
    std::uint64_t first_pn;
    std::uint64_t pns;            // how many may be used now
    std::uint32_t tag_octets;
    std::uint32_t max_octets;
    std::uint32_t offset;         // octets of user data left in clear
    std::uint8_t tci;
    Verdict when_spent;           // why there are not more PNs
};

// Clear tags that a SecTAG displaced.
struct Displaced {
    const Frame* frame;
    std::array<std::uint8_t, kMaximumClearTags> tags;
};

// No default values: filled as far as the counts say.
struct Work {
    std::array<AeadFrame, kMaxBatch> sealed;
    std::array<Displaced, kMaxBatch> displaced;
    std::size_t displaced_count;
};

Plan make_plan(const TransmitSecY& secy, const TransmitSa& sa) noexcept {
    const SaDescription& d = sa.description;
    const std::uint64_t end = pn_end(d.suite);
    const std::uint64_t ceiling = std::min(sa.pn_ceiling.load(std::memory_order_acquire), end);
    const std::uint64_t next = sa.next_pn.load(std::memory_order_relaxed);
    return {.sa = sa,
            .sci = secy.sci.value,
            .first_pn = next,
            .pns = ceiling > next ? ceiling - next : 0,
            .tag_octets = sectag_octets(secy.form),
            .max_octets = secy.max_octets != 0 ? secy.max_octets : ~std::uint32_t{0},
            // 802.1AE 10.7.25: offsets exist for the 32-bit suites only.
            .offset = !d.confidentiality ? ~std::uint32_t{0} : is_xpn(d.suite) ? 0 : d.confidentiality_offset,
            .tci = make_tci(secy.form, d.confidentiality, d.an),
            .when_spent = ceiling == end ? Verdict::tx_pn_exhausted : Verdict::tx_lease_ceiling};
}

// 802.1AE 9.7 leaves nothing to say for no user data at all: the padding below always makes some.
std::uint32_t padding(const Plan& plan, const Frame& f) noexcept {
    const std::uint32_t length = f.length + plan.tag_octets + static_cast<std::uint32_t>(kIcvOctets);
    return length < kMinimumFrame ? kMinimumFrame - length : 0;
}

Verdict admit(const Plan& plan, const Frame& f, std::uint32_t pad, std::uint64_t used, TransmitCounters& c) noexcept {
    constexpr std::uint32_t kEtherType = 2;
    if (f.clear_tags > kMaximumClearTags || f.length < kAddresses + f.clear_tags + kEtherType) [[unlikely]] {
        c.runt.add(1);
        return Verdict::tx_runt;
    }
    if (std::uint64_t{f.length} + pad + plan.tag_octets + kIcvOctets > plan.max_octets) [[unlikely]] {
        c.out_pkts_too_long.add(1);
        return Verdict::tx_too_long;
    }
    if (f.headroom < plan.tag_octets || f.tailroom < pad + kIcvOctets) [[unlikely]] {
        c.no_room.add(1);
        return Verdict::tx_no_room;
    }
    if (used == plan.pns) [[unlikely]] {
        (plan.when_spent == Verdict::tx_pn_exhausted ? c.pn_exhausted : c.lease_ceiling).add(1);
        return plan.when_spent;
    }
    return Verdict::ok;
}

// DA and SA move right before the SecTAG, so that the AAD (DA, SA, SecTAG) is one piece; tags in clear wait aside. They
// move as 16 octets: the SecTAG is written over the last four. Returns the octets of user data.
std::uint32_t insert(const Plan& plan, Frame& f, std::uint32_t pad, std::uint64_t pn, AeadFrame& sealed) noexcept {
    std::uint8_t* const start = f.data + f.clear_tags - plan.tag_octets;
    std::array<std::uint8_t, 16> head;
    std::memcpy(head.data(), f.data, head.size());
    if (pad != 0) std::memset(f.data + f.length, 0, pad);
    std::memcpy(start, head.data(), head.size());
    const std::uint32_t user = f.length - kAddresses - f.clear_tags + pad;
    store_sectag(start + kAddresses, plan.tci, short_length(user), static_cast<std::uint32_t>(pn));
    if (plan.tag_octets != kSecTagOctets) store_be64(start + kAddresses + kSecTagOctets, plan.sci);

    const std::uint32_t in_clear = std::min(plan.offset, user);
    sealed.iv = make_iv(plan.sa.nonce, pn);
    sealed.key = &plan.sa.key;
    sealed.start = start;
    sealed.aad = kAddresses + plan.tag_octets + in_clear;
    sealed.text = user - in_clear;

    const auto added = static_cast<std::uint32_t>(kIcvOctets) + pad;
    f.data -= plan.tag_octets;
    f.length += plan.tag_octets + added;
    f.headroom = static_cast<std::uint16_t>(f.headroom - plan.tag_octets);
    f.tailroom = static_cast<std::uint16_t>(f.tailroom - added);
    return user;
}

void set_aside(const Frame& f, Work& work) noexcept {
    Displaced& d = work.displaced[work.displaced_count++];
    d.frame = &f;
    std::memcpy(d.tags.data(), f.data + kAddresses, f.clear_tags);
}

void restore_clear_tags(const Work& work) noexcept {
    for (std::size_t i = 0; i < work.displaced_count; ++i) {
        const Frame& f = *work.displaced[i].frame;
        std::memmove(f.data, f.data + f.clear_tags, kAddresses);
        std::memcpy(f.data + kAddresses, work.displaced[i].tags.data(), f.clear_tags);
    }
}

void count_sent(const TransmitSecY& secy, std::uint64_t frames, std::uint64_t octets) noexcept {
    TransmitCounters& c = *secy.counters;
    const bool encrypted = secy.sa->description.confidentiality;
    (encrypted ? c.out_pkts_encrypted : c.out_pkts_protected).add(frames);
    (encrypted ? c.out_octets_encrypted : c.out_octets_protected).add(octets);
    secy.sa->pkts.add(frames);
}

void refuse_all(TransmitCounters& c, std::span<Frame> frames) noexcept {
    std::uint64_t refused = 0;
    for (Frame& f : frames) {
        if (f.verdict != Verdict::ok) continue;
        f.verdict = Verdict::tx_no_sa;
        ++refused;
    }
    c.no_sa.add(refused);
}

void protect_batch(const TransmitSecY& secy, std::span<Frame> frames) noexcept {
    const Plan plan = make_plan(secy, *secy.sa);
    Work work;
    work.displaced_count = 0;
    std::uint64_t count = 0, octets = 0;
    for (Frame& f : frames) {
        if (f.verdict != Verdict::ok) continue;
        const std::uint32_t pad = padding(plan, f);
        f.verdict = admit(plan, f, pad, count, *secy.counters);
        if (f.verdict != Verdict::ok) continue;
        if (f.clear_tags != 0) set_aside(f, work);
        octets += insert(plan, f, pad, plan.first_pn + count, work.sealed[count]);
        ++count;
    }
    if (count == 0) return;
    secy.sa->next_pn.store(plan.first_pn + count, std::memory_order_relaxed);
    seal(std::span(work.sealed).first(count));
    restore_clear_tags(work);
    count_sent(secy, count, octets);
}

}  // namespace

void protect(const TransmitSecY& secy, std::span<Frame> frames) noexcept {
    if (secy.sa == nullptr) return refuse_all(*secy.counters, frames);
    while (!frames.empty()) {
        const std::size_t n = std::min(frames.size(), kMaxBatch);
        protect_batch(secy, frames.first(n));
        frames = frames.subspan(n);
    }
}

}  // namespace macsec
