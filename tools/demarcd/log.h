// The daemon's log: lines on standard error, made by spdlog. Any thread. Keys are never an argument.
#pragma once

#include <spdlog/spdlog.h>

#include "config/model.h"

namespace demarcd {

// main, once, before any thread starts.
void start_log();
void set_log_level(config::LogLevel level);

}  // namespace demarcd
