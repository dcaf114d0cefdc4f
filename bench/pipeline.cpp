// bench-pipeline: the product's own worker on frames that come from memory, beside what the same frames cost without
// it. Driven by tools/bench, which puts dpdk-testpmd between the rounds and does the arithmetic.
//
//  1. Draw frames, seal those of `verify`, write them to capture files; a port for each file.
//  2. Say what there is: one line of JSON.
//  3. For each line of standard input one line of JSON:
//     round PACKETS    every variant once, in turn: nanoseconds of thread CPU time per packet
//     stages           cycles of each stage per packet, from the worker's stage clocks
//  4. At the end of input: 0 when every frame that came in went out, 1 when not, 2 when set-up failed.
//
// bench-pipeline [--scenario NAME]... [--octets N]... [--suite NAME] [--no-huge] DIRECTORY
#include <fmt/format.h>
#include <rte_cycles.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "bench/loop_port.h"
#include "bench/raw_cipher.h"
#include "bench/scenario.h"
#include "dataplane/eal.h"

namespace {

using namespace bench;
using nlohmann::json;

constexpr std::size_t kTextLess = 8;                    // octets: a frame's addresses, but its tag
constexpr int kBaselineTexts[] = {64, 238, 494, 1486};  // rows that research has numbers for
constexpr std::uint64_t kSampledTurns = 64;             // the worker times one turn in so many
constexpr std::size_t kStageSamples = 31;
constexpr unsigned kSlices = 5;
constexpr unsigned kSliceUnit = 8 * kFrames;  // an eighth of a slice, the warm-up, is whole files

struct Options {
    std::vector<Kind> kinds;
    std::vector<std::size_t> octets;
    macsec::CipherSuite suite{macsec::CipherSuite::gcm_aes_128};
    bool hugepages{true};
    std::string directory;
};

struct Variant {
    std::unique_ptr<Scenario> scenario;
    std::vector<std::uint16_t> receiving;  // ethdevs
    std::string file;                      // of port A
    std::size_t received_octets{};
};

[[noreturn]] void fail(const std::string& why) {
    fmt::print(stderr, "bench-pipeline: {}\n", why);
    std::exit(2);
}

[[noreturn]] void usage() {
    fmt::print(stderr,
               "usage: bench-pipeline [--scenario NAME]... [--octets 64..1518]... [--suite NAME] [--no-huge] "
               "DIRECTORY\n");
    std::exit(2);
}

std::string_view name_of(Kind k) { return kKindWords[static_cast<std::size_t>(k)]; }

Kind parse_kind(std::string_view word) {
    const auto found = std::ranges::find(kKindWords, word);
    if (found == kKindWords.end()) usage();
    return static_cast<Kind>(found - kKindWords.begin());
}

std::size_t parse_number(std::string_view word) {
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), n);
    return error == std::errc{} && end == word.data() + word.size() ? n : 0;
}

Options read_options(int argc, char** argv) {
    Options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto next = [&]() -> std::string_view { return i + 1 < argc ? argv[++i] : ""; };
        if (word == "--no-huge") {
            o.hugepages = false;
        } else if (word == "--scenario") {
            o.kinds.push_back(parse_kind(next()));
        } else if (word == "--octets") {
            o.octets.push_back(parse_number(next()));
            if (o.octets.back() < 64 || o.octets.back() > 1518) usage();
        } else if (word == "--suite") {
            const auto suite = macsec::cipher_suite_from(next());
            if (!suite) usage();
            o.suite = *suite;
        } else if (o.directory.empty() && !word.starts_with("-")) {
            o.directory = word;
        } else {
            usage();
        }
    }
    if (o.directory.empty()) usage();
    if (o.kinds.empty()) o.kinds = {Kind::forward, Kind::forward_vlan, Kind::protect, Kind::verify};
    if (o.octets.empty()) o.octets = {64, 238, 494, 1486};
    return o;
}

rte_mempool* start(const Options& o) {
    dataplane::EalSetup eal;
    eal.cpus = dataplane::usable_cpus();
    eal.hugepages = o.hugepages;
    eal.avx512 = dataplane::has_avx512();
    eal.memory_mib = o.hugepages ? 0 : 256;
    if (auto started = dataplane::start_eal(eal); !started) fail(started.error());
    const auto ports = static_cast<std::uint32_t>(o.kinds.size() * o.octets.size() * 2);
    auto pool = dataplane::make_pool(ports * static_cast<std::uint32_t>(kFrames) + 4096, 2176, o.hugepages);
    if (!pool) fail(pool.error());
    return *pool;
}

Variant make_variant(const Options& o, const Common& common, Kind kind, std::size_t octets) {
    Variant v;
    for (std::size_t port = 0; port < 2; ++port) {
        const auto frames = frames_for(kind, o.suite, port, octets);
        if (frames.empty()) continue;
        const auto name = fmt::format("{}_{}_{}", name_of(kind), octets, port == 0 ? "a" : "b");
        const auto file = fmt::format("{}/{}.pcap", o.directory, name);
        if (!write_pcap(file, frames)) fail(fmt::format("{} cannot be written", file));
        const auto ethdev = open_loop_port(name, file, common.pool);
        if (!ethdev) fail(ethdev.error());
        v.receiving.push_back(*ethdev);
        if (port != 0) continue;
        v.file = file;
        v.received_octets = frames[0].size();
    }
    const std::array ethdevs{v.receiving.front(), v.receiving.back()};
    v.scenario = std::make_unique<Scenario>(common, kind, o.suite, octets, ethdevs);
    return v;
}

