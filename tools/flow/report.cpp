#include "tools/flow/report.h"

#include <algorithm>

namespace flow {

namespace {

double ms(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

nlohmann::json flow_report(std::uint32_t id, const ReceivedFlow& flow) {
    const auto& t = flow.tracker;
    return {{"flow", id}, {"source", flow.source}, {"source_port", flow.source_port}, {"received", t.received()},
            {"lost", t.lost()}, {"reordered", t.reordered()}, {"duplicates", t.duplicates()},
            {"expected", t.expected()}, {"longest_gap_ms", ms(t.longest_gap_ns())}, {"first_ns", t.first_ns()},
            {"last_ns", t.last_ns()}};
}

void add_losses(std::uint32_t id, const ReceivedFlow& flow, nlohmann::json& losses) {
    for (const auto& hole : flow.tracker.holes())
        losses.push_back({{"flow", id}, {"first", hole.first}, {"missing", hole.missing}, {"before_ns", hole.before_ns},
                          {"after_ns", hole.after_ns}});
}

}  // namespace

nlohmann::json report(const SendOptions& o, const SendResult& r) {
    auto flows = nlohmann::json::array();
    for (std::uint32_t id = 0; id < r.per_flow.size(); ++id)
        flows.push_back({{"flow", id}, {"source_port", o.source_port + id}, {"sent", r.per_flow[id]}});
    const double seconds = static_cast<double>(r.ended_ns - r.started_ns) / 1e9;
    return {{"sent", r.sent}, {"errors", r.errors}, {"seconds", seconds}, {"started_ns", r.started_ns},
            {"ended_ns", r.ended_ns}, {"rate", seconds > 0 ? static_cast<double>(r.sent) / seconds : 0},
            {"longest_stall_ms", ms(r.longest_stall_ns)}, {"session", o.session}, {"flows", flows}};
}

nlohmann::json report(const ReceiveResult& r) {
    auto flows = nlohmann::json::array(), losses = nlohmann::json::array();
    std::uint64_t received = 0, lost = 0, reordered = 0, duplicates = 0;
    std::int64_t longest = 0;
    for (const auto& [id, flow] : r.flows) {
        received += flow.tracker.received();
        lost += flow.tracker.lost();
        reordered += flow.tracker.reordered();
        duplicates += flow.tracker.duplicates();
        longest = std::max(longest, flow.tracker.longest_gap_ns());
        flows.push_back(flow_report(id, flow));
        add_losses(id, flow, losses);
    }
    return {{"received", received}, {"lost", lost}, {"reordered", reordered}, {"duplicates", duplicates},
            {"malformed", r.malformed}, {"other_session", r.other_session}, {"socket_drops", r.socket_drops},
            {"session", r.session}, {"longest_gap_ms", ms(longest)}, {"flows", flows}, {"losses", losses}};
}

}  // namespace flow
