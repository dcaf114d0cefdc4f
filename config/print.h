// Model to text. Secrets are not in the model: key files are named. control thread only.
#pragma once

#include <cstdint>
#include <string>

#include "config/model.h"
#include "config/node.h"

namespace config {

enum class Form : std::uint8_t {
    canonical,  // what differs from the defaults, in the schema's order: parse(print(m)) == m
    resolved,   // with every default that has a value
};

// YAML that parse() takes back as an equal model.
std::string print(const Model&, Form = Form::canonical);

// The same as a tree; diff() compares these.
Node to_node(const Model&, Form);

}  // namespace config
