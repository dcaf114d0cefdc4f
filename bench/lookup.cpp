// bench-lookup: longest-prefix match, ours beside DPDK's rte_fib (DIR24_8) and rte_fib6 (TRIE), over the same routes.
//
//  1. Draw routes and a million addresses inside them.
//  2. Insert the routes everywhere; a variant that refuses one is shown as incomplete and is no bar.
//  3. Check that every complete variant answers like ours.
//  4. Rounds: each variant in turn looks up all addresses in bulks of 32; thread CPU time; the median counts.
//
// bench-lookup [--routes N] [--rounds N] [--json]; exits 1 when answers differ or no bar is complete, 2 when set-up
// fails.
#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_version.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "bench/lookup_routes.h"
#include "dataplane/fib.h"

namespace {

using namespace bench;
using dataplane::Leaf;
using dataplane::LeafKind;

constexpr std::size_t kBulk = 32;
constexpr std::size_t kAddresses = std::size_t{1} << 20;

struct Options {
    std::size_t routes{100'000}, rounds{15};
    bool json{};
};

struct Variant {
    std::string name;
    bool complete{true};                                              // every route is in it
    double insert_ns{};                                               // per route
    std::function<void(std::vector<std::uint32_t>* answers)> pass{};  // over all addresses; null: only the time counts
    std::vector<double> ns{};                                         // per lookup, by round
    std::size_t differing{};                                          // answers other than ours

    double median() const {
        auto sorted = ns;
        std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
        return sorted[sorted.size() / 2];
    }
};

template <class Address>
struct Family {
    std::vector<Route<Address>> routes;
    std::vector<Address> addresses;
    std::vector<Variant> variants;  // ours first
};

double thread_ns() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec);
}

template <class Address, class Insert>
Variant insert_all(std::string name, const std::vector<Route<Address>>& routes, Insert insert) {
    Variant v{.name = std::move(name)};
    const double start = thread_ns();
    for (const auto& r : routes) v.complete &= insert(r);
    v.insert_ns = (thread_ns() - start) / static_cast<double>(routes.size());
    return v;
}

// look_up(first address of a bulk, answers of the bulk), Answer being what the library writes.
template <class Answer, class LookUp, class Value>
auto pass_of(LookUp look_up, Value value) {
    return [=](std::vector<std::uint32_t>* answers) {
        Answer got[kBulk];
        for (std::size_t i = 0; i < kAddresses; i += kBulk) {
            look_up(i, got);
            if (answers)
                for (const auto& a : got) answers->push_back(value(a));
        }
    };
}

template <class Address>
void add_ours(Family<Address>& f) {
    using Fib = dataplane::Fib<Address>;
    auto made = Fib::make({24, f.routes.size() * 2 + 1024}, {[] { return 0; }, [](std::uint64_t) { return true; }});
    if (!made) {
        fmt::print(stderr, "{}\n", made.error());
        std::exit(2);
    }
    const std::shared_ptr<Fib> fib = std::move(*made);
    Variant v = insert_all("demarc", f.routes, [&](const Route<Address>& r) {
        return fib->set(r.prefix, Leaf::make(LeafKind::group, r.next_hop)) == dataplane::TableResult::ok;
    });
    const Address* a = f.addresses.data();
    v.pass = pass_of<Leaf>([=](std::size_t i, Leaf* got) { fib->lookup(a + i, got, kBulk); },
                           [](Leaf l) { return l.index(); });
    f.variants.push_back(std::move(v));
}

