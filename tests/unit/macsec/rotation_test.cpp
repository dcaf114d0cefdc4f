// SAK rotation in process: a new SAK every 20,000 frames, four ANs round and round, as reload and MKA do it.
#include "tests/unit/catch.h"
#include "tests/unit/macsec/support.h"

using namespace macsec;
using namespace macsec::test;

namespace {

constexpr std::size_t kPerSak = 20'000;  // frames
constexpr std::size_t kBatches = kPerSak / 50;
constexpr std::size_t kBatchFrames = 50;

// One link whose SAK changes: both ends of one SC.
class Link {
public:
    explicit Link(CipherSuite suite) : suite_(suite) {
        sc_[0].sci = kSci;
        sc_[0].counters = &received;
        transmit_.sci = kSci;
        transmit_.counters = &sent;
        receive_ = {.scs = sc_, .replay_protect = true, .replay_window = 0, .counters = &strays};
        for (std::size_t i = 0; i < kBatchFrames; ++i) {
            rooms_.push_back(std::make_unique<Room>(plain_));
            frames_.push_back(rooms_.back()->frame);
        }
    }

    // The receiver has it first; nothing is sent with it yet.
    void install(std::uint8_t an) {
        SaDescription d = describe(suite_);
        d.an = An{an};
        const Bytes sak = random_bytes(random_, sak_octets(suite_));
        receivers_[an] = std::make_unique<ReceiveSa>(d, key_of(suite_, sak), 1);
        sc_[0].sa[an] = receivers_[an].get();
        senders_[an] = std::make_unique<TransmitSa>(d, key_of(suite_, sak), 1);
        senders_[an]->pn_ceiling = ~std::uint64_t{0};
    }
    void send_with(std::uint8_t an) { transmit_.sa = senders_[an].get(); }
    void retire(std::uint8_t an) {
        sc_[0].sa[an] = nullptr;
        receivers_[an].reset();
        senders_[an].reset();
    }
    void protect() { macsec::protect(transmit_, frames_); }
    void verify() { macsec::verify(receive_, frames_); }
    bool all_are_plain_again() const {
        return std::ranges::all_of(frames_, [&](const Frame& f) {
            return f.verdict == Verdict::ok && Bytes(f.data, f.data + f.length) == plain_;
        });
    }
    const std::vector<Frame>& frames() const { return frames_; }

    TransmitCounters sent;
    ReceiveCounters received;
    ReceiveSecYCounters strays;

private:
    const CipherSuite suite_;
    const Bytes plain_ = plain_frame(64);
    Random random_{5};
    std::array<std::unique_ptr<TransmitSa>, kAns> senders_;
    std::array<std::unique_ptr<ReceiveSa>, kAns> receivers_;
    std::array<ReceiveSc, 1> sc_{};
    TransmitSecY transmit_{};
    ReceiveSecY receive_{};
    std::vector<std::unique_ptr<Room>> rooms_;
    std::vector<Frame> frames_;
};

}  // namespace

TEST_CASE("a rotation every 20,000 frames over four ANs loses nothing, also of what was under way") {
    for (const auto suite : {CipherSuite::gcm_aes_128, CipherSuite::gcm_aes_xpn_256}) {
        Link link(suite);
        link.install(0);
        link.send_with(0);
        std::size_t batches = 0;
        for (std::uint8_t generation = 1; generation <= 5; ++generation) {
            const auto fresh = static_cast<std::uint8_t>(generation % kAns);
            const auto old = static_cast<std::uint8_t>((generation - 1) % kAns);
            for (std::size_t i = 0; i < kBatches; ++i) {
                if (i + 2 == kBatches) link.install(fresh);
                link.protect();
                if (i + 1 == kBatches) link.send_with(fresh);  // the batch under way is of the old SAK
                link.verify();
                REQUIRE(link.all_are_plain_again());
                ++batches;
            }
            link.retire(old);
        }
        CHECK(link.sent.out_pkts_encrypted.get() == batches * kBatchFrames);
        CHECK(link.received.in_pkts_ok.get() == batches * kBatchFrames);
        CHECK(batches * kBatchFrames == 5 * kPerSak);
        for (const Counter* bad :
             {&link.received.in_pkts_not_valid, &link.received.in_pkts_no_sa, &link.received.in_pkts_late,
              &link.received.in_pkts_duplicate, &link.strays.in_pkts_no_sa_error, &link.sent.no_sa})
            CHECK(bad->get() == 0);
    }
}

TEST_CASE("a frame of a SAK that was retired is refused and counted, never opened with the AN's next SAK") {
    Link link(CipherSuite::gcm_aes_xpn_256);
    link.install(0);
    link.send_with(0);
    link.protect();
    link.retire(0);
    link.verify();
    CHECK(link.frames()[0].verdict == Verdict::rx_unused_an);
    CHECK(link.received.in_pkts_no_sa.get() == kBatchFrames);

    Link again(CipherSuite::gcm_aes_xpn_256);
    again.install(0);
    again.send_with(0);
    again.protect();
    again.retire(0);
    again.install(0);
    again.verify();
    CHECK(again.frames()[0].verdict == Verdict::rx_not_valid);
    CHECK(again.received.in_pkts_not_valid.get() == kBatchFrames);
    CHECK(again.received.in_pkts_ok.get() == 0);
}
