#include "bgp-glue/frr_config.h"

#include "tests/unit/catch.h"

using namespace bgp_glue;

namespace {

FrrRouter router() {
    FrrRouter r;
    r.hostname = "pe-east";
    r.asn = 65010;
    r.router_id = net::parse_ip("10.255.0.1").value();
    r.hold_s = 9;
    r.keepalive_s = 3;
    r.announce = {net::parse_prefix("10.10.0.0/24").value(), net::parse_prefix("fd00:10::/64").value()};
    r.accept = {net::parse_prefix("10.20.0.0/16").value(), net::parse_prefix("fd00:20::/32").value(),
                net::parse_prefix("10.30.0.1/32").value()};
    r.neighbors = {{net::parse_ip("169.254.101.2").value(), 64512, "ch1-1101", "seCret-1", 100},
                   {net::parse_ip("fd00:1:101::2").value(), 64512, "ch1-1101", "", 50}};
    r.fpm_address = net::parse_ip("127.0.0.1").value();
    return r;
}

bool has(const std::string& text, const std::string& line) {
    return text.find('\n' + line + '\n') != std::string::npos || text.starts_with(line + '\n');
}

std::string refused(const FrrRouter& r) {
    const auto texts = frr_config(r);
    REQUIRE_FALSE(texts);
    return texts.error();
}

}  // namespace

TEST_CASE("zebra is told where FPM listens, without next-hop groups") {
    const auto t = frr_config(router()).value();
    CHECK(has(t.zebra, "fpm address 127.0.0.1 port 2620"));
    CHECK(has(t.zebra, "no fpm use-next-hop-groups"));
    CHECK(has(t.staticd, "ipv6 route fec0:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 blackhole"));
}

TEST_CASE("bgpd has every neighbour in its own family, filtered both ways and bounded") {
    const auto t = frr_config(router()).value().bgpd;
    CHECK(has(t, "router bgp 65010"));
    CHECK(has(t, " no bgp default ipv4-unicast"));
    CHECK(has(t, " neighbor 169.254.101.2 remote-as 64512"));
    CHECK(has(t, " neighbor 169.254.101.2 password seCret-1"));
    CHECK(has(t, " neighbor fd00:1:101::2 timers 3 9"));
    CHECK(has(t, " neighbor fd00:1:101::2 timers connect 2"));
    CHECK(t.find("fd00:1:101::2 password") == std::string::npos);
    CHECK(has(t, "  neighbor 169.254.101.2 maximum-prefix 100"));
    CHECK(has(t, "  neighbor fd00:1:101::2 prefix-list ACCEPT in"));
    CHECK(has(t, "  neighbor fd00:1:101::2 prefix-list ANNOUNCE out"));
    const auto ipv6 = t.find("address-family ipv6 unicast");
    CHECK(t.find("fd00:1:101::2 activate") > ipv6);
    CHECK(t.find("169.254.101.2 activate") < ipv6);
}

TEST_CASE("accepted are the prefixes and what is within, announced exactly ours, all else denied") {
    const auto t = frr_config(router()).value().bgpd;
    CHECK(has(t, "ip prefix-list ACCEPT seq 5 permit 10.20.0.0/16 le 32"));
    CHECK(has(t, "ip prefix-list ACCEPT seq 10 permit 10.30.0.1/32"));
    CHECK(has(t, "ip prefix-list ACCEPT seq 15 deny any"));
    CHECK(has(t, "ipv6 prefix-list ACCEPT seq 5 permit fd00:20::/32 le 128"));
    CHECK(has(t, "ip prefix-list ANNOUNCE seq 5 permit 10.10.0.0/24"));
    CHECK(has(t, "  network fd00:10::/64"));
}

TEST_CASE("a router that accepts nothing denies, it does not leave the list out") {
    auto r = router();
    r.accept.clear();
    CHECK(has(frr_config(r)->bgpd, "ip prefix-list ACCEPT seq 5 deny any"));
    CHECK(has(frr_config(r)->bgpd, "ipv6 prefix-list ACCEPT seq 5 deny any"));
}

TEST_CASE("what would break out of its line is refused, a password unseen") {
    auto r = router();
    r.hostname = "pe\nrouter bgp 1";
    CHECK(refused(r).find("router name") == 0);
    r = router();
    r.neighbors[0].password = "top secret";
    CHECK(refused(r).find("169.254.101.2") != std::string::npos);
    CHECK(refused(r).find("top") == std::string::npos);
    r.neighbors[0].password = std::string(81, 'x');
    CHECK(refused(r).find("xx") == std::string::npos);
    r.neighbors[0].password = "!x";
    CHECK_FALSE(refused(r).empty());
}

TEST_CASE("numbers that FRR or BGP would not take are refused") {
    const auto with = [](auto change) {
        auto r = router();
        change(r);
        return refused(r);
    };
    CHECK(with([](FrrRouter& r) { r.asn = 0; }).find("asn") != std::string::npos);
    CHECK(with([](FrrRouter& r) { r.neighbors[1].asn = 0; }).find("AS 0") != std::string::npos);
    CHECK(with([](FrrRouter& r) { r.router_id = {}; }).find("router-id") != std::string::npos);
    CHECK(with([](FrrRouter& r) { r.hold_s = 2; }).find("hold") != std::string::npos);
    CHECK(with([](FrrRouter& r) { r.keepalive_s = 4; }).find("keepalive") != std::string::npos);
    CHECK(with([](FrrRouter& r) { r.connect_s = 0; }).find("connect") != std::string::npos);
    CHECK(with([](FrrRouter& r) { r.fpm_address = net::parse_ip("::1").value(); }).find("fpm") != std::string::npos);
    CHECK(with([](FrrRouter& r) { r.neighbors[0].maximum_prefix = 0; }).find("maximum-prefix") != std::string::npos);
}

TEST_CASE("a link-local neighbour is bound to its interface") {
    auto r = router();
    r.neighbors[1].address = net::parse_ip("fe80::2").value();
    CHECK(has(frr_config(r)->bgpd, " neighbor fe80::2 interface ch1-1101"));
    r.neighbors[1].interface.clear();
    CHECK(refused(r).find("link-local") != std::string::npos);
}
