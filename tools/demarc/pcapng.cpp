#include "tools/demarc/pcapng.h"

#include <concepts>

namespace cli::pcapng {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A, kInterface = 1, kStatistics = 5, kPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::uint16_t kEthernet = 1;
constexpr std::uint32_t kInbound = 1, kOutbound = 2;

// In this machine's byte order: the section header says which it is.
template <std::integral T>
void put(std::string& s, T value) {
    s.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_padded(std::string& s, std::string_view octets) {
    s.append(octets);
    s.append(-octets.size() % 4, '\0');
}

void put_option(std::string& s, std::uint16_t code, std::string_view value) {
    value = value.substr(0, 0xFFFF);
    put(s, code);
    put(s, static_cast<std::uint16_t>(value.size()));
    put_padded(s, value);
}

template <std::integral T>
void put_option(std::string& s, std::uint16_t code, T value) {
    put_option(s, code, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
}

// A time is two words, the upper one first.
void put_time(std::string& s, std::uint64_t when) {
    put(s, static_cast<std::uint32_t>(when >> 32));
    put(s, static_cast<std::uint32_t>(when));
}

void put_time_option(std::string& s, std::uint16_t code, std::uint64_t when) {
    std::string value;
    put_time(value, when);
    put_option(s, code, value);
}

// Type and length before the body, which ends with its options, and the length once more behind it.
std::string block(std::uint32_t type, std::string body) {
    put(body, std::uint32_t{0});  // end of options
    const auto octets = static_cast<std::uint32_t>(body.size() + 12);
    std::string s;
    s.reserve(octets);
    put(s, type);
    put(s, octets);
    s += body;
    put(s, octets);
    return s;
}

}  // namespace

std::string section_header(std::string_view application) {
    std::string body;
    put(body, kByteOrder);
    put(body, std::uint16_t{1});  // version 1.0
    put(body, std::uint16_t{0});
    put(body, std::int64_t{-1});  // length of the section: not known
    put_option(body, 4, application);
    return block(kSectionHeader, std::move(body));
}

std::string interface_description(const Interface& i) {
    std::string body;
    put(body, kEthernet);
    put(body, std::uint16_t{0});
    put(body, i.snaplen);
    put_option(body, 2, i.name);
    put_option(body, 3, i.description);
    put_option(body, 9, std::uint8_t{9});  // times are in 10^-9 s
    if (!i.filter.empty()) put_option(body, 11, std::string(1, '\0') + i.filter);
    return block(kInterface, std::move(body));
}

std::string enhanced_packet(const Packet& p) {
    std::string body;
    body.reserve(p.octets.size() + 64);
    put(body, std::uint32_t{0});  // the interface
    put_time(body, p.when);
    put(body, static_cast<std::uint32_t>(p.octets.size()));
    put(body, p.length);
    put_padded(body, p.octets);
    put_option(body, 2, p.out ? kOutbound : kInbound);
    return block(kPacket, std::move(body));
}

std::string interface_statistics(const Statistics& s) {
    std::string body;
    put(body, std::uint32_t{0});  // the interface
    put_time(body, s.ended);
    put_time_option(body, 2, s.began);
    put_time_option(body, 3, s.ended);
    put_option(body, 4, s.received);
    put_option(body, 5, s.dropped);
    put_option(body, 6, s.accepted);
    return block(kStatistics, std::move(body));
}

}  // namespace cli::pcapng