void add_rte_fib(Family<net::Ipv4Address>& f, const char* name, rte_fib_dir24_8_nh_sz size) {
    rte_fib_conf conf{};
    conf.type = RTE_FIB_DIR24_8;
    conf.max_routes = static_cast<int>(f.routes.size() * 2);
    conf.dir24_8.nh_sz = size;
    conf.dir24_8.num_tbl8 = 32767;
    rte_fib* fib = rte_fib_create(name, -1, &conf);
    if (!fib) return;
    const Variant v = insert_all(name, f.routes, [&](const Route<net::Ipv4Address>& r) {
        return rte_fib_add(fib, r.prefix.address.value, r.prefix.length, r.next_hop) == 0;
    });
    const std::pair<const char*, rte_fib_lookup_type> kinds[] = {{" scalar", RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO},
                                                                 {" inline", RTE_FIB_LOOKUP_DIR24_8_SCALAR_INLINE},
                                                                 {" avx512", RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512}};
    auto* a = reinterpret_cast<std::uint32_t*>(f.addresses.data());
    for (const auto& [kind, type] : kinds) {
        if (rte_fib_select_lookup(fib, type) != 0) continue;
        f.variants.push_back(v);
        f.variants.back().name += kind;
        f.variants.back().pass =
            [=, pass = pass_of<std::uint64_t>(
                    [=](std::size_t i, std::uint64_t* got) { rte_fib_lookup_bulk(fib, a + i, got, kBulk); },
                    [](std::uint64_t n) { return static_cast<std::uint32_t>(n); })](auto* answers) {
                rte_fib_select_lookup(fib, type);
                pass(answers);
            };
    }
}

#if RTE_VERSION >= RTE_VERSION_NUM(24, 11, 0, 0)
using RteAddress6 = rte_ipv6_addr;
const rte_ipv6_addr* argument(const RteAddress6& a) { return &a; }
#else
using RteAddress6 = std::uint8_t[16];
const std::uint8_t* argument(const RteAddress6& a) { return a; }
#endif

void add_rte_fib6(Family<net::Ipv6Address>& f, const char* name, rte_fib_trie_nh_sz size, std::uint32_t tbl8) {
    rte_fib6_conf conf{};
    conf.type = RTE_FIB6_TRIE;
    conf.max_routes = static_cast<int>(f.routes.size() * 2);
    conf.trie.nh_sz = size;
    conf.trie.num_tbl8 = tbl8;
    rte_fib6* fib = rte_fib6_create(name, -1, &conf);
    if (!fib) return;
    const Variant v = insert_all(name, f.routes, [&](const Route<net::Ipv6Address>& r) {
        const auto* a = reinterpret_cast<const RteAddress6*>(r.prefix.address.octets.data());
        return rte_fib6_add(fib, argument(*a), r.prefix.length, r.next_hop) == 0;
    });
    const std::pair<const char*, rte_fib6_lookup_type> kinds[] = {{" scalar", RTE_FIB6_LOOKUP_TRIE_SCALAR},
                                                                  {" avx512", RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512}};
    auto* a = reinterpret_cast<RteAddress6*>(f.addresses.data());
    for (const auto& [kind, type] : kinds) {
        if (rte_fib6_select_lookup(fib, type) != 0) continue;
        f.variants.push_back(v);
        f.variants.back().name += kind;
        f.variants.back().pass =
            [=, pass = pass_of<std::uint64_t>(
                    [=](std::size_t i, std::uint64_t* got) { rte_fib6_lookup_bulk(fib, a + i, got, kBulk); },
                    [](std::uint64_t n) { return static_cast<std::uint32_t>(n); })](auto* answers) {
                rte_fib6_select_lookup(fib, type);
                pass(answers);
            };
    }
}

template <class Address>
void compare_answers(Family<Address>& f) {
    std::vector<std::uint32_t> ours, theirs;
    f.variants[0].pass(&ours);
    for (Variant& v : f.variants) {
        theirs.clear();
        v.pass(&theirs);
        for (std::size_t i = 0; i < ours.size(); ++i) v.differing += ours[i] != theirs[i];
    }
}

template <class Address>
void measure(Family<Address>& f, std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i)
        for (Variant& v : f.variants) {
            const double start = thread_ns();
            v.pass(nullptr);
            v.ns.push_back((thread_ns() - start) / kAddresses);
        }
}

// Ours to the fastest complete other; 0: there is none.
template <class Address>
double ratio(const Family<Address>& f) {
    double best = 0;
    for (const Variant& v : f.variants)
        if (&v != &f.variants[0] && v.complete && (best == 0 || v.median() < best)) best = v.median();
    return best / f.variants[0].median();
}

