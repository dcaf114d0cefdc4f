// For the smoke tests: makes a TAP in a namespace and switches its carrier as standard input says: `up`, `down`,
// `mtu N`, `quit`. Prints each word with the time of day before and after it was done, in seconds.
//
//   tap_probe NETNS NAME MAC MTU ADDRESS...
#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <string>

#include "dataplane/tap.h"

namespace {

double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}
int fail(const std::string& why) {
    fmt::print(stderr, "error: {}\n", why);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) return fail("tap_probe NETNS NAME MAC MTU ADDRESS...");
    dataplane::TapSetup setup{argv[2],
                              net::parse_mac(argv[3]).value_or(net::MacAddress{}),
                              static_cast<std::uint32_t>(std::stoul(argv[4])),
                              {}};
    for (int i = 5; i < argc; ++i)
        if (const auto a = net::parse_interface_address(argv[i])) setup.addresses.push_back(*a);
    auto host = dataplane::HostNamespace::open(argv[1]);
    if (!host) return fail(host.error());
    auto tap = dataplane::Tap::make(*host, setup);
    if (!tap) return fail(tap.error());
    fmt::print("ready {:.6f}\n", now());
    std::fflush(stdout);
    for (std::string word; std::cin >> word && word != "quit";) {
        const auto before = now();
        std::expected<void, std::string> done;
        if (word == "mtu") {
            std::cin >> setup.mtu;
            done = tap->change(setup);
        } else {
            done = tap->set_carrier(word == "up");
        }
        if (!done) return fail(done.error());
        fmt::print("{} {:.6f} {:.6f}\n", word, before, now());
        std::fflush(stdout);
    }
    return 0;
}
