// `demarc decode`: a capture through verify(), without a daemon and without root. Main thread.
#pragma once

#include <functional>
#include <string_view>

#include "tools/demarc/output.h"
#include "tools/demarc/style.h"

namespace cli {

// Reads o.operand with the keys of o.keys and those that MKA tells under the CAKs of o.mka_keys (either may be empty),
// and writes the plaintext capture o.write if there is one. What is for standard output goes to `print` in parts, as it
// comes; false from it ends the command. Code: kOk when every frame of MACsec and every MKPDU is ok, kNotOk when some
// are not, kUsage when a file cannot be used, and then Output::err says why.
Output decode_capture(const Options& o, const Style&, const std::function<bool(std::string_view)>& print);

}  // namespace cli
