#include <set>

#include "macsec/replay.h"
#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

constexpr auto kNarrow = CipherSuite::gcm_aes_128;
constexpr auto kWide = CipherSuite::gcm_aes_xpn_256;

struct Receiver : Pair {
    Receiver(CipherSuite suite, bool protect, std::uint32_t window, std::uint64_t pn = 1)
        : Pair(describe(suite), sak_for(suite), SciForm::sci, pn) {
        receive.replay_protect = protect;
        receive.replay_window = window;
    }
    Verdict get(std::uint64_t pn) { return receive_bytes(frame_with_pn(pn, plain_frame(50))); }

    // One batch; the verdicts.
    std::vector<Verdict> get(const std::vector<std::uint64_t>& pns) {
        std::vector<Room> rooms;
        for (const std::uint64_t pn : pns) rooms.emplace_back(frame_with_pn(pn, plain_frame(50)));
        std::vector<Frame> frames;
        for (auto& room : rooms) frames.push_back(room.frame);
        macsec::verify(receive, frames);
        std::vector<Verdict> verdicts;
        for (const Frame& f : frames) verdicts.push_back(f.verdict);
        return verdicts;
    }
};

constexpr Verdict kOk = Verdict::ok, kLate = Verdict::rx_late, kDuplicate = Verdict::rx_duplicate;

// The rules over all PNs ever, without a memory that forgets by place.
struct Model {
    bool protect;
    std::uint64_t window;
    std::uint64_t next, lowest;
    std::set<std::uint64_t> seen{};

    Verdict get(std::uint64_t pn) {
        if (protect && pn < lowest) return kLate;
        if (protect && pn < next && next - pn <= kDuplicateMemory && seen.contains(pn)) return kDuplicate;
        seen.insert(pn);
        if (pn >= next) next = pn + 1;
        if (next > window && next - window > lowest) lowest = next - window;
        return kOk;
    }
};

// How often the model said each: a test that never sees one of them proves nothing of it.
struct Seen {
    std::size_t ok{}, late{}, other{};

    void count(Verdict v) { ++(v == kOk ? ok : v == kLate ? late : other); }
    void check() const {
        CHECK(ok > 1000);
        CHECK(late > 50);
        CHECK(other > 50);
    }
};

void check_state(const Receiver& r, const Model& model) {
    REQUIRE(r.receive_sa->next_pn == model.next);
    REQUIRE(r.receive_sa->lowest_pn == model.lowest);
}

}  // namespace

TEST_CASE("window 0 accepts strictly rising PNs, gaps included") {
    Receiver r(kNarrow, true, 0);
    CHECK(r.get(1) == kOk);
    CHECK(r.get(2) == kOk);
    CHECK(r.get(10) == kOk);
    CHECK(r.get(10) == kLate);
    CHECK(r.get(9) == kLate);
    CHECK(r.get(11) == kOk);
    CHECK(r.received.in_pkts_late.get() == 2);
    CHECK(r.received.in_pkts_ok.get() == 4);
}

TEST_CASE("inside the window late frames pass once") {
    Receiver r(kNarrow, true, 64);
    CHECK(r.get(100) == kOk);
    CHECK(r.get(37) == kOk);
    CHECK(r.get(36) == kLate);
    CHECK(r.get(37) == kDuplicate);
    CHECK(r.get(100) == kDuplicate);
    CHECK(r.get(99) == kOk);
    CHECK(r.received.in_pkts_duplicate.get() == 2);
    CHECK(r.received.in_pkts_late.get() == 1);
    CHECK(r.receive_sa->lowest_pn == 37);
}

TEST_CASE("within one batch the second of two equal frames is dropped") {
    Receiver zero(kNarrow, true, 0);
    CHECK(zero.get({5, 5, 6, 4}) == std::vector{kOk, kLate, kOk, kLate});
    Receiver window(kWide, true, 64);
    CHECK(window.get({5, 5, 6, 4, 4, 6}) == std::vector{kOk, kDuplicate, kOk, kOk, kDuplicate, kDuplicate});
    CHECK(window.received.in_pkts_ok.get() == 3);
    CHECK(window.received.in_pkts_duplicate.get() == 3);
}

TEST_CASE("a duplicate found after opening leaves no plaintext") {
    Receiver r(kWide, true, 64);
    const Bytes wire = r.frame_with_pn(5, plain_frame(50));
    Room first(wire), second(wire);
    std::array<Frame, 2> frames{first.frame, second.frame};
    verify(r.receive, frames);
    CHECK(frames[0].verdict == kOk);
    REQUIRE(frames[1].verdict == kDuplicate);
    CHECK(Bytes(frames[1].data + 28, frames[1].data + 28 + 50) == Bytes(50, 0));
}

