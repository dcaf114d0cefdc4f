// Options -> the request that demarcd gets. Pure; any thread.
#pragma once

#include <expected>
#include <string>

#include "tools/demarc/options.h"

namespace cli {

// One JSON document without newline. Error: what is wrong with the operand, and the remedy.
std::expected<std::string, std::string> make_request(const Options&);

}  // namespace cli
