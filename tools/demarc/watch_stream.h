// What follows the answer of a capture (docs/control-protocol.md): octets from the socket as records. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "dataplane/watch.h"

namespace cli {

struct CapturedFrame {
    dataplane::FrameRecord record;
    std::string_view octets;  // until the next call
};
struct NoRecord {};  // none is there whole

class WatchStream {
public:
    void feed(std::string_view octets);
    // The next record. Error: it is none of demarcd's; nothing more can be read.
    std::expected<std::variant<NoRecord, CapturedFrame, dataplane::EndRecord>, std::string> next();

private:
    std::string octets_;
    std::size_t at_{};
};

}  // namespace cli
