// What `demarc decode` shows: a table in parts, or a JSON document in parts, so that memory does not grow with the
// capture. Pure but for what they remember of the parts before; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/demarc/decode.h"
#include "tools/demarc/decode_mka.h"
#include "tools/demarc/table.h"

namespace cli {

// What became of all frames.
struct DecodeTotals {
    void count(const DecodedFrame&);
    void count(const DecodedMkpdu&);
    bool all_ok() const;  // every frame of MACsec was ok, and every MKPDU is_ok()

    std::uint64_t frames{};
    std::uint64_t other{};
    std::map<std::string_view, std::uint64_t> verdicts;  // of MACsec, by word
    std::map<std::string_view, std::uint64_t> mkpdus;    // by mkpdu_word()
    std::uint64_t saks_not_unwrapped{};                  // under a good ICV
};

// What stands behind the frames.
struct DecodeEnd {
    DecodeTotals totals;
    std::vector<KeyReport> keys;
    std::optional<std::uint64_t> written;  // frames in the plaintext capture, if one was asked for
    std::string error;                     // why the capture could not be read to its end
};

class DecodeView {
public:
    virtual ~DecodeView() = default;
    // Text that is now due; often none.
    virtual std::string add(const CapturedFrame&, const DecodedFrame&) = 0;
    virtual std::string add(const CapturedFrame&, const DecodedMkpdu&) = 0;
    // The rest. Nothing may follow.
    virtual std::string end(const DecodeEnd&) = 0;
};

// One line per frame: index, kind, seconds since the first frame, octets on the wire, SCI, AN, PN, verdict; with MKPDUs
// (`mka`) a last column says what stands in them. Then totals and how each key fared. Columns stand below each other
// within kTablePart lines; later they only grow.
inline constexpr std::size_t kTablePart = 1000;

class DecodeTable final : public DecodeView {
public:
    DecodeTable(const Style&, bool mka);
    std::string add(const CapturedFrame&, const DecodedFrame&) override;
    std::string add(const CapturedFrame&, const DecodedMkpdu&) override;
    std::string end(const DecodeEnd&) override;

private:
    std::string add_row(const CapturedFrame&, Row cells);
    std::string take_part();

    Style style_;
    bool mka_;
    Table table_;
    std::uint64_t index_{};
    std::optional<CaptureTime> first_;
};

// One document; docs/demarc.8 says what is in it. One frame a line.
class DecodeJson final : public DecodeView {
public:
    std::string add(const CapturedFrame&, const DecodedFrame&) override;
    std::string add(const CapturedFrame&, const DecodedMkpdu&) override;
    std::string end(const DecodeEnd&) override;

private:
    // What every frame has.
    std::string begin(const CapturedFrame&, std::string_view kind);

    std::uint64_t index_{};
};

std::string sci_text(macsec::Sci);
std::string hex_text(macsec::ConstOctets);

}  // namespace cli
