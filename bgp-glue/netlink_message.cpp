#include "bgp-glue/netlink_message.h"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <algorithm>

namespace bgp_glue {

namespace {

template <class Number>
std::optional<Number> number(macsec::ConstOctets value) noexcept {
    if (value.size() != sizeof(Number)) return std::nullopt;
    Number n;
    std::memcpy(&n, value.data(), sizeof n);
    return n;
}

void pad(std::vector<std::uint8_t>& octets) { octets.resize(MNL_ALIGN(octets.size())); }

}  // namespace

const char* to_string(MessageFault fault) noexcept {
    switch (fault) {
        case MessageFault::misaligned: return "misaligned";
        case MessageFault::truncated: return "truncated";
        case MessageFault::length: return "length";
        case MessageFault::attribute: return "attribute";
        case MessageFault::value: return "value";
        case MessageFault::missing: return "missing";
    }
    return "unknown";
}

std::string describe(const MessageError& error) {
    return fmt::format("netlink message of type {}: {}", error.type, to_string(error.fault));
}

std::expected<NetlinkMessage, MessageError> take_message(macsec::ConstOctets& rest) {
    const auto all = rest;
    rest = {};
    if (reinterpret_cast<std::uintptr_t>(all.data()) % MNL_ALIGNTO != 0)
        return std::unexpected(MessageError{MessageFault::misaligned, 0});
    if (all.size() < sizeof(nlmsghdr)) return std::unexpected(MessageError{MessageFault::truncated, 0});
    nlmsghdr header;
    std::memcpy(&header, all.data(), sizeof header);
    if (header.nlmsg_len < sizeof header)
        return std::unexpected(MessageError{MessageFault::length, header.nlmsg_type});
    if (header.nlmsg_len > all.size())
        return std::unexpected(MessageError{MessageFault::truncated, header.nlmsg_type});
    rest = all.subspan(std::min<std::size_t>(all.size(), MNL_ALIGN(std::size_t{header.nlmsg_len})));
    return NetlinkMessage{header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq,
                          all.first(header.nlmsg_len).subspan(sizeof header)};
}

std::optional<std::uint8_t> Attribute::u8() const noexcept { return number<std::uint8_t>(value); }
std::optional<std::uint16_t> Attribute::u16() const noexcept { return number<std::uint16_t>(value); }
std::optional<std::uint32_t> Attribute::u32() const noexcept { return number<std::uint32_t>(value); }

std::optional<net::IpAddress> Attribute::address(net::Family family) const noexcept {
    net::IpAddress a{family, {}};
    if (value.size() != a.bits() / 8) return std::nullopt;
    std::copy(value.begin(), value.end(), a.octets.begin());
    return a;
}

std::string_view Attribute::text() const noexcept {
    return {reinterpret_cast<const char*>(value.data()),
            static_cast<std::size_t>(std::find(value.begin(), value.end(), 0) - value.begin())};
}

std::optional<Attribute> Attributes::next() noexcept {
    if (rest_.empty()) return std::nullopt;
    const auto* attribute = reinterpret_cast<const nlattr*>(rest_.data());
    if (!mnl_attr_ok(attribute, static_cast<int>(rest_.size()))) {
        malformed_ = true;
        rest_ = {};
        return std::nullopt;
    }
    const Attribute a{mnl_attr_get_type(attribute),
                      {static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)),
                       mnl_attr_get_payload_len(attribute)}};
    rest_ = rest_.subspan(std::min<std::size_t>(rest_.size(), MNL_ALIGN(mnl_attr_get_len(attribute))));
    return a;
}

std::optional<net::Family> family_of(std::uint8_t address_family) noexcept {
    if (address_family == AF_INET) return net::Family::ipv4;
    if (address_family == AF_INET6) return net::Family::ipv6;
    return std::nullopt;
}

std::uint8_t address_family(net::Family family) noexcept { return family == net::Family::ipv4 ? AF_INET : AF_INET6; }

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
    header.nlmsg_seq = sequence;
    fixed(header);
}

void NetlinkRequest::fixed(const void* data, std::size_t octets) {
    const auto* p = static_cast<const std::uint8_t*>(data);
    octets_.insert(octets_.end(), p, p + octets);
    pad(octets_);
}

void NetlinkRequest::put(std::uint16_t type, macsec::ConstOctets value) {
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
    fixed(header);
    fixed(value.data(), value.size());
}

void NetlinkRequest::put_u32(std::uint16_t type, std::uint32_t value) {
    put(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
}

void NetlinkRequest::put_text(std::uint16_t type, std::string_view value) {
    const std::string with_nul(value);
    put(type, {reinterpret_cast<const std::uint8_t*>(with_nul.c_str()), with_nul.size() + 1});
}

std::size_t NetlinkRequest::begin_nested(std::uint16_t type) {
    const std::size_t at = octets_.size();
    put(static_cast<std::uint16_t>(type | NLA_F_NESTED), {});
    return at;
}

void NetlinkRequest::end_nested(std::size_t at) {
    const auto length = static_cast<std::uint16_t>(octets_.size() - at);
    std::memcpy(octets_.data() + at, &length, sizeof length);
}

std::vector<std::uint8_t> NetlinkRequest::take() {
    const auto length = static_cast<std::uint32_t>(octets_.size());
    std::memcpy(octets_.data(), &length, sizeof length);
    return std::move(octets_);
}

}  // namespace bgp_glue