template <class Address>
bool credible(const Family<Address>& f) {
    bool ok = f.variants[0].complete && ratio(f) > 0;
    for (const Variant& v : f.variants) ok &= !v.complete || v.differing == 0;
    return ok;
}

template <class Address>
nlohmann::json to_json(const char* family, const Family<Address>& f) {
    nlohmann::json rows = nlohmann::json::array();
    for (const Variant& v : f.variants)
        rows.push_back({{"name", v.name},
                        {"complete", v.complete},
                        {"differing", v.differing},
                        {"ns_per_lookup", v.median()},
                        {"mlps", 1e3 / v.median()},
                        {"insert_ns", v.insert_ns}});
    return {{"family", family}, {"routes", f.routes.size()}, {"bulk", kBulk}, {"variants", rows}, {"ratio", ratio(f)}};
}

template <class Address>
void print(const char* family, const Family<Address>& f) {
    fmt::print("{}: {} routes, random addresses inside them, bulks of {}\n", family, f.routes.size(), kBulk);
    fmt::print("  {:<24} {:>10} {:>10} {:>12}\n", "", "Mlookups/s", "ns", "insert ns");
    for (const Variant& v : f.variants)
        fmt::print("  {:<24} {:>10.1f} {:>10.2f} {:>12.0f}{}{}\n", v.name, 1e3 / v.median(), v.median(), v.insert_ns,
                   v.complete ? "" : "  incomplete",
                   v.complete && v.differing ? fmt::format("  {} answers differ", v.differing) : "");
    fmt::print("  ours is {:.2f} of the best complete one\n\n", ratio(f));
}

Options read_options(int argc, char** argv) {
    Options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto number = [&]() -> std::size_t { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
        if (word == "--json")
            o.json = true;
        else if (word == "--routes")
            o.routes = number();
        else if (word == "--rounds")
            o.rounds = number();
        else
            o.rounds = 0;
    }
    if (o.routes == 0 || o.routes > 1'000'000 || o.rounds == 0) {
        fmt::print(stderr, "usage: bench-lookup [--routes 1..1000000] [--rounds N] [--json]\n");
        std::exit(2);
    }
    return o;
}

void start_eal(std::size_t routes) {
    std::vector<std::string> words{"bench-lookup",
                                   "--no-huge",
                                   "--no-shconf",
                                   "--no-pci",
                                   "--no-telemetry",
                                   "-m",
                                   routes > 200'000 ? "6144" : "2048",
                                   "--force-max-simd-bitwidth=512",
                                   "--log-level=4"};
    std::vector<char*> argv;
    for (auto& w : words) argv.push_back(w.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0) return;
    fmt::print(stderr, "DPDK does not start: the lines above say why; it needs 2 GiB of memory\n");
    std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = read_options(argc, argv);
    start_eal(options.routes);
    Random random(20'240'101);
    Family<net::Ipv4Address> f4;
    f4.routes = draw_routes<net::Ipv4Address>(options.routes, random);
    f4.addresses = draw_addresses(kAddresses, f4.routes, random);
    add_ours(f4);
    add_rte_fib(f4, "rte_fib 2B", RTE_FIB_DIR24_8_2B);
    add_rte_fib(f4, "rte_fib 4B", RTE_FIB_DIR24_8_4B);
    Family<net::Ipv6Address> f6;
    f6.routes = draw_routes<net::Ipv6Address>(options.routes, random);
    f6.addresses = draw_addresses(kAddresses, f6.routes, random);
    add_ours(f6);
    add_rte_fib6(f6, "rte_fib6 2B", RTE_FIB6_TRIE_2B, 32767);
    add_rte_fib6(f6, "rte_fib6 4B", RTE_FIB6_TRIE_4B, options.routes > 200'000 ? 1 << 21 : 1 << 19);
    compare_answers(f4);
    compare_answers(f6);
    measure(f4, options.rounds);
    measure(f6, options.rounds);
    if (options.json)
        fmt::print("{}\n", nlohmann::json{{"lookup", {to_json("ipv4", f4), to_json("ipv6", f6)}}}.dump(2));
    else
        print("IPv4", f4), print("IPv6", f6);
    return credible(f4) && credible(f6) ? 0 : 1;
}
