// One worker with the snapshot of one scenario: two ports, A and B, of the loop that DPDK's net_pcap makes of a file.
//   forward       A and B plain, frames to either, mixed
//   forward-vlan  the same with a tag on each: popped, another pushed
//   protect       from A, plain, to B: a tag, then MACsec
//   verify        from A, MACsec and a tag inside it, to B, plain
// The worker, its snapshot, its SAs and its stages are the product's own.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/frames.h"
#include "dataplane/forwarding.h"
#include "dataplane/worker.h"
#include "macsec/secy.h"

struct rte_rcu_qsbr;

namespace bench {

enum class Kind : std::uint8_t { forward, forward_vlan, protect, verify };
inline constexpr std::array<std::string_view, 4> kKindWords{"forward", "forward-vlan", "protect", "verify"};

// What MACsec and the tag inside it add to a plain frame.
inline constexpr std::size_t kSecuredExtra = macsec::kMaxOverhead + 4;

// The frames that port A (0) or B (1) receives for a scenario of `octets`; none where it receives nothing. `octets` is
// the length of the plain frame, FCS excluded: as received, for verify as sent.
std::vector<Octets> frames_for(Kind, macsec::CipherSuite, std::size_t port, std::size_t octets);

// What all scenarios share.
struct Common {
    std::unique_ptr<dataplane::Fib4> fib4;
    std::unique_ptr<dataplane::Fib6> fib6;
    rte_mempool* pool{};
    rte_rcu_qsbr* qsbr{};
};
// kRoutes routes over two groups. Error: a sentence.
std::expected<Common, std::string> make_common(rte_mempool*);

class Scenario {
public:
    // The DPDK ports of A and B.
    Scenario(const Common&, Kind, macsec::CipherSuite, std::size_t octets, std::array<std::uint16_t, 2> ethdevs);
    Scenario(const Scenario&) = delete;  // the snapshot points into it
    Scenario& operator=(const Scenario&) = delete;

    Kind kind() const noexcept { return kind_; }
    std::size_t octets() const noexcept { return octets_; }
    dataplane::Worker& worker() noexcept { return *worker_; }
    // Turns of the worker, as its thread runs them (the time-stamp counter serves as the clock), until `frames` frames
    // came in; what came in.
    std::uint64_t turns(std::uint64_t frames) noexcept;
    // Whether stages are timed.
    void time_stages(bool on) noexcept { forwarding_->stage_clocks = on; }
    // Every frame that came in went out; else what became of the others.
    std::optional<std::string> lost() const;

private:
    void build_ports(std::array<std::uint16_t, 2> ethdevs);
    void build_interfaces();
    void build_secy(macsec::CipherSuite);
    void rewind() noexcept;

    Kind kind_;
    std::size_t octets_;
    const Common& common_;
    std::uint64_t since_rewind_{};
    std::unique_ptr<dataplane::Forwarding> forwarding_;
    std::vector<dataplane::NextHop> next_hops_;
    std::vector<dataplane::Group> groups_;
    std::vector<std::atomic<std::uint64_t>> slots_;
    std::shared_ptr<macsec::ReceiveSa> receive_sa_;
    dataplane::WorkerPtr worker_;
};

}  // namespace bench
