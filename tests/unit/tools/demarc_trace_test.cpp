// Records of a trace become stories of frames, in whatever order they come.
#include "tests/unit/catch.h"
#include "tools/demarc/trace.h"

namespace {

using cli::Json;
using cli::Stories;

const cli::Style kStyle{.width = 120, .color = false};

Json step(const char* stage, const char* verdict = "forward", const char* outcome = "on") {
    return {{"stage", stage}, {"verdict", verdict}, {"outcome", outcome}, {"worker", 1}, {"octets", 98}};
}
Json record(unsigned frame, std::vector<Json> steps) {
    return {{"frame", frame}, {"time_ns", 1'700'000'000'123'456'789u}, {"steps", std::move(steps)}};
}
Json ingress(unsigned frame) { return record(frame, {step("receive"), step("route"), step("hand-over")}); }

}  // namespace

TEST_CASE("a frame is told when its end is known, stage by stage") {
    Stories s(false);
    CHECK(s.add(ingress(7), kStyle).empty());
    CHECK(s.add(record(7, {step("push-vlan")}), kStyle).empty());
    const auto text = s.add(record(7, {step("transmit")}), kStyle);
    CHECK(text.find("frame 1") == 0);
    CHECK(text.find("receive") < text.find("route"));
    CHECK(text.find("hand-over") < text.find("push-vlan"));
    CHECK(text.find("transmitted on port") > text.find("  transmit "));
    CHECK(s.told() == 1);
}

TEST_CASE("what another worker said first stands behind what came before it") {
    Stories s(false);
    CHECK(s.add(record(7, {step("push-vlan")}), kStyle).empty());
    CHECK(s.add(record(7, {step("transmit")}), kStyle).empty());
    const auto text = s.add(ingress(7), kStyle);
    CHECK(text.find("receive") < text.find("push-vlan"));
    CHECK(text.find("transmitted") != text.npos);
}

TEST_CASE("a drop ends a story with its stage and its word, and so does the host") {
    Stories s(false);
    auto route = step("route", "no-route", "drop");
    route["destination"] = "192.0.2.1";
    route["kind"] = "none";
    const auto dropped = s.add(record(1, {step("receive"), route}), kStyle);
    CHECK(dropped.find("DROPPED by route: no-route") != dropped.npos);
    CHECK(dropped.find("to 192.0.2.1, none") != dropped.npos);
    CHECK(s.add(record(2, {step("receive"), step("route", "local", "host")}), kStyle).find("to the host: local") !=
          std::string::npos);
    CHECK(s.told() == 2);
}

TEST_CASE("a filter's record is whole, and what has no end is told as such at the end") {
    Stories whole(true);
    const auto alone = whole.add(record(1, {step("protect", "no-transmit-sa", "drop")}), kStyle);
    CHECK(alone.find("DROPPED by protect: no-transmit-sa") != alone.npos);
    Stories s(false);
    CHECK(s.add(ingress(1), kStyle).empty());
    CHECK(s.rest(kStyle).find("not seen again after hand-over") != std::string::npos);
    CHECK(s.rest(kStyle).empty());
}

TEST_CASE("a record that is none, and strings that would steer a terminal, do no harm") {
    Stories s(false);
    for (const char* bad : {"null", "[]", "{}", R"({"frame":1})", R"({"frame":1,"steps":[]})",
                            R"({"frame":"x","steps":[{}]})", R"({"frame":-1,"steps":[{}]})"})
        CHECK(s.add(Json::parse(bad), kStyle).empty());
    CHECK(s.add(Json::parse(R"({"frame":1,"steps":[null,7,{}]})"), kStyle).empty());
    auto evil = step("receive", "\x1b[2J", "drop");
    const auto text = s.add(record(9, {evil}), kStyle);
    CHECK(text.find('\x1b') == text.npos);
    CHECK(text.find("\\x1b") != text.npos);
    s.rest(kStyle);
}
