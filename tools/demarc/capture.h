// `demarc capture`: a port's frames into a pcapng file, until interrupted. Main thread.
#pragma once

#include "tools/demarc/output.h"

namespace cli {

// Writes the file and waits; SIGINT and SIGTERM end it, the file whole. What it says at the end is for standard error.
Output capture(const Options&, const std::string& request, const Style& err);

}  // namespace cli
