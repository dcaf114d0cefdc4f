// FPM's frames out of a TCP stream: version 1, type 1 (netlink), a big-endian length that counts the four-octet header.
// Pure; any thread, one parser per connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "macsec/octets.h"

namespace bgp_glue {

inline constexpr std::size_t kFpmHeaderOctets = 4;
inline constexpr std::size_t kFpmLargestFrame = 65535;  // what the length field can say, header included

enum class FpmFault : std::uint8_t { version, type, length, truncated };
inline constexpr std::size_t kFpmFaults = 4;
const char* to_string(FpmFault fault) noexcept;

// Where in the stream the frame began that made no sense, and what it said.
struct FpmError {
    FpmFault fault{};
    std::uint64_t offset{};
    std::uint32_t value{};
    bool operator==(const FpmError&) const = default;
};
std::string describe(const FpmError& error);

// Takes chunks of any size, gives whole frames. Holds at most one unfinished frame (64 KiB). After an error nothing
// more comes out: the stream has lost its place, the connection is to be closed.
class FpmParser {
public:
    // The netlink messages of one frame, without the FPM header. Aligned to 4; valid during the call.
    using OnFrame = std::function<void(macsec::ConstOctets payload)>;

    std::expected<void, FpmError> feed(macsec::ConstOctets chunk, const OnFrame& on_frame);

    // What an end of the stream right now means: truncated when it cuts a frame.
    std::expected<void, FpmError> finish() const;

    std::uint64_t frames() const noexcept { return frames_; }
    std::uint64_t octets() const noexcept { return offset_ + unfinished_.size(); }  // accepted so far

private:
    std::expected<std::size_t, FpmError> frame_length(macsec::ConstOctets from) const;
    std::expected<void, FpmError> complete_unfinished(macsec::ConstOctets& chunk, const OnFrame& on_frame);
    void give(macsec::ConstOctets frame, const OnFrame& on_frame);

    std::vector<std::uint8_t> unfinished_;  // the beginning of a frame whose rest has not come
    std::vector<std::uint8_t> aligned_;     // a copy, when the chunk has the payload at an odd place
    std::uint64_t offset_{};                // octets of the stream that were whole frames
    std::uint64_t frames_{};
    std::expected<void, FpmError> state_{};
};

}  // namespace bgp_glue
