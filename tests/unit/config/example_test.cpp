#include <regex>
#include <set>

#include "config/parse.h"
#include "config/print.h"
#include "config/validate.h"
#include "tests/unit/catch.h"
#include "tests/unit/config/golden.h"

namespace {

config::Model example() {
    const auto text = golden::read(golden::source_root() / "config/demarc.example.yaml");
    auto model = config::parse(text, "demarc.example.yaml");
    if (!model)
        for (const auto& d : model.error()) UNSCOPED_INFO(config::render(d, "demarc.example.yaml"));
    REQUIRE(model);
    return *model;
}

// A path without indexes; names of ours as `*`.
std::string shape_of(const std::string& path) {
    const auto indexes = std::regex_replace(path, std::regex("\\[[0-9]+\\]"), "");
    return std::regex_replace(indexes, std::regex("^(ports|interfaces|connections)\\.[^.]+"), "$1.*");
}

// The shapes of all values of a model, those with their default's value included; tags may be numbers.
std::set<std::string> shapes_of(const config::Model& m) {
    const auto again = config::parse(config::print(m, config::Form::resolved), "resolved");
    REQUIRE(again);
    std::set<std::string> shapes;
    for (const auto& [path, place] : again->places.at)
        if (!std::regex_search(path, std::regex("\\.(vid|tpid)$"))) shapes.insert(shape_of(path));
    return shapes;
}

}  // namespace

TEST_CASE("the example configuration is accepted without error or warning") {
    const auto model = example();
    for (const auto& d : config::validate(model)) {
        INFO(config::render(d, "demarc.example.yaml"));
        CHECK(false);
    }
    CHECK(config::warnings(model).empty());
}

TEST_CASE("the example configuration says what it seems to say") {
    const auto m = example();
    CHECK(m.router.name == "pe-east");
    CHECK(m.workers.count == 2);
    CHECK(m.fib.ipv6_nodes == 131072);
    const auto& secy = m.ports.at("ch1").macsec.at(0);
    CHECK(secy.replay_window == 64);
    CHECK(secy.mka->sak_rekey_ms == 30'000);
    CHECK(secy.mka->key_ring.at(0).ckn == std::vector<std::uint8_t>{0x0A, 0x0B, 0x0C, 0x0D});
    CHECK(secy.mka->key_ring.at(0).start == 1'767'225'600);
    const auto& sa = m.ports.at("ch2").macsec.at(0).static_keys->receive.at(0);
    CHECK(sa.sci == macsec::Sci{0x02000000b2010001});
    CHECK(sa.sas.at(0).ssci == macsec::Ssci{2});
    CHECK(m.interfaces.at("lan0").tags == net::VlanStack{2, {{{0x88A8, 20}, {0x8100, 30}}}});
    CHECK(m.connections.at("acme-prod").bandwidth_bps == 500'000'000);
    CHECK(m.connections.at("acme-prod").burst_octets == 65536);
    CHECK(m.bgp->neighbors.size() == 3);
}

TEST_CASE("the example configuration shows every key there is") {
    auto known = shapes_of(example());
    for (const auto& c : golden::cases())
        if (const auto model = config::parse(golden::expected(c, ".ok"), c.name)) known.merge(shapes_of(*model));
    std::set<std::string> shown;
    shown.insert("workers.count");  // in the comment on `cores`, which excludes it
    for (const auto& [path, place] : example().places.at) shown.insert(shape_of(path));
    for (const auto& shape : known) {
        INFO(shape);
        CHECK(shown.contains(shape));
    }
    CHECK(known.size() > 90);
}

TEST_CASE("places name the line and column of every value of the example") {
    const auto m = example();
    const auto& at = m.places.at;
    CHECK(m.places.file == "demarc.example.yaml");
    CHECK(at.at("router.name").line == 5);
    CHECK(at.at("router.name").column == 9);
    CHECK(at.contains("ports.ch1.macsec[0].mka.key-ring[1].cak-file"));
    CHECK(at.contains("interfaces.lan0.tags[1]"));
    CHECK(m.ports.at("ch1").place.line == at.at("ports.ch1").line);
}
