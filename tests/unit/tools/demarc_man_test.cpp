// The manual pages say what the programs understand: no less, no more.
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "config/parse.h"
#include "config/validate.h"
#include "tests/unit/catch.h"
#include "tools/demarc/options.h"

namespace {

using Words = std::set<std::string>;

const std::string kRoot = DEMARC_SOURCE_ROOT;

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream in(kRoot + "/" + path);
    REQUIRE(in);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

bool is_word_character(char c) { return (c >= 'a' && c <= 'z') || c == '-'; }

// The words that follow `before` in `line`.
Words words_behind(const std::string& line, const std::string& before) {
    Words words;
    for (std::size_t at = line.find(before); at != line.npos; at = line.find(before, at + 1)) {
        const std::size_t begin = at + before.size();
        std::size_t end = begin;
        while (end < line.size() && is_word_character(line[end])) ++end;
        if (end > begin) words.insert(line.substr(begin, end - begin));
    }
    return words;
}

// "-h" and "--help" of `.It Fl h , Fl -help`.
void add_options(const std::string& line, const std::string& command, Words& words) {
    for (const std::string& word : words_behind(line, "Fl ")) words.insert(command + "-" + word);
}

// "show routes " of `.It Cm show routes Op Ar PREFIX`.
std::string command_of(const std::string& line) {
    std::string command;
    std::istringstream in(line.substr(std::string_view(".It Cm ").size()));
    for (std::string word; in >> word && is_word_character(word[0]);) command += word + " ";
    return command;
}

// What OPTIONS and COMMANDS list: "--socket", "show ports", "show", "frr-config --daemon".
Words documented_in_page(const std::string& path) {
    Words words;
    std::string section, command;
    for (const std::string& line : lines_of(path)) {
        if (line.starts_with(".Sh ")) section = line.substr(4), command.clear();
        if (section != "OPTIONS" && section != "COMMANDS") continue;
        if (line.starts_with(".It Fl")) add_options(line, command, words);
        if (!line.starts_with(".It Cm ")) continue;
        command = command_of(line);
        for (std::size_t end = command.find(' '); end != command.npos; end = command.find(' ', end + 1))
            words.insert(command.substr(0, end));
    }
    return words;
}

// Paths of keys; the names in maps of names, and list indexes, are not keys.
void add_keys(const YAML::Node& node, const std::string& path, Words& keys) {
    static const Words maps_of_names{"ports", "interfaces", "connections"};
    if (node.IsSequence())
        for (const auto& element : node) add_keys(element, path, keys);
    if (!node.IsMap()) return;
    for (const auto& pair : node) {
        const std::string dot = path.empty() ? "" : ".";
        if (maps_of_names.contains(path)) {
            add_keys(pair.second, path + ".NAME", keys);
            continue;
        }
        keys.insert(path + dot + pair.first.as<std::string>());
        add_keys(pair.second, path + dot + pair.first.as<std::string>(), keys);
    }
}

Words keys_of_example() {
    Words keys;
    add_keys(YAML::LoadFile(kRoot + "/config/demarc.example.yaml"), "", keys);
    return keys;
}

Words keys_of_page() {
    Words keys;
    std::string section, path;
    for (const std::string& line : lines_of("docs/demarc.yaml.5")) {
        if (line.starts_with(".Sh ")) section = line.substr(4);
        if (line.starts_with(".Ss ")) path = line == ".Ss Top level" ? "" : line.substr(4) + ".";
        if (section == "KEYS" && line.starts_with(".It Cm ")) CHECK(keys.insert(path + line.substr(7)).second);
    }
    return keys;
}

std::string differences(const Words& a, const Words& b) {
    std::string out;
    for (const auto& word : a)
        if (!b.contains(word)) out += "[" + word + "] ";
    return out;
}

}  // namespace

TEST_CASE("every option and command of demarc is in demarc.8, and nothing else") {
    Words understood;
    for (const auto& word : cli::documented_words())
        if (word == "-h" || word == "--help" || !(word.ends_with(" -h") || word.ends_with(" --help")))
            understood.insert(word);
    const Words page = documented_in_page("docs/demarc.8");
    CHECK(differences(understood, page) == "");
    CHECK(differences(page, understood) == "");
    CHECK(understood.contains("--socket"));
    CHECK(understood.contains("show next-hops"));
    CHECK(understood.contains("frr-config --daemon"));
}

TEST_CASE("every option of demarcd is in demarcd.8, and nothing else") {
    Words understood{"-h", "--help"};  // CLI11's own
    for (const std::string& line : lines_of("tools/demarcd/main.cpp"))
        for (const std::string& word : words_behind(line, "\"--")) understood.insert("--" + word);
    CHECK(understood.contains("--config"));
    const Words page = documented_in_page("docs/demarcd.8");
    CHECK(differences(understood, page) == "");
    CHECK(differences(page, understood) == "");
}

TEST_CASE("every key of the example is in demarc.yaml.5, and every key of the page is in the example") {
    const Words page = keys_of_page();
    Words example = keys_of_example();
    CHECK(example.insert("workers.count").second);       // cannot stand beside `cores`
    example.insert("ports.NAME.macsec.clear-tags.vid");  // the example has an empty list
    example.insert("ports.NAME.macsec.clear-tags.tpid");
    CHECK(differences(example, page) == "");
    CHECK(differences(page, example) == "");
}

TEST_CASE("the example in demarc.yaml.5 is a good configuration") {
    std::string text;
    bool inside = false;
    for (const std::string& line : lines_of("docs/demarc.yaml.5")) {
        if (line == ".Ed") inside = false;
        if (inside) text += line + "\n";
        if (line.starts_with(".Bd -literal")) inside = true;
    }
    const auto model = config::parse(text, "demarc.yaml.5");
    REQUIRE(model);
    for (const auto& d : config::validate(*model)) CHECK(config::render(d, "demarc.yaml.5") == "");
    CHECK(model->interfaces.size() == 2);
}

TEST_CASE("the pages name each other and carry their own names") {
    for (const char* page : {"docs/demarc.8", "docs/demarcd.8", "docs/demarc.yaml.5"}) {
        const auto lines = lines_of(page);
        std::ostringstream all;
        for (const auto& line : lines) all << line << '\n';
        CHECK(all.str().find(".Sh SEE ALSO") != std::string::npos);
        CHECK(all.str().find(".Nm " + std::string(page).substr(5, std::string(page).rfind('.') - 5)) !=
              std::string::npos);
        for (const auto& line : lines) CHECK(line.find('\t') == std::string::npos);
    }
}
