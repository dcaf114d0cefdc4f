// Any octets as frames of a batch for a SecY with all suites; then any user data, protected in any form, changed as
// the input says, and verified: under strict only what was not changed may pass, below it what can be read, too; what
// passes unchanged must be the same again.
//
//   octet 0: bit 0 replay protection, bits 1-2 clear tags, bits 4-5 AN, bit 6 which SC, bit 7 change it
//   octets 1-2: where the change is (13 bits); bits 7-6 of octet 1: validate strict, check, disabled
//   bit 3 of octet 0, bit 5 of octet 1: form sci, es, scb, none
//   octet 3: what is XORed; the rest: frames, each led by its length / 4
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "macsec/sectag.h"
#include "macsec/secy.h"

using namespace macsec;

namespace {

constexpr std::size_t kMargin = 64;

void require(bool holds) {
    if (!holds) std::abort();
}

SaDescription describe(std::uint8_t sc, std::uint8_t an) {
    const auto suite = static_cast<CipherSuite>((sc * 2 + an) % 4);
    SaDescription d{.suite = suite, .an = An{an}, .sci = Sci{0x0200'0000'0a01'0000u + sc}, .confidentiality = an != 3};
    if (is_xpn(suite)) {
        d.ssci = Ssci{std::uint32_t{sc} + 1};
        d.salt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    } else if (an == 2) {
        d.confidentiality_offset = 30;
    }
    return d;
}

AeadKey key_of(CipherSuite suite) {
    auto key = AeadKey::create(suite, std::vector<std::uint8_t>(sak_octets(suite), 0x42));
    require(key.has_value());
    return std::move(*key);
}

// Two SCs with four SAs each, new for every input.
struct Receiver {
    std::array<ReceiveCounters, 2> counters;
    ReceiveSecYCounters secy_counters;
    std::vector<std::unique_ptr<ReceiveSa>> sas;
    std::array<ReceiveSc, 2> scs;
    ReceiveSecY secy;

    Receiver(bool replay_protect, ValidateFrames validate) {
        for (std::uint8_t sc = 0; sc < 2; ++sc) {
            for (std::uint8_t an = 0; an < kAns; ++an) {
                const SaDescription d = describe(sc, an);
                sas.push_back(std::make_unique<ReceiveSa>(d, key_of(d.suite), 1));
                scs[sc].sci = d.sci;
                scs[sc].sa[an] = sas.back().get();
            }
            scs[sc].counters = &counters[sc];
        }
        secy = {.scs = scs,
                .replay_protect = replay_protect,
                .replay_window = 64,
                .counters = &secy_counters,
                .validate = validate};
    }
    void keep_only(std::uint8_t sc) { secy.scs = std::span(scs).subspan(sc, 1); }
};

Frame frame_in(std::vector<std::uint8_t>& room, std::uint8_t clear_tags) {
    return {.data = room.data() + kMargin,
            .length = static_cast<std::uint32_t>(room.size() - 2 * kMargin),
            .headroom = kMargin,
            .tailroom = kMargin,
            .clear_tags = clear_tags};
}

std::vector<std::uint8_t> room_for(ConstOctets octets) {
    std::vector<std::uint8_t> room(kMargin + octets.size() + kMargin);
    std::copy(octets.begin(), octets.end(), room.begin() + kMargin);
    return room;
}

bool adds_up(const Frame& f, const std::vector<std::uint8_t>& room) {
    return f.data - room.data() == f.headroom && f.headroom + f.length + f.tailroom == room.size();
}

// 802.1AE 9.5: neither changed text nor encryption, as the SecTAG behind the clear tags says.
bool can_be_read(const std::vector<std::uint8_t>& room, std::uint8_t clear_tags) {
    return (room[kMargin + 12 + clear_tags + 2] & 0x0C) == 0;
}

// What nobody with the key has made is never accepted, and moves nothing; below strict it is delivered if it can be
// read.
void verify_anything(Receiver& receiver, ConstOctets input, std::uint8_t clear_tags) {
    std::vector<std::vector<std::uint8_t>> rooms;
    while (!input.empty() && rooms.size() < kMaxBatch) {
        const std::size_t n = std::min<std::size_t>(input[0] * std::size_t{4}, input.size() - 1);
        rooms.push_back(room_for(input.subspan(1, n)));
        input = input.subspan(1 + n);
    }
    const auto wires = rooms;
    std::vector<Frame> frames;
    for (auto& room : rooms) frames.push_back(frame_in(room, clear_tags));
    verify(receiver.secy, frames);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        require(adds_up(frames[i], rooms[i]));
        if (frames[i].verdict != Verdict::ok) continue;
        require(receiver.secy.validate != ValidateFrames::strict && can_be_read(wires[i], clear_tags));
        require(frames[i].length + kSecTagOctets + kIcvOctets <= wires[i].size() - 2 * kMargin);
    }
    for (const auto& sa : receiver.sas) require(sa->next_pn == 1 && sa->lowest_pn == 1);
}

struct Change {
    bool wanted;
    std::size_t at;
    std::uint8_t bits;
};

// True if something that is authenticated changed.
bool apply(const Change& change, Frame& f) {
    if (!change.wanted || change.bits == 0) return false;
    const std::size_t at = change.at % f.length;
    f.data[at] ^= change.bits;
    return at < 12 || at >= 12u + f.clear_tags;
}

// The source address and port identifier that a form stands for.
std::uint8_t sc_of(SciForm form, std::uint8_t wanted) {
    return form == SciForm::es ? 1 : form == SciForm::scb ? 0 : wanted;
}

void protect_change_verify(Receiver& receiver, std::vector<std::uint8_t> plain, std::uint8_t first, SciForm form,
                           const Change& change) {
    const std::uint8_t sc = sc_of(form, first >> 6 & 1), an = first >> 4 & 3;
    if (form == SciForm::none) receiver.keep_only(sc);
    constexpr std::uint8_t kSource[] = {2, 0, 0, 0, 0x0a, 1};
    if (form != SciForm::sci && plain.size() >= 12) std::copy_n(kSource, 6, plain.begin() + 6);
    const auto clear_tags = static_cast<std::uint8_t>((first >> 1 & 3) * 4);
    const SaDescription d = describe(sc, an);
    TransmitSa sa(d, key_of(d.suite), 7);
    sa.pn_ceiling = 8;
    TransmitCounters counters;
    const TransmitSecY secy{.sci = d.sci, .form = form, .sa = &sa, .counters = &counters};
    auto room = room_for(plain);
    Frame f = frame_in(room, clear_tags);
    protect(secy, {&f, 1});
    require(adds_up(f, room));
    require((f.verdict == Verdict::ok) == (clear_tags <= 8 && plain.size() >= 14u + clear_tags));
    if (f.verdict != Verdict::ok) return;
    require(f.length >= 60);
    const bool changed = apply(change, f);
    const bool readable = (f.data[12 + clear_tags + 2] & 0x0C) == 0;
    verify(receiver.secy, {&f, 1});
    require(adds_up(f, room));
    const bool ok = f.verdict == Verdict::ok;
    switch (receiver.secy.validate) {
        case ValidateFrames::disabled: require(changed ? !ok || readable : ok == readable); break;
        case ValidateFrames::check: require(changed ? !ok || readable : ok); break;
        default: require(ok == !changed);
    }
    if (!ok || changed || change.wanted) return;
    require(f.length >= plain.size() && std::equal(plain.begin(), plain.end(), f.data));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4 || size > 8192) return 0;
    const ConstOctets input(data, size);
    constexpr ValidateFrames kValidate[] = {ValidateFrames::strict, ValidateFrames::check, ValidateFrames::disabled,
                                            ValidateFrames::strict};
    Receiver receiver((data[0] & 1) != 0, kValidate[data[1] >> 6]);
    verify_anything(receiver, input.subspan(4), static_cast<std::uint8_t>((data[0] >> 1 & 3) * 4));
    const auto form = static_cast<SciForm>((data[0] >> 3 & 1) * 2 + (data[1] >> 5 & 1));
    const Change change{(data[0] & 0x80) != 0, load_be16(data + 1) & 0x1FFFu, data[3]};
    protect_change_verify(receiver, {data + 4, data + size}, data[0], form, change);
    return 0;
}
