// 802.1Q and 802.1ad tags. Pure; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace net {

inline constexpr std::uint16_t kTpidCustomer = 0x8100;  // 802.1Q C-TAG
inline constexpr std::uint16_t kTpidService = 0x88A8;   // 802.1ad S-TAG

struct VlanTag {
    std::uint16_t tpid{kTpidCustomer};
    std::uint16_t vid{};  // 1 to 4094; 0 is a priority tag
    auto operator<=>(const VlanTag&) const = default;
};

// 0 to 2 tags, outermost first.
struct VlanStack {
    std::uint8_t depth{};
    std::array<VlanTag, 2> tags{};
    auto operator<=>(const VlanStack&) const = default;
    std::uint32_t octets() const noexcept { return 4u * depth; }
};

}  // namespace net
