// Netlink messages and their attributes, read with bounds (libmnl) and written. Host byte order, as the kernel speaks.
// Pure; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/net/address.h"
#include "macsec/octets.h"

namespace bgp_glue {

enum class MessageFault : std::uint8_t {
    misaligned,  // the octets do not begin at a multiple of four in memory
    truncated,   // fewer octets than the header says, or than the type needs
    length,      // a length field that contradicts itself
    attribute,   // attributes that run over their container
    value,       // an attribute of a size or with a value that its type does not allow
    missing,     // an attribute the message means nothing without
};
inline constexpr std::size_t kMessageFaults = 6;
const char* to_string(MessageFault fault) noexcept;

struct MessageError {
    MessageFault fault{};
    std::uint16_t type{};  // nlmsg_type; 0 when not even that was there
    bool operator==(const MessageError&) const = default;
};
std::string describe(const MessageError& error);

struct NetlinkMessage {
    std::uint16_t type{};
    std::uint16_t flags{};
    std::uint32_t sequence{};
    macsec::ConstOctets body;  // behind nlmsghdr, without padding
};

// The first message of `rest`, which then begins at the next one. After an error `rest` is empty: without a length
// there is no next one. `rest` must be aligned to 4 (checked).
std::expected<NetlinkMessage, MessageError> take_message(macsec::ConstOctets& rest);

struct Attribute {
    std::uint16_t type{};  // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
    macsec::ConstOctets value;

    std::optional<std::uint8_t> u8() const noexcept;
    std::optional<std::uint16_t> u16() const noexcept;
    std::optional<std::uint32_t> u32() const noexcept;
    std::optional<net::IpAddress> address(net::Family family) const noexcept;
    std::string_view text() const noexcept;  // up to the first NUL
};

// Walks attributes; ends at the end or at the first that does not fit: then malformed().
class Attributes {
public:
    explicit Attributes(macsec::ConstOctets octets) noexcept : rest_(octets) {}
    std::optional<Attribute> next() noexcept;
    bool malformed() const noexcept { return malformed_; }

private:
    macsec::ConstOctets rest_;
    bool malformed_{};
};

// The fixed part of a message's body and what follows it, aligned.
template <class Header>
struct Split {
    Header header;
    macsec::ConstOctets attributes;
};
template <class Header>
std::optional<Split<Header>> split(macsec::ConstOctets body) noexcept {
    if (body.size() < sizeof(Header)) return std::nullopt;
    Split<Header> s;
    std::memcpy(&s.header, body.data(), sizeof(Header));
    s.attributes = body.subspan(std::min(body.size(), (sizeof(Header) + 3) & ~std::size_t{3}));
    return s;
}

std::optional<net::Family> family_of(std::uint8_t address_family) noexcept;  // AF_INET, AF_INET6
std::uint8_t address_family(net::Family family) noexcept;
inline macsec::ConstOctets octets_of(const net::IpAddress& a) noexcept {
    return macsec::ConstOctets(a.octets).first(a.bits() / 8);
}

// One request for the kernel: header, fixed part, attributes.
class NetlinkRequest {
public:
    NetlinkRequest(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence);
    void fixed(const void* data, std::size_t octets);
    template <class Header>
    void fixed(const Header& header) {
        fixed(&header, sizeof header);
    }
    void put(std::uint16_t type, macsec::ConstOctets value);
    void put_u8(std::uint16_t type, std::uint8_t value) { put(type, {&value, 1}); }
    void put_u32(std::uint16_t type, std::uint32_t value);
    void put_text(std::uint16_t type, std::string_view value);  // NUL added
    std::size_t begin_nested(std::uint16_t type);               // gives what end_nested wants
    void end_nested(std::size_t at);
    std::vector<std::uint8_t> take();

private:
    std::vector<std::uint8_t> octets_;
};

}  // namespace bgp_glue
