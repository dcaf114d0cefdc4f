// docs/ieee-names.md names every MACsec counter, setting and verdict there is, and no other.
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
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
        if (line.starts_with("## Where we differ")) break;  // names of frames
        const std::size_t end = line.find("` | ");
        if (!line.starts_with("| `") || end == line.npos) continue;
        const std::size_t second = end + 4;
        // One name may stand at two levels: of the SecY and of an SC.
        found.emplace(line.substr(3, end - 3), line.substr(second, line.find(" |", second) - second));
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

// What a SecY's JSON holds beyond what says whose it is.
std::set<std::string> json_names() {
    std::ifstream in(DEMARC_SOURCE_ROOT "/tools/demarcd/status_macsec.cpp");
    REQUIRE(in);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::set<std::string> structure{"port",     "clear_tags", "sci", "policy", "secured", "why_not_secured",
                                          "transmit", "receive",    "sas"};
    const std::regex name(R"re((?:\{|j\[)"([a-z_]+)")re");
    std::set<std::string> found;
    for (std::sregex_iterator i(text.begin(), text.end(), name), end; i != end; ++i)
        if (!structure.contains((*i)[1])) found.insert((*i)[1]);
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

TEST_CASE("every MACsec counter and setting stands in ieee-names.md, and nothing that is neither") {
    auto found = rows();
    CHECK(counters().size() >= 20);
    CHECK(json_names().size() >= 30);
    auto wanted = counters();
    wanted.merge(json_names());
    for (const auto& name : wanted) {
        INFO(name);
        CHECK(found.erase(name) == 1);
    }
#define X(enumerator, word, counter) found.erase(word);
    MACSEC_VERDICTS(X)
#undef X
    for (const auto& [word, counter] : found) CHECK(word == "");
}
