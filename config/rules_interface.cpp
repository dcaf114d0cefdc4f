// Interfaces: tags, the port and SecY they stand on, addresses.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "config/bounds.h"
#include "config/read.h"
#include "config/rules.h"

namespace config {
namespace {

// f(tag, path) for every tag of every stack in the model.
template <class F>
void for_each_tag(const Model& m, F f) {
    const auto stack = [&](const net::VlanStack& s, const std::string& path) {
        for (std::size_t i = 0; i < s.depth; ++i) f(s.tags[i], fmt::format("{}[{}]", path, i));
    };
    for_each_secy(m, [&](const std::string&, const Port&, const SecY& s, const std::string& path) {
        stack(s.clear_tags, path + ".clear-tags");
    });
    for (const auto& [name, interface] : m.interfaces) {
        stack(interface.tags, fmt::format("interfaces.{}.tags", name));
        stack(interface.clear_tags, fmt::format("interfaces.{}.clear-tags", name));
    }
}

void vid_range(const Model& m, Findings& f) {
    for_each_tag(m, [&](const net::VlanTag& tag, const std::string& path) {
        if (tag.vid < 1 || tag.vid > 4094) f.add(path, fmt::format("VID {}", tag.vid), "write 1 to 4094, 802.1Q 9.6");
    });
}

void tpid_unknown(const Model& m, Findings& f) {
    for_each_tag(m, [&](const net::VlanTag& tag, const std::string& path) {
        if (tag.tpid != net::kTpidCustomer && tag.tpid != net::kTpidService)
            f.add(path + ".tpid", fmt::format("TPID {:#06x}", tag.tpid), "write 0x8100 or 0x88a8");
    });
}

void unknown_port(const Model& m, Findings& f) {
    std::vector<std::string_view> names;
    for (const auto& [name, port] : m.ports) names.push_back(name);
    for (const auto& [name, interface] : m.interfaces) {
        if (f.full()) return;
        if (m.ports.contains(interface.port)) continue;
        const auto meant = nearest(interface.port, names);
        f.add(fmt::format("interfaces.{}.port", name),
              fmt::format("interface `{}` is on port {}, which is not configured", name, quoted(interface.port)),
              meant.empty() ? "add it under `ports`" : fmt::format("did you mean `{}`?", meant));
    }
}

void unknown_secy(const Model& m, Findings& f) {
    for (const auto& [name, interface] : m.interfaces) {
        const auto port = m.ports.find(interface.port);
        if (port == m.ports.end()) continue;
        const auto& secys = port->second.macsec;
        const bool found = secys.empty()
                             ? interface.clear_tags.depth == 0
                             : std::ranges::find(secys, interface.clear_tags, &SecY::clear_tags) != secys.end();
        if (!found)
            f.add(fmt::format("interfaces.{}.clear-tags", name),
                  fmt::format("interface `{}`: port `{}` has no SecY behind these clear tags", name, interface.port),
                  secys.empty() ? "leave `clear-tags` out: the port is plain"
                                : "write the `clear-tags` of one of the port's SecYs");
    }
}

void tags_duplicate(const Model& m, Findings& f) {
    std::map<std::tuple<std::string, net::VlanStack, net::VlanStack>, std::string> seen;
    for (const auto& [name, interface] : m.interfaces) {
        const auto [first, is_new] =
            seen.emplace(std::tuple{interface.port, interface.clear_tags, interface.tags}, name);
        if (!is_new)
            f.add(fmt::format("interfaces.{}.tags", name),
                  fmt::format("interface `{}` has port and tags of `{}`", name, first->second),
                  "give each interface of a port its own tags");
    }
}

// TAPs and netdevs share a namespace unless host.netns says otherwise.
void interface_is_device(const Model& m, Findings& f) {
    if (!m.host.netns.empty()) return;
    std::set<std::string> taken{"lo", "all", "default"};
    for (const auto& [name, port] : m.ports)
        if (port.driver != Driver::pci) taken.insert(port.device);
    for (const auto& [name, interface] : m.interfaces)
        if (taken.contains(name))
            f.add("interfaces." + name, fmt::format("interface `{}` has the name of a network device", name),
                  "choose another name: it becomes a TAP's");
}

// Why an interface cannot have this address; IPv4 link-local is what clouds assign and is fine.
std::string_view kind_of(const net::IpAddress& a) {
    const auto& o = a.octets;
    if (a.family == net::Family::ipv4)
        return o[0] == 127 ? "a loopback"
             : o[0] == 0   ? "an unspecified"
             : o[0] >= 240 ? "a reserved"
             : o[0] >= 224 ? "a multicast"
                           : "";
    if (a.v6().is_multicast()) return "a multicast";
    if (a.v6().is_link_local()) return "a link-local";
    net::IpAddress low = a;
    low.octets[15] &= 0xFE;
    if (low.octets == decltype(low.octets){}) return o[15] == 1 ? "a loopback" : "an unspecified";
    if (std::all_of(o.begin(), o.begin() + 10, [](auto b) { return b == 0; }) && o[10] == 0xFF && o[11] == 0xFF)
        return "an IPv4-mapped";
    return "";
}

template <class F>
void for_each_address(const Model& m, F f) {
    for (const auto& [name, interface] : m.interfaces)
        for (std::size_t i = 0; i < interface.addresses.size(); ++i)
            f(name, interface.addresses[i], fmt::format("interfaces.{}.addresses[{}]", name, i));
}

void address_kind(const Model& m, Findings& f) {
    for_each_address(m, [&](const std::string&, const net::InterfaceAddress& a, const std::string& path) {
        if (const auto kind = kind_of(a.address); !kind.empty())
            f.add(
                path, fmt::format("{} is {} address", net::to_string(a.address), kind),
                kind == "a link-local" ? "leave it out: each interface gets one by itself" : "write a unicast address");
    });
}

// RFC 1122 3.2.1.3; RFC 3021 for /31; RFC 4291 2.6.1 (subnet-router anycast), RFC 6164 for /127.
void address_host(const Model& m, Findings& f) {
    for_each_address(m, [&](const std::string&, const net::InterfaceAddress& a, const std::string& path) {
        const unsigned host_bits = a.address.bits() - a.length;
        const std::string text = net::to_string(a);
        if (a.length == 0)
            return f.add(path, fmt::format("{} covers every address", text), "write the subnet's prefix length");
        if (host_bits < 2) return;
        if (a.address == a.subnet().address)
            f.add(path, fmt::format("{} is its subnet's own address", text), "write a host's address within it");
        const std::uint64_t hosts = host_bits < 32 ? (std::uint64_t{1} << host_bits) - 1 : 0xFFFF'FFFF;
        if (a.address.family == net::Family::ipv4 && (a.address.v4().value & hosts) == hosts)
            f.add(path, fmt::format("{} is its subnet's broadcast address", text), "write a host's address within it");
    });
}

void address_duplicate(const Model& m, Findings& f) {
    std::map<net::IpAddress, std::string> seen;
    for_each_address(m, [&](const std::string& name, const net::InterfaceAddress& a, const std::string& path) {
        const auto [first, is_new] = seen.emplace(a.address, name);
        if (!is_new)
            f.add(path, fmt::format("{} is interface `{}`'s already", net::to_string(a.address), first->second),
                  "give each interface addresses of its own");
    });
}

// Prefixes lie in one another or apart: sorted, those that cover the current one form a stack.
void subnet_overlap(const Model& m, Findings& f) {
    struct Entry {
        net::IpPrefix subnet;
        std::string name;
        net::IpAddress address;
        std::string path;
    };
    std::vector<Entry> all, covering;
    for_each_address(m, [&](const std::string& name, const net::InterfaceAddress& a, const std::string& path) {
        all.push_back({a.subnet(), name, a.address, path});
    });
    std::ranges::stable_sort(all, {}, &Entry::subnet);
    for (Entry& e : all) {
        if (f.full()) return;
        while (!covering.empty() && !net::contains(covering.back().subnet, e.subnet.address)) covering.pop_back();
        const auto other =
            std::ranges::find_if(covering, [&](const Entry& c) { return c.name != e.name && c.address != e.address; });
        if (other != covering.end())
            f.add(e.path,
                  fmt::format("subnet {} of `{}` overlaps {} of `{}`", net::to_string(e.subnet), e.name,
                              net::to_string(other->subnet), other->name),
                  "give each interface a subnet of its own");
        else if (covering.empty() || covering.back().subnet != e.subnet)
            covering.push_back(std::move(e));
    }
}

constexpr Rule kRules[] = {
    {"vid-range", vid_range},
    {"tpid-unknown", tpid_unknown},
    {"unknown-port", unknown_port},
    {"unknown-secy", unknown_secy},
    {"tags-duplicate", tags_duplicate},
    {"interface-is-device", interface_is_device},
    {"address-kind", address_kind},
    {"address-host", address_host},
    {"address-duplicate", address_duplicate},
    {"subnet-overlap", subnet_overlap},
};

}  // namespace

std::span<const Rule> interface_rules() { return kRules; }

}  // namespace config
