#include "config/diff.h"

#include <cctype>
#include <ranges>

#include "config/parse.h"
#include "config/print.h"
#include "tests/unit/catch.h"
#include "tests/unit/config/golden.h"

namespace {

using config::Action;
using config::Subject;

config::Model example() {
    auto model = config::parse(golden::read(golden::source_root() / "config/demarc.example.yaml"), "f");
    REQUIRE(model);
    return *model;
}

// The only change between the example and what `edit` makes of it.
template <class Edit>
config::Change only_change(Edit edit) {
    auto now = example();
    edit(now);
    const auto d = config::diff(example(), now);
    for (const auto& c : d.changes) UNSCOPED_INFO(c.words);
    for (const auto& words : d.needs_restart) UNSCOPED_INFO(words);
    REQUIRE(d.changes.size() == 1);
    CHECK(d.needs_restart.empty());
    return d.changes[0];
}

template <class Edit>
std::string only_restart(Edit edit) {
    auto now = example();
    edit(now);
    const auto d = config::diff(example(), now);
    REQUIRE(d.needs_restart.size() == 1);
    CHECK(d.changes.empty());
    return d.needs_restart[0];
}

}  // namespace

TEST_CASE("a model does not differ from itself nor from itself written elsewhere in the file") {
    CHECK(config::diff(example(), example()).empty());
    const auto moved = config::parse("\n\n" + config::print(example()), "other");
    REQUIRE(moved);
    CHECK(config::diff(example(), *moved).empty());
}

