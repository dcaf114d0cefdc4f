#include "tools/demarcd/trace_words.h"

#include <fmt/format.h>

#include <cstring>

#include "tools/demarcd/status.h"

namespace demarcd {

using namespace dataplane;

namespace {

void add_route(Json& j, const TraceStep& s) {
    j["destination"] = net::to_string(s.destination);
    j["kind"] = kind_word(s.leaf.kind());
    if (s.leaf.kind() != LeafKind::group) return;
    j["group"] = s.leaf.index();
    if (s.next_hop != NextHopId{}) j["next_hop"] = s.next_hop.value;
    j["mac"] = net::to_string(net::MacAddress::from_number(s.mac));
}

void add_sectag(Json& j, const TraceStep& s) {
    if (s.sci.value != 0) j["sci"] = fmt::format("{:016x}", s.sci.value);
    j["an"] = s.an.value;
    j["pn"] = s.pn;
}

Json step(const TraceStep& s, const TraceNames& names) {
    Json j{{"stage", std::string(kStageWords[static_cast<std::size_t>(s.stage)])},
           {"verdict", std::string(word(s.verdict))},
           {"outcome", is_drop(s.verdict)   ? "drop"
                       : is_punt(s.verdict) ? "host"
                                            : "on"},
           {"worker", s.worker.value},
           {"octets", s.octets}};
    if (s.type != 0) j["type"] = fmt::format("{:#06x}", s.type);
    if (const auto name = names.port(s.port); !name.empty()) j["port"] = name;
    if (const auto name = names.interface(s.interface); !name.empty()) j["interface"] = name;
    if (s.looked_up) add_route(j, s);
    if (s.has_sectag) add_sectag(j, s);
    if (s.stage == Stage::rewrite) j["mac"] = net::to_string(net::MacAddress::from_number(s.mac));
    if (s.stage == Stage::hand_over && s.verdict == Verdict::forward) j["to_worker"] = s.to.value;
    return j;
}

}  // namespace

std::string trace_line(std::span<const std::uint8_t> record, const TraceNames& names) {
    TraceRecord head;
    std::memcpy(&head, record.data(), sizeof head);
    Json steps = Json::array();
    for (std::uint32_t i = 0; i < head.steps; ++i) {
        TraceStep s;
        std::memcpy(&s, record.data() + sizeof head + i * sizeof s, sizeof s);
        steps.push_back(step(s, names));
    }
    return Json{{"frame", head.frame}, {"time_ns", head.when}, {"steps", std::move(steps)}}.dump() + "\n";
}

}  // namespace demarcd
