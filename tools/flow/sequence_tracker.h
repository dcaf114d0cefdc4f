// Sequence numbers of one flow, from 0, as they arrive: what was lost, came out of order (RFC 4737) or came twice, and
// the longest silence. Pure: the time of arrival is an argument. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace flow {

enum class Arrival : std::uint8_t { in_order, reordered, duplicate, out_of_range };

// Sequence numbers that were skipped. `missing` of them never came.
struct Hole {
    std::uint64_t first{}, count{}, missing{};
    std::int64_t before_ns{-1};  // arrival before the hole; -1: the flow began with it
    std::int64_t after_ns{};     // arrival that showed the hole
    bool operator==(const Hole&) const = default;
};

class SequenceTracker {
public:
    // A number further ahead than this is not believed: it bounds the memory a stranger can make us use.
    static constexpr std::uint64_t kMaxJump = 1u << 22;
    static constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 30;
    static constexpr std::size_t kMaxHoles = 4096;  // remembered; all are counted

    Arrival accept(std::uint64_t sequence, std::int64_t now_ns);

    std::uint64_t received() const noexcept { return received_; }  // without duplicates
    std::uint64_t duplicates() const noexcept { return duplicates_; }
    std::uint64_t reordered() const noexcept { return reordered_; }
    std::uint64_t out_of_range() const noexcept { return out_of_range_; }
    std::uint64_t expected() const noexcept { return next_; }      // greatest number seen + 1
    std::uint64_t lost() const noexcept { return next_ - received_; }  // below the greatest number seen
    std::int64_t longest_gap_ns() const noexcept { return longest_gap_ns_; }
    std::int64_t first_ns() const noexcept { return first_ns_; }
    std::int64_t last_ns() const noexcept { return last_ns_; }

    // Holes that still miss something, in order.
    std::vector<Hole> holes() const;

private:
    bool test_and_set(std::uint64_t sequence);
    bool test(std::uint64_t sequence) const noexcept;
    void note_time(std::int64_t now_ns) noexcept;

    std::vector<std::uint64_t> seen_;  // one bit per sequence number
    std::vector<Hole> holes_;
    std::uint64_t next_{}, received_{}, duplicates_{}, reordered_{}, out_of_range_{};
    std::int64_t first_ns_{-1}, last_ns_{-1}, longest_gap_ns_{};
};

}  // namespace flow
