// Writes DIR/zebra.conf, bgpd.conf and staticd.conf of one router, for smoke tests.
//
//   frr_texts DIR HOSTNAME ASN ROUTER-ID FPM-PORT
//             [announce=PREFIX | accept=PREFIX | neighbor=ADDRESS,ASN,PASSWORD | hold=SECONDS]...
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "bgp-glue/frr_config.h"

using namespace bgp_glue;

namespace {

FrrNeighbor neighbor(const std::string& text) {
    std::istringstream in(text);
    std::string address, asn;
    FrrNeighbor n;
    std::getline(in, address, ',');
    std::getline(in, asn, ',');
    std::getline(in, n.password);
    n.address = net::parse_ip(address).value();
    n.asn = static_cast<std::uint32_t>(std::stoul(asn));
    return n;
}

void take(FrrRouter& router, const std::string& argument) {
    const auto equals = argument.find('=');
    const auto key = argument.substr(0, equals), value = argument.substr(equals + 1);
    if (key == "announce") router.announce.push_back(net::parse_prefix(value).value());
    else if (key == "accept") router.accept.push_back(net::parse_prefix(value).value());
    else if (key == "hold") router.keepalive_s = (router.hold_s = static_cast<std::uint32_t>(std::stoul(value))) / 3;
    else router.neighbors.push_back(neighbor(value));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) return 2;
    FrrRouter router;
    router.hostname = argv[2];
    router.asn = static_cast<std::uint32_t>(std::atol(argv[3]));
    router.router_id = net::parse_ip(argv[4]).value();
    router.hold_s = 9;
    router.keepalive_s = 3;
    router.fpm_address = net::parse_ip("127.0.0.1").value();
    router.fpm_port = static_cast<std::uint16_t>(std::atoi(argv[5]));
    for (int i = 6; i < argc; ++i) take(router, argv[i]);
    const auto texts = frr_config(router);
    if (!texts) {
        fmt::print(stderr, "{}\n", texts.error());
        return 1;
    }
    const std::string directory = argv[1];
    std::ofstream(directory + "/zebra.conf") << texts->zebra;
    std::ofstream(directory + "/bgpd.conf") << texts->bgpd;
    std::ofstream(directory + "/staticd.conf") << texts->staticd;
}
