// Records of any length from one thread to another: one producer, one consumer, neither waits. Its memory is kept out
// of core dumps: captured frames may be somebody's plain text.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "macsec/secy.h"

namespace dataplane {

// Every record begins with it; `octets` counts the whole record and is a multiple of 8.
struct RecordHead {
    std::uint32_t octets{};
    std::uint32_t kind{};  // 0: filler at the end of the memory, of no interest
};

constexpr std::size_t record_octets(std::size_t octets) noexcept { return (octets + 7) & ~std::size_t{7}; }

class RecordRing {
public:
    // Null: no memory. `octets`: a power of two, at least a page. The memory is there at once: no page fault later.
    static std::unique_ptr<RecordRing> make(std::size_t octets) noexcept {
        void* memory = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory == MAP_FAILED) return nullptr;
        (void)madvise(memory, octets, MADV_DONTDUMP);
        return std::unique_ptr<RecordRing>(new RecordRing(static_cast<std::uint8_t*>(memory), octets));
    }
    ~RecordRing() { munmap(memory_, size_); }
    RecordRing(const RecordRing&) = delete;
    RecordRing& operator=(const RecordRing&) = delete;

    // producer. Room for a record of so many octets (record_octets() of it is taken), its head written; null: no room.
    // The consumer sees it after the next publish().
    std::uint8_t* add(std::size_t octets, std::uint32_t kind) noexcept {
        const std::size_t taken = record_octets(octets);
        const std::size_t at = head_ % size_, to_end = size_ - at;
        const std::size_t skipped = taken <= to_end ? 0 : to_end;
        if (size_ - (head_ - tail_seen_) < taken + skipped) tail_seen_ = tail_.load(std::memory_order_acquire);
        if (size_ - (head_ - tail_seen_) < taken + skipped) return nullptr;
        if (skipped != 0) write_head(at, {static_cast<std::uint32_t>(skipped), 0});
        head_ += skipped;
        std::uint8_t* record = write_head(head_ % size_, {static_cast<std::uint32_t>(taken), kind});
        head_ += taken;
        return record;
    }
    // producer. What was added since the last one becomes visible at once.
    void publish() noexcept { published_.store(head_, std::memory_order_release); }

    // consumer. The oldest record, its head included; empty: there is none. Valid until pop().
    std::span<std::uint8_t> front() noexcept {
        for (;;) {
            const std::size_t tail = tail_.load(std::memory_order_relaxed);
            if (tail == published_.load(std::memory_order_acquire)) return {};
            RecordHead head;
            std::memcpy(&head, memory_ + tail % size_, sizeof head);
            if (head.kind != 0) return {memory_ + tail % size_, head.octets};
            tail_.store(tail + head.octets, std::memory_order_release);
        }
    }
    // consumer. After front() returned a record.
    void pop() noexcept {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        RecordHead head;
        std::memcpy(&head, memory_ + tail % size_, sizeof head);
        tail_.store(tail + head.octets, std::memory_order_release);
    }

    macsec::Counter kept, dropped;  // records; producer: rw, consumer: ro

private:
    RecordRing(std::uint8_t* memory, std::size_t octets) noexcept : memory_(memory), size_(octets) {}
    std::uint8_t* write_head(std::size_t at, const RecordHead& head) noexcept {
        std::memcpy(memory_ + at, &head, sizeof head);
        return memory_ + at;
    }

    std::uint8_t* const memory_;
    const std::size_t size_;
    std::size_t head_{}, tail_seen_{};                   // producer only
    alignas(64) std::atomic<std::size_t> published_{0};  // producer: w, consumer: r
    alignas(64) std::atomic<std::size_t> tail_{0};       // consumer: w, producer: r
};

}  // namespace dataplane
