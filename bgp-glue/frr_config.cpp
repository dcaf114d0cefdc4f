#include "bgp-glue/frr_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "bgp-glue/rib.h"

namespace bgp_glue {

namespace {

constexpr std::size_t kLongestPassword = 80;  // TCP_MD5SIG_MAXKEYLEN
constexpr std::size_t kLongestName = 64;

template <class... Args>
void line(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
    text += '\n';
}

// One word on FRR's command line, and nothing that begins a comment.
bool is_word(const std::string& text) {
    return !text.empty() && text[0] != '!' && text[0] != '#' &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool is_ipv4(const net::IpAddress& a) { return a.family == net::Family::ipv4; }
const char* family_words(net::Family family) { return family == net::Family::ipv4 ? "ipv4" : "ipv6"; }
const char* prefix_list_words(net::Family family) { return family == net::Family::ipv4 ? "ip" : "ipv6"; }

std::string refuse_neighbor(const FrrNeighbor& n) {
    const auto who = "bgp neighbor " + net::to_string(n.address);
    if (n.asn == 0) return who + ": AS 0 is no AS number (RFC 7607); give the peer's";
    if (n.maximum_prefix == 0) return who + ": maximum-prefix 0 would refuse every route; give at least 1";
    if (!n.password.empty() && (!is_word(n.password) || n.password.size() > kLongestPassword))
        return fmt::format("{}: the password is not 1 to {} printable ASCII characters without spaces, the first "
                           "neither '!' nor '#'", who, kLongestPassword);
    const bool link_local = !is_ipv4(n.address) && n.address.v6().is_link_local();
    if (link_local && (!is_word(n.interface) || n.interface.size() > 15))
        return who + ": a link-local address needs the name of its interface";
    return {};
}

// Empty: nothing to refuse. FRR's bounds: keepalive and hold 0 to 65535, hold 0 or at least 3, connect 1 to 65535.
std::string refuse(const FrrRouter& r) {
    if (!is_word(r.hostname) || r.hostname.size() > kLongestName)
        return "router name: 1 to 64 printable characters without spaces";
    if (r.asn == 0) return "bgp asn: AS 0 is no AS number (RFC 7607); give yours";
    if (!is_ipv4(r.router_id) || r.router_id.v4().value == 0)
        return "bgp router-id: an IPv4 address that is not 0.0.0.0";
    if (!is_ipv4(r.fpm_address) || r.fpm_port == 0)
        return "host fpm: an IPv4 address and a port that is not 0";
    if (r.hold_s < 3 || r.hold_s > 65535) return "bgp hold timer: 3 to 65535 seconds (RFC 4271 4.2)";
    if (r.keepalive_s < 1 || r.keepalive_s > r.hold_s / 3)
        return "bgp keepalive timer: at least 1 second, at most a third of the hold timer";
    if (r.connect_s < 1 || r.connect_s > 65535) return "bgp connect timer: 1 to 65535 seconds";
    if (r.maximum_paths < 1 || r.maximum_paths > 64) return "bgp maximum-paths: 1 to 64";
    for (const auto& n : r.neighbors)
        if (auto why = refuse_neighbor(n); !why.empty()) return why;
    return {};
}

std::string zebra_text(const FrrRouter& r) {
    std::string t;
    line(t, "frr defaults traditional");
    line(t, "hostname {}", r.hostname);
    line(t, "log syslog warnings");
    line(t, "fpm address {} port {}", net::to_string(r.fpm_address), r.fpm_port);
    line(t, "no fpm use-next-hop-groups");
    line(t, "!");
    return t;
}

// The highest IPv6 prefix there can be: last in a replay, which walks IPv4 first and each family in ascending order.
std::string staticd_text() {
    std::string t;
    line(t, "ipv6 route {} blackhole", kSentinelText);
    line(t, "!");
    return t;
}

// A list without entries permits nothing, but one that does not exist permits all: so there is always an entry.
void prefix_list(std::string& t, net::Family family, const char* name, const std::vector<net::IpPrefix>& prefixes,
                 bool longer) {
    unsigned sequence = 0;
    const unsigned bits = family == net::Family::ipv4 ? 32 : 128;
    for (const auto& p : prefixes) {
        if (p.address.family != family) continue;
        const auto reach = longer && p.length < bits ? fmt::format(" le {}", bits) : std::string{};
        line(t, "{} prefix-list {} seq {} permit {}{}", prefix_list_words(family), name, sequence += 5,
             net::to_string(p), reach);
    }
    line(t, "{} prefix-list {} seq {} deny any", prefix_list_words(family), name, sequence + 5);
}

void session(std::string& t, const FrrRouter& r, const FrrNeighbor& n) {
    const auto address = net::to_string(n.address);
    line(t, " neighbor {} remote-as {}", address, n.asn);
    if (!is_ipv4(n.address) && n.address.v6().is_link_local())
        line(t, " neighbor {} interface {}", address, n.interface);
    if (!n.password.empty()) line(t, " neighbor {} password {}", address, n.password);
    line(t, " neighbor {} timers {} {}", address, r.keepalive_s, r.hold_s);
    line(t, " neighbor {} timers connect {}", address, r.connect_s);
}

void address_family(std::string& t, const FrrRouter& r, net::Family family) {
    line(t, " address-family {} unicast", family_words(family));
    for (const auto& p : r.announce)
        if (p.address.family == family) line(t, "  network {}", net::to_string(p));
    for (const auto& n : r.neighbors) {
        if (n.address.family != family) continue;
        const auto address = net::to_string(n.address);
        line(t, "  neighbor {} activate", address);
        line(t, "  neighbor {} prefix-list ACCEPT in", address);
        line(t, "  neighbor {} prefix-list ANNOUNCE out", address);
        line(t, "  neighbor {} maximum-prefix {}", address, n.maximum_prefix);
    }
    line(t, "  maximum-paths {}", r.maximum_paths);
    line(t, " exit-address-family");
}

std::string bgpd_text(const FrrRouter& r) {
    std::string t;
    for (const auto family : {net::Family::ipv4, net::Family::ipv6}) {
        prefix_list(t, family, "ACCEPT", r.accept, true);
        prefix_list(t, family, "ANNOUNCE", r.announce, false);
    }
    line(t, "router bgp {}", r.asn);
    line(t, " bgp router-id {}", net::to_string(r.router_id));
    line(t, " no bgp default ipv4-unicast");
    line(t, " no bgp network import-check");
    line(t, " bgp bestpath as-path multipath-relax");
    line(t, " timers bgp {} {}", r.keepalive_s, r.hold_s);
    for (const auto& n : r.neighbors) session(t, r, n);
    for (const auto family : {net::Family::ipv4, net::Family::ipv6}) address_family(t, r, family);
    line(t, "exit");
    line(t, "!");
    return t;
}

}  // namespace

std::expected<FrrTexts, std::string> frr_config(const FrrRouter& router) {
    if (auto why = refuse(router); !why.empty()) return std::unexpected(std::move(why));
    return FrrTexts{zebra_text(router), bgpd_text(router), staticd_text()};
}

}  // namespace bgp_glue
