// `demarc trace`: what every stage says to frames that a port receives, as they come. Main thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/demarc/output.h"
#include "tools/demarc/value.h"

namespace cli {

// Records of the daemon -> stories of frames. A frame's ingress stages come in one record, each egress stage in one of
// its own, perhaps before that. Pure.
class Stories {
public:
    // `whole`: a record alone tells all that there is (a filter's).
    explicit Stories(bool whole) : whole_(whole) {}

    // The text of the frame that this record ends, or nothing yet.
    std::string add(const Json& record, const Style&);
    // Of those whose end was not told, and will not be.
    std::string rest(const Style&);
    std::uint64_t told() const noexcept { return told_; }
    std::size_t open() const noexcept { return open_.size(); }

private:
    struct Story {
        std::uint64_t time_ns{};
        std::vector<Json> ingress, egress;
    };
    std::string text(const Story&, const Style&);

    bool whole_;
    std::uint64_t told_{};
    std::map<std::uint64_t, Story> open_;  // by the daemon's number
};

// Prints until so many frames are told of, or SIGINT or SIGTERM. What it says at the end is in the output.
Output trace(const Options&, const std::string& request, const Style& out, const Style& err);

}  // namespace cli
