#include "bench/scenario.h"

#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "dataplane/pipeline.h"
#include "dataplane/verdict.h"

namespace bench {

using namespace dataplane;

namespace {

constexpr std::uint16_t kInsideVid = 1101;
constexpr macsec::Sci kPeer{0x02'bb'00'00'00'01'00'01}, kUs{0x02'aa'00'00'00'01'00'01};
constexpr PortId kA{0}, kB{1};

[[noreturn]] void fail(const std::string& why) {
    fmt::print(stderr, "bench-pipeline: {}\n", why);
    std::exit(2);
}

net::MacAddress our_mac(std::size_t port) { return net::MacAddress::from_number(0x02'aa'00'00'00'10 + port); }
net::VlanStack one_tag(std::uint16_t vid) { return {1, {{{net::kTpidCustomer, vid}, {}}}}; }
std::uint16_t vid_of(std::size_t port) { return static_cast<std::uint16_t>(100 + 100 * port); }

macsec::SaDescription describe(macsec::CipherSuite suite, macsec::Sci sci) {
    macsec::SaDescription d;
    d.suite = suite;
    d.sci = sci;
    d.ssci = {sci == kUs ? 1u : 2u};
    d.salt.fill(0x5A);
    return d;
}

// A benchmark's key, of no use elsewhere.
macsec::AeadKey make_key(macsec::CipherSuite suite) {
    const Octets sak(macsec::sak_octets(suite), 0x42);
    auto key = macsec::AeadKey::create(suite, sak);
    if (!key) fail(key.error());
    return std::move(*key);
}

std::shared_ptr<macsec::TransmitSa> make_transmit_sa(macsec::CipherSuite suite, macsec::Sci sci) {
    auto sa = std::make_shared<macsec::TransmitSa>(describe(suite, sci), make_key(suite), 1);
    sa->pn_ceiling = macsec::pn_end(suite);
    return sa;
}

// By the product's own protect(): PNs 1, 2, 3, ...
void seal_frames(macsec::CipherSuite suite, std::vector<Octets>& frames) {
    const auto sa = make_transmit_sa(suite, kPeer);
    macsec::TransmitCounters counters;
    macsec::TransmitSecY secy;
    secy.sci = kPeer;
    secy.sa = sa.get();
    secy.counters = &counters;
    constexpr std::uint16_t kBefore = 32, kBehind = 64;
    for (Octets& octets : frames) {
        const auto length = static_cast<std::uint32_t>(octets.size());
        octets.insert(octets.begin(), kBefore, 0);
        octets.resize(octets.size() + kBehind);
        macsec::Frame f{octets.data() + kBefore, length, kBefore, kBehind, 0, macsec::Verdict::ok};
        macsec::protect(secy, {&f, 1});
        if (f.verdict != macsec::Verdict::ok) fail("a frame could not be sealed");
        octets = Octets(f.data, f.data + f.length);
    }
}

void enter(TagMap& map, std::uint16_t vid, InterfaceId id) {
    map.customer.resize(4096);
    map.customer[vid] = id;
}

}  // namespace

std::vector<Octets> frames_for(Kind kind, macsec::CipherSuite suite, std::size_t port, std::size_t octets) {
    if (port == 1 && (kind == Kind::protect || kind == Kind::verify)) return {};
    FramePlan plan{octets, our_mac(port), {}};
    if (kind == Kind::forward_vlan) plan.tags = one_tag(vid_of(port));
    if (kind == Kind::verify) {
        plan.tags = one_tag(kInsideVid);
        plan.octets += plan.tags.octets();
    }
    auto frames = draw_frames(plan, 1 + port);
    if (kind == Kind::verify) seal_frames(suite, frames);
    return frames;
}

std::expected<Common, std::string> make_common(rte_mempool* pool) {
    Common c;
    c.pool = pool;
    const Grace immediate{[] { return std::uint64_t{0}; }, [](std::uint64_t) { return true; }};
    auto four = Fib4::make({24, 4096}, immediate);
    auto six = Fib6::make({16, 256}, immediate);
    if (!four) return std::unexpected(four.error());
    if (!six) return std::unexpected(six.error());
    c.fib4 = std::move(*four);
    c.fib6 = std::move(*six);
    for (unsigned i = 0; i < kRoutes; ++i)
        if (c.fib4->set({{prefix_of(i)}, 24}, Leaf::make(LeafKind::group, 1 + i % 2)) != TableResult::ok)
            return std::unexpected("the FIB does not take the routes");
    c.qsbr = static_cast<rte_rcu_qsbr*>(rte_zmalloc(nullptr, rte_rcu_qsbr_get_memsize(1), 64));
    if (c.qsbr == nullptr || rte_rcu_qsbr_init(c.qsbr, 1) != 0)
        return std::unexpected("no memory for a grace-period domain");
    return c;
}

Scenario::Scenario(const Common& common, Kind kind, macsec::CipherSuite suite, std::size_t octets,
                   std::array<std::uint16_t, 2> ethdevs)
    : kind_(kind), octets_(octets), common_(common), forwarding_(std::make_unique<Forwarding>()), slots_(3) {
    next_hops_.resize(3);
    groups_.resize(3);
    for (std::uint16_t i = 1; i <= 2; ++i) {
        const bool both_to_b = kind_ == Kind::protect || kind_ == Kind::verify;
        next_hops_[i].interface = InterfaceId{both_to_b ? std::uint16_t{1} : static_cast<std::uint16_t>(i - 1)};
        groups_[i].count = 1;
        groups_[i].member[0] = {i};
        slots_[i] = (0x02'bb'00'00'00'00 + std::uint64_t{i}) | Slot::kResolved | Slot::kUsable;
    }
    build_ports(ethdevs);
    build_interfaces();
    if (kind_ == Kind::protect || kind_ == Kind::verify) build_secy(suite);
    forwarding_->fib4 = common.fib4.get();
    forwarding_->fib6 = common.fib6.get();
    forwarding_->hops = {next_hops_, groups_, slots_};
    WorkerSetup setup;
    setup.pool = common.pool;
    setup.qsbr = common.qsbr;
    setup.punt_rates.fill(1000);
    auto worker = make_worker(setup);
    if (!worker) fail(worker.error());
    worker_ = std::move(*worker);
    publish(*worker_, forwarding_.get());
}

void Scenario::build_ports(std::array<std::uint16_t, 2> ethdevs) {
    Forwarding& f = *forwarding_;
    for (const PortId id : {kA, kB}) {
        PortEntry& port = f.ports[id.value];
        port.present = true;
        port.ethdev = ethdevs[id.value];
        port.mac = our_mac(id.value);
        f.workers[0].transmit.push_back(id);
    }
    f.workers[0].receive.push_back(kA);
    if (kind_ == Kind::forward || kind_ == Kind::forward_vlan) f.workers[0].receive.push_back(kB);
}

void Scenario::build_interfaces() {
    Forwarding& f = *forwarding_;
    f.interfaces.resize(2);
    for (std::uint16_t i = 0; i < 2; ++i) {
        InterfaceEntry& e = f.interfaces[i];
        e.present = true;
        e.port = {i};
        e.mtu = 1500;
        e.mac = our_mac(i);
        TagMap& plain = f.ports[i].plain;
        plain.untagged = {i};
        if (kind_ != Kind::forward_vlan) continue;
        e.tags = one_tag(vid_of(i));
        plain.untagged = {};
        enter(plain, vid_of(i), {i});
    }
}

void Scenario::build_secy(macsec::CipherSuite suite) {
    Forwarding& f = *forwarding_;
    const PortId id = kind_ == Kind::protect ? kB : kA;
    PortEntry& port = f.ports[id.value];
    port.secured = true;
    port.secys = {0};
    port.plain = {};
    enter(port.inside.emplace_back(), kInsideVid, {id.value});
    f.interfaces[id.value].secy = 0;
    f.interfaces[id.value].tags = one_tag(kInsideVid);
    auto transmit_sa = make_transmit_sa(suite, kUs);
    receive_sa_ = std::make_shared<macsec::ReceiveSa>(describe(suite, kPeer), make_key(suite), 1);
    auto transmit = std::make_shared<macsec::TransmitCounters>();
    auto receive = std::make_shared<macsec::ReceiveCounters>();
    auto secy = std::make_shared<macsec::ReceiveSecYCounters>();
    f.secys.resize(1);
    SecYEntry& e = f.secys[0];
    e.port = id;
    e.transmit = {kUs, macsec::SciForm::sci, transmit_sa.get(), transmit.get()};
    e.receive_scs.push_back({kPeer, {receive_sa_.get(), nullptr, nullptr, nullptr}, receive.get()});
    e.receive = {e.receive_scs, true, 64, secy.get()};
    e.keeps_alive = {transmit_sa, receive_sa_, transmit, receive, secy};
}

// The file begins again, and with it the PNs: the receive SA is set back, in the open, as nothing in the product can.
void Scenario::rewind() noexcept {
    since_rewind_ = 0;
    receive_sa_->next_pn = 1;
    receive_sa_->lowest_pn = 1;
    receive_sa_->seen.fill(0);
}

std::uint64_t Scenario::turns(std::uint64_t frames) noexcept {
    rte_rcu_qsbr_thread_online(common_.qsbr, 0);
    std::uint64_t in = 0;
    while (in < frames) {
        const std::size_t moved = poll(*worker_, rte_rdtsc());
        rte_rcu_qsbr_quiescent(common_.qsbr, 0);
        if (moved == 0) break;  // no buffers: lost() tells
        in += moved;
        since_rewind_ += moved;
        if (receive_sa_ && since_rewind_ >= kFrames) rewind();
    }
    rte_rcu_qsbr_thread_offline(common_.qsbr, 0);
    return in;
}

std::optional<std::string> Scenario::lost() const {
    const WorkerCounters& c = counters(*worker_);
    const std::uint64_t in = c.received.get(), out = c.transmitted.get();
    if (in == out && in != 0) return std::nullopt;
    auto what = fmt::format("{} at {} octets: {} frames came in and {} went out",
                            kKindWords[static_cast<std::size_t>(kind_)], octets_, in, out);
    for (std::size_t v = 0; v < kVerdicts; ++v)
        if (const auto n = c.verdicts[v].get(); n != 0)
            what += fmt::format("; {} {}", n, word(static_cast<Verdict>(v)));
    return what;
}

}  // namespace bench
