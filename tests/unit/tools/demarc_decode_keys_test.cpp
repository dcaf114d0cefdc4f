// KEYS.json: what is good, and what is said about each mistake.
#include "tools/demarc/decode_keys.h"

#include <algorithm>

#include "tests/unit/catch.h"
#include "tests/unit/tools/decode_support.h"

using namespace macsec::test;
using namespace decode_test;
using cli::parse_decode_keys;

namespace {

const std::string kSak128 = "ad7a2bd03eac835a6f620fdcb506b345";
const std::string kSak256 = "e3c08a8f06c6e3ad95a70557b23f75483ce33021a9c72b7025666204c69c0b72";
const std::string kSalt = "010203040506070809101112";

// Members of a good entry, which a case replaces or takes out (empty value), or adds to.
struct Members {
    std::vector<std::pair<std::string, std::string>> list;

    static Members narrow() {
        return {
            {{"sci", "\"020000000a010001\""}, {"suite", "\"gcm-aes-128\""}, {"an", "0"}, {"sak", '"' + kSak128 + '"'}}};
    }
    static Members wide() {
        return {{{"sci", "\"020000000a010001\""},
                 {"suite", "\"gcm-aes-xpn-256\""},
                 {"an", "3"},
                 {"sak", '"' + kSak256 + '"'},
                 {"ssci", "1"},
                 {"salt", '"' + kSalt + '"'}}};
    }
    Members with(const std::string& name, const std::string& value) const {
        Members m = *this;
        std::erase_if(m.list, [&](const auto& member) { return member.first == name; });
        if (!value.empty()) m.list.emplace_back(name, value);
        return m;
    }
    std::string text() const {
        std::string s;
        for (const auto& [name, value] : list) s += (s.empty() ? "" : ", ") + ('"' + name + "\": " + value);
        return "{" + s + "}";
    }
};

std::string mistakes(const std::string& text) {
    const auto keys = parse_decode_keys(text);
    if (keys) return "";
    std::string lines;
    for (const auto& m : keys.error()) lines += fmt::format("{}:{}: {}\n", m.place.line, m.place.column, m.text);
    return lines;
}

std::string of_one(const Members& m) { return mistakes("[" + m.text() + "]"); }

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a list of keys is read as it is written") {
    const auto keys = parse_decode_keys("\n[ " + Members::wide().with("lowest_pn", "18446744073709551614").text() +
                                        " ,\n" + Members::narrow().with("offset", "50").text() + "]\r\n");
    REQUIRE(keys);
    REQUIRE(keys->size() == 2);
    const macsec::SaDescription& d = (*keys)[0].description;
    CHECK(d.sci.value == 0x0200'0000'0a01'0001);
    CHECK(d.suite == macsec::CipherSuite::gcm_aes_xpn_256);
    CHECK(d.an.value == 3);
    CHECK(d.ssci.value == 1);
    CHECK(to_hex(d.salt) == kSalt);
    CHECK((*keys)[0].lowest_pn == 18446744073709551614u);
    CHECK((*keys)[1].description.confidentiality_offset == 50);
    CHECK_FALSE((*keys)[1].lowest_pn);
}

TEST_CASE("the list that demarc.8 shows is a good one, once its digits are written") {
    const std::string text = list_of_the_page("[{");
    REQUIRE(text != "");
    CHECK(mistakes(text) == "");
    CHECK(parse_decode_keys(text)->size() == 2);
}

TEST_CASE("an empty list is a good one, members stand in any order, digits in any case") {
    CHECK(mistakes("[]") == "");
    CHECK(parse_decode_keys(" [ ] ")->empty());
    Members reversed = Members::wide();
    std::reverse(reversed.list.begin(), reversed.list.end());
    CHECK(of_one(reversed) == "");
    CHECK(of_one(Members::narrow()
                     .with("sci", "\"020000000A010001\"")
                     .with("sak", "\"AD7A2BD03EAC835A6F620FDCB506B345\"")) == "");
    CHECK(of_one(Members::wide().with("offset", "0")) == "");
}

TEST_CASE("what is not a list of flat objects is named with line and column, and what belongs there") {
    const std::pair<std::string, std::string> cases[] = {
        {"", "1:1: the file is a list"},
        {"{\"sci\": 1}", "1:1: the file is a list"},
        {"\xEF\xBB\xBF[]", "1:1: the file is a list"},
        {"[", "1:2: write an object here"},
        {"[1]", "1:2: write an object here"},
        {"[[]]", "1:2: write an object here"},
        {"[{}", "1:4: write , before the next object, or ]"},
        {"[{} {}]", "1:5: write , before the next object, or ]"},
        {"[{},]", "1:5: write an object here"},
        {"[{}] x", "1:6: nothing may follow"},
        {"[{\n an: 1}]", "2:2: write the name of a member, in quotes"},
        {"[{\"an\" 1}]", "1:8: write : behind"},
        {"[{\"an\": }]", "1:9: write a string in quotes, or a number"},
        {"[{\"an\": 1,}]", "1:11: write the name of a member"},
        {"[{\"an\": 1 \"sci\": 2}]", "1:11: write , before the next member"},
        {"[{\"an\": [0]}]", "1:9: a list or an object cannot stand here"},
        {"[{\"an\": {\"x\":0}}]", "1:9: a list or an object cannot stand here"},
        {"[{\"an\": \"0", "1:11: the string is not closed"},
        {"[{\"an\": \"0\n\"}]", "1:11: the string is not closed on its line"},
        {"[{\"s\\u0061k\": 1}]", "1:5: escapes are not understood"},
    };
    for (const auto& [text, want] : cases) {
        INFO(text);
        CHECK(has(mistakes(text), want));
    }
}

TEST_CASE("each mistake of a key names entry and member, and what to write instead") {
    const Members n = Members::narrow(), w = Members::wide();
    const std::pair<Members, std::string> cases[] = {
        {n.with("sci", ""), "[0].sci: is missing; write 16 hexadecimal digits"},
        {n.with("suite", ""), "[0].suite: is missing; write gcm-aes-128, gcm-aes-256"},
        {n.with("an", ""), "[0].an: is missing; write a number, 0 to 3"},
        {n.with("sak", ""), "[0].sak: is missing; write hexadecimal digits"},
        {w.with("ssci", ""), "[0].ssci: is missing; write the transmitter's SSCI"},
        {w.with("salt", ""), "[0].salt: is missing; write 24 hexadecimal digits"},
        {n.with("sci", "\"02:00:00:00:0a:01\""), "[0].sci: is not right; write exactly 16 hexadecimal digits"},
        {n.with("sci", "\"020000000a01000g\""), "[0].sci: is not right"},
        {n.with("sci", "\"+20000000a010001\""), "[0].sci: is not right"},
        {n.with("sci", "1"), "[0].sci: is no string; write 16 hexadecimal digits in quotes"},
        {n.with("suite", "\"aes\""), "[0].suite: is no cipher suite; write gcm-aes-128"},
        {n.with("suite", "128"), "[0].suite: is no string"},
        {n.with("an", "4"), "[0].an: is not right; write a whole number, 0 to 3"},
        {n.with("an", "-1"), "[0].an: is not right"},
        {n.with("an", "\"0\""), "[0].an: is not right; write a whole number, 0 to 3, without quotes"},
        {n.with("an", "true"), "[0].an: is not right"},
        {n.with("an", "0.0"), "[0].an: is not right"},
        {n.with("an", "00"), "[0].an: is not right"},
        {n.with("sak", "\"" + kSak256 + "\""), "[0].sak: the key has 64 digits; write exactly 32 hexadecimal digits"},
        {n.with("sak", "\"" + kSak128.substr(1) + "\""), "[0].sak: the key has 31 digits"},
        {n.with("sak", "\"" + kSak128.substr(1) + "x\""),
         "[0].sak: character 32 of the key is not a hexadecimal digit"},
        {n.with("sak", "12345678901234567890123456789012"),
         "[0].sak: is no string; write 32 hexadecimal digits in quotes"},
        {w.with("sak", "\"" + kSak128 + "\""), "[0].sak: the key has 32 digits; write exactly 64"},
        {w.with("ssci", "0"), "[0].ssci: is not right; write a whole number, 1 to 4294967295"},
        {w.with("ssci", "4294967296"), "[0].ssci: is not right"},
        {w.with("salt", "\"" + kSak256 + "\""), "[0].salt: is not right; write exactly 24 hexadecimal digits"},
        {n.with("ssci", "1"), "[0].ssci: belongs to XPN only"},
        {n.with("salt", "\"" + kSalt + "\""), "[0].salt: belongs to XPN only"},
        {n.with("offset", "31"), "[0].offset: is not right; write 0, 30 or 50"},
        {n.with("offset", "\"30\""), "[0].offset: is not right; write 0, 30 or 50, without quotes"},
        {w.with("offset", "30"), "[0].offset: does not go with XPN"},
        {n.with("lowest_pn", "0"), "[0].lowest_pn: is not right; write a whole number, 1 to 4294967294"},
        {n.with("lowest_pn", "4294967295"), "[0].lowest_pn: is not right"},
        {w.with("lowest_pn", "18446744073709551615"), "write a whole number, 1 to 18446744073709551614"},
        {w.with("lowest_pn", "99999999999999999999999"), "[0].lowest_pn: is not right"},
        {n.with("lowest-pn", "1"),
         "[0]: \"lowest-pn\" is not known; a key has sci, suite, an, sak, ssci, salt, offset, lowest_pn"},
    };
    for (const auto& [members, want] : cases) {
        const std::string said = of_one(members);
        INFO(said << "wanted: " << want);
        CHECK(has(said, want));
        CHECK(std::ranges::count(said, '\n') == 1);
    }
}

TEST_CASE("a member that stands twice is a mistake, also when both are right") {
    Members m = Members::narrow();
    m.list.emplace_back("an", "0");
    CHECK(of_one(m) == "1:112: [0].an: stands twice; keep one\n");
}

TEST_CASE("all mistakes of a list are told at once, in the order of the text, and twenty at most") {
    const std::string said =
        mistakes("[" + Members::narrow().text() + ",\n" + Members::narrow().with("an", "7").text() + ",\n" +
                 Members::wide().with("salt", "3").with("ssci", "0").text() + "]");
    CHECK(said.starts_with("2:"));
    CHECK(has(said, "[1].an"));
    CHECK(has(said, "[2].salt"));
    CHECK(has(said, "[2].ssci"));
    CHECK(said.find("[2].salt") < said.find("[2].ssci"));
    std::string many = "[{}";
    for (int i = 0; i < 100; ++i) many += ",{}";
    CHECK(parse_decode_keys(many + "]").error().size() == cli::kMaxKeyMistakes);
    std::string wide = "[{\"a\":1";
    for (int i = 0; i < 1000; ++i) wide += ",\"a\":1";
    CHECK(parse_decode_keys(wide + "}]").error().size() == cli::kMaxKeyMistakes);
}

TEST_CASE("more keys than the limit are refused by number") {
    const auto list = [](std::size_t n) {
        std::string text = "[" + Members::narrow().text();
        for (std::size_t i = 1; i < n; ++i) text += "," + Members::narrow().text();
        return text + "]";
    };
    CHECK(parse_decode_keys(list(cli::kMaxKeys))->size() == cli::kMaxKeys);
    CHECK(has(mistakes(list(cli::kMaxKeys + 1)), "there are 1025 keys; keep at most 1024"));
}

TEST_CASE("no message holds a digit of a key, wherever the key was written") {
    for (const std::string& sak : {kSak128, kSak256}) {
        const std::string quoted = '"' + sak + '"';
        std::string said;
        for (const char* name : {"sci", "suite", "an", "salt", "ssci", "offset", "lowest_pn", "unknown"})
            said += of_one(Members::wide().with("sak", "").with(name, quoted)) +
                    of_one(Members::narrow().with("sak", "").with(name, quoted));
        said += of_one(Members::narrow().with(sak, "1"));
        said += of_one(Members::narrow().with("sak", '"' + sak + "zz\""));
        said += mistakes("[" + quoted + "]") + mistakes("[{" + quoted + "}]") + mistakes(sak) +
                mistakes("[{\"sak\":" + sak);
        CHECK(has(said, "[0]"));
        for (std::size_t i = 0; i + 6 <= sak.size(); ++i) CHECK_FALSE(has(said, sak.substr(i, 6)));
    }
}
