#include "tools/demarc/options.h"

#include <nlohmann/json.hpp>

#include "tests/unit/catch.h"
#include "tools/demarc/request.h"

using cli::parse_options;

namespace {

std::string request(const std::vector<std::string>& arguments) {
    const auto options = parse_options(arguments, nullptr);
    REQUIRE(options);
    const auto made = cli::make_request(*options);
    return made ? *made : "error: " + made.error();
}

}  // namespace

TEST_CASE("options stand before or after the command") {
    for (const auto& arguments : {std::vector<std::string>{"--socket", "/s", "--json", "show", "routes", "10.0.0.0/8"},
                                  std::vector<std::string>{"show", "routes", "10.0.0.0/8", "--json", "--socket=/s"}}) {
        const auto o = parse_options(arguments, "/from/environment");
        REQUIRE(o);
        CHECK(o->command == "show routes");
        CHECK(o->operand == "10.0.0.0/8");
        CHECK(o->socket == "/s");
        CHECK(o->json);
    }
}

TEST_CASE("the socket comes from the option, else the environment, else the default") {
    CHECK(parse_options({"status"}, nullptr)->socket == cli::kDefaultSocket);
    CHECK(parse_options({"status"}, "/e")->socket == "/e");
    CHECK(parse_options({"--socket", "/s", "status"}, "/e")->socket == "/s");
}

TEST_CASE("--watch has a default and never eats the next word") {
    CHECK(parse_options({"--watch", "status"}, nullptr)->watch_seconds == 2.0);
    CHECK(parse_options({"status", "--watch=0.5"}, nullptr)->watch_seconds == 0.5);
    CHECK_FALSE(parse_options({"status"}, nullptr)->watch_seconds);
    const auto o = parse_options({"lookup", "--watch", "10.1.2.3"}, nullptr);
    REQUIRE(o);
    CHECK(o->operand == "10.1.2.3");
    for (const char* bad : {"--watch=0", "--watch=-1", "--watch=x", "--watch=nan", "--watch=1e9", "--watch=1x"})
        CHECK_FALSE(parse_options({"status", bad}, nullptr));
    CHECK_FALSE(parse_options({"reload", "--watch"}, nullptr));
}

TEST_CASE("decode wants a capture and keys, and takes a file to write and a replay window") {
    const auto o = parse_options({"decode", "a.pcap", "--keys", "k.json", "-w", "p.pcap", "--json"}, nullptr);
    REQUIRE(o);
    CHECK(o->command == "decode");
    CHECK(o->operand == "a.pcap");
    CHECK(o->keys == "k.json");
    CHECK(o->write == "p.pcap");
    CHECK(o->json);
    CHECK(o->mka_keys == "");
    CHECK_FALSE(o->replay_window);
    CHECK(parse_options({"decode", "a", "--mka-keys", "m"}, nullptr)->mka_keys == "m");
    const auto both = parse_options({"decode", "a", "--mka-keys", "m", "--keys", "k"}, nullptr);
    REQUIRE(both);
    CHECK((both->keys == "k" && both->mka_keys == "m"));
    CHECK(parse_options({"decode", "a", "--keys", "k", "--replay-window", "0"}, nullptr)->replay_window == 0u);
    CHECK(parse_options({"decode", "a", "--keys=k", "--replay-window=4294967295"}, nullptr)->replay_window ==
          4294967295u);
    for (const auto& bad : {std::vector<std::string>{"decode", "a"},
                            {"decode", "--keys", "k"},
                            {"decode", "a", "--keys", ""},
                            {"decode", "a", "--keys", "k", "--replay-window", "-1"},
                            {"decode", "a", "--keys", "k", "--replay-window", "4294967296"},
                            {"decode", "a", "--keys", "k", "--replay-window", "x"},
                            {"decode", "a", "--keys", "k", "-w", "-"},
                            {"decode", "a", "--keys", "k", "--watch"}}) {
        const auto refused = parse_options(bad, nullptr);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == cli::kUsage);
    }
}

TEST_CASE("what is not understood is exit code 2 and one sentence with a remedy") {
    for (const auto& bad : {std::vector<std::string>{},
                            {"frobnicate"},
                            {"show"},
                            {"show", "tables"},
                            {"lookup"},
                            {"check"},
                            {"status", "extra"},
                            {"--width", "10", "status"},
                            {"--color", "pink", "status"},
                            {"status", "\x1b[2J"},
                            {"frr-config", "f", "--daemon", "ospfd"}}) {
        const auto o = parse_options(bad, nullptr);
        REQUIRE_FALSE(o);
        CHECK(o.error().code == cli::kUsage);
        CHECK(o.error().text.find("--help") != std::string::npos);
        CHECK(o.error().text.find('\x1b') == std::string::npos);
    }
}

TEST_CASE("--help and --version are answers, not errors") {
    CHECK(parse_options({"--help"}, nullptr).error().code == cli::kOk);
    CHECK(parse_options({"show", "--help"}, nullptr).error().text.find("next-hops") != std::string::npos);
    CHECK(parse_options({"--version"}, nullptr).error().text == "demarc " DEMARC_VERSION "\n");
}

TEST_CASE("a command becomes the request that the control protocol wants") {
    using Json = nlohmann::json;
    CHECK(Json::parse(request({"status"})) == Json{{"request", "status"}});
    CHECK(Json::parse(request({"reload"})) == Json{{"request", "reload"}});
    CHECK(Json::parse(request({"show", "next-hops"})) == Json{{"request", "show"}, {"what", "next-hops"}});
    CHECK(Json::parse(request({"show", "routes"})) == Json{{"request", "show"}, {"what", "routes"}});
    CHECK(Json::parse(request({"show", "routes", "10.1.0.0/8"})) ==
          Json{{"request", "show"}, {"what", "routes"}, {"prefix", "10.0.0.0/8"}});
    CHECK(Json::parse(request({"lookup", "FD00::1"})) == Json{{"request", "lookup"}, {"address", "fd00::1"}});
}

TEST_CASE("an operand that is no address or prefix is refused before the daemon is asked") {
    CHECK(request({"lookup", "10.1"}).starts_with("error: 10.1 is no IP address"));
    CHECK(request({"show", "routes", "10.0.0.0"}).starts_with("error: 10.0.0.0 is no prefix"));
    CHECK(request({"show", "routes", "10.0.0.0/33"}).starts_with("error: "));
}
