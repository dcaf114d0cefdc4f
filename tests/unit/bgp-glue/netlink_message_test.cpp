#include "bgp-glue/netlink_message.h"

#include <linux/netlink.h>

#include "tests/unit/catch.h"

using namespace bgp_glue;

namespace {

std::vector<std::uint8_t> message(std::uint32_t length, std::size_t octets) {
    std::vector<std::uint8_t> m(octets, 0);
    if (octets >= sizeof(nlmsghdr)) {
        const nlmsghdr header{length, 24, 0, 7, 0};
        std::memcpy(m.data(), &header, sizeof header);
    }
    return m;
}

MessageFault fault_of(const std::vector<std::uint8_t>& octets) {
    macsec::ConstOctets rest(octets);
    const auto m = take_message(rest);
    REQUIRE_FALSE(m);
    CHECK(rest.empty());
    return m.error().fault;
}

}  // namespace

TEST_CASE("messages are taken one after the other, padding skipped") {
    auto octets = message(17, 20);
    const auto second = message(16, 16);
    octets.insert(octets.end(), second.begin(), second.end());
    macsec::ConstOctets rest(octets);
    const auto a = take_message(rest);
    REQUIRE(a);
    CHECK(a->type == 24);
    CHECK(a->sequence == 7);
    CHECK(a->body.size() == 1);
    CHECK(rest.size() == 16);
    REQUIRE(take_message(rest));
    CHECK(rest.empty());
}

TEST_CASE("a message whose length lies, and half a header, are refused") {
    CHECK(fault_of(message(15, 32)) == MessageFault::length);
    CHECK(fault_of(message(33, 32)) == MessageFault::truncated);
    CHECK(fault_of(message(16, 15)) == MessageFault::truncated);
}

TEST_CASE("a message at an odd place in memory is refused, not read") {
    const auto octets = message(16, 17);
    auto rest = macsec::ConstOctets(octets).subspan(1);
    CHECK(take_message(rest).error().fault == MessageFault::misaligned);
}

TEST_CASE("attributes that run over their end are malformed") {
    for (const std::uint16_t length : {0, 3, 9, 65535}) {
        alignas(4) std::uint8_t octets[8]{};
        std::memcpy(octets, &length, sizeof length);
        Attributes walk(octets);
        CHECK_FALSE(walk.next());
        CHECK(walk.malformed());
    }
}

TEST_CASE("attributes are walked to the end, flags masked off their types") {
    NetlinkRequest request(24, 0, 1);
    const auto nested = request.begin_nested(9);
    request.put_u32(5, 77);
    request.end_nested(nested);
    request.put_text(3, "lan0");
    const auto octets = request.take();
    macsec::ConstOctets rest(octets);
    Attributes walk(take_message(rest)->body);
    const auto a = walk.next();
    REQUIRE(a);
    CHECK(a->type == 9);
    Attributes inner(a->value);
    CHECK(inner.next()->u32() == 77u);
    CHECK_FALSE(inner.next());
    CHECK_FALSE(inner.malformed());
    CHECK(walk.next()->text() == "lan0");
    CHECK_FALSE(walk.next());
    CHECK_FALSE(walk.malformed());
}

TEST_CASE("a number of another size is no number") {
    const std::uint8_t three[3]{};
    CHECK_FALSE(Attribute{1, three}.u32());
    CHECK_FALSE(Attribute{1, three}.address(net::Family::ipv4));
    CHECK(Attribute{1, macsec::ConstOctets(three).first(1)}.u8() == 0);
}
