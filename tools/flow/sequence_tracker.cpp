#include "tools/flow/sequence_tracker.h"

#include <algorithm>

namespace flow {

Arrival SequenceTracker::accept(std::uint64_t sequence, std::int64_t now_ns) {
    if (sequence > kMaxSequence || sequence > next_ + kMaxJump) {
        ++out_of_range_;
        return Arrival::out_of_range;
    }
    const bool again = test_and_set(sequence);
    const std::int64_t before_ns = last_ns_;
    note_time(now_ns);
    if (again) {
        ++duplicates_;
        return Arrival::duplicate;
    }
    ++received_;
    if (sequence < next_) {
        ++reordered_;
        return Arrival::reordered;
    }
    if (sequence > next_ && holes_.size() < kMaxHoles)
        holes_.push_back({next_, sequence - next_, 0, before_ns, now_ns});
    next_ = sequence + 1;
    return Arrival::in_order;
}

bool SequenceTracker::test_and_set(std::uint64_t sequence) {
    const std::size_t word = sequence / 64;
    if (word >= seen_.size()) seen_.resize(word + 1);
    const std::uint64_t bit = std::uint64_t{1} << (sequence % 64);
    const bool was = seen_[word] & bit;
    seen_[word] |= bit;
    return was;
}

bool SequenceTracker::test(std::uint64_t sequence) const noexcept {
    return sequence / 64 < seen_.size() && (seen_[sequence / 64] >> (sequence % 64) & 1);
}

void SequenceTracker::note_time(std::int64_t now_ns) noexcept {
    if (first_ns_ < 0)
        first_ns_ = now_ns;
    else
        longest_gap_ns_ = std::max(longest_gap_ns_, now_ns - last_ns_);
    last_ns_ = now_ns;
}

std::vector<Hole> SequenceTracker::holes() const {
    std::vector<Hole> open;
    for (Hole hole : holes_) {
        for (std::uint64_t s = hole.first; s < hole.first + hole.count; ++s) hole.missing += !test(s);
        if (hole.missing) open.push_back(hole);
    }
    return open;
}

}  // namespace flow
