#include "bgp-glue/fpm_frame.h"

#include <fmt/format.h>

#include <algorithm>

namespace bgp_glue {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kTypeNetlink = 1;

bool aligned_for_netlink(const std::uint8_t* p) noexcept { return reinterpret_cast<std::uintptr_t>(p) % 4 == 0; }

}  // namespace

const char* to_string(FpmFault fault) noexcept {
    switch (fault) {
        case FpmFault::version: return "version";
        case FpmFault::type: return "type";
        case FpmFault::length: return "length";
        case FpmFault::truncated: return "truncated";
    }
    return "unknown";
}

std::string describe(const FpmError& error) {
    switch (error.fault) {
        case FpmFault::version:
            return fmt::format("FPM frame at octet {}: version {}, expected 1; is it zebra -M dplane_fpm_nl that "
                               "connects here?", error.offset, error.value);
        case FpmFault::type:
            return fmt::format("FPM frame at octet {}: type {}, expected 1 (netlink)", error.offset, error.value);
        case FpmFault::length:
            return fmt::format("FPM frame at octet {}: length {}, shorter than its own header", error.offset,
                               error.value);
        case FpmFault::truncated:
            return fmt::format("FPM frame at octet {}: the stream ended after {} octets of it", error.offset,
                               error.value);
    }
    return "FPM frame: unknown fault";
}

std::expected<void, FpmError> FpmParser::feed(macsec::ConstOctets chunk, const OnFrame& on_frame) {
    if (!state_) return state_;
    if (!unfinished_.empty()) {
        state_ = complete_unfinished(chunk, on_frame);
        if (!state_ || !unfinished_.empty()) return state_;
    }
    while (!chunk.empty()) {
        const auto length = frame_length(chunk);
        if (!length) return state_ = std::unexpected(length.error());
        if (*length == 0 || chunk.size() < *length) {
            unfinished_.assign(chunk.begin(), chunk.end());
            break;
        }
        give(chunk.first(*length), on_frame);
        chunk = chunk.subspan(*length);
    }
    return state_;
}

std::expected<void, FpmError> FpmParser::finish() const {
    if (!state_ || unfinished_.empty()) return state_;
    return std::unexpected(FpmError{FpmFault::truncated, offset_, static_cast<std::uint32_t>(unfinished_.size())});
}

// 0: the header is not all here. Each octet is judged as soon as it is there.
std::expected<std::size_t, FpmError> FpmParser::frame_length(macsec::ConstOctets from) const {
    if (from.size() >= 1 && from[0] != kVersion) return std::unexpected(FpmError{FpmFault::version, offset_, from[0]});
    if (from.size() >= 2 && from[1] != kTypeNetlink) return std::unexpected(FpmError{FpmFault::type, offset_, from[1]});
    if (from.size() < kFpmHeaderOctets) return 0;
    const std::uint16_t length = macsec::load_be16(from.data() + 2);
    if (length < kFpmHeaderOctets) return std::unexpected(FpmError{FpmFault::length, offset_, length});
    return length;
}

std::expected<void, FpmError> FpmParser::complete_unfinished(macsec::ConstOctets& chunk, const OnFrame& on_frame) {
    const auto take = [&](std::size_t wanted) {
        const std::size_t n = std::min(chunk.size(), wanted - std::min(wanted, unfinished_.size()));
        unfinished_.insert(unfinished_.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
        chunk = chunk.subspan(n);
    };
    take(kFpmHeaderOctets);
    const auto length = frame_length(unfinished_);
    if (!length) return std::unexpected(length.error());
    if (*length == 0) return {};
    take(*length);
    if (unfinished_.size() < *length) return {};
    std::vector<std::uint8_t> frame;
    frame.swap(unfinished_);
    give(frame, on_frame);
    frame.clear();
    if (unfinished_.empty()) unfinished_.swap(frame);  // keep the storage
    return {};
}

void FpmParser::give(macsec::ConstOctets frame, const OnFrame& on_frame) {
    offset_ += frame.size();
    ++frames_;
    auto payload = frame.subspan(kFpmHeaderOctets);
    if (!aligned_for_netlink(payload.data())) {
        aligned_.assign(payload.begin(), payload.end());
        payload = aligned_;
    }
    on_frame(payload);
}

}  // namespace bgp_glue
