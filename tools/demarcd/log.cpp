#include "tools/demarcd/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace demarcd {

void start_log() {
    auto logger = std::make_shared<spdlog::logger>("demarcd", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
}

void set_log_level(config::LogLevel level) {
    constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                    spdlog::level::err};
    spdlog::set_level(levels[static_cast<std::size_t>(level)]);
}

}  // namespace demarcd
