#include "tools/demarc/watch_stream.h"

#include <cstring>

namespace cli {

using namespace dataplane;

namespace {

constexpr std::size_t kMostOctets = 1 << 17;  // of a record

template <class Record>
Record read(std::string_view octets) {
    Record record;
    std::memcpy(&record, octets.data(), sizeof record);
    return record;
}

}  // namespace

void WatchStream::feed(std::string_view octets) {
    octets_.erase(0, at_);
    at_ = 0;
    octets_.append(octets);
}

std::expected<std::variant<NoRecord, CapturedFrame, EndRecord>, std::string> WatchStream::next() {
    const std::string_view all = std::string_view(octets_).substr(at_);
    if (all.size() < sizeof(RecordHead)) return NoRecord{};
    const auto head = read<RecordHead>(all);
    const auto wrong = [] {
        return std::unexpected("what follows is no capture; are demarc and demarcd of one version?");
    };
    if (head.octets < sizeof head || head.octets > kMostOctets || head.octets % 8 != 0) return wrong();
    if (all.size() < head.octets) return NoRecord{};
    at_ += head.octets;
    const std::string_view record = all.substr(0, head.octets);
    if (head.kind == static_cast<std::uint32_t>(RecordKind::end) && record.size() == sizeof(EndRecord))
        return read<EndRecord>(record);
    if (head.kind != static_cast<std::uint32_t>(RecordKind::frame) || record.size() < sizeof(FrameRecord))
        return wrong();
    const auto frame = read<FrameRecord>(record);
    if (frame.captured > frame.length || record_octets(sizeof frame + frame.captured) != record.size()) return wrong();
    return CapturedFrame{frame, record.substr(sizeof frame, frame.captured)};
}

}  // namespace cli
