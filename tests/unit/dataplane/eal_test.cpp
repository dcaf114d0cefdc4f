#include "dataplane/eal.h"

#include "tests/unit/catch.h"

#include <algorithm>

namespace {

using namespace dataplane;

bool has(const std::vector<std::string>& arguments, std::string_view a) {
    return std::ranges::find(arguments, a) != arguments.end();
}
std::string after(const std::vector<std::string>& arguments, std::string_view a) {
    const auto at = std::ranges::find(arguments, a);
    return at == arguments.end() || at + 1 == arguments.end() ? "" : *(at + 1);
}
EalSetup lab() {
    EalSetup s;
    s.cpus = {0, 1};
    s.workers = 2;
    return s;
}

}  // namespace

TEST_CASE("without a PCI port the PCI bus is not looked at and addresses are virtual") {
    const auto a = eal_arguments(lab());
    REQUIRE(has(a, "--no-pci"));
    REQUIRE(has(a, "--iova-mode=va"));
    REQUIRE(has(a, "--in-memory"));
    REQUIRE(has(a, "--no-telemetry"));
    REQUIRE_FALSE(has(a, "-a"));
}

TEST_CASE("with PCI ports only their devices are allowed") {
    auto s = lab();
    s.pci = {"0000:3b:00.0", "0000:3b:00.1"};
    const auto a = eal_arguments(s);
    REQUIRE_FALSE(has(a, "--no-pci"));
    REQUIRE_FALSE(has(a, "--iova-mode=va"));
    REQUIRE(std::ranges::count(a, "-a") == 2);
    REQUIRE(after(a, "-a") == "0000:3b:00.0");
}

TEST_CASE("control and floating workers share all CPUs") {
    REQUIRE(after(eal_arguments(lab()), "--lcores") == "(0-2)@(0,1)");
    REQUIRE(after(eal_arguments(lab()), "--main-lcore") == "0");
}

TEST_CASE("named cores pin the workers and leave control floating") {
    auto s = lab();
    s.cpus = {0, 1, 2, 3};
    s.cores = {2, 3};
    REQUIRE(after(eal_arguments(s), "--lcores") == "0@(0,1,2,3),1@2,2@3");
}

TEST_CASE("wide vectors are asked for only where the CPU has them") {
    auto s = lab();
    REQUIRE_FALSE(has(eal_arguments(s), "--force-max-simd-bitwidth=512"));
    s.avx512 = true;
    REQUIRE(has(eal_arguments(s), "--force-max-simd-bitwidth=512"));
}

TEST_CASE("without hugepages nothing is left on disk and no contradiction is passed") {
    auto s = lab();
    s.hugepages = false;
    s.memory_mib = 128;
    const auto a = eal_arguments(s);
    REQUIRE(has(a, "--no-huge"));
    REQUIRE(has(a, "--no-shconf"));
    REQUIRE_FALSE(has(a, "--in-memory"));
    REQUIRE(after(a, "-m") == "128");
}

TEST_CASE("hugepages that are reserved by others are not free") {
    const std::vector<Hugepages> pages{{2 << 20, 256, 100, 60}};
    REQUIRE(hugepage_shortage(pages, 80 << 20).empty());
    REQUIRE_FALSE(hugepage_shortage(pages, 81 << 20).empty());
}

TEST_CASE("a shortage of hugepages names the number that suffices") {
    const std::vector<Hugepages> pages{{2 << 20, 256, 10, 0}};
    REQUIRE(hugepage_shortage(pages, 41 << 20) ==
            "42 MiB of hugepages are needed and 20 MiB are free: run `sysctl vm.nr_hugepages=267`");
}

TEST_CASE("a machine without hugepages is told how many to make") {
    REQUIRE(hugepage_shortage({}, 1) ==
            "2 MiB of hugepages are needed and 0 MiB are free: run `sysctl vm.nr_hugepages=1`");
}

TEST_CASE("pages of one size suffice, two sizes do not add up") {
    const std::vector<Hugepages> pages{{2 << 20, 10, 10, 0}, {std::uint64_t{1} << 30, 1, 1, 0}};
    REQUIRE(hugepage_shortage(pages, std::uint64_t{1} << 30).empty());
    REQUIRE_FALSE(hugepage_shortage(pages, (std::uint64_t{1} << 30) + 1).empty());
}
