// Rules about values together. A rule is a row in a table: an id and a function. Pure; control thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace config {

// Everything that makes `m` unusable: at most kMaxDiagnostics, in the file's order. Empty: it may be applied, once
// check_key_files() agrees.
std::vector<Diagnostic> validate(const Model& m);

// What is allowed but belongs in red: a SecY with policy `off`, a last SAK that is kept.
std::vector<Diagnostic> warnings(const Model& m);

// The id of every rule of this folder, sorted: those of reading, validate(), warnings() and check_key_files().
std::vector<std::string> rules();

// "FILE:LINE:COLUMN: RULE: message (remedy)"; without a place, "FILE: RULE: message (remedy)".
std::string render(const Diagnostic&, std::string_view file);

}  // namespace config
