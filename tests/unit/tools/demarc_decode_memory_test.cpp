// Where the keys of `demarc decode` are in memory, and where they are not: every page of this process is searched. The
// key file is written by a child, and here the key is only known masked, so that the search cannot find itself.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cstdint>

#include "tests/unit/catch.h"
#include "tests/unit/tools/decode_support.h"
#include "tools/demarc/decode_caks.h"
#include "tools/demarc/decode_key_file.h"
#include "tools/demarc/decode_keys.h"
#include "tools/demarc/decode_mka.h"

using namespace decode_test;

namespace {

constexpr std::size_t kOctets = 32, kHalf = 16;
constexpr std::uint8_t kMask = 0xA5;
using Masked = std::array<std::uint8_t, kOctets>;

Masked draw(unsigned seed) {
    macsec::test::Random random(seed);
    Masked masked;
    for (auto& o : masked) o = static_cast<std::uint8_t>(random());
    return masked;
}

// In a child: its memory is not ours. The key's digits stand between the two.
void write_file(const std::string& path, const Masked& masked, const std::string& before, const std::string& behind) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        Bytes key(masked.begin(), masked.end());
        for (auto& o : key) o ^= kMask;
        std::ofstream(path) << before << macsec::test::to_hex(key) << behind;
        chmod(path.c_str(), 0600);
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
}

void write_key_file(const std::string& path, const Masked& masked, const std::string& suite) {
    write_file(path, masked, R"([{"sci":"020000000a010001","suite":")" + suite + R"(","an":0,"sak":")", R"("}])");
}
// Its CKN is that of the capture with a CAK of 32 octets.
void write_cak_file(const std::string& path, const Masked& masked) {
    write_file(path, masked, R"([{"cak":")",
               R"(","ckn":"96437a93ccf10d9dfe347846cce52c7d00112233445566778899aabbccddeeff"}])");
}

#define ANY_MEMORY __attribute__((no_sanitize("address", "undefined"), noinline, optimize("O2")))

// What is looked for. Halves, because the heap writes over the beginning of what it gets back.
struct Pattern {
    explicit Pattern(const Masked& m) : masked(m) {
        for (std::size_t half = 0; half < kOctets; half += kHalf)
            begins[masked[half] ^ kMask] = begins[digit(2 * half)] = true;
    }
    // One digit at a time: the text of the key is nowhere here.
    ANY_MEMORY std::uint8_t digit(std::size_t i) const {
        const unsigned octet = masked[i / 2] ^ kMask, value = i % 2 == 0 ? octet >> 4 : octet & 15;
        return static_cast<std::uint8_t>(value < 10 ? '0' + value : 'a' + value - 10);
    }
    ANY_MEMORY bool has_octets(const volatile std::uint8_t* p, std::size_t half) const {
        std::size_t i = 0;
        while (i < kHalf && (p[i] ^ kMask) == masked[half + i]) ++i;
        return i == kHalf;
    }
    ANY_MEMORY bool has_digits(const volatile std::uint8_t* p, std::size_t half) const {
        std::size_t i = 0;
        while (i < 2 * kHalf && p[i] == digit(2 * half + i)) ++i;
        return i == 2 * kHalf;
    }

    const Masked& masked;
    std::array<bool, 256> begins{};  // by octet: one of the four may begin with it
};

// Halves of the key: as octets, and as digits.
struct Found {
    int sak{}, hex{};
    bool operator==(const Found&) const = default;
};

ANY_MEMORY void search(std::uintptr_t from, std::uintptr_t to, const Pattern& pattern, Found& found) {
    const auto* p = reinterpret_cast<const volatile std::uint8_t*>(from);
    const auto* const end = reinterpret_cast<const volatile std::uint8_t*>(to);
    const bool* const begins = pattern.begins.data();
    for (; p + kHalf <= end; ++p) {
        if (!begins[*p]) continue;
        for (std::size_t half = 0; half < kOctets; half += kHalf) {
            found.sak += pattern.has_octets(p, half);
            found.hex += p + 2 * kHalf <= end && pattern.has_digits(p, half);
        }
    }
}