TEST_CASE("what a reload may change is named with the old and the new value") {
    auto c = only_change([](auto& m) { m.connections.at("acme-prod").bandwidth_bps = 1'000'000'000; });
    CHECK(
        c ==
        config::Change{
            Action::changed, Subject::connection, "acme-prod", {}, "connection acme-prod: bandwidth 500Mbps -> 1Gbps"});
    c = only_change([](auto& m) { m.log_level = config::LogLevel::debug; });
    CHECK(c == config::Change{Action::changed, Subject::log_level, "", {}, "log: level info -> debug"});
    c = only_change([](auto& m) { m.ports.at("ch1").mtu = 9100; });
    CHECK(c == config::Change{Action::changed, Subject::port, "ch1", {}, "port ch1: mtu 9001 -> 9100"});
    c = only_change([](auto& m) { m.interfaces.at("lan0").mtu = 1400; });
    CHECK(c == config::Change{Action::changed, Subject::interface, "lan0", {}, "interface lan0: mtu 1500 -> 1400"});
    c = only_change([](auto& m) { m.interfaces.at("lan0").addresses.pop_back(); });
    CHECK(c == config::Change{Action::changed,
                              Subject::addresses,
                              "lan0",
                              {},
                              "interface lan0: addresses [10.10.0.1/24, fd00:10::1/64] -> [10.10.0.1/24]"});
    c = only_change([](auto& m) { m.ports.at("ch2").macsec[0].replay_window.reset(); });
    CHECK(c ==
          config::Change{Action::changed, Subject::secy, "ch2", {}, "MACsec on port ch2: replay-window 64 -> off"});
    c = only_change([](auto& m) { m.ports.at("ch2").macsec[0].static_keys->transmit.an = 1; });
    CHECK(c == config::Change{
                   Action::changed, Subject::secy_keys, "ch2", {}, "MACsec on port ch2: static.transmit.an 0 -> 1"});
    c = only_change(
        [](auto& m) { m.ports.at("ch1").macsec[0].mka->key_ring[1].cak_file = "/etc/demarc/keys/ch1-c.cak"; });
    CHECK(c.subject == Subject::secy_keys);
    CHECK(c.words ==
          "MACsec on port ch1: mka.key-ring[1].cak-file /etc/demarc/keys/ch1-b.cak -> /etc/demarc/keys/ch1-c.cak");
    c = only_change([](auto& m) { m.bgp->neighbors[0].maximum_prefix = 7; });
    CHECK(c == config::Change{Action::changed, Subject::bgp, "", {}, "bgp: neighbors[0].maximum-prefix 100 -> 7"});
    c = only_change([](auto& m) { m.bgp.reset(); });
    CHECK(c.subject == Subject::bgp);
    c = only_change([](auto& m) { m.router.name = "pe-west"; });
    CHECK(c == config::Change{Action::changed, Subject::router_name, "", {}, "router: name pe-east -> pe-west"});
}

TEST_CASE("a port that loses its only SecY is called plain") {
    const auto c = only_change([](auto& m) { m.ports.at("ch2").macsec.clear(); });
    CHECK(c == config::Change{
                   Action::removed, Subject::secy, "ch2", {}, "MACsec on port ch2: removed: the port becomes PLAIN"});
}

TEST_CASE("SecYs are told apart by their clear tags, not by their order") {
    auto before = example();
    auto& list = before.ports.at("ch1").macsec;
    list.push_back(list[0]);
    list[1].clear_tags = {1, {{{0x8100, 7}, {}}}};
    auto now = before;
    std::swap(now.ports.at("ch1").macsec[0], now.ports.at("ch1").macsec[1]);
    CHECK(config::diff(before, now).empty());
    now.ports.at("ch1").macsec[0].port_identifier = 2;
    const auto d = config::diff(before, now);
    REQUIRE(d.changes.size() == 1);
    CHECK(d.changes[0].clear_tags == list[1].clear_tags);
    CHECK(d.changes[0].words == "MACsec on port ch1 behind VLAN 7: port-identifier 1 -> 2");
}

TEST_CASE("removals come before additions, and what stands on something after it") {
    auto now = example();
    now.connections.clear();
    now.interfaces.erase("lan0");
    now.ports.erase("lan");
    now.ports["lan2"].device = "enp4s0";
    now.interfaces["lan2-1"].port = "lan2";
    now.connections["zeta"].features = {"lan2-1"};
    std::vector<std::string> words;
    for (const auto& c : config::diff(example(), now).changes) words.push_back(c.words);
    CHECK(words == std::vector<std::string>{"connection acme-prod: removed", "interface lan0: removed",
                                            "port lan: removed", "port lan2: added", "interface lan2-1: added",
                                            "connection zeta: added"});
}

TEST_CASE("what cannot change while running needs a restart") {
    CHECK(only_restart([](auto& m) { m.workers.idle = config::Idle::sleep; }) == "workers.idle poll -> sleep");
    CHECK(only_restart([](auto& m) { m.workers.cores = {2, 4}; }) == "workers.cores [2, 3] -> [2, 4]");
    CHECK(only_restart([](auto& m) { m.memory.buffers = 4096; }) == "memory.buffers 32768 -> 4096");
    CHECK(only_restart([](auto& m) { m.host.punt_rates.bfd = 1; }) == "host.punt-rates.bfd 10000 -> 1");
    CHECK(only_restart([](auto& m) { m.fib.groups = 64; }) == "fib.groups 8192 -> 64");
    CHECK(only_restart([](auto& m) { m.ports.at("lan").device = "eth0"; }) == "ports.lan.device enp3s0 -> eth0");
    CHECK(only_restart([](auto& m) { m.ports.at("lan").driver = config::Driver::af_xdp; }) ==
          "ports.lan.driver af_packet -> af_xdp");
    CHECK(only_restart([](auto& m) { m.ports.at("lan").transmit_worker = 0; }) == "ports.lan.transmit-worker 1 -> 0");
    CHECK(only_restart([](auto& m) { m.host.netns = "pe"; }) == "host.netns \"\" -> pe");
    CHECK(only_restart([](auto& m) { m.host.fpm_port = 1; }) == "host.fpm.port 2620 -> 1");
    CHECK(only_restart([](auto& m) { m.router.state_directory = "/s"; }) ==
          "router.state-directory /var/lib/demarc -> /s");
}

TEST_CASE("no value of the example can change without a difference being named") {
    const auto before = example();
    const auto text = config::print(before, config::Form::resolved);
    // Values of every type; only those that begin like the old one (a digit, a letter, a bracket, ...) are tried.
    constexpr std::string_view kValues =
        "7|7s|8Gbps|9KiB|192.0.2.9|true|false|off|sleep|debug|es|af_xdp|x1|gcm-aes-128|b2b2c3d4e5f60718293a4b5c|/"
        "x|[]|[7]|[a]|"
        "[192.0.2.9/24]|[192.0.2.0/24]|[{policy: off}]|\"0b\"|\"/x\"|\"02000000b2010009\"|\"2026-01-01T00:00:01Z\"|"
        "\"02:00:00:00:00:01\"|\"2001:db8::1\"";
    const auto kind = [](char c) { return std::isdigit(c) ? '0' : std::isalpha(c) ? 'a' : c; };
    std::size_t changed = 0;
    std::string same;  // lines that no value of ours changes
    for (std::size_t at = 0, end = 0; (at = text.find(": ", end)) != text.npos;) {
        end = text.find('\n', at);
        const auto changed_before = changed;
        for (const auto part : std::views::split(kValues, '|')) {
            const std::string_view value(part.begin(), part.end());
            if (kind(value[0]) != kind(text[at + 2])) continue;
            std::string other = text;
            other.replace(at + 2, end - at - 2, value);
            const auto now = config::parse(other, "f");
            if (!now || *now == before) continue;
            INFO(other.substr(other.rfind('\n', at) + 1, 60));
            CHECK_FALSE(config::diff(before, *now).empty());
            ++changed;
            break;
        }
        if (changed == changed_before) same += text.substr(text.rfind('\n', at), end - text.rfind('\n', at));
    }
    CHECK(same == "");
    CHECK(changed > 120);
}
