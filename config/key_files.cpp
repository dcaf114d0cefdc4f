// 1. Open and look at the file (not its name: no race). 2. Read it into a buffer that is wiped. 3. Take the key out of
// it.
#include "config/key_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <new>

#include "config/rules.h"

namespace config {
namespace {

constexpr std::string_view kRules[] = {"key-file-missing", "key-file-kind",   "key-file-mode",  "key-file-owner",
                                       "key-file-content", "key-file-length", "key-file-twice", "password-content"};

constexpr std::size_t kMaxKeyFileOctets = 512;

// A page for secrets: locked where the limits allow, left out of core dumps and children, wiped at the end.
class SecretPage {
public:
    static constexpr std::size_t kOctets = 4096;
    SecretPage() : page_(mmap(nullptr, kOctets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        if (page_ == MAP_FAILED) throw std::bad_alloc();
        (void)mlock(page_, kOctets);
        (void)madvise(page_, kOctets, MADV_DONTDUMP);
        (void)madvise(page_, kOctets, MADV_WIPEONFORK);
    }
    ~SecretPage() {
        explicit_bzero(page_, kOctets);
        munmap(page_, kOctets);
    }
    SecretPage(const SecretPage&) = delete;
    SecretPage& operator=(const SecretPage&) = delete;
    std::span<std::uint8_t> octets() { return {static_cast<std::uint8_t*>(page_), kOctets}; }

private:
    void* page_;
};

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

std::unexpected<Diagnostic> refuse(std::string_view rule, std::string message, std::string remedy) {
    return std::unexpected(Diagnostic{{}, std::string(rule), std::move(message), std::move(remedy)});
}

std::expected<void, Diagnostic> look_at(int fd, const std::string& file, uid_t us) {
    struct stat s {};
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        return refuse("key-file-kind", fmt::format("{} is no regular file", file), "name a file that holds the key");
    if ((s.st_mode & 0077) != 0)
        return refuse("key-file-mode", fmt::format("{} has mode {:04o}: others may use it", file, s.st_mode & 07777),
                      fmt::format("chmod 0600 {}; and draw a new key, this one has been readable", file));
    if (s.st_uid != us && s.st_uid != 0)
        return refuse("key-file-owner", fmt::format("{} belongs to user {}", file, s.st_uid),
                      "give it to root, or to the user demarcd runs as");
    return {};
}

// The file's content without the white space around it.
std::expected<std::string_view, Diagnostic> read_file(const std::string& file, uid_t us, std::span<std::uint8_t> into) {
    const Descriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (fd.get() < 0)
        return refuse("key-file-missing", fmt::format("{} cannot be opened: {}", file, std::strerror(errno)),
                      "create it with mode 0600");
    if (auto looked = look_at(fd.get(), file, us); !looked) return std::unexpected(std::move(looked.error()));
    std::size_t n = 0;
    for (;;) {
        const ssize_t got = read(fd.get(), into.data() + n, kMaxKeyFileOctets - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return refuse("key-file-missing", fmt::format("{} cannot be read: {}", file, std::strerror(errno)),
                          "mend the file system");
        if (got == 0) break;
        n += static_cast<std::size_t>(got);
        if (n == kMaxKeyFileOctets)
            return refuse("key-file-content", fmt::format("{} is too long", file), "keep one line with the key in it");
    }
    constexpr std::string_view kSpace = " \t\r\n";
    std::string_view text(reinterpret_cast<const char*>(into.data()), n);
    text = text.substr(0, text.find_last_not_of(kSpace) + 1);
    return text.substr(std::min(text.find_first_not_of(kSpace), text.size()));
}

int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

std::string words_for(std::span<const std::size_t> lengths) {
    std::string s;
    for (const auto n : lengths) s += fmt::format("{}{}", s.empty() ? "" : " or ", 2 * n);
    return s + " hexadecimal digits";
}

}  // namespace

std::expected<std::size_t, Diagnostic> read_key(const std::string& file, KeyKind kind,
                                                std::span<const std::size_t> lengths, std::span<std::uint8_t> room,
                                                uid_t us) {
    SecretPage buffer;
    const auto content = read_file(file, us, buffer.octets());
    if (!content) return std::unexpected(content.error());
    const std::string_view word = kind == KeyKind::sak ? "sak:" : "cak:";
    std::string_view hex = *content;
    if (hex.starts_with(word)) hex = hex.substr(std::min(hex.find_first_not_of(" \t", word.size()), hex.size()));
    const std::string remedy = fmt::format("keep one line in it: `{} ` and {}", word, words_for(lengths));
    if (std::ranges::any_of(hex, [](char c) { return digit(c) < 0; }))
        return refuse("key-file-content", fmt::format("{} holds more than hexadecimal digits", file), remedy);
    if (hex.size() % 2 != 0)
        return refuse("key-file-content", fmt::format("{} holds an odd number of digits", file), remedy);
    const std::size_t n = hex.size() / 2;
    if (std::ranges::find(lengths, n) == lengths.end() || n > room.size())
        return refuse("key-file-length", fmt::format("{} holds {} octets", file, n), remedy);
    if (std::ranges::all_of(hex, [](char c) { return c == '0'; }))
        return refuse("key-file-content", fmt::format("{} holds the key zero", file),
                      fmt::format("draw one: openssl rand -hex {}", n));
    for (std::size_t i = 0; i < n; ++i)
        room[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return n;
}

std::expected<std::size_t, Diagnostic> read_password(const std::string& file, std::span<std::uint8_t> room, uid_t us) {
    SecretPage buffer;
    const auto content = read_file(file, us, buffer.octets());
    if (!content) return std::unexpected(content.error());
    const bool good = !content->empty() && content->size() <= std::min<std::size_t>(80, room.size()) &&
                      std::ranges::all_of(*content, [](char c) { return c > 0x20 && c < 0x7F; });
    if (!good)
        return refuse("password-content", fmt::format("{} holds no usable password", file),
                      "keep one line of 1 to 80 printable characters, no space");
    std::memcpy(room.data(), content->data(), content->size());
    return content->size();
}

namespace {

// Reads each file once and says what is wrong with it wherever it is named.
class Checker {
public:
    Checker(const Model& m, uid_t us, Report& report) : m_(m), us_(us), report_(report) {}

    void check_sak(const std::string& path, const std::string& file, std::size_t octets) {
        SecretPage& page = saks_.try_emplace(file).first->second;
        check(path, read_key(file, KeyKind::sak, std::array{octets}, page.octets(), us_));
    }
    void check_cak(const std::string& path, const std::string& file) {
        SecretPage page;
        check(path, read_key(file, KeyKind::cak, std::array<std::size_t, 2>{16, 32}, page.octets(), us_));
    }
    void check_password(const std::string& path, const std::string& file) {
        SecretPage page;
        check(path, read_password(file, page.octets(), us_));
    }
    // Each SAK file, and the first file that holds the same key.
    std::map<std::string, std::string> same_keys() {
        std::map<std::string, std::string> same;
        for (auto& [file, page] : saks_)
            for (auto& [first, other] : saks_)
                if (std::memcmp(page.octets().data(), other.octets().data(), 32) == 0) {
                    same[file] = first;
                    break;
                }
        return same;
    }

private:
    void check(const std::string& path, const std::expected<std::size_t, Diagnostic>& got) {
        if (!got) report_.add(place_of(m_.places, path), got.error().rule, got.error().message, got.error().remedy);
    }

    const Model& m_;
    uid_t us_;
    Report& report_;
    std::map<std::string, SecretPage> saks_;
};

}  // namespace

std::vector<Diagnostic> check_key_files(const Model& m, uid_t us) {
    Report report;
    Checker checker(m, us, report);
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        for_each_sa(s, path, [&](const StaticSa& sa, const macsec::Sci*, const std::string& where) {
            if (!report.full()) checker.check_sak(where + ".key-file", sa.key_file, macsec::sak_octets(s.cipher_suite));
        });
        for_each_mka_key(s, path, [&](const MkaKey& key, const std::string& where) {
            if (!report.full()) checker.check_cak(where + ".cak-file", key.cak_file);
        });
    });
    for (std::size_t i = 0; m.bgp && i < m.bgp->neighbors.size() && !report.full(); ++i)
        if (const auto& file = m.bgp->neighbors[i].password_file; !file.empty())
            checker.check_password(fmt::format("bgp.neighbors[{}].password-file", i), file);
    if (report.empty()) {
        Findings findings(m.places, "key-file-twice", report);
        find_repeated_ivs(m, checker.same_keys(), findings);
    }
    return report.take();
}

std::span<const std::string_view> key_file_rules() { return kRules; }

}  // namespace config
