#include "tools/demarc/request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "dataplane/net/address.h"

namespace cli {

std::expected<std::string, std::string> make_request(const Options& o) {
    constexpr std::string_view kShow = "show ";
    nlohmann::json request{{"request", o.command}};
    if (o.command.starts_with(kShow)) {
        request["request"] = "show";
        request["what"] = o.command.substr(kShow.size());
    }
    if (o.command == "show history" || o.command == "mka rekey") request["port"] = o.operand;
    if (o.command == "mka rekey") request["request"] = "mka-rekey";
    if (o.command == "lookup") {
        const auto address = net::parse_ip(o.operand);
        if (!address)
            return std::unexpected(
                fmt::format("{} is no IP address; write it like 10.1.2.3 or fd00::1", escaped(o.operand)));
        request["address"] = net::to_string(*address);
    }
    if (o.command == "show routes" && !o.operand.empty()) {
        const auto address = net::parse_interface_address(o.operand);
        if (!address)
            return std::unexpected(
                fmt::format("{} is no prefix; write it like 10.0.0.0/8 or fd00::/64", escaped(o.operand)));
        request["prefix"] = net::to_string(address->subnet());
    }
    if (o.command.starts_with("clocks ")) {
        request["request"] = "clocks";
        request["on"] = o.command == "clocks on";
    }
    if (o.command == "trace") {
        request["port"] = o.operand;
        request["count"] = o.trace.count;
        if (o.trace.drops) request["drops"] = true;
        if (!o.trace.verdict.empty()) request["verdict"] = o.trace.verdict;
    }
    if (o.command == "capture") {
        request["port"] = o.operand;
        request["point"] = o.capture.before ? "before" : "after";
        request["direction"] = o.capture.direction;
        if (o.capture.snaplen) request["snaplen"] = *o.capture.snaplen;
    }
    return request.dump();
}

}  // namespace cli
