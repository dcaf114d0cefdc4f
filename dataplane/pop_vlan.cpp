// 1. behind the SecY's clear tags: up to two tags; a priority tag (VID 0) is no tag of its level (802.1Q 6.9.1)
// 2. tags -> interface
// 3. all tags off, the clear ones too: from here on a frame is an untagged Ethernet frame
// 4. the interface's counters
#include <algorithm>

#include "dataplane/net/ethernet.h"
#include "dataplane/stages.h"
#include "dataplane/worker_impl.h"

namespace dataplane {

namespace {

InterfaceId by_vid(const std::vector<InterfaceId>& map, std::uint16_t vid) noexcept {
    return vid < map.size() ? map[vid] : InterfaceId{};
}

InterfaceId by_pair(const TagMap& map, const net::VlanStack& stack) noexcept {
    const auto found = std::ranges::lower_bound(map.pairs, stack, {}, &TagMap::Pair::tags);
    return found != map.pairs.end() && found->tags == stack ? found->interface : InterfaceId{};
}

InterfaceId interface_of(const TagMap& map, const net::VlanStack& stack) noexcept {
    if (stack.depth == 0) return map.untagged;
    if (stack.depth == 2) return by_pair(map, stack);
    return by_vid(stack.tags[0].tpid == net::kTpidService ? map.service : map.customer, stack.tags[0].vid);
}

// What the tags say: the interface, and the octets that come off. No octets: malformed.
struct Place {
    InterfaceId interface{};
    std::uint16_t octets{};
};

[[gnu::noinline]] Place place_of_stack(const TagMap& map, const std::uint8_t* frame, std::size_t octets,
                                       std::size_t at) noexcept {
    const auto tags = net::read_tags(frame, octets, at);
    return tags ? Place{interface_of(map, tags->stack), tags->octets} : Place{};
}

// One tag, as nearly every tagged frame has it, without building a stack.
Place place_of(const TagMap& map, const std::uint8_t* frame, std::size_t octets, std::size_t at) noexcept {
    if (octets < at + net::kTagOctets + 2) return {};
    const std::uint16_t vid = net::type_at(frame, at + 2) & 0xFFF;
    const std::uint16_t inner = net::type_at(frame, at + net::kTagOctets);
    const bool single = vid != 0 && vid != net::kVidReserved && !net::is_tpid(inner);
    if (!single) return place_of_stack(map, frame, octets, at);
    const auto& by = net::type_at(frame, at) == net::kTpidService ? map.service : map.customer;
    return {by_vid(by, vid), net::kTagOctets};
}

// Where a frame's tags begin, and what they mean there: of the port, or of one of its SecYs.
struct Level {
    std::uint16_t secy;
    std::uint32_t clear;  // octets of clear tags
    const TagMap* map;
};

Level level_of(const Forwarding& f, const PortEntry& port, const Meta& meta) noexcept {
    if (!port.secured) return {kNoSecY, 0, &port.plain};
    return {meta.secy, f.secys[meta.secy].clear_tags.octets(), &port.inside[meta.secy_of_port]};
}

// The interface asked for last: frames of one batch come in by few.
struct Known {
    InterfaceId id{};
    bool exists{};
};

Verdict pop(const Forwarding& f, const Level& level, rte_mbuf* m, Meta& meta, Known& known) noexcept {
    const std::size_t at = net::kAddressOctets + level.clear;
    if (m->data_len < at + 2) [[unlikely]]
        return Verdict::runt;
    Place place{level.map->untagged, 0};
    if (net::is_tpid(net::type_at(frame_of(m), at))) {
        place = place_of(*level.map, frame_of(m), m->data_len, at);
        if (place.octets == 0) [[unlikely]]
            return Verdict::bad_vlan_stack;
    }
    meta.ingress = place.interface;
    if (place.interface != known.id) [[unlikely]]
        known = {place.interface, find(f, place.interface) != nullptr};
    if (!known.exists) [[unlikely]]
        return Verdict::unknown_vlan;
    const std::uint32_t strip = level.clear + place.octets;
    if (strip != 0) strip_tags(m, static_cast<std::uint16_t>(strip));
    return Verdict::forward;
}

}  // namespace

void strip_tags(rte_mbuf* m, std::uint16_t octets) noexcept {
    std::uint8_t* frame = frame_of(m);
    net::move_addresses(frame + octets, frame);
    shorten_front(m, octets);
}

void pop_vlan(Worker& w, const Forwarding& f, Batch& b) noexcept {
    if (b.count == 0) return;
    const PortEntry& port = f.ports[b.port.value];
    CountIn count(w);
    Level level = level_of(f, port, b.meta[0]);
    Known known;
    for (std::size_t i = 0, n = b.count; i < n; ++i) {
        Meta& meta = b.meta[i];
        if (meta.secy != level.secy) [[unlikely]]
            level = level_of(f, port, meta);
        const Verdict v = pop(f, level, b.mbuf[i], meta, known);
        if (v == Verdict::forward) [[likely]]
            count.add(meta.ingress, b.mbuf[i]->data_len);
        else
            b.stop(i, v);
    }
}

}  // namespace dataplane
