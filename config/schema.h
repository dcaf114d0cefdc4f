// The file's keys, once for reading and printing: describe() names each key, the member it fills and the codec between.
// An Io is parse.cpp's MapReader or print.cpp's MapWriter. Keys stand in the order they are printed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/codec.h"
#include "config/model.h"

namespace config {

template <class T>
struct Type {};

// A nested map. read() is in parse.cpp, write() in print.cpp.
template <class T>
struct Struct {
    bool read(Reading&, const Node&, const std::string& path, T& out) const;
    bool read(Reading& r, const Node& n, const std::string& path, std::optional<T>& out) const {
        return read(r, n, path, out.emplace());
    }
    Node write(const T&, bool resolved) const;
    Node write(const std::optional<T>& v, bool resolved) const { return write(*v, resolved); }
    std::string wants() const { return "a map"; }
};

// A list; each element by one codec.
template <class Codec>
struct List {
    Codec codec{};
    template <class T>
    bool read(Reading&, const Node&, const std::string& path, std::vector<T>& out) const;
    template <class T>
    Node write(const std::vector<T>&, bool resolved) const;
    std::string wants() const { return "a list"; }
};

// A map from names of ours to T.
template <class T>
struct Named {
    NameCodec name;
    bool read(Reading&, const Node&, const std::string& path, std::map<std::string, T>& out) const;
    Node write(const std::map<std::string, T>&, bool resolved) const;
    std::string wants() const { return "a map of names"; }
};

// Cores alone say the count.
struct WorkersCodec {
    bool read(Reading&, const Node&, const std::string& path, Workers& out) const;
    Node write(const Workers&, bool resolved) const;
    std::string wants() const { return "a map"; }
};

// 0 to 2 tags; a number is {vid: N} with the customer's TPID.
struct VlanStackCodec {
    bool read(Reading&, const Node&, const std::string& path, net::VlanStack& out) const;
    Node write(const net::VlanStack&, bool resolved) const;
    std::string wants() const { return "a list of tags"; }
};

inline constexpr std::string_view kIdleWords[] = {"poll", "sleep"};
inline constexpr std::string_view kDriverWords[] = {"pci", "af_xdp", "af_packet"};
inline constexpr std::string_view kPolicyWords[] = {"must-secure", "off"};
inline constexpr std::string_view kSciFormWords[] = {"sci", "es", "scb", "none"};
inline constexpr std::string_view kLogWords[] = {"debug", "info", "warning", "error"};
inline constexpr std::string_view kSuiteWords[] = {"gcm-aes-128", "gcm-aes-256", "gcm-aes-xpn-128", "gcm-aes-xpn-256"};

template <class Io>
void describe(Io& io, Type<Router>) {
    io.required("name", &Router::name, NameCodec{63, true});
    io.optional("run-directory", &Router::run_directory, PathCodec{});
    io.optional("state-directory", &Router::state_directory, PathCodec{});
}

template <class Io>
void describe(Io& io, Type<Workers>) {
    io.optional("idle", &Workers::idle, WordCodec<Idle>{kIdleWords});
    io.optional("count", &Workers::count, NumberCodec{});
    io.optional("cores", &Workers::cores, List<NumberCodec>{{0, 1023}});
}

template <class Io>
void describe(Io& io, Type<Memory>) {
    io.optional("buffers", &Memory::buffers, NumberCodec{});
    io.optional("buffer-octets", &Memory::buffer_octets, NumberCodec{});
}

template <class Io>
void describe(Io& io, Type<FibSizes>) {
    io.optional("ipv4-root-bits", &FibSizes::ipv4_root_bits, NumberCodec{});
    io.optional("ipv6-root-bits", &FibSizes::ipv6_root_bits, NumberCodec{});
    io.optional("ipv4-nodes", &FibSizes::ipv4_nodes, NumberCodec{});
    io.optional("ipv6-nodes", &FibSizes::ipv6_nodes, NumberCodec{});
    io.optional("groups", &FibSizes::groups, NumberCodec{});
    io.optional("next-hops", &FibSizes::next_hops, NumberCodec{});
}

template <class Io>
void describe(Io& io, Type<PuntRates>) {
    io.optional("eapol", &PuntRates::eapol, NumberCodec{});
    io.optional("bfd", &PuntRates::bfd, NumberCodec{});
    io.optional("bgp", &PuntRates::bgp, NumberCodec{});
    io.optional("arp-nd", &PuntRates::arp_nd, NumberCodec{});
    io.optional("other", &PuntRates::other, NumberCodec{});
}

template <class Io>
void describe(Io& io, Type<Host>) {
    io.optional("netns", &Host::netns, PathCodec{.may_be_empty = true, .or_name = true});
    io.group("fpm", [](auto& fpm) {
        fpm.optional("address", &Host::fpm_address, IpCodec{});
        fpm.optional("port", &Host::fpm_port, NumberCodec{});
    });
    io.optional("punt-rates", &Host::punt_rates, Struct<PuntRates>{});
}

template <class Io>
void describe(Io& io, Type<StaticSa>) {
    io.required("an", &StaticSa::an, NumberCodec{});
    io.required("key-file", &StaticSa::key_file, PathCodec{});
    io.optional("ssci", &StaticSa::ssci, SsciCodec{});
    io.optional("salt", &StaticSa::salt, SaltCodec{});
}

template <class Io>
void describe(Io& io, Type<StaticReceiveSc>) {
    io.required("sci", &StaticReceiveSc::sci, SciCodec{});
    io.required("sas", &StaticReceiveSc::sas, List<Struct<StaticSa>>{});
}

template <class Io>
void describe(Io& io, Type<StaticKeys>) {
    io.required("transmit", &StaticKeys::transmit, Struct<StaticSa>{});
    io.required("receive", &StaticKeys::receive, List<Struct<StaticReceiveSc>>{});
}

template <class Io>
void describe(Io& io, Type<MkaKey>) {
    io.required("ckn", &MkaKey::ckn, HexCodec{});
    io.required("cak-file", &MkaKey::cak_file, PathCodec{});
    io.optional("start", &MkaKey::start, TimeCodec{});
    io.optional("end", &MkaKey::end, TimeCodec{});
}

template <class Io>
void describe(Io& io, Type<Mka>) {
    io.optional("key-server-priority", &Mka::key_server_priority, NumberCodec{});
    io.optional("sak-rekey", &Mka::sak_rekey_ms, kDuration);
    io.optional("hello", &Mka::hello_ms, kDuration);
    io.optional("life", &Mka::life_ms, kDuration);
    io.optional("icv-indicator", &Mka::icv_indicator, BoolCodec{});
    io.optional("delay-protect", &Mka::delay_protect, BoolCodec{});
    io.optional("keep-last-sak", &Mka::keep_last_sak, BoolCodec{});
    io.optional("hard-expiry", &Mka::hard_expiry, BoolCodec{});
    io.required("key-ring", &Mka::key_ring, List<Struct<MkaKey>>{});
    io.optional("fallback", &Mka::fallback, Struct<MkaKey>{});
}

template <class Io>
void describe(Io& io, Type<SecY>) {
    io.optional("clear-tags", &SecY::clear_tags, VlanStackCodec{});
    io.optional("policy", &SecY::policy, WordCodec<Policy>{kPolicyWords});
    io.optional("cipher-suite", &SecY::cipher_suite, WordCodec<macsec::CipherSuite>{kSuiteWords});
    io.optional("sci-form", &SecY::sci_form, WordCodec<macsec::SciForm>{kSciFormWords});
    io.optional("confidentiality", &SecY::confidentiality, BoolCodec{});
    io.optional("confidentiality-offset", &SecY::confidentiality_offset, NumberCodec{});
    io.optional("replay-window", &SecY::replay_window, ReplayWindowCodec{});
    io.optional("port-identifier", &SecY::port_identifier, NumberCodec{});
    io.group("eapol", [](auto& eapol) {
        eapol.optional("destination", &SecY::eapol_destination, MacCodec{});
        eapol.optional("ethertype", &SecY::eapol_ethertype, NumberCodec{.hex = true});
    });
    io.optional("static", &SecY::static_keys, Struct<StaticKeys>{});
    io.optional("mka", &SecY::mka, Struct<Mka>{});
}

template <class Io>
void describe(Io& io, Type<Port>) {
    io.required("driver", &Port::driver, WordCodec<Driver>{kDriverWords});
    io.required("device", &Port::device, TextCodec{});
    io.optional("facility", &Port::facility, TextCodec{.may_be_empty = true});
    io.optional("receive-worker", &Port::receive_worker, NumberCodec{});
    io.optional("transmit-worker", &Port::transmit_worker, NumberCodec{});
    io.optional("mtu", &Port::mtu, NumberCodec{});
    io.optional("macsec", &Port::macsec, List<Struct<SecY>>{});
}

template <class Io>
void describe(Io& io, Type<net::VlanTag>) {
    io.optional("tpid", &net::VlanTag::tpid, NumberCodec{.hex = true});
    io.required("vid", &net::VlanTag::vid, NumberCodec{});
}

template <class Io>
void describe(Io& io, Type<Interface>) {
    io.required("port", &Interface::port, NameCodec{});
    io.optional("tags", &Interface::tags, VlanStackCodec{});
    io.optional("clear-tags", &Interface::clear_tags, VlanStackCodec{});
    io.optional("mtu", &Interface::mtu, NumberCodec{});
    io.optional("addresses", &Interface::addresses, List<InterfaceAddressCodec>{});
}

template <class Io>
void describe(Io& io, Type<BgpNeighbor>) {
    io.required("address", &BgpNeighbor::address, IpCodec{});
    io.required("asn", &BgpNeighbor::asn, NumberCodec{});
    io.required("interface", &BgpNeighbor::interface, NameCodec{15});
    io.optional("password-file", &BgpNeighbor::password_file, PathCodec{.may_be_empty = true});
    io.optional("maximum-prefix", &BgpNeighbor::maximum_prefix, NumberCodec{});
}

template <class Io>
void describe(Io& io, Type<Bgp>) {
    io.required("asn", &Bgp::asn, NumberCodec{});
    io.required("router-id", &Bgp::router_id, IpCodec{});
    io.group("timers", [](auto& timers) {
        timers.optional("hold", &Bgp::hold_ms, kDuration);
        timers.optional("keepalive", &Bgp::keepalive_ms, kDuration);
        timers.optional("connect", &Bgp::connect_ms, kDuration);
    });
    io.optional("announce", &Bgp::announce, List<PrefixCodec>{});
    io.optional("accept", &Bgp::accept, List<PrefixCodec>{});
    io.optional("neighbors", &Bgp::neighbors, List<Struct<BgpNeighbor>>{});
}

template <class Io>
void describe(Io& io, Type<Connection>) {
    io.required("bandwidth", &Connection::bandwidth_bps, kRate);
    io.optional("burst", &Connection::burst_octets, kSize);
    io.required("features", &Connection::features, List<NameCodec>{{15}});
}

template <class Io>
void describe(Io& io, Type<Model>) {
    io.required("router", &Model::router, Struct<Router>{});
    io.optional("workers", &Model::workers, WorkersCodec{});
    io.optional("memory", &Model::memory, Struct<Memory>{});
    io.optional("fib", &Model::fib, Struct<FibSizes>{});
    io.optional("host", &Model::host, Struct<Host>{});
    io.optional("ports", &Model::ports, Named<Port>{});
    io.optional("interfaces", &Model::interfaces, Named<Interface>{{15}});
    io.optional("bgp", &Model::bgp, Struct<Bgp>{});
    io.optional("connections", &Model::connections, Named<Connection>{});
    io.group("log", [](auto& log) { log.optional("level", &Model::log_level, WordCodec<LogLevel>{kLogWords}); });
}

}  // namespace config
