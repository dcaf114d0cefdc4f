// What an observer with the CAKs sees of MKA on a link: frame in, MKPDU as a value out, and the SAs that became known.
// No I/O, no clock. One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "macsec/mka/observer.h"
#include "tools/demarc/decode.h"

namespace cli {

struct DecodedMkpdu {
    bool truncated{};                                // malformed because the capture cut it
    std::optional<macsec::mka::DecodeError> error;   // malformed
    std::optional<macsec::mka::BasicSet> basic;      // also of a malformed one whose error stands behind it
    std::optional<macsec::mka::Observation> seen{};  // of one that is well formed

    // Its ICV is good, and a SAK in it was unwrapped.
    bool is_ok() const noexcept { return seen && seen->icv == macsec::mka::IcvVerdict::ok && seen->sak_error.empty(); }
};

// "ok", "bad", "no-key" (no CAK of this CKN is known), "unknown-algorithm"; "malformed" or "truncated".
std::string_view mkpdu_word(const DecodedMkpdu&) noexcept;
// Where a malformed one is wrong: "truncated", or the word of macsec/mka/mkpdu.h. "" of one that is well formed.
std::string_view error_word(const DecodedMkpdu&) noexcept;

class MkaDecoder {
public:
    // Error: a sentence with the remedy. The CAKs may be wiped afterwards.
    static std::expected<MkaDecoder, std::string> create(std::span<const macsec::mka::KnownCak>);

    // Nothing: it is no EAPOL PDU of MKA. Clear VLAN tags are skipped, as many as there are, as before a SecTAG. Under
    // another EtherType than EAPOL's it is one when it has a CKN that is known.
    std::optional<DecodedMkpdu> decode(const CapturedFrame&);

    // SAs that became known since the last call, for Decoder::add(). mkpdu: index of the frame they came with.
    // Error: no memory for keys, with the remedy.
    std::expected<std::vector<DecodeKey>, std::string> take_new_keys(std::uint64_t mkpdu);

private:
    explicit MkaDecoder(macsec::mka::Observer observer) : observer_(std::move(observer)) {}

    macsec::mka::Observer observer_;
    std::size_t taken_{};  // of observer_.keys()
};

}  // namespace cli
