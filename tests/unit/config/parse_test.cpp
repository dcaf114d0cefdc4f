#include "config/parse.h"

#include <random>

#include "config/print.h"
#include "config/validate.h"
#include "tests/unit/catch.h"
#include "tests/unit/config/golden.h"

namespace {

std::vector<config::Diagnostic> errors(std::string_view text) {
    auto model = config::parse(text, "f");
    return model ? std::vector<config::Diagnostic>{} : model.error();
}

std::string rule_of(std::string_view text) {
    const auto list = errors(text);
    return list.empty() ? "" : list[0].rule;
}

std::string repeated(std::string_view s, std::size_t octets) {
    std::string text;
    while (text.size() + s.size() <= octets) text += s;
    return text;
}

}  // namespace

TEST_CASE("a file of more than a mebioctet is refused before it is read") {
    CHECK(rule_of(std::string(config::kMaxFileOctets + 1, '#')) == "too-large");
    CHECK(rule_of("router: {name: r1}\n" + std::string(config::kMaxFileOctets - 19, '#')) == "");
}

TEST_CASE("a billion laughs are refused at the first anchor") {
    std::string text = "a: &a [lol, lol]\n";
    for (char c = 'b'; c < 'j'; ++c)
        text += std::string(1, c) + ": &" + c + " [*" + char(c - 1) + ", *" + char(c - 1) + "]\n";
    const auto list = errors(text);
    REQUIRE(list.size() == 1);
    CHECK(list[0].rule == "yaml-feature");
    CHECK(list[0].place.line == 1);
}

TEST_CASE("128 KiB of any one token ends in an error") {
    for (const char* token :
         {"[", "{", "- ", "? ", "a: ", "!", "&a ", "*a ", "|\n", ",", ":", "a:\n", "\"", "'", "\t", "%", "@"}) {
        INFO(token);
        CHECK_FALSE(errors(repeated(token, config::kMaxFileOctets / 8)).empty());
    }
}

TEST_CASE("a file full of mistakes gets a bounded number of diagnostics in the file's order") {
    std::string text = "router: {name: r1}\n";
    for (int i = 0; i < 20'000; ++i) text += "key" + std::to_string(i) + ": 1\n";
    const auto list = errors(text);
    REQUIRE(list.size() == 100);
    CHECK(list[0].place.line == 2);
    CHECK(list[99].place.line == 101);
}

TEST_CASE("an empty file lacks a router") {
    for (const char* text : {"", "# nothing\n", "---\n", "~\n", "{}\n"}) {
        INFO(text);
        const auto list = errors(text);
        REQUIRE(list.size() == 1);
        CHECK(list[0].rule == "missing-key");
    }
}

TEST_CASE("octets that are no text are refused where they stand") {
    for (const char c : {'\0', '\x04', '\x1b', '\x7f', '\xff'}) {
        const auto list = errors(std::string("router: {name: r1}\n# ") + c + "\n");
        REQUIRE(list.size() == 1);
        CHECK(list[0].rule == "yaml-syntax");
        CHECK(list[0].place.line == 2);
        CHECK(list[0].place.column == 3);
    }
}

TEST_CASE("no damage to the example makes parsing or validating do anything but answer") {
    const auto text = golden::read(golden::source_root() / "config/demarc.example.yaml");
    std::mt19937 random(802);
    constexpr std::string_view kOctets = "[]{}:,-#&*!|>'\"%@`~ \n\t0x9\xc3\xa4";
    int refused = 0;
    for (int i = 0; i < 300; ++i) {
        std::string damaged = text;
        for (int n = static_cast<int>(random() % 3); n >= 0; --n) {
            const auto at = random() % damaged.size();
            if (random() % 4 == 0)
                damaged.erase(at, random() % 40);
            else
                damaged[at] = kOctets[random() % kOctets.size()];
        }
        const auto model = config::parse(damaged, "f");
        if (!model)
            CHECK_FALSE(model.error().empty());
        else
            config::validate(*model);
        refused += model ? 0 : 1;
    }
    CHECK(refused > 50);
}

TEST_CASE("a key pasted anywhere into a configuration is never repeated by a diagnostic") {
    const std::string key = "5d0c6f9a01b2c3d4e5f60718293a4b5c5d0c6f9a01b2c3d4e5f60718293a4b5d";
    const auto text = golden::read(golden::source_root() / "config/demarc.example.yaml");
    const auto model = config::parse(text, "f");
    REQUIRE(model);
    const auto tree = config::print(*model, config::Form::resolved);
    std::size_t tried = 0;
    for (std::size_t at = 0; (at = tree.find(": ", at)) != tree.npos; ++at) {
        const auto end = tree.find('\n', at);
        std::string pasted = tree;
        pasted.replace(at + 2, end - at - 2, key);
        ++tried;
        const auto parsed = config::parse(pasted, "f");
        for (const auto& d : parsed ? config::validate(*parsed) : parsed.error())
            CHECK(config::render(d, "f").find("5d0c6f9a01b2c3d4") == std::string::npos);
    }
    CHECK(tried > 80);
}
