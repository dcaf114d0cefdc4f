// One writer changes the FIB at random; readers judge every answer while it does.
//
// Each probe address has a word: version, answer before, answer after. The writer announces a change in the word, makes
// it in the FIB, and then declares it done. A reader reads the word, looks up, reads the word again: the answer must be
// one that was true in between. Only when more than one change passed meanwhile is the answer not judged.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "fib_oracle.h"
#include "qsbr_stub.h"

namespace fib_test {

struct StressSetup {
    std::size_t changes{20'000};
    unsigned root_bits{16};
    // 0: as many as all prefixes together need, and one reader more, which rests only when the writer cannot go on:
    // inserts must wait for grace periods.
    std::size_t nodes{16384};
    std::size_t prefixes{2000};
    std::size_t spines{24};
    unsigned shortest{0};  // of the prefixes other than the default
    std::size_t readers{2};
    std::uint64_t seed{1};
};
struct StressReport {
    std::uint64_t judged{}, unjudged{}, wrong{};  // answers the readers saw
    std::uint64_t busy{};                         // inserts that had to be tried again
    std::uint64_t differing{};                    // answers that differ from the oracle's at rest
    std::size_t nodes_left{};                     // in use after every prefix was removed
};

template <class Address>
class Stress {
public:
    explicit Stress(const StressSetup& setup)
        : setup_(setup),
          qsbr_(setup.readers + 1),
          random_(setup.seed),
          prefixes_(nested_prefixes<Address>(random_, setup.prefixes, setup.spines, setup.shortest)),
          present_(prefixes_.size()) {
        if (setup.nodes > 0) qsbr_.offline(setup.readers);
        const std::size_t nodes = setup.nodes > 0 ? setup.nodes : nodes_for_all();
        fib_ = dataplane::Fib<Address>::make({setup.root_bits, nodes}, qsbr_.grace()).value();
        for (std::size_t i = 0; i < kProbes; ++i)
            probes_.push_back(inside(prefixes_[random_() % prefixes_.size()], random_));
        for (const auto& p : prefixes_) {
            affected_.emplace_back();
            for (std::size_t i = 0; i < kProbes; ++i)
                if (prefix_of(probes_[i], p.length) == p) affected_.back().push_back(i);
        }
    }

    StressReport run() {
        std::vector<std::thread> readers;
        for (std::size_t i = 0; i < setup_.readers; ++i) readers.emplace_back([this, i] { read(i); });
        while (running_.load() < setup_.readers) std::this_thread::yield();
        for (std::size_t i = 0; i < setup_.changes; ++i) {
            change(random_() % prefixes_.size(), random_() % 5 < 3 ? leaf(1 + random_() % 1000) : Leaf{});
            if (i % 256 == 0) compare();
        }
        for (std::size_t i = 0; i < prefixes_.size(); ++i) change(i, {});
        compare();
        stop_ = true;
        for (auto& r : readers) r.join();
        qsbr_.offline(setup_.readers);
        fib_->reclaim();
        report_.nodes_left = fib_->nodes().used + fib_->nodes().awaiting;
        return report_;
    }

private:
    static constexpr std::size_t kProbes = 512;

    struct Word {
        std::uint64_t value;
        std::uint32_t version() const { return static_cast<std::uint32_t>(value >> 32); }
        std::uint32_t before() const { return value >> 16 & 0xFFFF; }
        std::uint32_t after() const { return value & 0xFFFF; }
        bool allows(Leaf l) const { return l == leaf(before()) || l == leaf(after()); }
    };
    static std::uint64_t word(std::uint64_t version, Leaf before, Leaf after) {
        return version << 32 | before.index() << 16 | after.index();
    }

    std::size_t nodes_for_all() {
        const auto fib = dataplane::Fib<Address>::make({setup_.root_bits, std::size_t{1} << 20}, qsbr_.grace()).value();
        for (const auto& p : prefixes_) fib->set(p, leaf(1));
        return fib->nodes().used;
    }

