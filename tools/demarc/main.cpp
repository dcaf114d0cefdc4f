// `demarc`: the operator's tool. See docs/demarc.8.
#include <cstdio>
#include <exception>

#include "tools/demarc/app.h"

int main(int argc, char** argv) {
    try {
        return cli::run(argc, argv);
    } catch (const std::exception& e) {  // out of memory, most likely
        std::fprintf(stderr, "demarc: %s; please report this\n", e.what());
        return cli::kNotOk;
    }
}
