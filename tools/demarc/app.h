// `demarc` from the command line to the exit code.
#pragma once

#include <string>

#include "tools/demarc/output.h"
#include "tools/demarc/style.h"

namespace cli {

// An answer of the daemon as output. Pure. `out` for an answer that is ok (and for any with --json), `err` for a
// refusal.
Output render_answer(const Options&, const std::string& answer, const Style& out, const Style& err);

// The whole program. Main thread.
int run(int argc, char** argv);

}  // namespace cli