    void change(std::size_t which, Leaf to) {
        const auto& prefix = prefixes_[which];
        if (to.bits == 0 && !present_[which]) return;
        to.bits ? oracle_.set(prefix, to) : oracle_.remove(prefix);
        std::vector<std::size_t> changing;
        for (const std::size_t i : affected_[which]) {
            const Word w{words_[i].load(std::memory_order_relaxed)};
            const Leaf after = oracle_.lookup(probes_[i]);
            if (after == leaf(w.after())) continue;
            words_[i].store(word(w.version() + 1, leaf(w.after()), after), std::memory_order_release);
            changing.push_back(i);
        }
        apply(prefix, to);
        present_[which] = to.bits != 0;
        for (const std::size_t i : changing) {
            const Word w{words_[i].load(std::memory_order_relaxed)};
            words_[i].store(word(w.version() + 1, leaf(w.after()), leaf(w.after())), std::memory_order_release);
        }
    }
    void apply(const net::Prefix<Address>& prefix, Leaf to) {
        if (to.bits == 0) return fib_->remove(prefix, oracle_.cover(prefix));
        while (fib_->set(prefix, to) == dataplane::TableResult::busy) {
            ++report_.busy;
            qsbr_.quiescent(setup_.readers);
            std::this_thread::yield();
        }
    }

    void compare() {
        std::vector<Address> a = probes_;
        for (int i = 0; i < 64; ++i) a.push_back(inside(prefixes_[random_() % prefixes_.size()], random_));
        std::vector<Leaf> bulk(a.size());
        fib_->lookup(a.data(), bulk.data(), a.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            const Leaf want = oracle_.lookup(a[i]);
            report_.differing += (want != bulk[i]) + (want != fib_->lookup(a[i]));
        }
    }

    void read(std::size_t reader) {
        qsbr_.quiescent(reader);
        ++running_;
        Random random(setup_.seed + reader + 1);
        StressReport mine;
        while (!stop_.load(std::memory_order_relaxed)) {
            read_bulk(1 + random() % 64, random() % kProbes, random() % 2 == 0, mine);
            qsbr_.quiescent(reader);
        }
        qsbr_.offline(reader);
        judged_ += mine.judged, unjudged_ += mine.unjudged, wrong_ += mine.wrong;
        if (--running_ == 0) report_.judged = judged_, report_.unjudged = unjudged_, report_.wrong = wrong_;
    }

    void read_bulk(std::size_t n, std::size_t first, bool one_by_one, StressReport& r) {
        std::array<Address, 64> a;
        std::array<Word, 64> w;
        std::array<Leaf, 64> got;
        for (std::size_t i = 0; i < n; ++i) {
            a[i] = probes_[(first + i) % kProbes];
            w[i].value = words_[(first + i) % kProbes].load(std::memory_order_acquire);
        }
        if (one_by_one)
            for (std::size_t i = 0; i < n; ++i) got[i] = fib_->lookup(a[i]);
        else
            fib_->lookup(a.data(), got.data(), n);
        for (std::size_t i = 0; i < n; ++i)
            judge(w[i], {words_[(first + i) % kProbes].load(std::memory_order_acquire)}, got[i], r);
    }
    static void judge(Word before, Word after, Leaf got, StressReport& r) {
        if (after.version() - before.version() > 2)
            ++r.unjudged;
        else
            ++(before.allows(got) || after.allows(got) ? r.judged : r.wrong);
    }

    const StressSetup setup_;
    QsbrStub qsbr_;
    Random random_;
    std::unique_ptr<dataplane::Fib<Address>> fib_;
    Trie<Address> oracle_;
    std::vector<net::Prefix<Address>> prefixes_;
    std::vector<bool> present_;
    std::vector<Address> probes_;
    std::vector<std::vector<std::size_t>> affected_;           // probes inside each prefix
    std::array<std::atomic<std::uint64_t>, kProbes> words_{};  // writer: w, readers: r
    std::atomic<std::size_t> running_{};
    std::atomic<bool> stop_{};
    std::atomic<std::uint64_t> judged_{}, unjudged_{}, wrong_{};  // readers: w at their end
    StressReport report_;
};

}  // namespace fib_test
