// What a command says and how it ends. Any thread.
#pragma once

#include <string>

#include "tools/demarc/options.h"

namespace cli {

struct Output {
    int code{kOk};
    std::string out;  // for standard output
    std::string err;  // for standard error
};

}  // namespace cli
