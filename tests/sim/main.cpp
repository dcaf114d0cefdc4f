// mka-sim [--runs N] [--seed S] [--only-seed X] [--seeds FILE] [--verbose] [--soak] [--expect-violation]
//
// Simulates KaYs, run by run, each from its own seed: S, S+1, ... The first violation ends it: the seed is printed, and
// --only-seed X --verbose shows that run alone; --seeds takes the number each line of FILE begins with.
// --expect-violation: exit 0 exactly if one is found (for mutants). Exit 1 also when a kind of fault is in fewer than
// 20 % of 10,000 runs or more.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace {

struct Options {
    std::uint64_t runs{1000};
    std::optional<std::uint64_t> seed;
    std::vector<std::uint64_t> only;
    bool verbose{}, soak{}, expect_violation{};
};

std::vector<std::uint64_t> seeds_in(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::uint64_t> seeds;
    for (std::string line; std::getline(file, line);)
        if (!line.empty() && line[0] != '#') seeds.push_back(std::stoull(line));
    if (seeds.empty()) throw std::runtime_error("no seeds in " + path);
    return seeds;
}

Options parse(int argc, char** argv) {
    Options o;
    const auto number = [&](int& i) {
        if (i + 1 >= argc) throw std::runtime_error("a number is missing");
        return std::strtoull(argv[++i], nullptr, 0);
    };
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--runs") == 0)
            o.runs = number(i);
        else if (std::strcmp(argv[i], "--seed") == 0)
            o.seed = number(i);
        else if (std::strcmp(argv[i], "--only-seed") == 0)
            o.only = {number(i)};
        else if (std::strcmp(argv[i], "--seeds") == 0)
            o.only = seeds_in(i + 1 < argc ? argv[++i] : "");
        else if (std::strcmp(argv[i], "--verbose") == 0)
            o.verbose = true;
        else if (std::strcmp(argv[i], "--soak") == 0)
            o.soak = true;
        else if (std::strcmp(argv[i], "--expect-violation") == 0)
            o.expect_violation = true;
        else
            throw std::runtime_error(std::string("unknown option ") + argv[i]);
    }
    return o;
}

constexpr std::uint64_t kFirstSeed = 1, kFirstSoakSeed = 10'000'000;  // a soak repeats nothing of the other tiers

struct Tally {
    std::uint64_t runs{}, pdus{}, chaos{}, calm{}, restart{};
    std::array<std::uint64_t, sim::kFaultKinds> happened{};
    std::vector<std::uint32_t> recovery_ms, restart_ms;

    void add(const sim::Scenario& s, const sim::Outcome& o) {
        ++runs;
        pdus += o.pdus;
        ++(s.kind == sim::Kind::chaos ? chaos : s.kind == sim::Kind::calm ? calm : restart);
        for (std::size_t i = 0; i < happened.size(); ++i) happened[i] += o.happened[i];
        if (!o.recovery) return;
        (s.kind == sim::Kind::restart ? restart_ms : recovery_ms)
            .push_back(static_cast<std::uint32_t>(*o.recovery / sim::kMillisecond));
    }
};

// Each kind of fault shall be in this share of runs, or the simulation judges less than it says.
constexpr std::uint64_t kLeastPercent = 20, kEnoughRuns = 10'000;

bool all_faults_are_frequent(const Tally& t) {
    if (t.runs < kEnoughRuns) return true;
    bool good = true;
    for (std::size_t i = 0; i < t.happened.size(); ++i) {
        if (t.happened[i] * 100 >= t.runs * kLeastPercent) continue;
        good = false;
        std::printf("%s is in fewer than %llu %% of runs\n", std::string(word(static_cast<sim::FaultKind>(i))).c_str(),
                    static_cast<unsigned long long>(kLeastPercent));
    }
    return good;
}

void print_times(const char* what, std::vector<std::uint32_t>& ms) {
    if (ms.empty()) return;
    std::sort(ms.begin(), ms.end());
    std::printf("%s: median %u ms, 99 %% %u ms, 99.9 %% %u ms, longest %u ms\n", what, ms[ms.size() / 2],
                ms[ms.size() * 99 / 100], ms[ms.size() * 999 / 1000], ms.back());
}

void print(Tally& t, double seconds) {
    std::printf("%llu runs (%llu with any faults, %llu calm, %llu restarts), %llu PDUs, %.1f s, %.0f runs/s\n",
                static_cast<unsigned long long>(t.runs), static_cast<unsigned long long>(t.chaos),
                static_cast<unsigned long long>(t.calm), static_cast<unsigned long long>(t.restart),
                static_cast<unsigned long long>(t.pdus), seconds, static_cast<double>(t.runs) / seconds);
    for (std::size_t i = 0; i < t.happened.size(); ++i)
        std::printf("  %-15s in %4.1f %% of runs\n", std::string(word(static_cast<sim::FaultKind>(i))).c_str(),
                    100.0 * static_cast<double>(t.happened[i]) / static_cast<double>(t.runs));
    print_times("secured again after the last fault", t.recovery_ms);
    print_times("secured again after a restart alone", t.restart_ms);
}

}  // namespace

int main(int argc, char** argv) try {
    const Options o = parse(argc, argv);
    const auto began = std::chrono::steady_clock::now();
    Tally tally;
    const std::uint64_t first = o.seed.value_or(o.soak ? kFirstSoakSeed : kFirstSeed),
                        count = o.only.empty() ? o.runs : o.only.size();
    for (std::uint64_t i = 0; o.soak || i < count; ++i) {
        const sim::Scenario s = sim::scenario_of(o.only.empty() ? first + i : o.only[i]);
        const sim::Outcome outcome = sim::World(s, o.verbose).run();
        tally.add(s, outcome);
        if (outcome.violation) {
            std::printf("seed %llu, at %.4f s, after %llu runs: %s (%s)\n", static_cast<unsigned long long>(s.seed),
                        static_cast<double>(outcome.violation_at) / 1e9, static_cast<unsigned long long>(i + 1),
                        outcome.violation->what.c_str(), outcome.violation->detail.c_str());
            return o.expect_violation ? 0 : 1;
        }
        if (o.soak && i % 100'000 == 99'999) {
            std::printf("%llu runs\n", static_cast<unsigned long long>(i + 1));
            std::fflush(stdout);
        }
    }
    print(tally, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    if (o.expect_violation) std::printf("no violation was found\n");
    return o.expect_violation || !all_faults_are_frequent(tally) ? 1 : 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "mka-sim: %s\n", e.what());
    return 2;
}
