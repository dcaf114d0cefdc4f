// What an observer with the keys sees on a link under MACsec: frame in, value out, by the verify() that workers run.
// No I/O, no clock. One thread.
//
// SAs may be added between frames: a key that becomes known while reading is used from the next frame on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "macsec/secy.h"
#include "macsec/verdict.h"

namespace cli {

// Where an SA came from that MKA told.
struct Learned {
    std::uint64_t mkpdu{};  // index of the frame of the MKPDU
    std::uint32_t key_number{};
};

// An SA that the observer knows. Whether a frame is encrypted is read off the frame, so
// description.confidentiality is not looked at.
struct DecodeKey {
    macsec::SaDescription description;
    macsec::AeadKey key;
    std::optional<std::uint64_t> lowest_pn;  // where its replay state and the recovery of XPN begin
    std::optional<Learned> learned{};        // by MKA
};

struct CaptureTime {
    std::int64_t seconds{}, nanoseconds{};
};

struct CapturedFrame {
    macsec::ConstOctets octets;      // what was kept of it, from the destination address, without FCS; below 2^30
    std::uint64_t octets_on_wire{};  // more than octets.size() when the capture cut it
    CaptureTime time;
};

// Where a frame's EtherType stands that follows its clear VLAN tags, as many as there are. Nothing: it ends before.
std::optional<std::size_t> ethertype_at(macsec::ConstOctets frame) noexcept;

enum class FrameKind : std::uint8_t { other, macsec };

struct DecodedFrame {
    FrameKind kind{};
    bool truncated{};                // of MACsec: cut by the capture, so that nobody can open it
    macsec::Verdict verdict{};       // of MACsec that is not truncated
    std::optional<macsec::Sci> sci;  // on the wire, told by ES or SCB, or of the key that opened it
    std::optional<macsec::An> an;
    // As the key recovers it that decided; without one, the 32 bits on the wire.
    std::optional<std::uint64_t> pn;
    std::optional<std::size_t> key;  // which opened it, in the order of add()
    macsec::ConstOctets plaintext;   // verdict ok: the frame without MACsec, clear tags kept; valid until the next call

    bool is_ok() const noexcept { return kind == FrameKind::macsec && !truncated && verdict == macsec::Verdict::ok; }
};

// "ok", "truncated", or the verdict's word of macsec/verdict.h; "" for a frame that is not MACsec.
std::string_view verdict_word(const DecodedFrame&) noexcept;

// How one key fared.
struct KeyReport {
    macsec::SaDescription description;
    std::uint64_t opened{};                   // frames
    std::uint64_t least_pn{}, greatest_pn{};  // of those
    std::optional<std::uint64_t> upper_half;  // XPN without lowest_pn: of the PN of the first frame it opened
    bool search_spent{};                      // the search for it was given up without success
    std::optional<Learned> learned;
};

// XPN without lowest_pn: upper halves tried, and on how many frames of one SA at most.
inline constexpr std::uint64_t kUpperHalves = 256;
inline constexpr unsigned kSearchedFrames = 64;

class Decoder {
public:
    // replay_window: replay protection on, with so many PNs (under XPN at most 2^30 - 1); without it, off.
    explicit Decoder(std::optional<std::uint32_t> replay_window);
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    void add(DecodeKey);

    // Each key of the frame's SCI and AN is tried in the order of add(); when none opens it, those under XPN that never
    // opened one are tried with other upper halves of the PN. A frame that no key opens has the verdict that says most:
    // late or duplicate, not-valid, a bad tag, unused-an, unknown-sci. Of keys that MKA told of one SA, the later ends
    // the earlier when it opens its first frame: an AN comes round again.
    DecodedFrame decode(const CapturedFrame&);

    std::size_t keys() const noexcept { return sas_.size(); }
    KeyReport report(std::size_t key) const;

private:
    struct Sa;
    struct Place;

    void try_keys(const Place&, DecodedFrame&);
    void search_upper_halves(const Place&, DecodedFrame&);
    bool search(const Place&, std::size_t key, DecodedFrame&);
    macsec::Verdict attempt(const Place&, Sa&);
    void accept(std::size_t key, std::uint64_t pn, DecodedFrame&);
    void end_earlier(std::size_t key);
    std::uint64_t window_of(const Sa&) const noexcept;

    std::optional<std::uint32_t> replay_window_;
    std::vector<std::unique_ptr<Sa>> sas_;
    std::vector<std::uint8_t> room_;  // the frame being opened
    macsec::ConstOctets opened_;      // in room_
    macsec::ReceiveCounters counters_;
    macsec::ReceiveSecYCounters secy_counters_;
};

}  // namespace cli
