// Ethernet frames as octets (802.3). The caller has checked that the octets are there. Pure; any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "dataplane/net/address.h"
#include "dataplane/net/vlan.h"
#include "macsec/octets.h"

namespace net {

inline constexpr std::uint16_t kAddressOctets = 12;   // destination and source address
inline constexpr std::uint16_t kEthernetOctets = 14;  // and the EtherType
inline constexpr std::uint16_t kTagOctets = 4;
inline constexpr std::uint16_t kMinFrameOctets = 60;  // 802.3 4.4.2, without FCS

inline constexpr std::uint16_t kVidReserved = 0xFFF;  // 802.1Q table 9-2: never transmitted

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86DD;
inline constexpr std::uint16_t kEtherTypeSlowProtocols = 0x8809;  // LACP
inline constexpr std::uint16_t kEtherTypeLldp = 0x88CC;
inline constexpr std::uint16_t kEtherTypePtp = 0x88F7;

// The 48 bits of the destination address as MacAddress::number() gives them. Reads 8 octets.
inline std::uint64_t destination(const std::uint8_t* frame) noexcept { return macsec::load_be64(frame) >> 16; }
inline bool is_group(std::uint64_t address) noexcept { return address >> 40 & 1; }

inline std::uint16_t type_at(const std::uint8_t* frame, std::size_t offset) noexcept {
    return macsec::load_be16(frame + offset);
}
inline bool is_tpid(std::uint16_t type) noexcept { return type == kTpidCustomer || type == kTpidService; }

inline void write_addresses(std::uint8_t* frame, std::uint64_t destination, std::uint64_t source) noexcept {
    macsec::store_be64(frame, destination << 16 | source >> 32);
    macsec::store_be32(frame + 8, static_cast<std::uint32_t>(source));
}

// Both addresses from `from` to `to`; the two may overlap.
inline void move_addresses(std::uint8_t* to, const std::uint8_t* from) noexcept {
    std::uint64_t first;
    std::uint32_t rest;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&rest, from + 8, sizeof rest);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + 8, &rest, sizeof rest);
}

// Priority code point and drop eligible indicator are zero (802.1Q 9.6).
inline std::uint8_t* write_tags(std::uint8_t* at, const VlanStack& stack) noexcept {
    for (std::uint8_t i = 0; i < stack.depth; ++i, at += kTagOctets) {
        macsec::store_be16(at, stack.tags[i].tpid);
        macsec::store_be16(at + 2, stack.tags[i].vid);
    }
    return at;
}

// Exactly these tags stand behind the addresses; priority and drop eligible indicator do not matter.
inline bool has_tags(const std::uint8_t* frame, std::size_t octets, const VlanStack& stack) noexcept {
    if (octets < kEthernetOctets + stack.octets()) return false;
    for (std::uint8_t i = 0; i < stack.depth; ++i) {
        const std::uint8_t* tag = frame + kAddressOctets + kTagOctets * i;
        if (macsec::load_be16(tag) != stack.tags[i].tpid) return false;
        if ((macsec::load_be16(tag + 2) & 0xFFF) != stack.tags[i].vid) return false;
    }
    return true;
}

// The VLAN tags of a frame of that many octets, from offset `at` on, where an EtherType stands.
struct TagsRead {
    VlanStack stack;         // without priority tags
    std::uint16_t octets{};  // on the frame, priority tags included
};

// Nothing when they are malformed: more than two, cut off, or with the reserved VID.
inline std::optional<TagsRead> read_tags(const std::uint8_t* frame, std::size_t octets, std::size_t at) noexcept {
    TagsRead t;
    for (unsigned n = 0; is_tpid(type_at(frame, at)); ++n, at += kTagOctets) {
        if (n == t.stack.tags.size() || at + kTagOctets + 2 > octets) return std::nullopt;
        const std::uint16_t vid = type_at(frame, at + 2) & 0xFFF;
        if (vid == kVidReserved) return std::nullopt;
        if (vid != 0) t.stack.tags[t.stack.depth++] = {type_at(frame, at), vid};
        t.octets = static_cast<std::uint16_t>(t.octets + kTagOctets);
    }
    return t;
}

}  // namespace net
