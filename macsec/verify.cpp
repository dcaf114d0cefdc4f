// verify(), per batch (802.1AE 10.6):
//   1. look: SecTAG, SC by SCI, SA by AN, PN, replay; IV and place of each frame before the first cipher call; what is
//      not to be opened gets its fate from the receive rules
//   2. open all, ICVs to a side array
//   3. settle, in order: ICV, replay again with what this batch accepted, SecTAG and ICV off
//   4. counters
#include <algorithm>
#include <cstring>

#include "macsec/packet_number.h"
#include "macsec/receive_rules.h"
#include "macsec/replay.h"
#include "macsec/sectag.h"
#include "macsec/secy.h"

namespace macsec {
namespace {

constexpr std::uint32_t kAddresses = 12;        // octets of DA and SA
constexpr std::uint32_t kMaximumClearTags = 8;  // octets
constexpr std::size_t kAhead = 4;               // frames

// A frame that is being opened, and where it came from.
struct Pending {
    Frame* frame;
    const ReceiveSc* sc;
    ReceiveSa* sa;
    std::uint64_t pn;
    std::uint32_t user;  // octets
    std::uint8_t tag_octets;
    bool changed, encrypted;
    std::array<std::uint8_t, kMaximumClearTags> clear_tags;
};

// No default values: filled as far as `count`.
struct Work {
    std::array<AeadFrame, kMaxBatch> opened;
    std::array<Pending, kMaxBatch> pending;
    std::array<Icv, kMaxBatch> computed;
    std::size_t count;
};

// Good frames of one SC and SA, added to the counters at once.
struct Tally {
    const ReceiveSc* sc{};
    ReceiveSa* sa{};
    std::uint64_t ok{}, validated{}, decrypted{};

