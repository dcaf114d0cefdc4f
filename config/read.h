// Tree to model, by the schema. control thread only.
#pragma once

#include "config/model.h"
#include "config/node.h"
#include "config/report.h"

namespace config {

// What `root` says; with a non-empty report it is not to be used.
Model read_model(const Node& root, Report&);

// The one of `known` that `text` most likely means; empty when none is near.
std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known);

}  // namespace config