// The pages of a mapping that were ever written, as they follow each other. pagemap: of /proc/self.
void search_written(int pagemap, std::uintptr_t from, std::uintptr_t to, const Pattern& pattern, Found& found) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    std::vector<std::uint64_t> entries((to - from) / page);
    const auto octets = static_cast<ssize_t>(entries.size() * sizeof(std::uint64_t));
    REQUIRE(pread(pagemap, entries.data(), static_cast<std::size_t>(octets),
                  static_cast<off_t>(from / page * sizeof(std::uint64_t))) == octets);
    std::uintptr_t begin = from;
    for (std::uintptr_t at = from; at < to; at += page) {
        if (entries[(at - from) / page] >> 62 != 0) continue;  // present, or swapped
        search(begin, at, pattern, found);
        begin = at + page;
    }
    search(begin, to, pattern, found);
}

// All of our writable memory but what a sanitizer reserves for itself.
Found search_everywhere(const Masked& masked) {
    prctl(PR_SET_DUMPABLE, 1);  // /proc/self is ours to read again
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> ranges;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t from = 0, to = 0;
        char mode[5] = "";
        if (std::sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, mode) == 3 && mode[0] == 'r' && mode[1] == 'w' &&
            to - from < (std::uintptr_t{1} << 30))
            ranges.emplace_back(from, to);
    }
    REQUIRE(ranges.size() > 3);
    const Pattern pattern(masked);
    Found found;
    const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    for (const auto& [from, to] : ranges) search_written(pagemap, from, to, pattern, found);
    close(pagemap);
    return found;
}

}  // namespace

TEST_CASE("of a key file's text no copy is made, and of the key one, which is wiped in the end") {
    const Directory d;
    const std::string path = d.path + "/keys";
    const Masked masked = draw(1);
    write_key_file(path, masked, "gcm-aes-256");
    CHECK(search_everywhere(masked) == Found{0, 0});
    {
        std::optional<cli::KeyFileText> text;
        {
            auto read = cli::KeyFileText::read(path);
            REQUIRE(read);
            text.emplace(std::move(*read));
        }
        CHECK(search_everywhere(masked) == Found{0, 2});
        const auto keys = cli::parse_decode_keys(text->text());
        REQUIRE(keys);
        CHECK(search_everywhere(masked) == Found{2, 2});
        text.reset();
        CHECK(search_everywhere(masked) == Found{2, 0});
    }
    CHECK(search_everywhere(masked) == Found{0, 0});
}

TEST_CASE("a list with mistakes leaves nothing of its keys behind") {
    const Directory d;
    const std::string path = d.path + "/keys";
    const Masked masked = draw(2);
    for (const char* suite : {"gcm-aes-128", "gcm-aes-xpn-256", "aes"}) {
        write_key_file(path, masked, suite);
        const Ran ran = run(options(path, path));
        CHECK(ran.code == cli::kUsage);
        CHECK_FALSE(ran.err.empty());
        CHECK(search_everywhere(masked) == Found{0, 0});
    }
}

TEST_CASE("of a CAK one copy is made, which is wiped when its ICK and KEK are made") {
    const Directory d;
    const std::string path = d.path + "/keys";
    const Masked masked = draw(4);
    write_cak_file(path, masked);
    std::optional<cli::MkaDecoder> mka;
    {
        auto text = cli::KeyFileText::read(path);
        REQUIRE(text);
        const auto caks = cli::parse_caks(text->text());
        REQUIRE(caks);
        CHECK(search_everywhere(masked) == Found{2, 2});
        auto created = cli::MkaDecoder::create(*caks);
        REQUIRE(created);
        mka.emplace(std::move(*created));
    }
    CHECK(search_everywhere(masked) == Found{0, 0});
}

TEST_CASE("after a run nothing of the CAKs is left") {
    const Directory d;
    const std::string path = d.path + "/keys";
    const Masked masked = draw(5);
    write_cak_file(path, masked);
    cli::Options o = options(std::string(DEMARC_SOURCE_ROOT) + "/tests/golden/mka/mka-wpa210-cak256.pcap", "");
    o.mka_keys = path;
    CHECK(run(o).code == cli::kNotOk);
    CHECK(search_everywhere(masked) == Found{0, 0});
}

TEST_CASE("after a run nothing of the keys is left") {
    const Directory d;
    const std::string path = d.path + "/keys";
    const Masked masked = draw(3);
    write_key_file(path, masked, "gcm-aes-256");
    const Ran ran =
        run(options(std::string(DEMARC_SOURCE_ROOT) + "/tests/golden/macsec/static-gcm-aes-256-integ.pcap", path));
    CHECK(ran.code == cli::kNotOk);
    CHECK(search_everywhere(masked) == Found{0, 0});
}