    void flush() noexcept {
        if (sc == nullptr) return;
        sc->counters->in_pkts_ok.add(ok);
        sc->counters->in_octets_validated.add(validated);
        sc->counters->in_octets_decrypted.add(decrypted);
        sa->pkts_ok.add(ok);
        ok = validated = decrypted = 0;
    }
};

// 802.1AE 9.5, 9.9: explicit SCI; source address and port identifier; or, point to point, the only SC there is.
const ReceiveSc* find_sc(const ReceiveSecY& secy, const SecTag& tag, const std::uint8_t* source) noexcept {
    if (tag.form() == SciForm::none) return secy.scs.size() == 1 ? secy.scs.data() : nullptr;
    const Sci sci = sci_of(tag, source);
    for (const ReceiveSc& sc : secy.scs)
        if (sc.sci == sci) return &sc;
    return nullptr;
}

Finding finding_of(Verdict v) noexcept {
    switch (v) {
        case Verdict::ok: return Finding::valid;
        case Verdict::rx_e_without_c: return Finding::e_without_c;
        case Verdict::rx_unknown_sci: return Finding::unknown_sci;
        case Verdict::rx_unused_an: return Finding::unused_an;
        case Verdict::rx_late: return Finding::late;
        case Verdict::rx_duplicate: return Finding::duplicate;
        case Verdict::rx_not_encrypted: return Finding::not_encrypted;
        case Verdict::rx_not_valid: return Finding::not_valid;
        default: return Finding::bad_tag;
    }
}

// 802.1AE 10.7.9. The SC and the SA are known as far as the counter needs them.
void count(const ReceiveSecY& secy, const ReceiveSc* sc, ReceiveSa* sa, InPkts what, bool delayed) noexcept {
    switch (what) {
        case InPkts::untagged: return secy.counters->in_pkts_untagged.add(1);
        case InPkts::no_tag: return secy.counters->in_pkts_no_tag.add(1);
        case InPkts::bad_tag: return secy.counters->in_pkts_bad_tag.add(1);
        case InPkts::no_sa: return secy.counters->in_pkts_no_sa.add(1);
        case InPkts::no_sa_error: return secy.counters->in_pkts_no_sa_error.add(1);
        case InPkts::late: return sc->counters->in_pkts_late.add(1);
        case InPkts::duplicate: return sc->counters->in_pkts_duplicate.add(1);
        case InPkts::invalid: sa->pkts_invalid.add(1); return sc->counters->in_pkts_invalid.add(1);
        case InPkts::not_valid: sa->pkts_not_valid.add(1); return sc->counters->in_pkts_not_valid.add(1);
        case InPkts::unchecked:
            return (delayed ? sc->counters->in_pkts_delayed : sc->counters->in_pkts_unchecked).add(1);
        case InPkts::ok: return (delayed ? sc->counters->in_pkts_delayed : sc->counters->in_pkts_ok).add(1);
        case InPkts::none: return;
    }
}

// Who a frame without SA belongs to, beyond what the standard counts.
void count_stray(const ReceiveSecY& secy, const ReceiveSc* sc, Verdict v) noexcept {
    if (v == Verdict::rx_unknown_sci) secy.counters->in_pkts_unknown_sci.add(1);
    if (v == Verdict::rx_unused_an) sc->counters->in_pkts_no_sa.add(1);
}

bool is_delayed(const ReceiveSa* sa, std::uint64_t pn) noexcept {
    return sa != nullptr && pn < sa->lowest_pn.load(std::memory_order_relaxed);
}

// Everything that can be known without the key. On ok, `p` names the SC, the SA and the PN; else as far as they are
// known.
Verdict judge(const ReceiveSecY& secy, const Frame& f, SecTag& tag, Pending& p) noexcept {
    p.sc = nullptr;
    p.sa = nullptr;
    const std::uint32_t before_tag = kAddresses + f.clear_tags;
    if (f.clear_tags > kMaximumClearTags || f.length < before_tag) return Verdict::rx_bad_tag_short;
    if (const Verdict v = parse_sectag({f.data + before_tag, f.length - before_tag}, tag); v != Verdict::ok) return v;
    p.sc = find_sc(secy, tag, f.data + 6);
    if (p.sc == nullptr) return Verdict::rx_unknown_sci;
    p.sa = p.sc->sa[tag.an().value];
    if (p.sa == nullptr) return Verdict::rx_unused_an;
    const SaDescription& d = p.sa->description;
    if (secy.delay_protect) [[unlikely]]
        raise_to_floor(*p.sa);
    p.pn = received_pn(d.suite, secy.replay_protect, p.sa->lowest_pn.load(std::memory_order_relaxed), tag.pn);
    // 9.12: zero is no PN. Under XPN that holds for all 64 bits; the 32 on the wire pass zero once in 2^32 frames. So
    // only a frame whose SA is known can be judged: without one it is unknown-sci or unused-an, whatever its PN.
    if (p.pn == 0) return Verdict::rx_bad_tag_pn_zero;
    // The last PN of 64 bits is never sent (8.3), and next PN must not wrap.
    if (p.pn == ~std::uint64_t{0}) return Verdict::rx_not_valid;
    // 10.6.2: preliminary replay check.
    if (const Verdict v = check_replay(*p.sa, secy.replay_protect, p.pn); v != Verdict::ok) return v;
    return d.confidentiality && !tag.encrypted() ? Verdict::rx_not_encrypted : Verdict::ok;
}

// Clear tags wait aside while DA and SA stand before the SecTAG: the AAD is one piece.
void set_aside(Frame& f, const SecTag& tag, Pending& p, AeadFrame& opened) noexcept {
    std::uint8_t* const start = f.data + f.clear_tags;
    if (f.clear_tags != 0) {
        std::memcpy(p.clear_tags.data(), f.data + kAddresses, f.clear_tags);
        std::memmove(start, f.data, kAddresses);
    }
    p.frame = &f;
    p.user = tag.user_octets;
    p.tag_octets = tag.octets;
    p.changed = tag.changed();
    p.encrypted = tag.encrypted();
    opened.start = start;
}

void aim(const SecTag& tag, const Pending& p, AeadFrame& opened) noexcept {
    const SaDescription& d = p.sa->description;
    const std::uint32_t offset = !p.encrypted ? p.user : is_xpn(d.suite) ? 0 : d.confidentiality_offset;
    const std::uint32_t in_clear = std::min(offset, p.user);
    opened.iv = make_iv(p.sa->nonce, p.pn);
    opened.key = &p.sa->key;
    opened.aad = kAddresses + tag.octets + in_clear;
    opened.text = p.user - in_clear;
}

// DA, SA and clear tags move up over the SecTAG.
void strip(const Pending& p, const AeadFrame& opened) noexcept {
    Frame& f = *p.frame;
    std::uint8_t* const data = f.data + p.tag_octets;
    std::uint64_t addresses_head;
    std::uint32_t addresses_tail;
    std::memcpy(&addresses_head, opened.start, sizeof addresses_head);
    std::memcpy(&addresses_tail, opened.start + 8, sizeof addresses_tail);
    std::memcpy(data, &addresses_head, sizeof addresses_head);
    std::memcpy(data + 8, &addresses_tail, sizeof addresses_tail);
    if (f.clear_tags != 0) std::memcpy(data + kAddresses, p.clear_tags.data(), f.clear_tags);
    const std::uint32_t length = kAddresses + f.clear_tags + p.user;
    const std::uint32_t behind = f.tailroom + (f.length - p.tag_octets - length);
    f.data = data;
    f.length = length;
    f.headroom = static_cast<std::uint16_t>(std::min<std::uint32_t>(f.headroom + p.tag_octets, 0xFFFF));
    f.tailroom = static_cast<std::uint16_t>(std::min<std::uint32_t>(behind, 0xFFFF));
}

// What will not be opened: most are dropped; a SecY that does not validate delivers some, without SecTAG and ICV.
Verdict dispose(const ReceiveSecY& secy, Frame& f, const SecTag& tag, Pending& p, Verdict v, AeadFrame& room) noexcept {
    const bool seen = v != Verdict::ok;
    const Finding finding = seen ? finding_of(v) : Finding::unchecked;
    const Decision d = decide(secy.validate, finding, tag.changed(), tag.encrypted());
    count_stray(secy, p.sc, v);
    count(secy, p.sc, p.sa, d.counted, is_delayed(p.sa, p.pn));
    if (d.fate == Fate::drop) return seen ? v : Verdict::rx_not_valid;
    set_aside(f, tag, p, room);
    strip(p, room);
    return Verdict::ok;
}

void look(const ReceiveSecY& secy, std::span<Frame> frames, Work& work) noexcept {
    const bool opens = secy.validate == ValidateFrames::strict || secy.validate == ValidateFrames::check;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (i + kAhead < frames.size()) __builtin_prefetch(frames[i + kAhead].data);
        Frame& f = frames[i];
        if (f.verdict != Verdict::ok) continue;
        SecTag tag;
        Pending& p = work.pending[work.count];
        AeadFrame& opened = work.opened[work.count];
        f.verdict = judge(secy, f, tag, p);
        if (f.verdict != Verdict::ok || !opens) [[unlikely]] {
            f.verdict = dispose(secy, f, tag, p, f.verdict, opened);
            continue;
        }
        set_aside(f, tag, p, opened);
        aim(tag, p, opened);
        ++work.count;
    }
}

// The frame keeps its shape and loses its secured data: what was decrypted without belief never leaves.
Verdict withdraw(const Pending& p, const AeadFrame& opened, Verdict v) noexcept {
    std::memset(opened.start + opened.aad, 0, opened.text);
    const Frame& f = *p.frame;
    if (f.clear_tags == 0) return v;
    std::memmove(f.data, opened.start, kAddresses);
    std::memcpy(f.data + kAddresses, p.clear_tags.data(), f.clear_tags);
    return v;
}

void count_good(const Pending& p, bool delayed, Tally& tally) noexcept {
    if (tally.sa != p.sa) {
        tally.flush();
        tally.sc = p.sc;
        tally.sa = p.sa;
    }
    (p.encrypted ? tally.decrypted : tally.validated) += p.user;
    if (delayed)
        p.sc->counters->in_pkts_delayed.add(1);
    else
        ++tally.ok;
}

// An ICV that is wrong: withdrawn, but for user data that was never changed, which a SecY that only checks delivers.
void settle_invalid(const ReceiveSecY& secy, const Pending& p, const AeadFrame& opened) noexcept {
    const Decision d = decide(secy.validate, Finding::not_valid, p.changed, p.encrypted);
    count(secy, p.sc, p.sa, d.counted, false);
    if (d.fate == Fate::drop) {
        p.frame->verdict = withdraw(p, opened, Verdict::rx_not_valid);
        return;
    }
    strip(p, opened);
}

void settle(const ReceiveSecY& secy, const Pending& p, const AeadFrame& opened, const Icv& computed,
            Tally& tally) noexcept {
    if (!same_icv(opened.icv(), computed)) [[unlikely]]
        return settle_invalid(secy, p, opened);
    // 10.6.4: replay check, now that the PN is known to be true.
    if (const Verdict v = check_replay(*p.sa, secy.replay_protect, p.pn); v != Verdict::ok) [[unlikely]] {
        (p.encrypted ? p.sc->counters->in_octets_decrypted : p.sc->counters->in_octets_validated).add(p.user);
        count(secy, p.sc, p.sa, decide(secy.validate, finding_of(v), p.changed, p.encrypted).counted, false);
        p.frame->verdict = withdraw(p, opened, v);
        return;
    }
    const bool delayed = is_delayed(p.sa, p.pn);
    accept_pn(*p.sa, secy.replay_window, p.pn);
    strip(p, opened);
    count_good(p, delayed, tally);
}

void verify_batch(const ReceiveSecY& secy, std::span<Frame> frames) noexcept {
    Work work;
    work.count = 0;
    look(secy, frames, work);
    if (work.count == 0) return;
    open(std::span(work.opened).first(work.count), work.computed);
    Tally tally;
    for (std::size_t i = 0; i < work.count; ++i) settle(secy, work.pending[i], work.opened[i], work.computed[i], tally);
    tally.flush();
}

}  // namespace

void verify(const ReceiveSecY& secy, std::span<Frame> frames) noexcept {
    while (!frames.empty()) {
        const std::size_t n = std::min(frames.size(), kMaxBatch);
        verify_batch(secy, frames.first(n));
        frames = frames.subspan(n);
    }
}

}  // namespace macsec
