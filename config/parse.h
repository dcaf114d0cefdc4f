// Text to model: strict, bounded, without exceptions. Reading judges one value at a time; validate() judges their sum.
// control thread only.
#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace config {

inline constexpr std::size_t kMaxFileOctets = 1 << 20;
inline constexpr std::size_t kMaxDepth = 12;           // of maps and lists in one another
inline constexpr std::size_t kMaxScalarOctets = 1024;  // of one key or value
inline constexpr std::size_t kMaxValues = 200'000;

// The model `text` describes, or why it describes none: at most kMaxDiagnostics, in the file's order. Key files are not
// read. `file_name` is kept in Model::places. Never throws.
std::expected<Model, std::vector<Diagnostic>> parse(std::string_view text, std::string_view file_name) noexcept;

}  // namespace config