TEST_CASE("a replayed frame costs no opening: late and duplicate are found although the ICV is wrong") {
    Receiver r(kNarrow, true, 64);
    CHECK(r.get(200) == kOk);
    for (const auto& [pn, wanted] : {std::pair{std::uint64_t{100}, kLate}, {std::uint64_t{200}, kDuplicate}}) {
        Bytes wire = r.frame_with_pn(pn, plain_frame(50));
        wire.back() ^= 1;
        CHECK(r.receive_bytes(wire) == wanted);
    }
}

TEST_CASE("a forged frame far ahead does not move the window") {
    Receiver r(kNarrow, true, 0);
    Bytes forged = r.frame_with_pn(1'000'000, plain_frame(50));
    forged.back() ^= 1;
    const Bytes good = r.frame_with_pn(7, plain_frame(50));
    Room a(forged), b(good);
    std::array<Frame, 2> frames{a.frame, b.frame};
    verify(r.receive, frames);
    CHECK(frames[0].verdict == Verdict::rx_not_valid);
    CHECK(frames[1].verdict == kOk);
    CHECK(r.receive_sa->next_pn == 8);
}

TEST_CASE("duplicates are remembered for 4096 PNs however wide the window is") {
    Receiver r(kNarrow, true, 1u << 20);
    for (const std::uint64_t pn : {10, 11, 4106}) CHECK(r.get(pn) == kOk);
    CHECK(r.get(11) == kDuplicate);
    CHECK(r.get(10) == kOk);  // 4097 behind: forgotten, and its place belongs to 4106
    CHECK(r.get(4106) == kDuplicate);
    CHECK(r.get(4105) == kOk);
}

TEST_CASE("a frame older than the memory takes no other frame's place in it") {
    Receiver r(kNarrow, true, 1u << 20);
    CHECK(r.get(5000) == kOk);
    CHECK(r.get(100) == kOk);
    CHECK(r.get(100 + 4096) == kOk);
    CHECK(r.get(100 + 4096) == kDuplicate);
}

