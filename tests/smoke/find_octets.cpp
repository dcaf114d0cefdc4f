// Looks for octets where they must not be (or must be: a search that finds nothing proves nothing by itself).
//
//   find_octets NEEDLES [--pid PID] [FILE...]   one line per find: WHERE OFFSET LABEL; the last line says what was read
//   find_octets --hold HEX                      keeps 48 octets in vector registers, says `holding`, and waits
//
// NEEDLES: lines of LABEL and HEX, at least 8 octets each. WHERE is a file, or a mapping: `locked`
// (where keys belong), `huge` or `open`, and its name. Of PID
// every mapping the kernel lets us read is read, hugepages and devices' rings included.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

using Octets = std::vector<std::uint8_t>;
constexpr std::size_t kHead = 8;  // octets that are looked up
constexpr std::size_t kChunk = 4u << 20;
constexpr std::size_t kLongest = 256;  // octets of a needle: chunks overlap by so many
constexpr std::size_t kBits = 1u << 24;

Octets from_hex(const std::string& text) {
    Octets out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
    return out;
}

std::uint64_t head_of(const std::uint8_t* p) {
    std::uint64_t v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

class Needles {
public:
    explicit Needles(const std::string& file) : may_begin_(kBits) {
        std::ifstream in(file);
        for (std::string label, hex; in >> label >> hex;) add(label, from_hex(hex));
    }
    std::size_t size() const { return by_head_.size(); }

    // Calls found(offset, label) for each that begins in the first `limit` octets.
    template <class Found>
    void search(std::span<const std::uint8_t> in, std::size_t limit, Found found) const {
        for (std::size_t i = 0; i < limit && i + kHead <= in.size(); ++i) {
            const std::uint64_t head = head_of(in.data() + i);
            if (!may_begin_[head % kBits]) continue;
            const auto [begin, end] = by_head_.equal_range(head);
            for (auto n = begin; n != end; ++n) {
                const auto& [label, octets] = n->second;
                if (octets.size() <= in.size() - i && std::memcmp(octets.data(), in.data() + i, octets.size()) == 0)
                    found(i, label);
            }
        }
    }

private:
    void add(const std::string& label, Octets octets) {
        if (octets.size() < kHead || octets.size() > kLongest) throw std::runtime_error("needle of a bad length");
        const std::uint64_t head = head_of(octets.data());
        may_begin_[head % kBits] = true;
        by_head_.emplace(head, std::pair(label, std::move(octets)));
    }
    std::vector<bool> may_begin_;
    std::unordered_multimap<std::uint64_t, std::pair<std::string, Octets>> by_head_;
};

struct Totals {
    std::uint64_t octets{}, hugepages{}, places{}, unreadable{};
};

// From `start` to `end`, or to where reading ends. False: not a single octet could be read.
bool search_range(const Needles& needles, int fd, std::uint64_t start, std::uint64_t end, const std::string& where,
                  Totals& totals) {
    Octets chunk(kChunk + kLongest);
    bool any = false;
    for (std::uint64_t at = start; at < end; at += kChunk) {
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), end - at));
        std::size_t n = 0;
        while (n < want) {
            const ssize_t got = pread(fd, chunk.data() + n, want - n, static_cast<off_t>(at + n));
            if (got <= 0) break;
            n += static_cast<std::size_t>(got);
        }
        if (n == 0) return any;
        any = true;
        totals.octets += std::min(n, kChunk);
        needles.search({chunk.data(), n}, kChunk, [&](std::size_t offset, const std::string& label) {
            fmt::print("{} {:#x} {}\n", where, at + offset, label);
        });
        if (n < want) return any;
    }
    return any;
}

struct Mapping {
    std::uint64_t start{}, end{};
    std::string mode, name, flags;
};

