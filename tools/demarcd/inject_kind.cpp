// What a frame of the kernel's is:
// 1. ARP and neighbour discovery, BGP and BFD of ours go first;
// 2. everything else from an address of ours follows;
// 3. what is not from us is transit that the kernel sent back (fragments, packets that waited for ARP).
#include "tools/demarcd/host_path.h"

namespace demarcd {

namespace {

constexpr std::size_t kEthernet = 14;
constexpr std::uint8_t kTcp = 6, kUdp = 17, kIcmp6 = 58;

bool first_ports(std::uint8_t protocol, macsec::ConstOctets l4) {
    if (protocol == kIcmp6) return !l4.empty() && l4[0] >= 133 && l4[0] <= 137;
    if (l4.size() < 4) return false;
    const auto source = macsec::load_be16(l4.data()), destination = macsec::load_be16(l4.data() + 2);
    if (protocol == kTcp) return source == 179 || destination == 179;
    return protocol == kUdp && (destination == 3784 || destination == 3785 || destination == 4784);
}

InjectKind kind(bool ours, bool first) {
    return {ours && first ? dataplane::InjectClass::first : dataplane::InjectClass::rest, ours};
}

InjectKind ipv4_kind(macsec::ConstOctets packet, const std::set<net::IpAddress>& own) {
    if (packet.size() < 20) return kind(false, false);
    const std::size_t header = 4u * (packet[0] & 0xF);
    const bool ours = own.contains(net::IpAddress::from(net::Ipv4Address{macsec::load_be32(packet.data() + 12)}));
    return kind(ours, packet.size() > header && first_ports(packet[9], packet.subspan(header)));
}

InjectKind ipv6_kind(macsec::ConstOctets packet, const std::set<net::IpAddress>& own) {
    if (packet.size() < 40) return kind(false, false);
    net::Ipv6Address source;
    std::memcpy(source.octets.data(), packet.data() + 8, 16);
    constexpr net::Ipv6Address unspecified{};  // duplicate address detection
    const bool ours = source == unspecified || own.contains(net::IpAddress::from(source));
    if (packet[6] == 0 && packet.size() >= 56)  // hop-by-hop options: MLD, which is ours to send
        return kind(ours, packet[40] == kIcmp6);
    return kind(ours, first_ports(packet[6], packet.subspan(40)));
}

}  // namespace

InjectKind inject_kind(macsec::ConstOctets frame, const std::set<net::IpAddress>& own) {
    if (frame.size() < kEthernet) return kind(false, false);
    const auto packet = frame.subspan(kEthernet);
    switch (macsec::load_be16(frame.data() + 12)) {
        case 0x0806: return kind(true, true);
        case 0x0800: return ipv4_kind(packet, own);
        case 0x86DD: return ipv6_kind(packet, own);
        default: return kind(false, false);
    }
}

}  // namespace demarcd