json describe(const Options& o, const std::vector<Variant>& variants) {
    json list = json::array();
    for (const Variant& v : variants)
        list.push_back({{"scenario", name_of(v.scenario->kind())},
                        {"octets", v.scenario->octets()},
                        {"received_octets", v.received_octets},
                        {"file", v.file}});
    return {{"variants", list},
            {"suite", macsec::to_string(o.suite)},
            {"hugepages", o.hugepages},
            {"tsc_ghz", static_cast<double>(rte_get_tsc_hz()) / 1e9}};
}

double raw(const Options& o, raw_cipher_row row, int text, unsigned packets) {
    return raw_cipher(macsec::sak_octets(o.suite) == 32, row, text, packets);
}

double measure(Scenario& s, std::uint64_t packets) {
    s.turns(packets / 8);
    const double start = thread_cpu_ns();
    const std::uint64_t in = s.turns(packets);
    return (thread_cpu_ns() - start) / static_cast<double>(std::max<std::uint64_t>(in, 1));
}

// Raw cipher, harness and router of one variant stand next to each other in time, in short slices: most see no other
// program. The median slice counts.
json measure_variant(const Options& o, Variant& v, unsigned packets) {
    const Kind kind = v.scenario->kind();
    const auto text = static_cast<int>(v.scenario->octets() - kTextLess);
    const unsigned slice = std::max(packets / kSlices / kSliceUnit, 1u) * kSliceUnit;
    std::map<std::string, std::vector<double>> slices;
    for (unsigned i = 0; i < kSlices; ++i) {
        if (kind == Kind::protect) {
            slices["raw"].push_back(raw(o, raw_enc_cold, text, slice));
            slices["raw_hot"].push_back(raw(o, raw_enc_hot, text, slice));
        }
        if (kind == Kind::verify) slices["raw"].push_back(raw(o, raw_dec_cold, text, slice));
        slices["io"].push_back(measure_io(v.receiving, slice));
        slices["gross"].push_back(measure(*v.scenario, slice));
    }
    json row{{"scenario", name_of(kind)}, {"octets", v.scenario->octets()}};
    for (auto& [name, values] : slices) {
        std::ranges::nth_element(values, values.begin() + kSlices / 2);
        row[name] = values[kSlices / 2];
    }
    return row;
}

json round(const Options& o, std::vector<Variant>& variants, unsigned packets) {
    json rows = json::array(), baseline = json::array();
    for (Variant& v : variants) rows.push_back(measure_variant(o, v, packets));
    for (const int text : kBaselineTexts) {
        baseline.push_back({{"row", "enc"}, {"text", text}, {"ns", raw(o, raw_enc_cold, text, packets)}});
        baseline.push_back({{"row", "dec"}, {"text", text}, {"ns", raw(o, raw_dec_cold, text, packets)}});
    }
    return {{"core_ghz", raw_cipher_core_ghz()}, {"variants", rows}, {"baseline", baseline}};
}

using Cycles = std::array<double, dataplane::kStages>;

// The stage clocks' advance over one timed turn, per received frame.
Cycles sample_stages(Scenario& s, std::size_t ports) {
    const auto& clocks = dataplane::counters(s.worker()).clocks;
    std::array<std::uint64_t, dataplane::kStages> before;
    for (std::size_t i = 0; i < before.size(); ++i) before[i] = clocks[i].cycles.get();
    const std::uint64_t frames = clocks[0].frames.get();
    s.turns(kSampledTurns * dataplane::kBatch * ports);
    const double n = static_cast<double>(std::max<std::uint64_t>(clocks[0].frames.get() - frames, 1));
    Cycles c{};
    for (std::size_t i = 0; i < c.size(); ++i) c[i] = static_cast<double>(clocks[i].cycles.get() - before[i]) / n;
    return c;
}

json stages(std::vector<Variant>& variants) {
    json rows = json::array();
    for (Variant& v : variants) {
        v.scenario->time_stages(true);
        sample_stages(*v.scenario, v.receiving.size());
        std::vector<Cycles> samples;
        while (samples.size() < kStageSamples) samples.push_back(sample_stages(*v.scenario, v.receiving.size()));
        v.scenario->time_stages(false);
        json cycles = json::object();
        for (std::size_t i = 0; i < dataplane::kStages; ++i) {
            std::ranges::nth_element(samples, samples.begin() + kStageSamples / 2, {},
                                     [i](const Cycles& c) { return c[i]; });
            cycles[std::string(dataplane::kStageWords[i])] = samples[kStageSamples / 2][i];
        }
        rows.push_back(
            {{"scenario", name_of(v.scenario->kind())}, {"octets", v.scenario->octets()}, {"cycles", cycles}});
    }
    return {{"stages", rows}};
}

void answer(const Options& o, std::vector<Variant>& variants, std::string_view line) {
    constexpr std::string_view kRound = "round ";
    if (line == "stages") {
        fmt::print("{}\n", stages(variants).dump());
    } else if (const auto packets = line.starts_with(kRound) ? parse_number(line.substr(kRound.size())) : 0;
               packets >= 1024 && packets <= 100'000'000) {
        fmt::print("{}\n", round(o, variants, static_cast<unsigned>(packets)).dump());
    } else {
        fail(fmt::format("'{}' is neither 'round PACKETS' nor 'stages'", line));
    }
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv);
    rte_mempool* const pool = start(options);
    auto common = make_common(pool);
    if (!common) fail(common.error());
    raw_cipher_start();
    std::vector<Variant> variants;
    for (const std::size_t octets : options.octets)
        for (const Kind kind : options.kinds) variants.push_back(make_variant(options, *common, kind, octets));
    fmt::print("{}\n", describe(options, variants).dump());
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) answer(options, variants, line);
    bool whole = true;
    for (const Variant& v : variants)
        if (const auto lost = v.scenario->lost()) {
            fmt::print(stderr, "bench-pipeline: {}\n", *lost);
            whole = false;
        }
    return whole ? 0 : 1;
}
