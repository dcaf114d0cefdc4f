// What the operator says, as plain values: parse() makes it, validate() judges it, diff() compares two, print() shows
// one. Durations in milliseconds, rates in bits per second, sizes in octets. No key material: files are named, not
// read. control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/net/vlan.h"
#include "macsec/types.h"

namespace config {

// Where a value stood in the file; 1-based; 0: nowhere (a default).
struct Place {
    int line{};
    int column{};
    bool operator==(const Place&) const { return true; }  // moving a line is no change
};

// Where every value stood, by its path ("ports.ch1.macsec[0].replay-window"); for diagnostics only.
struct Places {
    std::string file;
    std::map<std::string, Place> at;
    bool operator==(const Places&) const { return true; }  // moving a value is no change
};

struct Router {
    std::string name;
    std::string run_directory{"/run/demarc"};
    std::string state_directory{"/var/lib/demarc"};
    Place place;
    bool operator==(const Router&) const = default;
};

enum class Idle : std::uint8_t { poll, sleep };
struct Workers {
    Idle idle{Idle::poll};
    std::uint32_t count{1};            // cores.size() when cores are named
    std::vector<std::uint32_t> cores;  // empty: floating
    Place place;
    bool operator==(const Workers&) const = default;
};

struct Memory {
    std::uint32_t buffers{16384};
    std::uint32_t buffer_octets{2176};
    Place place;
    bool operator==(const Memory&) const = default;
};

struct FibSizes {
    std::uint32_t ipv4_root_bits{16}, ipv6_root_bits{16};
    std::uint32_t ipv4_nodes{16384}, ipv6_nodes{32768};
    std::uint32_t groups{4096}, next_hops{4096};
    Place place;
    bool operator==(const FibSizes&) const = default;
};

struct PuntRates {  // packets per second and worker
    std::uint32_t eapol{1000}, bfd{10000}, bgp{20000}, arp_nd{1000}, other{1000};
    bool operator==(const PuntRates&) const = default;
};
struct Host {
    std::string netns;  // name under /run/netns or an absolute path; empty: our own
    std::string fpm_address{"127.0.0.1"};
    std::uint16_t fpm_port{2620};
    PuntRates punt_rates;
    Place place;
    bool operator==(const Host&) const = default;
};

struct StaticSa {
    std::uint8_t an{};
    std::string key_file;
    std::optional<macsec::Ssci> ssci;  // XPN only
    std::optional<macsec::Salt> salt;  // XPN only
    Place place;
    bool operator==(const StaticSa&) const = default;
};
struct StaticReceiveSc {
    macsec::Sci sci;
    std::vector<StaticSa> sas;
    Place place;
    bool operator==(const StaticReceiveSc&) const = default;
};
struct StaticKeys {
    StaticSa transmit;
    std::vector<StaticReceiveSc> receive;
    Place place;
    bool operator==(const StaticKeys&) const = default;
};

struct MkaKey {
    std::vector<std::uint8_t> ckn;  // 1 to 32 octets
    std::string cak_file;
    std::optional<std::int64_t> start, end;  // seconds since 1970, UTC
    Place place;
    bool operator==(const MkaKey&) const = default;
};
struct Mka {
    std::uint8_t key_server_priority{16};
    std::uint64_t sak_rekey_ms{};
    std::uint64_t hello_ms{2000}, life_ms{6000};
    bool icv_indicator{}, delay_protect{}, keep_last_sak{}, hard_expiry{};
    std::vector<MkaKey> key_ring;
    std::optional<MkaKey> fallback;
    Place place;
    bool operator==(const Mka&) const = default;
};

enum class Policy : std::uint8_t { must_secure, off };
struct SecY {
    net::VlanStack clear_tags;
    Policy policy{Policy::must_secure};
    macsec::CipherSuite cipher_suite{macsec::CipherSuite::gcm_aes_xpn_256};
    macsec::SciForm sci_form{macsec::SciForm::sci};
    bool confidentiality{true};
    std::uint8_t confidentiality_offset{};
    std::optional<std::uint32_t> replay_window{0};  // none: replay protection off
    std::uint16_t port_identifier{1};
    net::MacAddress eapol_destination{{0x01, 0x80, 0xC2, 0x00, 0x00, 0x03}};
    std::uint16_t eapol_ethertype{macsec::kEtherTypeEapol};
    std::optional<StaticKeys> static_keys;
    std::optional<Mka> mka;
    Place place;
    bool operator==(const SecY&) const = default;
};

// The low 16 bits of our SCI. 802.1AE 9.5, 9.9: with SCB they are 0, whatever is configured.
constexpr std::uint16_t sci_port(const SecY& s) noexcept {
    return s.sci_form == macsec::SciForm::scb ? 0 : s.port_identifier;
}

enum class Driver : std::uint8_t { pci, af_xdp, af_packet };
struct Port {
    Driver driver{};
    std::string device;
    std::string facility;
    std::uint32_t receive_worker{}, transmit_worker{};
    std::uint32_t mtu{1500};
    std::vector<SecY> macsec;  // empty: a plain port
    Place place;
    bool operator==(const Port&) const = default;
};

struct Interface {
    std::string port;
    net::VlanStack tags;        // inside MACsec
    net::VlanStack clear_tags;  // which SecY of the port
    std::uint32_t mtu{1500};
    std::vector<net::InterfaceAddress> addresses;
    Place place;
    bool operator==(const Interface&) const = default;
};

struct BgpNeighbor {
    net::IpAddress address;
    std::uint32_t asn{};
    std::string interface;
    std::string password_file;  // empty: none
    std::uint32_t maximum_prefix{100};
    Place place;
    bool operator==(const BgpNeighbor&) const = default;
};
struct Bgp {
    std::uint32_t asn{};
    net::IpAddress router_id;
    std::uint64_t hold_ms{30000}, keepalive_ms{10000}, connect_ms{2000};
    std::vector<net::IpPrefix> announce, accept;
    std::vector<BgpNeighbor> neighbors;
    Place place;
    bool operator==(const Bgp&) const = default;
};

struct Connection {
    std::uint64_t bandwidth_bps{};
    std::uint64_t burst_octets{65536};
    std::vector<std::string> features;  // interface names
    Place place;
    bool operator==(const Connection&) const = default;
};

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct Model {
    Router router;
    Workers workers;
    Memory memory;
    FibSizes fib;
    Host host;
    std::map<std::string, Port> ports;
    std::map<std::string, Interface> interfaces;
    std::optional<Bgp> bgp;
    std::map<std::string, Connection> connections;
    LogLevel log_level{LogLevel::info};
    Places places;  // empty in a model that was not parsed
    bool operator==(const Model&) const = default;
};

// An error in words a user can act on.
struct Diagnostic {
    Place place;
    std::string rule;     // as in docs/config-rules.md: "unknown-key"
    std::string message;  // what is wrong, naming the value
    std::string remedy;   // what to write instead
    bool operator==(const Diagnostic&) const = default;
};

}  // namespace config
