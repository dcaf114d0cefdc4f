#include "bgp-glue/netlink_socket.h"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "bgp-glue/address_message.h"
#include "bgp-glue/link_message.h"
#include "tests/unit/catch.h"

using namespace bgp_glue;

TEST_CASE("a dump of links has the loopback") {
    auto socket = NetlinkSocket::open();
    REQUIRE(socket);
    bool loopback = false;
    const auto ok = socket->dump(dump_links_request(socket->next_sequence()), [&](const NetlinkMessage& m) {
        const auto link = decode_link(m);
        loopback |= link && *link && (*link)->name == "lo" && (*link)->ifindex == 1;
    });
    REQUIRE(ok);
    CHECK(loopback);
}

TEST_CASE("a dump asked for on the socket of events comes by read, with its end") {
    const unsigned groups[]{RTNLGRP_LINK, RTNLGRP_NEIGH};
    auto socket = NetlinkSocket::open(groups);
    REQUIRE(socket);
    REQUIRE(socket->send(dump_addresses_request(socket->next_sequence())));
    bool done = false;
    for (int i = 0; i < 100 && !done; ++i) done = socket->read([](const NetlinkMessage&) {}).dump_done;
    CHECK(done);
    CHECK(socket->read([](const NetlinkMessage&) {}).messages == 0);
}

TEST_CASE("a refused request gives the errno, the request's name and no more than that") {
    auto socket = NetlinkSocket::open();
    REQUIRE(socket);
    const auto address = net::parse_interface_address("10.0.0.1/8").value();
    const auto r = socket->request(add_address_request(0x7FFFFFF0, address, 5));
    REQUIRE_FALSE(r);
    CHECK((r.error().number == ENODEV || r.error().number == EPERM));
    CHECK(r.error().text.find("RTM_NEWADDR: ") == 0);
}
