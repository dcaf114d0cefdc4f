// MKA-KEYS.json: what is good, and what is said about each mistake.
#include "tools/demarc/decode_caks.h"

#include "tests/unit/catch.h"
#include "tests/unit/tools/decode_support.h"

using namespace macsec::test;
using namespace decode_test;
using cli::parse_caks;

namespace {

const std::string kCak128 = "135bd758b0ee5c11c55ff6ab19fdb199";
const std::string kCak256 = "e3c08a8f06c6e3ad95a70557b23f75483ce33021a9c72b7025666204c69c0b72";

std::string quoted(const std::string& s) { return '"' + s + '"'; }

// Values as JSON writes them.
std::string object(const std::string& cak, const std::string& ckn) {
    return "{\"cak\": " + cak + ", \"ckn\": " + ckn + "}";
}

std::string mistakes(const std::string& text) {
    const auto caks = parse_caks(text);
    if (caks) return "";
    std::string lines;
    for (const auto& m : caks.error()) lines += fmt::format("{}:{}: {}\n", m.place.line, m.place.column, m.text);
    return lines;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a list of CAKs is read as it is written") {
    const auto caks = parse_caks("[" + object(quoted(kCak128), "\"0A\"") + ",\n" +
                                 object(quoted(kCak256), quoted(std::string(64, 'b'))) + "]");
    REQUIRE(caks);
    REQUIRE(caks->size() == 2);
    CHECK(to_hex((*caks)[0].cak.octets()) == kCak128);
    CHECK(to_hex((*caks)[0].ckn.span()) == "0a");
    CHECK(to_hex((*caks)[1].cak.octets()) == kCak256);
    CHECK(to_hex((*caks)[1].ckn.span()) == std::string(64, 'b'));
    CHECK(parse_caks(" [ ] ")->empty());
}

TEST_CASE("the list of CAKs that demarc.8 shows is a good one, once its digits are written") {
    const std::string text = list_of_the_page("[{\"cak\"");
    REQUIRE(text != "");
    CHECK(mistakes(text) == "");
    CHECK(parse_caks(text)->size() == 1);
}

TEST_CASE("each mistake of a CAK's entry names entry and member, and what to write instead") {
    const std::string cak = quoted(kCak128), ckn = "\"0a0b\"";
    const std::pair<std::string, std::string> cases[] = {
        {"{\"ckn\": " + ckn + "}", "1:2: [0].cak: is missing; write 32 or 64 hexadecimal digits"},
        {"{\"cak\": " + cak + "}", "1:2: [0].ckn: is missing; write 2 to 64 hexadecimal digits"},
        {object("1", ckn), "1:10: [0].cak: is no string; write 32 or 64 hexadecimal digits in quotes"},
        {object("null", ckn), "[0].cak: is no string"},
        {object("\"\"", ckn), "[0].cak: is not right; write 32 or 64 hexadecimal digits"},
        {object(quoted(kCak128 + "00"), ckn), "[0].cak: is not right"},
        {object(quoted(kCak256 + kCak128), ckn), "[0].cak: is not right"},
        {object(quoted(kCak128.substr(1) + "x"), ckn), "character 32 of the key is not a hexadecimal digit"},
        {object(cak, "7"), "[0].ckn: is no string; write 2 to 64"},
        {object(cak, "\"\""), "[0].ckn: is not right; write 2 to 64 hexadecimal digits, two for each octet"},
        {object(cak, "\"abc\""), "[0].ckn: is not right"},
        {object(cak, "\"0x\""), "[0].ckn: is not right"},
        {object(cak, "\"+1\""), "[0].ckn: is not right"},
        {object(cak, quoted(std::string(66, '1'))), "[0].ckn: is not right"},
        {"{\"sak\": " + cak + ", \"cak\": " + cak + ", \"ckn\": " + ckn + "}",
         "[0]: \"sak\" is not known; a key has cak, ckn"},
        {"{\"cak\": " + cak + ", \"cak\": " + cak + ", \"ckn\": " + ckn + "}", "[0].cak: stands twice; keep one"},
        {object("{}", ckn), "a list or an object cannot stand here"},
    };
    for (const auto& [text, want] : cases) {
        const std::string said = mistakes("[" + text + "]");
        INFO(said << "wanted: " << want);
        CHECK(has(said, want));
        CHECK(std::ranges::count(said, '\n') == 1);
    }
    CHECK(has(mistakes("[" + object(cak, ckn) + ",\n" + object(cak, "0") + "]"), "2:"));
    CHECK(has(mistakes(kCak128), "1:1: the file is a list of objects"));
}

TEST_CASE("CAKs have the limits of keys: 1,024 of them, and twenty mistakes") {
    const auto list = [](std::size_t n, const std::string& entry) {
        std::string text = "[" + entry;
        for (std::size_t i = 1; i < n; ++i) text += "," + entry;
        return text + "]";
    };
    const std::string good = object(quoted(kCak256), "\"01\"");
    CHECK(parse_caks(list(cli::kMaxKeys, good))->size() == cli::kMaxKeys);
    CHECK(has(mistakes(list(cli::kMaxKeys + 1, good)), "there are 1025 keys; keep at most 1024"));
    CHECK(parse_caks(list(100, "{}")).error().size() == cli::kMaxKeyMistakes);
}

TEST_CASE("no message holds a digit of a CAK, wherever it was written") {
    for (const std::string& cak : {kCak128, kCak256}) {
        std::string said;
        for (const char* name : {"ckn", "unknown", "sak"})
            said += mistakes("[{\"" + std::string(name) + "\": " + quoted(cak) + "}]");
        said += mistakes("[" + object(quoted(cak + "zz"), quoted(cak + cak + "0")) + "]");
        said += mistakes("[{" + quoted(cak) + ": 1}]") + mistakes("[" + quoted(cak) + "]") + mistakes(cak) +
                mistakes("[{\"cak\":" + cak);
        CHECK(has(said, "[0]"));
        for (std::size_t i = 0; i + 6 <= cak.size(); ++i) CHECK_FALSE(has(said, cak.substr(i, 6)));
    }
}
