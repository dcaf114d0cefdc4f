// docs/ieee-names.md names every MACsec counter and verdict there is, and no other.
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "macsec/verdict.h"
#include "tests/unit/catch.h"

namespace {

// First column -> second column of the table rows whose first column is code.
std::map<std::string, std::string> rows() {
    std::ifstream in(DEMARC_SOURCE_ROOT "/docs/ieee-names.md");
    REQUIRE(in);
    std::map<std::string, std::string> found;
    for (std::string line; std::getline(in, line);) {
        const std::size_t end = line.find("` | ");
        if (!line.starts_with("| `") || end == line.npos) continue;
        const std::size_t second = end + 4;
        CHECK(found.emplace(line.substr(3, end - 3), line.substr(second, line.find(" |", second) - second)).second);
    }
    return found;
}

// Members of the counter structures that the control protocol shows.
std::set<std::string> counters() {
    std::ifstream in(DEMARC_SOURCE_ROOT "/macsec/secy.h");
    REQUIRE(in);
    std::set<std::string> found;
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with("    Counter ")) continue;
        std::istringstream names(line.substr(12));
        for (std::string name; names >> name;) {
            name.pop_back();  // its comma or semicolon
            if (name.starts_with("in_") || name.starts_with("out_")) found.insert(name);
        }
    }
    return found;
}

}  // namespace

TEST_CASE("every MACsec verdict stands in ieee-names.md with its counter") {
    const auto found = rows();
    const std::pair<std::string, std::string> verdicts[] = {
#define X(enumerator, word, counter) {word, counter},
        MACSEC_VERDICTS(X)
#undef X
    };
    for (const auto& [word, counter] : verdicts) {
        INFO(word);
        REQUIRE(found.contains(word));
        CHECK(found.at(word) == (counter.empty() ? "none" : counter));
    }
}

TEST_CASE("every MACsec counter stands in ieee-names.md, and nothing that is neither") {
    auto found = rows();
    CHECK(counters().size() >= 20);
    for (const auto& counter : counters()) {
        INFO(counter);
        CHECK(found.erase(counter) == 1);
    }
#define X(enumerator, word, counter) found.erase(word);
    MACSEC_VERDICTS(X)
#undef X
    for (const auto& [word, counter] : found) CHECK(word == "");
}
