// The rtnetlink requests and messages of bgp-glue against the kernel's own, for rtnetlink_test.sh: runs in its
// namespace, which has link `us` whose other end answers 10.99.0.2 and fd00:99::2. Ends with 0 when everything held.
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <optional>

#include "bgp-glue/address_message.h"
#include "bgp-glue/link_message.h"
#include "bgp-glue/neighbor_message.h"
#include "bgp-glue/netlink_socket.h"

using namespace bgp_glue;

namespace {

void check(bool holds, const std::string& what) {
    fmt::print("{}: {}\n", holds ? "ok" : "FAILED", what);
    std::fflush(stdout);
    if (!holds) std::exit(1);
}

NetlinkSocket open_socket(std::span<const unsigned> groups = {}) {
    auto socket = NetlinkSocket::open(groups);
    check(socket.has_value(), socket ? "a socket opens" : socket.error());
    return std::move(*socket);
}

// The first event that `wanted` takes, within three seconds.
template <class Wanted>
bool event(NetlinkSocket& events, Wanted wanted) {
    using namespace std::chrono_literals;
    bool seen = false;
    const auto end = std::chrono::steady_clock::now() + 3s;
    while (!seen && std::chrono::steady_clock::now() < end) {
        pollfd p{events.fd(), POLLIN, 0};
        ::poll(&p, 1, 100);
        events.read([&](const NetlinkMessage& m) { seen = seen || wanted(m); });
    }
    return seen;
}

std::optional<LinkChange> find_link(NetlinkSocket& requests, const std::string& name) {
    std::optional<LinkChange> found;
    (void)requests.dump(dump_links_request(requests.next_sequence()), [&](const NetlinkMessage& m) {
        if (const auto link = decode_link(m); link && *link && (*link)->name == name) found = **link;
    });
    return found;
}

void link_settings(NetlinkSocket& requests, NetlinkSocket& events, std::uint32_t ifindex) {
    const auto mac = net::parse_mac("02:00:00:0a:0b:0c").value();
    const auto set = [&](LinkSettings s) {
        s.ifindex = ifindex;
        const auto r = requests.request(set_link_request(s, requests.next_sequence()));
        check(r.has_value(), r ? "the kernel takes a link request" : r.error().text);
    };
    const auto operstate = [&](OperState wanted) {
        return event(events, [&](const NetlinkMessage& m) {
            const auto link = decode_link(m);
            return link && *link && (*link)->ifindex == ifindex && (*link)->operstate == wanted;
        });
    };
    set({.address_generation = AddressGeneration::none});
    set({.up = true, .mtu = 1400, .mac = mac});
    const auto link = find_link(requests, "us");
    check(link && link->mtu == 1400 && link->mac == mac && link->up && link->kind == "veth", "MTU, MAC, up, kind");
    check(operstate(OperState::up), "the link comes up");
    set({.mode = LinkMode::dormant, .operstate = OperState::dormant});
    check(operstate(OperState::dormant), "dormant is told as an event");
    check(find_link(requests, "us")->mode == LinkMode::dormant, "and can be read");
    set({.mode = LinkMode::default_mode, .operstate = OperState::up});
    check(operstate(OperState::up), "and up again");
}

void addresses(NetlinkSocket& requests, std::uint32_t ifindex) {
    const auto listed = [&](const net::InterfaceAddress& wanted) {
        int n = 0;
        (void)requests.dump(dump_addresses_request(requests.next_sequence()), [&](const NetlinkMessage& m) {
            const auto a = decode_address(m);
            n += a && *a && (*a)->ifindex == ifindex && (*a)->address == wanted && !(*a)->tentative;
        });
        return n;
    };
    for (const char* text : {"10.99.0.1/30", "fd00:99::1/126", "fe80::a:b0c/64", "10.98.0.1/24"}) {
        const auto address = net::parse_interface_address(text).value();
        for (int twice = 0; twice < 2; ++twice) {
            const auto r = requests.request(add_address_request(ifindex, address, requests.next_sequence()));
            check(r.has_value(), r ? fmt::format("{} added", text) : r.error().text);
        }
        check(listed(address) == 1, fmt::format("{} is there once, not tentative", text));
    }
    const auto gone = net::parse_interface_address("10.98.0.1/24").value();
    check(requests.request(remove_address_request(ifindex, gone, requests.next_sequence())).has_value(), "one removed");
    check(listed(gone) == 0, "and no longer there");
    const auto again = requests.request(remove_address_request(ifindex, gone, requests.next_sequence()));
    check(!again && again.error().text.starts_with("RTM_DELADDR: Cannot assign requested address"),
          again ? "removed twice" : again.error().text);
}

void neighbors(NetlinkSocket& requests, NetlinkSocket& events, std::uint32_t ifindex) {
    for (const char* text : {"10.99.0.2", "fd00:99::2"}) {
        const auto address = net::parse_ip(text).value();
        const auto r = requests.request(probe_neighbor_request(ifindex, address, requests.next_sequence()));
        check(r.has_value(), r ? fmt::format("a probe for {}", text) : r.error().text);
        check(event(events, [&](const NetlinkMessage& m) {
                  const auto n = decode_neighbor(m);
                  return n && *n && (*n)->address == address && (*n)->usable();
              }), fmt::format("{} answers", text));
    }
    int dumped = 0;
    (void)requests.dump(dump_neighbors_request(requests.next_sequence()), [&](const NetlinkMessage& m) {
        const auto n = decode_neighbor(m);
        dumped += n && *n && (*n)->usable();
    });
    check(dumped >= 2, "a dump has them");
}

// More events than 16 MiB hold, none read.
void overrun(NetlinkSocket& requests, NetlinkSocket& events, std::uint32_t ifindex) {
    const auto address = net::parse_interface_address("10.97.0.1/24").value();
    for (int i = 0; i < 40000; ++i) {
        (void)requests.request(add_address_request(ifindex, address, requests.next_sequence()));
        (void)requests.request(remove_address_request(ifindex, address, requests.next_sequence()));
    }
    bool told = false;
    std::size_t messages = 0;
    for (NetlinkRead r; (r = events.read([](const NetlinkMessage&) {})).messages > 0 || r.overrun;) {
        told |= r.overrun;
        messages += r.messages;
    }
    check(told, fmt::format("an overrun is told, after {} events were kept", messages));
    check(events.send(dump_addresses_request(events.next_sequence())).has_value(), "dumped again");
    check(events.read([](const NetlinkMessage&) {}).dump_done, "to its end");
}

}  // namespace

int main() {
    const unsigned groups[]{RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
    auto events = open_socket(groups);
    auto requests = open_socket();
    check(events.receive_buffer() >= 16 << 20, "a receive buffer of 16 MiB");
    const auto link = find_link(requests, "us");
    check(link.has_value(), "the link is there");
    link_settings(requests, events, link->ifindex);
    addresses(requests, link->ifindex);
    neighbors(requests, events, link->ifindex);
    overrun(requests, events, link->ifindex);
}
