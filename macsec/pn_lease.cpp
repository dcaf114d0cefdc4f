#include "macsec/pn_lease.h"

#include <array>
#include <charconv>

namespace macsec {
namespace {

constexpr std::string_view kHeader = "demarc-pn-lease 1\n";
constexpr std::size_t kKeyDigits = 32;
constexpr std::size_t kSumDigits = 16;
constexpr std::size_t kLongest = 160;  // octets; a lease has some 110

// FNV-1a, 64 bits: tells a torn or foreign file, not an attacker.
std::uint64_t checksum(std::string_view text) noexcept {
    std::uint64_t sum = 0xcbf2'9ce4'8422'2325u;
    for (const char c : text) sum = (sum ^ static_cast<std::uint8_t>(c)) * 0x100'0000'01b3u;
    return sum;
}

std::string hex64(std::uint64_t v) {
    std::string digits(kSumDigits, '0');
    for (std::size_t i = kSumDigits; i-- > 0; v >>= 4) digits[i] = "0123456789abcdef"[v & 15];
    return digits;
}

bool is_lower_hex(std::string_view s) noexcept {
    return s.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string_view word(LeaseDirection d) noexcept { return d == LeaseDirection::transmit ? "transmit" : "receive"; }

std::unexpected<std::string> unreadable(const char* what) {
    return std::unexpected("the PN lease " + std::string(what) +
                           "; nobody knows which packet numbers this key has used: install a new key, or restore "
                           "the lease file of this very key and state");
}

// Takes "name value\n" off the front of `text`; false if it is not there.
bool take_line(std::string_view& text, std::string_view name, std::string_view& value) noexcept {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !text.starts_with(name) || end <= name.size() || text[name.size()] != ' ')
        return false;
    value = text.substr(name.size() + 1, end - name.size() - 1);
    text.remove_prefix(end + 1);
    return true;
}

// Decimal, without sign or leading zeros: the one way to write it.
bool parse_pn(std::string_view digits, std::uint64_t& pn) noexcept {
    if (digits.empty() || digits[0] == '0') return false;
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pn);
    return error == std::errc() && rest == digits.data() + digits.size();
}

std::string body(const PnLease& lease) {
    return std::string(kHeader) + "direction " + std::string(word(lease.direction)) + "\nkey " + lease.key + "\npn " +
           std::to_string(lease.pn) + '\n';
}

}  // namespace

std::string format_lease(const PnLease& lease) {
    const std::string text = body(lease);
    return text + "checksum " + hex64(checksum(text)) + '\n';
}

std::expected<PnLease, std::string> parse_lease(std::string_view text) {
    if (text.empty()) return unreadable("is empty");
    if (text.size() > kLongest) return unreadable("is too long");
    if (!text.starts_with(kHeader)) return unreadable("does not begin as a PN lease of this version");
    std::string_view rest = text.substr(kHeader.size());
    std::string_view direction, key, pn, sum;
    if (!take_line(rest, "direction", direction) || !take_line(rest, "key", key) || !take_line(rest, "pn", pn))
        return unreadable("is torn or was edited");
    const std::string_view summed = text.substr(0, text.size() - rest.size());
    if (!take_line(rest, "checksum", sum) || !rest.empty()) return unreadable("is torn or was edited");
    if (sum != hex64(checksum(summed))) return unreadable("has a wrong checksum");

    PnLease lease;
    if (direction == "receive")
        lease.direction = LeaseDirection::receive;
    else if (direction != "transmit")
        return unreadable("names no direction");
    if (key.size() != kKeyDigits || !is_lower_hex(key)) return unreadable("names no key");
    if (!parse_pn(pn, lease.pn)) return unreadable("holds no packet number");
    lease.key = key;
    return lease;
}

}  // namespace macsec