std::vector<Mapping> mappings(const std::string& pid) {
    std::ifstream in("/proc/" + pid + "/smaps");
    std::vector<Mapping> all;
    for (std::string line; std::getline(in, line);) {
        std::uint64_t start, end;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &start, &end) == 2) {
            std::istringstream words(line);
            std::string skip;
            Mapping m{start, end, {}, {}, {}};
            words >> skip >> m.mode >> skip >> skip >> skip >> m.name;
            all.push_back(std::move(m));
        } else if (line.starts_with("VmFlags: ")) {
            all.back().flags = line.substr(9);
        }
    }
    return all;
}

bool has(const Mapping& m, std::string_view flag) {
    std::istringstream words(m.flags);
    for (std::string word; words >> word;)
        if (word == flag) return true;
    return false;
}

void search_process(const Needles& needles, const std::string& pid, Totals& totals) {
    const int fd = open(("/proc/" + pid + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw std::runtime_error("/proc/" + pid + "/mem: " + std::strerror(errno));
    for (const Mapping& m : mappings(pid)) {
        // As macsec/secret.h makes it: locked, not dumped, empty in a child; and no hugepage, whatever it says.
        const bool secret = has(m, "lo") && has(m, "dd") && has(m, "wf") && !has(m, "ht");
        const std::string where = fmt::format("{}:{}",
                                              secret         ? "locked"
                                              : has(m, "ht") ? "huge"
                                                             : "open",
                                              m.name.empty() ? "anonymous" : m.name);
        if (m.mode[0] != 'r') continue;
        if (!search_range(needles, fd, m.start, m.end, where, totals)) {
            ++totals.unreadable;
            fmt::print(stderr, "not readable: {:#x}-{:#x} {} {}\n", m.start, m.end, m.name, m.flags);
            continue;
        }
        ++totals.places;
        if (has(m, "ht")) totals.hugepages += m.end - m.start;
    }
    close(fd);
}

void search_file(const Needles& needles, const std::string& path, Totals& totals) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat s {};
    if (fd < 0 || fstat(fd, &s) != 0) throw std::runtime_error(path + ": " + std::strerror(errno));
    search_range(needles, fd, 0, static_cast<std::uint64_t>(s.st_size), path, totals);
    ++totals.places;
    close(fd);
}

// 48 octets: 16 in an xmm, 16 in the upper half of a ymm, 16 in a register that only AVX-512 knows, if there is one.
[[noreturn]] void hold(Octets o) {
    if (o.size() != 48) throw std::runtime_error("48 octets");
    fmt::print("holding\n");
    std::fflush(stdout);
    const std::uint8_t* at = o.data();
    if (__builtin_cpu_supports("avx512f"))
        asm volatile("vbroadcasti32x4 %0, %%zmm20" ::"m"(*reinterpret_cast<const std::uint8_t(*)[16]>(at + 32)));
    asm volatile("vmovdqu %0, %%xmm8" ::"m"(*reinterpret_cast<const std::uint8_t(*)[16]>(at)) : "xmm8");
    asm volatile("vinserti128 $1, %0, %%ymm9, %%ymm9" ::"m"(*reinterpret_cast<const std::uint8_t(*)[16]>(at + 16))
                 : "xmm9");
    for (;;) {
        long result = SYS_pause;
        asm volatile("syscall" : "+a"(result)::"rcx", "r11", "memory");
    }
}

int run(std::span<char*> arguments) {
    if (arguments.size() == 3 && std::string_view(arguments[1]) == "--hold") hold(from_hex(arguments[2]));
    if (arguments.size() < 2) return 2;
    const Needles needles(arguments[1]);
    Totals totals;
    for (std::size_t i = 2; i < arguments.size(); ++i) {
        if (std::string_view(arguments[i]) == "--pid" && i + 1 < arguments.size())
            search_process(needles, arguments[++i], totals);
        else
            search_file(needles, arguments[i], totals);
    }
    fmt::print("searched: octets {} hugepages {} places {} unreadable {} needles {}\n", totals.octets, totals.hugepages,
               totals.places, totals.unreadable, needles.size());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv, static_cast<std::size_t>(argc)});
    } catch (const std::exception& e) {
        fmt::print(stderr, "find_octets: {}\n", e.what());
        return 1;
    }
}
