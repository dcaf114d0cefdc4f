// One frame:
//   1. clear tags aside, the SecTAG as a value
//   2. each key of its SCI and AN, in order, on a copy of the frame: verify()
//   3. where all failed, other upper halves of the PN
//   4. the clear tags back in their place
#include "tools/demarc/decode.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "macsec/packet_number.h"
#include "macsec/sectag.h"

namespace cli {
namespace {

using macsec::Verdict;

constexpr std::size_t kAddresses = 12, kTypeOctets = 2, kTagOctets = 4;
// 802.1AE 10.7.8: the greatest replay window under XPN. Also, with replay protection off, how far behind the greatest
// PN an observer recovers a PN; 2^30 ahead of it is left.
constexpr std::uint64_t kWidestWindow = (std::uint64_t{1} << 30) - 1;

bool is_tag(std::uint16_t type) noexcept { return type == 0x8100 || type == 0x88A8 || type == 0x9100; }

// How much a verdict says about a frame that no key opened.
int weight(Verdict v) noexcept {
    switch (v) {
        case Verdict::rx_unknown_sci: return 0;
        case Verdict::rx_unused_an: return 1;
        case Verdict::rx_not_valid: return 3;
        case Verdict::rx_late:
        case Verdict::rx_duplicate: return 4;
        case Verdict::ok: return 5;
        default: return 2;
    }
}

}  // namespace

struct Decoder::Sa {
    Sa(DecodeKey&& k, const macsec::SaDescription& d)
        : receive(d, std::move(k.key), k.lowest_pn.value_or(1)), lowest_pn(k.lowest_pn), learned(k.learned) {}

    // Whether other upper halves may explain that it did not open a frame.
    bool has_open_search() const noexcept {
        return macsec::is_xpn(receive.description.suite) && !lowest_pn && opened == 0 && searched < kSearchedFrames;
    }
    void start_at(std::uint64_t pn) noexcept {
        receive.lowest_pn = pn;
        receive.next_pn = pn;
    }

    macsec::ReceiveSa receive;
    std::optional<std::uint64_t> lowest_pn;
    std::optional<Learned> learned;
    bool ended{};  // by a later key that MKA told
    std::uint64_t opened{}, least_pn{}, greatest_pn{};
    std::optional<std::uint64_t> upper_half;
    unsigned searched{};  // frames
};

// A frame of MACsec and where its parts are.
struct Decoder::Place {
    macsec::ConstOctets octets;
    std::size_t clear_tags{};  // octets
    macsec::SecTag tag{};
    Verdict tag_verdict{};
    std::optional<macsec::Sci> sci{};

