// The FIB and the groups under ThreadSanitizer: one writer, two readers, quiescent states from a stub, DPDK not linked
// in. Exits 0 when every answer was right; ThreadSanitizer makes a data race an error of its own.
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "dataplane/group_table.h"
#include "dataplane/route_table.h"
#include "tests/unit/dataplane/fib_stress.h"

namespace {

using namespace dataplane;
using namespace fib_test;

template <class Address>
bool stress(const char* name, StressSetup setup) {
    const StressReport r = Stress<Address>(setup).run();
    std::printf("%s: judged %lu, unjudged %lu, wrong %lu, differing %lu, busy %lu, nodes left %zu\n", name, r.judged,
                r.unjudged, r.wrong, r.differing, r.busy, r.nodes_left);
    return r.wrong == 0 && r.differing == 0 && r.nodes_left == 0 && r.judged > 0;
}

// Routes whose groups come and go, numbers reused all the time. Every group holds the hop {1} and one other of weight
// w; both of a group's members must be what was written together.
class Groups {
public:
    bool run() {
        std::thread a([this] { read(0); }), b([this] { read(1); });
        while (running_.load() < 2) std::this_thread::yield();
        Random random(1);
        for (int i = 0; i < 4000; ++i) change(random);
        stop_ = true;
        a.join(), b.join();
        std::printf("groups: seen %lu, wrong %lu, busy %lu\n", seen_.load(), wrong_.load(), busy_);
        return wrong_ == 0 && seen_ > 0;
    }

private:
    static NextHop hop(std::uint16_t n) { return {{n}, net::IpAddress::from(net::Ipv4Address{n})}; }

    void change(Random& random) {
        const net::Prefix4 prefix{{static_cast<std::uint32_t>(random() % 8) << 13}, 19};
        const auto n = static_cast<std::uint16_t>(2 + random() % 40);
        const std::array<WeightedHop, 2> set{{{hop(1), 1}, {hop(n), n}}};
        auto group = groups_->acquire(set);
        for (; !group; group = groups_->acquire(set)) {
            ++busy_;
            play_control();
            std::this_thread::yield();
        }
        const auto old = routes_.set(prefix, Source::fpm, Leaf::make(LeafKind::group, group->id.value)).previous;
        if (old.bits) groups_->release({old.index()});
        play_control();
    }
    // A slot's word is its next hop's interface while it is in use.
    void play_control() {
        groups_->reclaim();
        for (const auto& e : groups_->take_events()) {
            groups_->slots()[e.id.value] = e.appeared ? Slot::kUsable | e.hop.interface.value : 0;
            if (!e.appeared) groups_->confirm_gone(e.id);
        }
    }
    void read(std::size_t reader) {
        qsbr_.quiescent(reader);
        ++running_;
        Random random(reader + 2);
        while (!stop_) {
            const Leaf l = fib_->lookup({static_cast<std::uint32_t>(random() % 0x10000)});
            if (l.kind() == LeafKind::group) judge(l, static_cast<std::uint32_t>(random()));
            qsbr_.quiescent(reader);
        }
        qsbr_.offline(reader);
    }
    void judge(Leaf l, std::uint32_t hash) {
        const NextHopArrays a = groups_->arrays();
        const Group& g = a.groups[l.index()];
        const Choice c = choose(a, g, hash);
        const NextHop& h = a.next_hops[c.next_hop.value];
        const bool whole = g.count == 2 && a.next_hops[g.member[0].value].interface.value == 1;
        const bool ours = c.slot == 0 || c.slot == (Slot::kUsable | h.interface.value);
        ++seen_;
        if (!whole || !ours || h.neighbor.v4().value != h.interface.value) ++wrong_;
    }

    QsbrStub qsbr_{2};
    std::unique_ptr<Fib4> fib_ = Fib4::make({16, 64}, qsbr_.grace()).value();
    RouteTable4 routes_{*fib_};
    std::unique_ptr<GroupTable> groups_ = GroupTable::make({12, 12}, qsbr_.grace()).value();
    std::atomic<int> running_{};
    std::atomic<bool> stop_{};
    std::atomic<std::uint64_t> seen_{}, wrong_{};
    std::uint64_t busy_{};
};

}  // namespace

// DEMARC_FIB_CHANGES: how many random changes per family; a million in the long run.
int main() {
    const char* changes = std::getenv("DEMARC_FIB_CHANGES");
    const std::size_t n = changes ? std::strtoull(changes, nullptr, 10) : 20'000;
    bool ok = stress<net::Ipv4Address>("ipv4", {.changes = n, .seed = 4});
    ok &= stress<net::Ipv6Address>("ipv6", {.changes = changes ? n : n / 2, .prefixes = 600, .seed = 6});
    ok &= stress<net::Ipv6Address>("ipv6, few nodes", {.changes = 5'000, .nodes = 0, .prefixes = 200, .seed = 7});
    ok &= Groups().run();
    return ok ? 0 : 1;
}
