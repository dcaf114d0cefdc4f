// Golden output: tests/golden/cli/COMMAND.CASE.json is an answer of the daemon; beside it stands what `demarc COMMAND`
// prints at 80 and 120 columns without colour, and at 120 columns with. DEMARC_UPDATE_GOLDEN=1 writes them anew.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "tests/unit/catch.h"
#include "tools/demarc/app.h"
#include "tools/demarc/render.h"

namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(DEMARC_SOURCE_ROOT) / "tests/golden/cli";

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> samples() {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(kGolden))
        if (entry.path().extension() == ".json") found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

// "show-ports.lab.json" -> "show ports", "mka-rekey.ok.json" -> "mka rekey"
std::string command_of(const fs::path& sample) {
    std::string name = sample.filename().string();
    name.erase(name.find('.'));
    if (name.starts_with("show-")) name[4] = ' ';
    if (name.starts_with("mka-")) name[3] = ' ';
    return name;
}

std::string printed(const fs::path& sample, const cli::Style& style) {
    cli::Options o;
    o.command = command_of(sample);
    const cli::Output output = cli::render_answer(o, read(sample), style, style);
    return output.out + output.err;
}

void compare(const fs::path& sample, const char* extension, const cli::Style& style) {
    const fs::path golden = fs::path(sample).replace_extension(extension);
    const std::string text = printed(sample, style);
    const char* update = std::getenv("DEMARC_UPDATE_GOLDEN");
    if (update != nullptr && std::string_view(update) == "1") std::ofstream(golden, std::ios::binary) << text;
    INFO(golden);
    CHECK(text == read(golden));
}

bool fits(const std::string& text, std::size_t width) {
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != text.npos; begin = end + 1, end = text.find('\n', begin))
        if (end - begin > width) return false;
    return true;
}

bool is_plain(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c <= 0x7E); });
}

}  // namespace

TEST_CASE("every sample answer prints as its golden files say") {
    REQUIRE(samples().size() >= 20);
    for (const fs::path& sample : samples()) {
        compare(sample, ".80.txt", {.width = 80, .color = false});
        compare(sample, ".120.txt", {.width = 120, .color = false});
        compare(sample, ".color.txt", {.width = 120, .color = true});
    }
}

TEST_CASE("every request has a sample, and every golden file belongs to one") {
    std::set<std::string> commands, stems;
    for (const fs::path& sample : samples()) {
        commands.insert(command_of(sample));
        stems.insert(fs::path(sample).stem().string());
    }
    for (const char* c : {"status", "show ports", "show interfaces", "show macsec", "show routes", "show next-hops",
                          "show neighbors", "show drops", "show fpm", "show stages", "show mka", "show history",
                          "mka rekey", "lookup", "reload"})
        CHECK(commands.contains(c));
    for (const auto& entry : fs::directory_iterator(kGolden)) {
        if (entry.path().extension() != ".txt") continue;
        CHECK(stems.contains(entry.path().stem().stem().string()));
    }
}

TEST_CASE("colour adds escape sequences and changes nothing else") {
    for (const fs::path& sample : samples()) {
        const std::string colored = printed(sample, {.width = 80, .color = true});
        std::string stripped;
        for (std::size_t i = 0; i < colored.size(); ++i) {
            if (colored[i] == '\x1b')
                i = colored.find('m', i);
            else
                stripped += colored[i];
        }
        CHECK(stripped == printed(sample, {.width = 80, .color = false}));
    }
}

TEST_CASE("tables keep to the width at every width") {
    for (const fs::path& sample : samples()) {
        if (read(sample).find("\"ok\": false") != std::string::npos || command_of(sample) == "reload")
            continue;  // sentences
        for (unsigned width = cli::kMinWidth; width <= 200; width += 7) {
            INFO(sample << " at " << width);
            CHECK(fits(printed(sample, {.width = width, .color = false}), width));
        }
    }
}

TEST_CASE("a port that keeps its last SAK is red") {
    cli::Json answer = cli::Json::parse(read(kGolden / "show-mka.lab.json"));
    answer["mka"][0]["keeps_last_sak"] = true;
    cli::Options o;
    o.command = "show mka";
    const cli::Style style{.width = 120, .color = true};
    const std::string out = cli::render_answer(o, answer.dump(), style, style).out;
    CHECK(out.find("\x1b[1;31mKEEPS THE LAST SAK\x1b[0m") != std::string::npos);
}

