#include "config/key_files.h"

#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/catch.h"

namespace {

namespace fs = std::filesystem;

class Directory {
public:
    Directory() {
        char name[] = "/tmp/demarc-keys-XXXXXX";
        path_ = mkdtemp(name);
    }
    ~Directory() { fs::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::string file(const std::string& name, const std::string& content, mode_t mode = 0600) const {
        std::ofstream(path_ / name) << content;
        chmod((path_ / name).c_str(), mode);
        return path_ / name;
    }
    fs::path path() const { return path_; }

private:
    fs::path path_;
};

constexpr std::size_t kSak[] = {16};
constexpr std::size_t kCak[] = {16, 32};
const std::string kHex = "000102030405060708090A0b0c0d0e0f";

std::string rule_of(const std::string& file) {
    std::array<std::uint8_t, 32> room{};
    const auto got = config::read_key(file, config::KeyKind::sak, kSak, room);
    CHECK(room == std::array<std::uint8_t, 32>{});
    return got ? "" : got.error().rule;
}

}  // namespace

TEST_CASE("a key is read with its word or without and whatever white space surrounds it") {
    const Directory d;
    for (const auto& text : {"sak: " + kHex + "\n", kHex, "\n  sak:\t" + kHex + "\r\n\n", "sak:" + kHex}) {
        std::array<std::uint8_t, 32> room{};
        const auto got = config::read_key(d.file("k", text), config::KeyKind::sak, kSak, room);
        REQUIRE(got);
        CHECK(*got == 16);
        for (std::uint8_t i = 0; i < 16; ++i) CHECK(room[i] == i);
        CHECK(room[16] == 0);
    }
}

TEST_CASE("a CAK has 16 or 32 octets") {
    const Directory d;
    std::array<std::uint8_t, 32> room{};
    CHECK(config::read_key(d.file("a", "cak: " + kHex), config::KeyKind::cak, kCak, room) == 16u);
    CHECK(config::read_key(d.file("b", kHex + kHex), config::KeyKind::cak, kCak, room) == 32u);
    CHECK_FALSE(config::read_key(d.file("c", "sak: " + kHex), config::KeyKind::cak, kCak, room));
}

TEST_CASE("a key that does not fit into the room it is read to is refused") {
    const Directory d;
    std::array<std::uint8_t, 8> room{};
    CHECK_FALSE(config::read_key(d.file("k", kHex), config::KeyKind::sak, kSak, room));
}

TEST_CASE("what is no key is refused and nothing of it reaches the room or the error") {
    const Directory d;
    CHECK(rule_of(d.file("a", "")) == "key-file-length");
    CHECK(rule_of(d.file("b", "sak:")) == "key-file-length");
    CHECK(rule_of(d.file("c", kHex.substr(1))) == "key-file-content");
    CHECK(rule_of(d.file("d", kHex + "\n" + kHex)) == "key-file-content");
    CHECK(rule_of(d.file("e", std::string(32, '0'))) == "key-file-content");
    CHECK(rule_of(d.file("f", std::string(2000, 'a'))) == "key-file-content");
    CHECK(rule_of(d.file("g", kHex + kHex)) == "key-file-length");
    CHECK(rule_of(d.file("h", std::string(5, '\0') + kHex)) == "key-file-content");
    std::array<std::uint8_t, 32> room{};
    const auto got = config::read_key(d.file("i", kHex + "x"), config::KeyKind::sak, kSak, room);
    REQUIRE_FALSE(got);
    CHECK((got.error().message + got.error().remedy).find("0001") == std::string::npos);
}

TEST_CASE("every mode with a bit for group or others is refused") {
    const Directory d;
    for (const mode_t mode : {0640, 0604, 0601, 0610, 0620, 0644, 0666, 0777})
        CHECK(rule_of(d.file("k", kHex, mode)) == "key-file-mode");
    std::array<std::uint8_t, 16> room{};
    for (const mode_t mode : {0600, 0400, 0700})
        CHECK(config::read_key(d.file("k", kHex, mode), config::KeyKind::sak, kSak, room));
}

TEST_CASE("neither a FIFO nor a directory nor a dangling link is waited for") {
    const Directory d;
    REQUIRE(mkfifo((d.path() / "fifo").c_str(), 0600) == 0);
    fs::create_symlink(d.path() / "nothing", d.path() / "dangling");
    CHECK(rule_of(d.path() / "fifo") == "key-file-kind");
    CHECK(rule_of(d.path()) == "key-file-kind");
    CHECK(rule_of(d.path() / "dangling") == "key-file-missing");
    CHECK(rule_of("/dev/zero") == "key-file-kind");
}

TEST_CASE("a link to a key is judged by the key's own mode") {
    const Directory d;
    fs::create_symlink(d.file("open", kHex, 0644), d.path() / "link");
    CHECK(rule_of(d.path() / "link") == "key-file-mode");
}

TEST_CASE("a password is one line of printable characters") {
    const Directory d;
    std::array<std::uint8_t, 80> room{};
    const auto got = config::read_password(d.file("p", "hunter2\n"), room);
    REQUIRE(got);
    CHECK(std::string(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*got)) == "hunter2");
    for (const auto& text :
         {std::string(), std::string("two words"), std::string(81, 'x'), std::string("a\nb"), std::string("\x01")})
        CHECK_FALSE(config::read_password(d.file("p", text), room));
}
