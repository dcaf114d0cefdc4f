// Starts DPDK without hugepages, runs the tests; a run of all of them must have reached every verdict.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in std::regex of Catch2 itself, with sanitizers
#endif
#include "tests/unit/catch.h"
#include "tests/unit/dataplane/pipeline/rig.h"

#include <cstdio>

int main(int argc, char** argv) {
    if (!rig::start_eal()) return 1;
    const int failed = Catch::Session().run(argc, argv);
    if (failed != 0 || argc != 1) return failed;
    auto missing = rig::verdicts_not_reached();
    std::erase(missing, dataplane::Verdict::macsec_tx_runt);   // receive and inject let no such frame in
    for (const auto v : missing) {
        const auto word = dataplane::word(v);
        std::printf("verdict not reached by any test: %.*s\n", static_cast<int>(word.size()), word.data());
    }
    return missing.empty() ? 0 : 1;
}