    // False: not a frame of MACsec.
    bool find() {
        const auto at = ethertype_at(octets);
        if (!at || macsec::load_be16(octets.data() + *at) != macsec::kEtherTypeMacsec) return false;
        clear_tags = *at - kAddresses;
        tag_verdict = parse_sectag(octets.subspan(*at), tag);
        if (has_pn() && tag.form() != macsec::SciForm::none) sci = sci_of(tag, octets.data() + 6);
        return true;
    }
    // parse_sectag() judges lengths last, when PN and SCI are read.
    bool has_pn() const noexcept {
        return tag_verdict == Verdict::ok || tag_verdict == Verdict::rx_bad_tag_short_length ||
               tag_verdict == Verdict::rx_bad_tag_icv_short;
    }
    // Point to point, without SCI, any SC may be the one (802.1AE 9.5). With SCB the port identifier is 0, but that of
    // Linux's SC is 1.
    bool has_sc(const macsec::SaDescription& d) const noexcept {
        if (!sci || d.sci == *sci) return true;
        return tag.form() == macsec::SciForm::scb && d.sci.value == (sci->value | 1);
    }
    bool is_for(const macsec::SaDescription& d) const noexcept { return d.an == tag.an() && has_sc(d); }
};

std::optional<std::size_t> ethertype_at(macsec::ConstOctets frame) noexcept {
    std::size_t at = kAddresses;
    while (at + kTypeOctets <= frame.size() && is_tag(macsec::load_be16(frame.data() + at))) at += kTagOctets;
    if (at + kTypeOctets > frame.size()) return std::nullopt;
    return at;
}

Decoder::Decoder(std::optional<std::uint32_t> replay_window) : replay_window_(replay_window) {}
Decoder::~Decoder() = default;

void Decoder::add(DecodeKey key) {
    macsec::SaDescription d = key.description;
    d.confidentiality = false;  // E=1 is opened under it all the same, and E=0 passes
    sas_.push_back(std::make_unique<Sa>(std::move(key), d));
}

DecodedFrame Decoder::decode(const CapturedFrame& captured) {
    DecodedFrame out;
    Place place{.octets = captured.octets};
    if (!place.find()) return out;
    out.kind = FrameKind::macsec;
    out.sci = place.sci;
    if (place.has_pn()) {
        out.an = place.tag.an();
        out.pn = place.tag.pn;
    }
    out.truncated = captured.octets_on_wire > captured.octets.size();
    out.verdict = place.tag_verdict;
    if (out.truncated || out.verdict != Verdict::ok) return out;
    try_keys(place, out);
    if (out.verdict != Verdict::ok) search_upper_halves(place, out);
    return out;
}

void Decoder::try_keys(const Place& place, DecodedFrame& out) {
    out.verdict = Verdict::rx_unknown_sci;
    for (std::size_t i = 0; i < sas_.size() && out.verdict != Verdict::ok; ++i) {
        Sa& sa = *sas_[i];
        const macsec::SaDescription& d = sa.receive.description;
        if (sa.ended) continue;
        if (!place.is_for(d)) {
            if (place.has_sc(d) && weight(out.verdict) < weight(Verdict::rx_unused_an))
                out.verdict = Verdict::rx_unused_an;
            continue;
        }
        const std::uint64_t pn = received_pn(d.suite, replay_window_.has_value(), sa.receive.lowest_pn, place.tag.pn);
        const Verdict v = attempt(place, sa);
        if (weight(v) <= weight(out.verdict)) continue;
        out.verdict = v;
        out.pn = pn;
        if (v == Verdict::ok) accept(i, pn, out);
    }
}

void Decoder::search_upper_halves(const Place& place, DecodedFrame& out) {
    for (std::size_t i = 0; i < sas_.size(); ++i)
        if (!sas_[i]->ended && place.is_for(sas_[i]->receive.description) && sas_[i]->has_open_search() &&
            search(place, i, out))
            return;
}

bool Decoder::search(const Place& place, std::size_t key, DecodedFrame& out) {
    Sa& sa = *sas_[key];
    for (std::uint64_t upper = 0; upper < kUpperHalves; ++upper) {
        const std::uint64_t pn = upper << 32 | place.tag.pn;
        if (pn == 0) continue;
        // The window reaches back from this frame, so that those a little before it are no less welcome.
        sa.start_at(pn - std::min(window_of(sa), pn - 1));
        if (attempt(place, sa) != Verdict::ok) continue;
        out.verdict = Verdict::ok;
        accept(key, pn, out);
        return true;
    }
    sa.start_at(1);
    ++sa.searched;
    return false;
}

// As one frame of a SecY that has this SA alone. On ok, opened_ is the frame without MACsec.
Verdict Decoder::attempt(const Place& place, Sa& sa) {
    const std::size_t tags = place.clear_tags;
    room_.resize(std::max(room_.size(), place.octets.size()));
    std::uint8_t* const start = room_.data() + tags;  // the tags' room is kept before it
    std::memcpy(start, place.octets.data(), kAddresses);
    std::memcpy(start + kAddresses, place.octets.data() + kAddresses + tags, place.octets.size() - kAddresses - tags);

    macsec::ReceiveSc sc{.sci = place.sci.value_or(sa.receive.description.sci), .counters = &counters_};
    sc.sa[place.tag.an().value] = &sa.receive;
    const macsec::ReceiveSecY secy{.scs = {&sc, 1},
                                   .replay_protect = replay_window_.has_value(),
                                   .replay_window = static_cast<std::uint32_t>(window_of(sa)),
                                   .counters = &secy_counters_};
    macsec::Frame frame{.data = start, .length = static_cast<std::uint32_t>(place.octets.size() - tags)};
    verify(secy, {&frame, 1});
    if (frame.verdict != Verdict::ok) return frame.verdict;
    std::uint8_t* const whole = frame.data - tags;
    std::memmove(whole, frame.data, kAddresses);
    std::memcpy(whole + kAddresses, place.octets.data() + kAddresses, tags);
    opened_ = {whole, frame.length + tags};
    return Verdict::ok;
}

void Decoder::accept(std::size_t key, std::uint64_t pn, DecodedFrame& out) {
    Sa& sa = *sas_[key];
    if (sa.opened == 0 && macsec::is_xpn(sa.receive.description.suite) && !sa.lowest_pn) sa.upper_half = pn >> 32;
    if (sa.opened == 0 && sa.learned) end_earlier(key);
    sa.least_pn = sa.opened == 0 ? pn : std::min(sa.least_pn, pn);
    sa.greatest_pn = std::max(sa.greatest_pn, pn);
    ++sa.opened;
    out.key = key;
    out.pn = pn;
    out.sci = sa.receive.description.sci;
    out.plaintext = opened_;
}

void Decoder::end_earlier(std::size_t key) {
    const macsec::SaDescription& d = sas_[key]->receive.description;
    for (std::size_t i = 0; i < key; ++i) {
        const macsec::SaDescription& earlier = sas_[i]->receive.description;
        if (sas_[i]->learned && earlier.sci == d.sci && earlier.an == d.an) sas_[i]->ended = true;
    }
}

std::uint64_t Decoder::window_of(const Sa& sa) const noexcept {
    if (!replay_window_) return kWidestWindow;
    const std::uint64_t window = *replay_window_;
    return macsec::is_xpn(sa.receive.description.suite) ? std::min(window, kWidestWindow) : window;
}

KeyReport Decoder::report(std::size_t key) const {
    const Sa& sa = *sas_[key];
    return {.description = sa.receive.description,
            .opened = sa.opened,
            .least_pn = sa.least_pn,
            .greatest_pn = sa.greatest_pn,
            .upper_half = sa.upper_half,
            .search_spent = sa.opened == 0 && sa.searched >= kSearchedFrames,
            .learned = sa.learned};
}

std::string_view verdict_word(const DecodedFrame& f) noexcept {
    static constexpr std::string_view words[] = {"ok",
#define X(enumerator, word, counter) word,
                                                 MACSEC_VERDICTS(X)
#undef X
    };
    if (f.kind == FrameKind::other) return "";
    return f.truncated ? "truncated" : words[static_cast<std::size_t>(f.verdict)];
}

}  // namespace cli
