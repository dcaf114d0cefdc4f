// Ports, and the largest frame that must fit into memory.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/bounds.h"
#include "config/rules.h"

namespace config {
namespace {

void too_many(const Model& m, Findings& f) {
    if (m.ports.size() > kMaxPorts)
        f.add("ports", fmt::format("{} ports", m.ports.size()), fmt::format("configure at most {}", kMaxPorts));
    if (m.interfaces.size() > kMaxInterfaces)
        f.add("interfaces", fmt::format("{} interfaces", m.interfaces.size()),
              fmt::format("configure at most {}", kMaxInterfaces));
}

bool is_hex(std::string_view s) {
    return std::ranges::all_of(
        s, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

// 0000:3b:00.0
bool is_pci_address(std::string_view s) {
    return s.size() == 12 && s[4] == ':' && s[7] == ':' && s[10] == '.' && is_hex(s.substr(0, 4)) &&
           is_hex(s.substr(5, 2)) && is_hex(s.substr(8, 2)) && s[11] >= '0' && s[11] <= '7';
}

// As Linux's dev_valid_name().
bool is_netdev_name(std::string_view s) {
    return !s.empty() && s.size() <= 15 && s != "." && s != ".." &&
           std::ranges::none_of(s, [](char c) { return c == '/' || c == ':' || c == ' '; });
}

void device_name(const Model& m, Findings& f) {
    for (const auto& [name, port] : m.ports) {
        const std::string path = fmt::format("ports.{}.device", name);
        if (port.driver == Driver::pci && !is_pci_address(port.device))
            f.add(path, fmt::format("{} is no PCI address", quoted(port.device)), "write it in full: \"0000:3b:00.0\"");
        if (port.driver != Driver::pci && !is_netdev_name(port.device))
            f.add(path, fmt::format("{} is no name of a network device", quoted(port.device)),
                  "write a name as `ip link` shows it, at most 15 octets");
    }
}

void device_duplicate(const Model& m, Findings& f) {
    std::map<std::string, std::string> seen;
    for (const auto& [name, port] : m.ports) {
        std::string device = port.device;
        if (port.driver == Driver::pci)
            std::ranges::transform(device, device.begin(),
                                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
        const auto [first, is_new] = seen.emplace(device, name);
        if (!is_new)
            f.add(fmt::format("ports.{}.device", name),
                  fmt::format("device {} is port `{}`'s already", quoted(port.device), first->second),
                  "give each port a device of its own");
    }
}

void worker_index(const Model& m, Findings& f) {
    for (const auto& [name, port] : m.ports)
        for (const auto& [key, worker] :
             {std::pair{"receive-worker", port.receive_worker}, {"transmit-worker", port.transmit_worker}})
            if (worker >= m.workers.count)
                f.add(fmt::format("ports.{}.{}", name, key),
                      fmt::format(
                          "`{}` of port `{}` is {}, and there {}", key, name, worker,
                          m.workers.count == 1 ? "is one worker" : fmt::format("are {} workers", m.workers.count)),
                      m.workers.count == 1 ? "write 0, or raise `workers.count`"
                                           : fmt::format("write 0 to {}", m.workers.count - 1));
}

void mtu_range(const Model& m, Findings& f) {
    const auto check = [&](std::string_view path, std::uint32_t mtu) {
        if (mtu < kMinMtu || mtu > kMaxMtu)
            f.add(path, fmt::format("`{}` is {}", path, mtu), fmt::format("write {} to {} octets", kMinMtu, kMaxMtu));
    };
    for (const auto& [name, port] : m.ports) check(fmt::format("ports.{}.mtu", name), port.mtu);
    for (const auto& [name, interface] : m.interfaces) check(fmt::format("interfaces.{}.mtu", name), interface.mtu);
}

void mtu_ipv6(const Model& m, Findings& f) {
    for (const auto& [name, interface] : m.interfaces) {
        const bool has6 =
            std::ranges::any_of(interface.addresses, [](auto& a) { return a.address.family == net::Family::ipv6; });
        if (has6 && interface.mtu < kMinMtu6)
            f.add(fmt::format("interfaces.{}.mtu", name),
                  fmt::format("interface `{}` has IPv6 addresses and an MTU of {}", name, interface.mtu),
                  fmt::format("write at least {}, RFC 8200 5", kMinMtu6));
    }
}

void mtu_port(const Model& m, Findings& f) {
    for (const auto& [name, interface] : m.interfaces)
        if (const auto port = m.ports.find(interface.port); port != m.ports.end() && interface.mtu > port->second.mtu)
            f.add(fmt::format("interfaces.{}.mtu", name),
                  fmt::format("interface `{}` has MTU {}, its port `{}` {}", name, interface.mtu, interface.port,
                              port->second.mtu),
                  fmt::format("lower it to {}, or raise the port's", port->second.mtu));
}

// What to write so that frames of that size pass.
std::string mtu_remedy(const Port& port, std::uint32_t frame, std::uint32_t room) {
    const std::string lower = room == 0 ? "" : fmt::format("lower the MTU by {}", frame - room);
    const std::string_view more = room == 0 ? "" : ", or ";
    switch (port.driver) {
        case Driver::pci:
            return fmt::format("write memory.buffer-octets: {}{}{}", frame + kHeadroomOctets, more, lower);
        case Driver::af_xdp: {
            const auto needed = std::max(frame + kXdpHeadroomOctets, kXdpLeastBuffer);
            if (needed > kXdpMostBuffer)
                return fmt::format("an af_xdp port takes frames of at most {} octets: lower the MTU by {}",
                                   room_for(port.driver, kXdpMostBuffer),
                                   frame - room_for(port.driver, kXdpMostBuffer));
            return fmt::format("write memory.buffer-octets: {} to {}{}{}", needed, kXdpMostBuffer, more, lower);
        }
        case Driver::af_packet: break;
    }
    for (const std::uint32_t ring : kRingFrames)
        if (ring - kRingHeaderOctets >= frame)
            return fmt::format("write memory.buffer-octets: {}{}{}", ring + kRingInBufferOctets, more, lower);
    return lower;
}

// The largest frame in memory is MTU + 14 + 4 per tag + 32.
void mtu_sum(const Model& m, Findings& f) {
    for (const auto& [name, port] : m.ports) {
        std::uint32_t clear = 0;
        for (const SecY& s : port.macsec) clear = std::max<std::uint32_t>(clear, s.clear_tags.depth);
        const std::uint32_t tags = kTagOctets * (kInnerTags + clear);
        const std::uint32_t macsec = port.macsec.empty() ? 0 : static_cast<std::uint32_t>(macsec::kMaxOverhead);
        if (port.mtu > kMaxMtu) continue;
        const std::uint32_t frame = port.mtu + kEthernetOctets + tags + macsec;
        const std::uint32_t room = room_for(port.driver, m.memory.buffer_octets);
        if (frame <= room) continue;
        constexpr std::string_view kDrivers[] = {"pci", "af_xdp", "af_packet"};
        f.add(fmt::format("ports.{}.mtu", name),
              fmt::format("the largest frame of port `{}` is MTU {} + {} Ethernet + {} tags + {} MACsec = {} octets; "
                          "{} with memory.buffer-octets {} {}",
                          name, port.mtu, kEthernetOctets, tags, macsec, frame,
                          kDrivers[static_cast<std::size_t>(port.driver)], m.memory.buffer_octets,
                          room == 0 ? "takes none" : fmt::format("takes {}", room)),
              mtu_remedy(port, frame, room));
    }
}

constexpr Rule kRules[] = {
    {"too-many", too_many},         {"device-name", device_name}, {"device-duplicate", device_duplicate},
    {"worker-index", worker_index}, {"mtu-range", mtu_range},     {"mtu-ipv6", mtu_ipv6},
    {"mtu-port", mtu_port},         {"mtu-sum", mtu_sum},
};

}  // namespace

std::span<const Rule> port_rules() { return kRules; }

}  // namespace config
