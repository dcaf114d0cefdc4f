// The stages of the pipeline by name: for clocks and traces. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dataplane {

enum class Stage : std::uint8_t {
    receive,
    classify,
    verify,
    pop_vlan,
    route,
    police,
    rewrite,
    hand_over,
    collect,
    inject,
    push_vlan,
    protect,
    transmit,
    count_
};
inline constexpr std::size_t kStages = static_cast<std::size_t>(Stage::count_);
inline constexpr std::array<std::string_view, kStages> kStageWords{
    "receive",   "classify", "verify", "pop-vlan",  "route",   "police",  "rewrite",
    "hand-over", "collect",  "inject", "push-vlan", "protect", "transmit"};

}  // namespace dataplane
