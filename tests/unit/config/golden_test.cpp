#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "config/parse.h"
#include "config/print.h"
#include "config/validate.h"
#include "tests/unit/catch.h"
#include "tests/unit/config/golden.h"

namespace {

using Ids = std::set<std::string>;

std::string difference(const Ids& a, const Ids& b) {
    std::ostringstream text;
    for (const auto& id : a)
        if (!b.contains(id)) text << id << ' ';
    return text.str();
}

// The rules that goldens show at work: in "FILE:LINE:COLUMN: RULE: ...".
Ids shown_rules() {
    Ids ids;
    const std::regex line("^[^:]+:[0-9]+:[0-9]+: ([a-z0-9-]+): .*\\(.+\\)$");
    for (const auto& c : golden::cases())
        for (const char* extension : {".err", ".warn"}) {
            std::istringstream text(golden::expected(c, extension));
            std::smatch match;
            for (std::string s; std::getline(text, s); ids.insert(match[1])) REQUIRE(std::regex_match(s, match, line));
        }
    return ids;
}

// The rules of the document's tables: "| `id` | meaning | example |".
Ids documented_rules() {
    Ids ids;
    std::istringstream text(golden::read(golden::source_root() / "docs/config-rules.md"));
    const std::regex row("^\\| `([a-z0-9-]+)` \\| [^|]+ \\| [^|]+ \\|$");
    std::smatch match;
    for (std::string s; std::getline(text, s);)
        if (std::regex_match(s, match, row)) {
            INFO(s);
            CHECK(ids.insert(match[1]).second);
        } else {
            CHECK_FALSE(s.starts_with("| `"));
        }
    return ids;
}

Ids rules() {
    const auto list = config::rules();
    return {list.begin(), list.end()};
}

}  // namespace

TEST_CASE("every configuration in tests/config is judged as its golden says") {
    const auto cases = golden::cases();
    REQUIRE(cases.size() > 100);
    for (const auto& c : cases) {
        INFO(c.name);
        const auto outcome = golden::run(c);
        CHECK(outcome.ok == golden::expected(c, ".ok"));
        CHECK(outcome.err == golden::expected(c, ".err"));
        CHECK(outcome.warn == golden::expected(c, ".warn"));
        CHECK(outcome.ok.empty() != outcome.err.empty());
    }
}

TEST_CASE("the canonical form of a configuration is its own canonical form") {
    for (const auto& c : golden::cases()) {
        const auto ok = golden::expected(c, ".ok");
        if (ok.empty() || ok.find("@KEYS@") != ok.npos) continue;
        INFO(c.name);
        const auto again = config::parse(ok, "canonical");
        REQUIRE(again);
        CHECK(config::print(*again) == ok);
        CHECK(*again == *config::parse(golden::read(c.yaml), c.name));
    }
}

TEST_CASE("every rule has a golden and every golden's rule exists") {
    CHECK(difference(rules(), shown_rules()) == "");
    CHECK(difference(shown_rules(), rules()) == "");
}

TEST_CASE("every rule has a row in docs/config-rules.md and every row a rule") {
    CHECK(difference(rules(), documented_rules()) == "");
    CHECK(difference(documented_rules(), rules()) == "");
}

TEST_CASE("a diagnostic without a place is printed without line and column") {
    CHECK(config::render({{}, "a-rule", "it is wrong", "mend it"}, "f.yaml") ==
          "f.yaml: a-rule: it is wrong (mend it)");
    CHECK(config::render({{3, 7}, "a-rule", "it is wrong", "mend it"}, "f.yaml") ==
          "f.yaml:3:7: a-rule: it is wrong (mend it)");
}