TEST_CASE("an unsecured interface and a port that is down are red") {
    const std::string out = printed(kGolden / "status.trouble.json", {.width = 120, .color = true});
    CHECK(out.find("\x1b[1;31mUNSECURED\x1b[0m") != std::string::npos);
    CHECK(out.find("\x1b[1;31mBLOCKED\x1b[0m") != std::string::npos);
    CHECK(out.find("\x1b[1;31mDOWN\x1b[0m") != std::string::npos);
    CHECK(out.find("\x1b[32m4 of 4 secured") == std::string::npos);
    const std::string good = printed(kGolden / "status.secured.json", {.width = 120, .color = true});
    CHECK(good.find("\x1b[32m4 of 4 secured\x1b[0m") != std::string::npos);
    CHECK(good.find("BLOCKED") == std::string::npos);
}

namespace {

// A random value of at most `depth` levels, its members named as those of real answers.
cli::Json random_json(std::mt19937& random, const std::vector<std::string>& keys, int depth) {
    switch (std::uniform_int_distribution<int>(0, depth > 0 ? 7 : 5)(random)) {
        case 0: return nullptr;
        case 1: return random() % 2 == 0;
        case 2: return static_cast<std::int64_t>(random()) - 2'000'000'000;
        case 3: return ~std::uint64_t{0} - random() % 3;
        case 4: return 1e308 * static_cast<double>(random() % 5);
        case 5: return std::string(random() % 100, static_cast<char>(random() % 128));
        case 6: {
            cli::Json array = cli::Json::array();
            for (auto n = random() % 4; n > 0; --n) array.push_back(random_json(random, keys, depth - 1));
            return array;
        }
        default: {
            cli::Json object = cli::Json::object();
            for (auto n = random() % 8; n > 0; --n)
                object[keys[random() % keys.size()]] = random_json(random, keys, depth - 1);
            return object;
        }
    }
}

void collect_keys(const cli::Json& value, std::set<std::string>& keys) {
    if (value.is_object())
        for (const auto& [key, child] : value.items()) keys.insert(key);
    if (value.is_structured())
        for (const auto& child : value) collect_keys(child, keys);
}

// Replaces one random part of a true answer by something else.
void mutate(cli::Json& value, std::mt19937& random, const std::vector<std::string>& keys) {
    if (!value.is_structured() || value.empty() || random() % 4 == 0) {
        value = random_json(random, keys, 3);
        return;
    }
    auto it = value.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random() % value.size()));
    mutate(*it, random, keys);
}

}  // namespace

TEST_CASE("no answer, however wrong, crashes a renderer or steers the terminal") {
    std::set<std::string> names;
    for (const fs::path& sample : samples()) collect_keys(*cli::parse_answer(read(sample)), names);
    const std::vector<std::string> keys(names.begin(), names.end());
    std::mt19937 random(7);
    for (const fs::path& sample : samples()) {
        const cli::Renderer renderer = cli::renderer_of(command_of(sample));
        REQUIRE(renderer != nullptr);
        const auto answer = cli::parse_answer(read(sample));
        for (int i = 0; i < 12; ++i) {
            cli::Json wrong = *answer;
            for (auto n = 1 + random() % 4; n > 0; --n) mutate(wrong, random, keys);
            CHECK(is_plain(renderer(wrong, {.width = 80, .color = false})));
            CHECK(is_plain(cli::render_refusal(wrong, {.width = 80, .color = false})));
        }
        CHECK(is_plain(renderer(random_json(random, keys, 5), {.width = 80, .color = false})));
    }
}

TEST_CASE("an answer that is refused goes to standard error and the code says so") {
    cli::Options o;
    o.command = "reload";
    const cli::Output refused = cli::render_answer(o, read(kGolden / "reload.refused.json"), {}, {});
    CHECK(refused.code == cli::kNotOk);
    CHECK(refused.out.empty());
    CHECK(refused.err.find("demarc.yaml:12:9: unknown-key:") != std::string::npos);
}

TEST_CASE("with --json the answer passes unchanged, refused or not") {
    cli::Options o;
    o.command = "lookup";
    o.json = true;
    CHECK(cli::render_answer(o, R"({"ok":true, "z":1,"a":2})", {}, {}).out == "{\"ok\":true, \"z\":1,\"a\":2}\n");
    const cli::Output refused = cli::render_answer(o, R"({"ok":false,"error":"x"})", {}, {});
    CHECK(refused.code == cli::kNotOk);
    CHECK(refused.out == "{\"ok\":false,\"error\":\"x\"}\n");
}

TEST_CASE("what is no answer of the daemon is one sentence and exit code 3") {
    cli::Options o;
    o.command = "status";
    const std::string deep(100'000, '[');
    for (const std::string& answer :
         {std::string(), std::string("{"), std::string("[]"), std::string(R"({"ok":1})"),
          std::string("{\"ok\":true,\"name\":\"\xff\"}"), deep, R"({"ok":true,"a":)" + deep}) {
        const cli::Output output = cli::render_answer(o, answer, {}, {});
        CHECK(output.code == cli::kNoDaemon);
        CHECK(output.out.empty());
        CHECK(std::count(output.err.begin(), output.err.end(), '\n') == 1);
    }
}
