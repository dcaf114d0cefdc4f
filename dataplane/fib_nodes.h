// The FIB's nodes: 256 entries each, reserved all or none, written again only after their grace period.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <expected>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/fib_memory.h"
#include "dataplane/grace.h"

namespace dataplane {

inline constexpr unsigned kStrideBits = 8;
inline constexpr std::size_t kNodeEntries = std::size_t{1} << kStrideBits;

struct FibNodeCounts {
    std::size_t total{}, used{}, awaiting{};  // the rest is free
    bool operator==(const FibNodeCounts&) const = default;
};

// routes thread only, but for the entries: routes: rw, workers: ro.
class FibNodes {
public:
    static std::expected<FibNodes, std::string> make(std::size_t count, Grace grace) {
        auto entries = MappedArray<std::uint32_t>::make(count * kNodeEntries);
        if (!entries) return std::unexpected(entries.error());
        auto depths = MappedArray<std::uint8_t>::make(count * kNodeEntries);
        if (!depths) return std::unexpected(depths.error());
        FibNodes nodes;
        nodes.entries_ = std::move(*entries);
        nodes.depths_ = std::move(*depths);
        nodes.specific_.resize(count);
        nodes.grace_ = std::move(grace);
        return nodes;
    }

    std::uint32_t* entries(std::size_t node) const noexcept { return entries_.data() + node * kNodeEntries; }
    std::uint8_t* depths(std::size_t node) const noexcept { return depths_.data() + node * kNodeEntries; }
    // How many entries are links or belong to a prefix longer than the bits before the node.
    std::uint16_t& specific(std::size_t node) noexcept { return specific_[node]; }

    // Fills `out` with nodes nobody reads, or leaves everything as it was.
    TableResult reserve(std::span<std::uint32_t> out) {
        if (available() < out.size()) reclaim();
        if (available() < out.size()) return awaiting_.empty() ? TableResult::full : TableResult::busy;
        for (auto& node : out) node = take();
        return TableResult::ok;
    }

    // These nodes can no longer be reached by a new lookup.
    void detach(std::span<const std::uint32_t> nodes) {
        if (nodes.empty()) return;
        const std::uint64_t token = grace_.start();
        for (const auto node : nodes) awaiting_.push_back({token, node});
    }

    // Takes back what no lookup can still see.
    void reclaim() {
        while (!awaiting_.empty() && has_passed(awaiting_.front().token)) {
            free_.push_back(awaiting_.front().node);
            awaiting_.pop_front();
        }
    }

    FibNodeCounts counts() const noexcept {
        return {specific_.size(), fresh_ - free_.size() - awaiting_.size(), awaiting_.size()};
    }

private:
    struct Awaiting {
        std::uint64_t token;
        std::uint32_t node;
    };

    std::size_t available() const noexcept { return free_.size() + specific_.size() - fresh_; }
    std::uint32_t take() {
        if (free_.empty()) return static_cast<std::uint32_t>(fresh_++);
        const std::uint32_t node = free_.back();
        free_.pop_back();
        return node;
    }
    bool has_passed(std::uint64_t token) {
        if (any_passed_ && token == passed_) return true;
        if (!grace_.passed(token)) return false;
        any_passed_ = true;
        passed_ = token;
        return true;
    }

    MappedArray<std::uint32_t> entries_;
    MappedArray<std::uint8_t> depths_;
    std::vector<std::uint16_t> specific_;
    std::vector<std::uint32_t> free_;
    std::size_t fresh_{};            // nodes from here on were never used
    std::deque<Awaiting> awaiting_;  // oldest first
    Grace grace_;
    std::uint64_t passed_{};  // the last token seen to have passed
    bool any_passed_{};
};

}  // namespace dataplane
