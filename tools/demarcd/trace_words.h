// What stages said to a traced frame, in words. docs/control-protocol.md is the contract. Pure; control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "dataplane/trace.h"

namespace demarcd {

struct TraceNames {
    std::function<std::string(dataplane::PortId)> port;            // empty: not known
    std::function<std::string(dataplane::InterfaceId)> interface;  // the same
};

// A JSON document of one line, its newline included. record: RecordKind::trace, its time since 1970.
std::string trace_line(std::span<const std::uint8_t> record, const TraceNames& names);

}  // namespace demarcd
