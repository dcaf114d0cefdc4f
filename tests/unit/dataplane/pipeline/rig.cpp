#include "tests/unit/dataplane/pipeline/rig.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstdio>
#include <cstdlib>

#include "dataplane/pipeline.h"
#include "dataplane/stages.h"
#include "tests/unit/catch.h"

namespace rig {

using namespace dataplane;

namespace {

constexpr unsigned kWire = 512;
constexpr unsigned kBuffers = 16383;

rte_mempool* pool;
struct Wire {
    rte_ring *to_us, *from_us;
    std::uint16_t ethdev;
};
std::array<Wire, kPorts> wires;
std::array<bool, kVerdicts> reached{};

void fail(const char* what) {
    std::fprintf(stderr, "%s: %s\n", what, rte_strerror(rte_errno));
    std::exit(1);
}

Wire make_wire(std::size_t i) {
    const std::string name = "wire" + std::to_string(i);
    Wire w{};
    w.to_us = rte_ring_create((name + "rx").c_str(), kWire, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
    w.from_us = rte_ring_create((name + "tx").c_str(), kWire, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (!w.to_us || !w.from_us) fail("rings");
    const int id = rte_eth_from_rings(name.c_str(), &w.to_us, 1, &w.from_us, 1, 0);
    if (id < 0) fail("ring port");
    w.ethdev = static_cast<std::uint16_t>(id);
    rte_eth_conf conf{};
    if (rte_eth_dev_configure(w.ethdev, 1, 1, &conf) != 0) fail("configure");
    if (rte_eth_rx_queue_setup(w.ethdev, 0, 512, 0, nullptr, pool) != 0) fail("receive queue");
    if (rte_eth_tx_queue_setup(w.ethdev, 0, 512, 0, nullptr) != 0) fail("transmit queue");
    if (rte_eth_dev_start(w.ethdev) != 0) fail("start");
    return w;
}

rte_mbuf* to_mbuf(const Octets& o) {
    rte_mbuf* m = rte_pktmbuf_alloc(pool);
    REQUIRE(m != nullptr);
    char* data = rte_pktmbuf_append(m, static_cast<std::uint16_t>(o.size()));
    REQUIRE(data != nullptr);
    std::memcpy(data, o.data(), o.size());
    return m;
}

Octets to_octets(const rte_mbuf* m) {
    const auto* p = rte_pktmbuf_mtod(m, const std::uint8_t*);
    return {p, p + m->data_len};
}

Grace immediate() {
    return {[] { return std::uint64_t{0}; }, [](std::uint64_t) { return true; }};
}

constexpr macsec::CipherSuite kSuite = macsec::CipherSuite::gcm_aes_xpn_256;

macsec::AeadKey key(std::uint8_t fill) {
    const std::vector<std::uint8_t> sak(32, fill);
    return macsec::AeadKey::create(kSuite, sak).value();
}
macsec::Sci sci(PortId port, bool ours) {
    return {our_mac(port).number() << 16 | (ours ? 1u : 2u)};
}
macsec::SaDescription description(PortId port, bool ours) {
    macsec::SaDescription d;
    d.suite = kSuite;
    d.sci = sci(port, ours);
    d.ssci = {ours ? 1u : 2u};
    d.salt.fill(0x5A);
    return d;
}
std::uint8_t fill_of(PortId port, bool ours) { return static_cast<std::uint8_t>(0x10 * port.value + (ours ? 1 : 2)); }

}  // namespace

net::MacAddress our_mac(PortId port) { return net::MacAddress::from_number(0x02'00'00'00'00'10u + port.value); }
net::MacAddress neighbor_mac(std::size_t next_hop) {
    return net::MacAddress::from_number(0x02'bb'00'00'00'00u + next_hop);
}

bool start_eal() {
    std::vector<std::string> words{
        "pipeline-tests",   "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "256", "-l", "0",
        "--log-level=error"};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) return false;
    pool = rte_pktmbuf_pool_create("frames", kBuffers, 256, kMbufPrivate, 2176 + 128, 0);
    if (pool == nullptr) fail("pool");
    for (std::size_t i = 0; i < kPorts; ++i) wires[i] = make_wire(i);
    return true;
}

std::vector<Verdict> verdicts_not_reached() {
    std::vector<Verdict> missing;
    for (std::size_t v = 1; v < kVerdicts; ++v)
        if (!reached[v] && static_cast<Verdict>(v) != Verdict::first_punt_marker_)
            missing.push_back(static_cast<Verdict>(v));
    return missing;
}

void poll_worker(Worker& w, std::uint64_t now) { poll(w, now); }

Rig::Rig(std::size_t workers) : slots_(8) {
    fib4_ = Fib4::make({16, 64}, immediate()).value();
    fib6_ = Fib6::make({16, 256}, immediate()).value();
    build_workers(workers);
    forwarding_ = std::make_unique<Forwarding>();
    build();
    publish();
}

void Rig::build() {
    build_next_hops();
    build_ports();
    build_interfaces();
    Forwarding& f = *forwarding_;
    f.fib4 = fib4_.get();
    f.fib6 = fib6_.get();
    f.hops = {next_hops_, groups_, slots_};
    for (const char* own : {"10.10.0.1/32", "10.20.0.1/32", "169.254.1.1/32", "fd00:10::1/128", "fd00:20::1/128"})
        route(own, Leaf::make(LeafKind::local));
    route("10.10.0.0/24", Leaf::make(LeafKind::connected, kLan0.value));
    route("fd00:10::/64", Leaf::make(LeafKind::connected, kLan0.value));
    for (const char* wan : {"10.20.0.0/16", "fd00:20::/32"}) route(wan, Leaf::make(LeafKind::group, 1));
    for (const char* ch1 : {"10.30.0.0/16", "fd00:30::/32"}) route(ch1, Leaf::make(LeafKind::group, 2));
    route("10.40.0.0/16", Leaf::make(LeafKind::group, 3));
}

void Rig::build_next_hops() {
    const InterfaceId out[] = {{}, kWan0, kCh1Inside, kCh2Inside, kWan0, kWan0, kLanS20C30, InterfaceId{77}};
    groups_.resize(8);
    for (std::size_t i = 0; i < 8; ++i) {
        next_hops_.push_back({out[i], {}});
        groups_[i].count = 1;
        groups_[i].member[0] = NextHopId{static_cast<std::uint16_t>(i)};
        set_slot(i, neighbor_mac(i).number() | Slot::kResolved | Slot::kUsable);
    }
    set_slot(4, neighbor_mac(4).number() | Slot::kResolved);
    set_slot(5, 0);
}

void Rig::build_ports() {
    Forwarding& f = *forwarding_;
    for (std::uint16_t i = 0; i < kPorts; ++i) {
        PortEntry& port = f.ports[i];
        port.present = true;
        port.ethdev = wires[i].ethdev;
        port.mac = our_mac({i});
        port.receive_worker = port.transmit_worker =
            WorkerId{static_cast<std::uint8_t>(i == 0 ? 0 : workers_.size() - 1)};
        f.workers[port.receive_worker.value].receive.push_back({i});
        f.workers[port.transmit_worker.value].transmit.push_back({i});
    }
    f.secys.resize(2);
    build_secy(kCh1, {}, false);
    build_secy(kCh2, {1, {{{net::kTpidCustomer, 7}, {}}}}, true);
}

void Rig::build_secy(PortId id, net::VlanStack clear_tags, bool has_kay) {
    const auto index = static_cast<std::uint16_t>(id.value - kCh1.value);
    PortEntry& port = forwarding_->ports[id.value];
    port.secured = true;
    port.secys = {index};
    port.inside.resize(1);
    ours_.push_back(std::make_shared<macsec::TransmitSa>(description(id, true), key(fill_of(id, true)), 1));
    peers_.push_back(std::make_shared<macsec::TransmitSa>(description(id, false), key(fill_of(id, false)), 1));
    their_sas_.push_back(std::make_shared<macsec::ReceiveSa>(description(id, true), key(fill_of(id, true)), 1));
    ours_.back()->pn_ceiling = peers_.back()->pn_ceiling = 1u << 20;
    auto receive_sa = std::make_shared<macsec::ReceiveSa>(description(id, false), key(fill_of(id, false)), 1);
    auto transmit = std::make_shared<macsec::TransmitCounters>();
    auto receive = std::make_shared<macsec::ReceiveCounters>();
    auto secy = std::make_shared<macsec::ReceiveSecYCounters>();
    SecYEntry& e = forwarding_->secys[index];
    e.port = id;
    e.clear_tags = clear_tags;
    e.has_kay = has_kay;
    e.eapol_destination = packet::mac("01:80:c2:00:00:03");
    e.eapol_ethertype = macsec::kEtherTypeEapol;
    e.transmit.sci = sci(id, true);
    e.transmit.sa = ours_.back().get();
    e.transmit.counters = transmit.get();
    e.receive_scs.push_back({sci(id, false), {receive_sa.get(), nullptr, nullptr, nullptr}, receive.get()});
    e.receive.scs = e.receive_scs;
    e.receive.replay_window = 64;
    e.receive.counters = secy.get();
    e.keeps_alive = {transmit, receive, secy, receive_sa};
}

void Rig::build_interfaces() {
    Forwarding& f = *forwarding_;
    f.interfaces.resize(7);
    const net::VlanTag c30{net::kTpidCustomer, 30}, s20{net::kTpidService, 20}, c1101{net::kTpidCustomer, 1101};
    const std::pair<PortId, net::VlanStack> places[] = {{kLan, {}}, {kLan, {1, {{c30, {}}}}}, {kLan, {1, {{s20, {}}}}},
        {kLan, {2, {{s20, c30}}}}, {kWan, {}}, {kCh1, {1, {{c1101, {}}}}}, {kCh2, {}}};
    for (std::uint16_t i = 0; i < f.interfaces.size(); ++i) {
        InterfaceEntry& e = f.interfaces[i];
        e.present = true;
        std::tie(e.port, e.tags) = places[i];
        e.mtu = 1500;
        e.mac = our_mac(e.port);
        if (e.port >= kCh1) e.secy = static_cast<std::uint16_t>(e.port.value - kCh1.value);
    }
    f.interfaces[kLan0.value].own = {packet::ip("10.10.0.1"), packet::ip("fd00:10::1"), packet::ip("fe80::1"),
                                     packet::ip("169.254.1.1")};
    f.interfaces[kLan0.value].link_local = {packet::ip("fe80::1").v6()};
    f.interfaces[kLan0.value].bgp_neighbors = {packet::ip("10.10.0.2"), packet::ip("fd00:10::2")};
    TagMap& lan = f.ports[kLan.value].plain;
    lan.untagged = kLan0;
    lan.customer.resize(4096);
    lan.customer[30] = kLanC30;
    lan.service.resize(4096);
    lan.service[20] = kLanS20;
    lan.pairs = {{places[kLanS20C30.value].second, kLanS20C30}};
    f.ports[kWan.value].plain.untagged = kWan0;
    f.ports[kCh1.value].inside[0].customer.resize(4096);
    f.ports[kCh1.value].inside[0].customer[1101] = kCh1Inside;
    f.ports[kCh2.value].inside[0].untagged = kCh2Inside;
}

void Rig::build_workers(std::size_t count) {
    std::vector<Worker*> all;
    for (std::size_t i = 0; i < count; ++i) {
        WorkerSetup s;
        s.id = {static_cast<std::uint8_t>(i)};
        s.workers = count;
        s.pool = pool;
        s.punt_rates.fill(100'000);
        s.interfaces = 8;
        s.connections = 4;
        workers_.push_back(make_worker(s).value());
        all.push_back(workers_.back().get());
    }
    REQUIRE(connect_workers(all));
}

Rig::~Rig() {
    for (std::uint16_t i = 0; i < kPorts; ++i) {
        open_wire({i});
        sent({i});
    }
    std::size_t waiting = 0;
    for (const auto& w : workers_) {
        const WorkerCounters& c = dataplane::counters(*w);
        std::uint64_t drops = 0;
        for (std::size_t v = 0; v < kVerdicts; ++v) {
            reached[v] |= c.verdicts[v].get() != 0;
            if (is_drop(static_cast<Verdict>(v))) drops += c.verdicts[v].get();
        }
        if (frames_in_rings(*w) == 0)
            CHECK(c.received.get() + c.injected.get() + c.collected.get() ==
                  c.transmitted.get() + c.punted.get() + c.handed_over.get() + drops);
        waiting += frames_in_rings(*w);
    }
    workers_.clear();
    CHECK(rte_mempool_avail_count(pool) == kBuffers);
    INFO("frames that waited in rings at the end: " << waiting);
}

void Rig::publish() {
    for (auto& w : workers_) dataplane::publish(*w, forwarding_.get());
}

void Rig::route(const char* prefix, Leaf leaf) {
    const net::IpPrefix p = net::parse_prefix(prefix).value();
    const TableResult done =
        p.address.family == net::Family::ipv4 ? fib4_->set(p.v4(), leaf) : fib6_->set(p.v6(), leaf);
    REQUIRE(done == TableResult::ok);
}

void Rig::set_slot(std::size_t next_hop, std::uint64_t bits) { slots_[next_hop] = bits; }

void Rig::send(PortId port, const Octets& frame) {
    REQUIRE(rte_ring_enqueue(wires[port.value].to_us, to_mbuf(frame)) == 0);
}

void Rig::send_segments(PortId port, const Octets& first, const Octets& second) {
    rte_mbuf* m = to_mbuf(first);
    REQUIRE(rte_pktmbuf_chain(m, to_mbuf(second)) == 0);
    REQUIRE(rte_ring_enqueue(wires[port.value].to_us, m) == 0);
}

void Rig::send_stripped(PortId port, const Octets& frame, std::uint16_t tci, std::uint16_t outer_tci,
                        std::uint16_t headroom) {
    rte_mbuf* m = rte_pktmbuf_alloc(pool);
    REQUIRE(m != nullptr);
    m->data_off = headroom;
    std::memcpy(rte_pktmbuf_append(m, static_cast<std::uint16_t>(frame.size())), frame.data(), frame.size());
    m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    m->vlan_tci = tci;
    if (outer_tci != 0) m->ol_flags |= RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;
    m->vlan_tci_outer = outer_tci;
    REQUIRE(rte_ring_enqueue(wires[port.value].to_us, m) == 0);
}

std::vector<Octets> Rig::sent(PortId port) {
    std::vector<Octets> frames;
    void* m;
    while (rte_ring_dequeue(wires[port.value].from_us, &m) == 0) {
        frames.push_back(to_octets(static_cast<rte_mbuf*>(m)));
        rte_pktmbuf_free(static_cast<rte_mbuf*>(m));
    }
    return frames;
}

void Rig::inject(InjectClass c, Crossing crossing_, const Octets& frame, std::size_t worker) {
    rte_mbuf* m = to_mbuf(frame);
    crossing(m) = crossing_;
    crossing(m).inject = c;
    REQUIRE(rte_ring_sp_enqueue(inject_ring(*workers_[worker], c), m) == 0);
}

std::vector<Punted> Rig::punted(PuntClass c, std::size_t worker) {
    std::vector<Punted> all;
    void* p;
    while (rte_ring_sc_dequeue(punt_ring(*workers_[worker], c), &p) == 0) {
        auto* m = static_cast<rte_mbuf*>(p);
        all.push_back({to_octets(m), crossing(m)});
        rte_pktmbuf_free(m);
    }
    return all;
}

void Rig::turn(int n) {
    for (; n > 0; --n) {
        now_ += 1000;
        for (auto& w : workers_) poll(*w, now_);
    }
}

void Rig::fill_wire(PortId port, std::size_t room) {
    rte_ring* ring = wires[port.value].from_us;
    while (rte_ring_free_count(ring) > room) REQUIRE(rte_ring_enqueue(ring, to_mbuf(Octets(60))) == 0);
}

void Rig::open_wire(PortId port) { sent(port); }

std::uint64_t Rig::count(Verdict v) const {
    std::uint64_t n = 0;
    for (const auto& w : workers_) n += dataplane::counters(*w).verdicts[static_cast<std::size_t>(v)].get();
    return n;
}

Octets Rig::protect(PortId port, Octets frame, std::uint64_t pn) {
    const auto i = static_cast<std::size_t>(port.value - kCh1.value);
    if (pn != 0) peers_[i]->next_pn = pn;
    const std::size_t length = frame.size();
    frame.insert(frame.begin(), 64, 0);
    frame.resize(frame.size() + 128);
    macsec::TransmitCounters counters;
    macsec::TransmitSecY secy;
    secy.sci = sci(port, false);
    secy.sa = peers_[i].get();
    secy.counters = &counters;
    const auto clear = static_cast<std::uint8_t>(forwarding_->secys[i].clear_tags.octets());
    macsec::Frame f{frame.data() + 64, static_cast<std::uint32_t>(length), 64, 128, clear, macsec::Verdict::ok};
    macsec::protect(secy, {&f, 1});
    REQUIRE(f.verdict == macsec::Verdict::ok);
    return {f.data, f.data + f.length};
}

Verdict Rig::protect_stage(PortId port, Meta meta, const Octets& frame) {
    Batch b;
    b.count = 1;
    b.port = port;
    b.mbuf[0] = to_mbuf(frame);
    b.meta[0] = meta;
    dataplane::protect(*workers_[0], *forwarding_, b);
    rte_pktmbuf_free(b.mbuf[0]);
    return b.meta[0].verdict;
}

Octets Rig::open(PortId port, Octets frame) {
    const auto i = static_cast<std::size_t>(port.value - kCh1.value);
    macsec::ReceiveCounters counters;
    macsec::ReceiveSecYCounters secy_counters;
    const macsec::ReceiveSc sc{sci(port, true), {their_sas_[i].get(), nullptr, nullptr, nullptr}, &counters};
    macsec::ReceiveSecY secy;
    secy.scs = {&sc, 1};
    secy.replay_window = 1000;
    secy.counters = &secy_counters;
    const auto clear = static_cast<std::uint8_t>(forwarding_->secys[i].clear_tags.octets());
    macsec::Frame f{frame.data(), static_cast<std::uint32_t>(frame.size()), 0, 0, clear, macsec::Verdict::ok};
    macsec::verify(secy, {&f, 1});
    if (f.verdict != macsec::Verdict::ok) return {};
    return {f.data, f.data + f.length};
}

}  // namespace rig
