#include "tests/unit/catch.h"
#include "tools/demarcd/host_path.h"

using namespace demarcd;
using dataplane::InjectClass;

namespace {

const std::set<net::IpAddress> kOwn{*net::parse_ip("10.0.0.1"), *net::parse_ip("fe80::1")};

std::vector<std::uint8_t> ipv4(const char* source, std::uint8_t protocol, std::uint16_t destination_port) {
    std::vector<std::uint8_t> f(14 + 20 + 8);
    macsec::store_be16(f.data() + 12, 0x0800);
    f[14] = 0x45;
    f[23] = protocol;
    macsec::store_be32(f.data() + 26, net::parse_ip(source)->v4().value);
    macsec::store_be16(f.data() + 34, 50000);
    macsec::store_be16(f.data() + 36, destination_port);
    return f;
}

}  // namespace

TEST_CASE("ARP is from the host and goes first") {
    std::vector<std::uint8_t> f(42);
    macsec::store_be16(f.data() + 12, 0x0806);
    CHECK(inject_kind(f, kOwn).inject == InjectClass::first);
    CHECK(inject_kind(f, kOwn).from_host);
}

TEST_CASE("our BGP and BFD go first, our other packets follow") {
    CHECK(inject_kind(ipv4("10.0.0.1", 6, 179), kOwn).inject == InjectClass::first);
    CHECK(inject_kind(ipv4("10.0.0.1", 17, 3784), kOwn).inject == InjectClass::first);
    CHECK(inject_kind(ipv4("10.0.0.1", 6, 22), kOwn).inject == InjectClass::rest);
    CHECK(inject_kind(ipv4("10.0.0.1", 6, 22), kOwn).from_host);
}

TEST_CASE("a packet that is not from us is transit, whatever its ports say") {
    const auto kind = inject_kind(ipv4("10.9.9.9", 6, 179), kOwn);
    CHECK(kind.inject == InjectClass::rest);
    CHECK_FALSE(kind.from_host);
}

TEST_CASE("neighbour discovery from our link-local address goes first") {
    std::vector<std::uint8_t> f(14 + 40 + 24);
    macsec::store_be16(f.data() + 12, 0x86DD);
    f[14] = 0x60;
    f[20] = 58;
    const auto source = net::parse_ip("fe80::1")->v6();
    std::memcpy(f.data() + 22, source.octets.data(), 16);
    f[54] = 135;
    CHECK(inject_kind(f, kOwn).inject == InjectClass::first);
    f[54] = 128;
    CHECK(inject_kind(f, kOwn).inject == InjectClass::rest);
}

TEST_CASE("every truncation of a frame of ours is classified without reading beyond it") {
    const auto f = ipv4("10.0.0.1", 6, 179);
    for (std::size_t n = 0; n < f.size(); ++n) {
        const std::vector<std::uint8_t> cut(f.begin(), f.begin() + static_cast<std::ptrdiff_t>(n));
        CHECK(inject_kind(cut, kOwn).inject == (n >= 14 + 20 + 4 ? InjectClass::first : InjectClass::rest));
    }
}
