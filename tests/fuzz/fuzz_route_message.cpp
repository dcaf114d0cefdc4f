// Any octets as netlink messages, zebra's and the kernel's: each is a value within its bounds, or a counted error.
#include <cstdlib>

#include "bgp-glue/address_message.h"
#include "bgp-glue/link_message.h"
#include "bgp-glue/neighbor_message.h"
#include "bgp-glue/route_message.h"

using namespace bgp_glue;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void judge(const RouteMessage& m) {
    require(m.prefix.length <= m.prefix.address.bits());
    require(net::masked(m.prefix.address, m.prefix.length) == m.prefix.address);
    const auto& hops = m.route.hops;
    require(hops.empty() || (m.route.kind == RouteKind::unicast && m.next_hop_id == 0 && !m.removed));
    require(m.removed || m.next_hop_id != 0 || hops.empty() == (m.route.kind != RouteKind::unicast));
    for (std::size_t i = 1; i < hops.size(); ++i) require(hops[i - 1] < hops[i]);
    for (const auto& hop : hops) require(hop.weight >= 1 && hop.weight <= 256);
}
void judge(const NextHopMessage& m) {
    require(m.id != 0);
    for (const auto& member : m.members) require(member.weight >= 1 && member.weight <= 256);
}
void judge(const SkippedMessage&) {}

void host_messages(macsec::ConstOctets octets) {
    while (!octets.empty()) {
        const auto message = take_message(octets);
        if (!message) return;
        if (const auto link = decode_link(*message); link && *link) require((*link)->operstate <= OperState::up);
        if (const auto address = decode_address(*message); address && *address)
            require((*address)->address.length <= (*address)->address.address.bits());
        if (const auto neighbor = decode_neighbor(*message); neighbor && *neighbor)
            require(!(*neighbor)->usable() || (*neighbor)->has_mac);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    DecodeCounters counters;
    const auto messages = decode_frame({data, size}, counters);
    require(messages.size() + counters.errors() == counters.messages);
    for (const auto& message : messages) std::visit([](const auto& m) { judge(m); }, message);
    host_messages({data, size});
    return 0;
}
