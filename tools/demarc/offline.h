// Commands that read a configuration file and ask no daemon. They read files, print nothing. Any thread.
#pragma once

#include <string>

#include "tools/demarc/output.h"

namespace cli {

// Parses and validates; every diagnostic is a line FILE:LINE:COL: RULE: MESSAGE (REMEDY). Key files are not opened.
Output check_file(const std::string& path);

// The configuration in canonical form, as config/print.h writes it.
Output print_file(const std::string& path);

// FRR's configuration for `daemon` ("zebra", "bgpd", "staticd", "all"). It holds the BGP passwords: with
// any, it is refused for a terminal unless show_passwords.
Output frr_config(const std::string& path, const std::string& daemon, bool show_passwords, bool to_terminal);

}  // namespace cli
