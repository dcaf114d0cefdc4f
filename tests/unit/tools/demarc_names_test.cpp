// docs/ieee-names.md names every MACsec counter and verdict there is, and no other.
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "macsec/verdict.h"
#include "tests/unit/catch.h"

namespace {

// First column -> second column of the table rows whose first column is code.
std::map<std::string, std::string> rows() {
    static const std::regex row(R"(\| `([^`]+)` \| ([^|]*) \|.*)");
    std::ifstream in(DEMARC_SOURCE_ROOT "/docs/ieee-names.md");
    REQUIRE(in);
    std::map<std::string, std::string> found;
    for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (std::regex_match(line, match, row)) CHECK(found.emplace(match[1].str(), match[2].str()).second);
    }
    return found;
}

// Members of the counter structures that the control protocol shows.
std::set<std::string> counters() {
    static const std::regex name("\\b(?:in|out)_(?:pkts|octets)_[a-z_]+");
    std::ifstream in(DEMARC_SOURCE_ROOT "/macsec/secy.h");
    REQUIRE(in);
    std::set<std::string> found;
    for (std::string line; std::getline(in, line);) {
        if (line.find("    Counter ") != 0) continue;
        for (std::sregex_iterator it(line.begin(), line.end(), name), end; it != end; ++it) found.insert(it->str());
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
    for (const auto& counter : counters()) {
        INFO(counter);
        CHECK(found.erase(counter) == 1);
    }
#define X(enumerator, word, counter) found.erase(word);
    MACSEC_VERDICTS(X)
#undef X
    for (const auto& [word, counter] : found) CHECK(word == "");
}
