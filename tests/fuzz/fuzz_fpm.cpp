// Any octets as an FPM stream into a RIB, whole and cut into small chunks: both give the same routes and the same
// error; what a listener to the changes knows is what the RIB has; a new connection that says less sweeps the rest.
#include <cstdlib>
#include <map>

#include "bgp-glue/fpm_frame.h"
#include "bgp-glue/rib.h"
#include "bgp-glue/route_queue.h"

using namespace bgp_glue;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct Fed {
    std::vector<SetRoute> routes;
    std::expected<void, FpmError> error;
};

void listen(std::map<RouteKey, SetRoute>& heard, const RouteChanges& changes) {
    for (const auto& change : changes) {
        if (const auto* set = std::get_if<SetRoute>(&change)) heard[key_of(change)] = *set;
        else require(heard.erase(key_of(change)) == 1);
    }
}

Fed feed(macsec::ConstOctets stream, std::size_t chunk) {
    Rib rib({.routes = 64, .next_hops = 16});
    FpmParser parser;
    DecodeCounters counters;
    std::map<RouteKey, SetRoute> heard;
    Time now{};
    Fed fed;
    rib.connected();
    for (std::size_t at = 0; at < stream.size() && fed.error; at += chunk)
        fed.error = parser.feed(stream.subspan(at, std::min(chunk, stream.size() - at)), [&](macsec::ConstOctets p) {
            listen(heard, rib.apply(decode_frame(p, counters), now += std::chrono::milliseconds(1)));
        });
    fed.routes = rib.routes();
    require(rib.size() <= 64 && fed.routes.size() + rib.unresolved() == rib.size());
    require(heard.size() == fed.routes.size());
    for (const auto& route : fed.routes) require(heard.at({route.table, route.prefix}) == route);

    // A new connection whose zebra has but one route: the others go, each once.
    rib.disconnected();
    rib.connected();
    const RouteMessage only{false, 254, net::parse_prefix("10.0.0.0/8").value(), {RouteKind::blackhole, 186, 0, {}}, 0};
    const std::vector<ZebraMessage> frame{only};
    listen(heard, rib.apply(frame, now));
    listen(heard, rib.tick(now + std::chrono::hours(1)));
    require(heard.size() <= 1 && rib.stale() == 0);
    return fed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const macsec::ConstOctets stream(data, size);
    const auto whole = feed(stream, size + 1), cut = feed(stream, 7);
    require(whole.routes == cut.routes && whole.error == cut.error);
    return 0;
}
