// Answers of the control socket (docs/control-protocol.md) as text for people. Pure: the same answer and style give the
// same text, and no answer, however wrong, does more than show "-". Any thread.
#pragma once

#include <string>
#include <string_view>

#include "tools/demarc/style.h"
#include "tools/demarc/value.h"

namespace cli {

std::string render_status(const Json&, const Style&);

std::string render_ports(const Json&, const Style&);
std::string render_interfaces(const Json&, const Style&);
std::string render_macsec(const Json&, const Style&);
std::string render_routes(const Json&, const Style&);
std::string render_next_hops(const Json&, const Style&);
std::string render_neighbors(const Json&, const Style&);
std::string render_drops(const Json&, const Style&);
std::string render_fpm(const Json&, const Style&);
std::string render_stages(const Json&, const Style&);
std::string render_clocks(const Json&, const Style&);

std::string render_mka(const Json&, const Style&);
std::string render_history(const Json&, const Style&);

std::string render_rekey(const Json&, const Style&);
std::string render_lookup(const Json&, const Style&);
std::string render_reload(const Json&, const Style&);

// `"ok":false`: what was refused, why, and what to do.
std::string render_refusal(const Json&, const Style&);

// By the request's words: "status", "show ports", ..., "lookup", "reload", "clocks on"; null: there is no such request.
using Renderer = std::string (*)(const Json&, const Style&);
Renderer renderer_of(std::string_view words) noexcept;

}  // namespace cli