TEST_CASE("a jump forgets what lay between and nothing else") {
    Receiver r(kNarrow, true, 1u << 20);
    for (std::uint64_t pn = 1; pn <= 200; ++pn) CHECK(r.get(pn) == kOk);
    CHECK(r.get(4200) == kOk);
    CHECK(r.get(4196 - 4096 + 5) == kDuplicate);
    CHECK(r.get(4200 - 4095) == kDuplicate);
    CHECK(r.get(4100) == kOk);
    CHECK(r.get(20'000) == kOk);
    CHECK(r.get(19'999) == kOk);
    CHECK(r.get(16'000) == kOk);
    CHECK(r.get(19'999) == kDuplicate);
}

TEST_CASE("with replay protection off everything authentic passes, and lowestPN advances all the same") {
    for (const auto suite : {kNarrow, kWide}) {
        Receiver r(suite, false, 0);
        CHECK(r.get(100) == kOk);
        CHECK(r.receive_sa->lowest_pn == 101);
        CHECK(r.get(100) == kOk);
        CHECK(r.get(50) == kOk);
        CHECK(r.receive_sa->next_pn == 101);
        CHECK(r.received.in_pkts_delayed.get() == 2);
        CHECK(r.received.in_pkts_ok.get() == 1);
        CHECK(r.received.in_pkts_late.get() == 0);
        r.receive.replay_protect = true;
        CHECK(r.get(100) == kLate);
    }
}

TEST_CASE("lowestPN never falls when the window is made wider") {
    Receiver r(kNarrow, true, 0);
    CHECK(r.get(100) == kOk);
    r.receive.replay_window = 64;
    CHECK(r.get(90) == kLate);
    CHECK(r.get(101) == kOk);
    CHECK(r.get(100) == kLate);
}

TEST_CASE("a receive SA begins at the lowest PN it was given") {
    Receiver r(kWide, true, 64, 0x5'0000'1000);
    CHECK(r.get(0x5'0000'0FFF) == kLate);
    CHECK(r.get(0x5'0000'1000) == kOk);
    CHECK(r.receive_sa->next_pn == 0x5'0000'1001);
}

TEST_CASE("the floor of delay protection never falls") {
    Receiver r(kWide, true, 64, 1);
    for (const std::uint64_t pn : {100, 200, 150, 1}) raise_floor(*r.receive_sa, pn);
    CHECK(r.receive_sa->floor == 200);
}

TEST_CASE("a frame 15 behind a 2^32 crossing is opened") {
    for (const bool protect : {true, false}) {
        Receiver r(kWide, protect, 64, 0xFFFF'FF00);
        CHECK(r.get(0x1'0000'0004) == kOk);
        CHECK(r.get(0x0'FFFF'FFF5) == kOk);
    }
    Receiver off(kWide, false, 0, 0xFFFF'FF00);
    CHECK(off.get(0x1'0000'0004) == kOk);
    CHECK(off.get(0x0'FFFF'FFF5) == kOk);
}

TEST_CASE("around 2^32 crossings any order of frames gets the verdicts of a wide-integer model") {
    Random random(42);
    Seen seen;
    for (int round = 0; round < 120; ++round) {
        const bool protect = round % 4 != 3;
        constexpr std::uint32_t windows[] = {0, 1, 7, 64, 200, 4095, 4096, 4097, 5000, 1u << 20, (1u << 30) - 1};
        const std::uint32_t window = windows[below(random, std::size(windows))];
        constexpr std::uint64_t uppers[] = {1, 2, 0x7FFF'FFFF, 0x8000'0000, 0x8000'0001, 0xFFFF'FFFE, 0xFFFF'FFFF};
        const bool at_an_edge = round % 2 != 0;
        const std::uint64_t upper = at_an_edge ? uppers[below(random, std::size(uppers))] : 1 + below(random, 1u << 20);
        const std::uint64_t crossing = upper << 32;
        const std::uint64_t start = crossing - 1 - below(random, 300);
        // Frames behind lowestPN across the crossing come out not valid (10.6.2 recovers from lowestPN): start where
        // every PN that is sent lies in reach.
        Receiver r(kWide, protect, window, start - std::min<std::uint64_t>(start, 100));
        Model model{protect, window, r.receive_sa->next_pn, r.receive_sa->lowest_pn};
        std::uint64_t at = start;
        for (int batch = 0; batch < 8; ++batch) {
            std::vector<std::uint64_t> pns;
            for (std::size_t i = 0, n = 1 + below(random, 20); i < n; ++i) {
                at += below(random, 10) == 0 ? below(random, 6000) : below(random, 3);
                pns.push_back(at - std::min<std::uint64_t>(below(random, 3) == 0 ? below(random, 90) : 0, at - 1));
            }
            const std::vector<Verdict> verdicts = r.get(pns);
            for (std::size_t i = 0; i < pns.size(); ++i) {
                // Late and beyond the crossing: dropped either way, by replay check or by ICV.
                const bool unreachable = protect && pns[i] >> 32 < model.lowest >> 32;
                // Late and seen: the check before opening may find the latter, before the batch itself made it late.
                const bool seen_too = model.seen.contains(pns[i]) && verdicts[i] == kDuplicate;
                const Verdict wanted = model.get(pns[i]);
                const bool same =
                    verdicts[i] == wanted ||
                    (wanted == kLate && (seen_too || (unreachable && verdicts[i] == Verdict::rx_not_valid)));
                CAPTURE(round, batch, i, protect, window, pns[i] - start, model.next, model.lowest,
                        static_cast<int>(verdicts[i]), static_cast<int>(wanted));
                if (!same) FAIL("the model says otherwise");
                seen.count(wanted);
            }
            check_state(r, model);
        }
    }
    seen.check();
}

TEST_CASE("any order of frames of a 32-bit suite gets the verdicts of the model, up to the last PN") {
    Random random(7);
    Seen seen;
    for (int round = 0; round < 60; ++round) {
        const bool protect = round % 4 != 3;
        constexpr std::uint32_t windows[] = {0, 1, 64, 4096, 5000, 0xFFFF'FFFF};
        const std::uint32_t window = windows[below(random, std::size(windows))];
        std::uint64_t at = round % 2 != 0 ? 0xFFFF'FF80u : 101 + below(random, 1u << 31);
        Receiver r(kNarrow, protect, window, at - 100);
        Model model{protect, window, r.receive_sa->next_pn, r.receive_sa->lowest_pn};
        for (int i = 0; i < 150; ++i) {
            at = std::min<std::uint64_t>(at + below(random, 3), pn_end(kNarrow) - 1);
            const std::uint64_t pn = at - below(random, 90);
            const Verdict got = r.get(pn), wanted = model.get(pn);
            CAPTURE(round, i, protect, window, pn, model.next, model.lowest);
            if (got != wanted) FAIL("the model says otherwise");
            seen.count(wanted);
        }
        check_state(r, model);
    }
    seen.check();
}

TEST_CASE("the widest windows reach as far as their numbers say and no farther") {
    Receiver narrow(kNarrow, true, 0xFFFF'FFFF);
    CHECK(narrow.get(0xFFFF'FFFE) == kOk);
    CHECK(narrow.get(1) == kOk);
    CHECK(narrow.get(0xFFFF'FFFE) == kDuplicate);
    constexpr std::uint64_t window = (1u << 30) - 1, start = 0xFFFF'FF00, last = 0x1'0000'0004 + window;
    Receiver wide(kWide, true, window, start);
    CHECK(wide.get(0x1'0000'0004) == kOk);
    CHECK(wide.get(start) == kOk);
    CHECK(wide.get(last) == kOk);
    CHECK(wide.get(last + 1 - window) == kOk);
    CHECK(wide.get(last - window) == kLate);
}

TEST_CASE("under delay protection nothing below the floor is accepted") {
    for (const auto suite : {kNarrow, kWide}) {
        Receiver r(suite, true, 64);
        r.receive.delay_protect = true;
        r.receive_sa->floor = 1000;
        CHECK(r.get(999) == kLate);
        CHECK(r.get(1000) == kOk);
    }
}
