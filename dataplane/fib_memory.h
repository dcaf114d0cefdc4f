// Large zeroed arrays from mmap, in transparent huge pages where the kernel has them: not from the hugepage reserve.
// Pages cost memory when they are first written. Built and freed by control.
#pragma once

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <expected>
#include <string>
#include <type_traits>
#include <utility>

namespace dataplane {

template <class T>
class MappedArray {
    static_assert(std::is_trivial_v<T>);

public:
    MappedArray() = default;
    MappedArray(MappedArray&& o) noexcept
        : map_(std::exchange(o.map_, nullptr)), octets_(o.octets_), data_(std::exchange(o.data_, nullptr)) {}
    MappedArray& operator=(MappedArray&& o) noexcept {
        std::swap(map_, o.map_);
        std::swap(octets_, o.octets_);
        std::swap(data_, o.data_);
        return *this;
    }
    ~MappedArray() {
        if (map_) munmap(map_, octets_);
    }

    // `count` zeros. Error: a sentence with the remedy.
    static std::expected<MappedArray, std::string> make(std::size_t count) {
        MappedArray a;
        a.octets_ = count * sizeof(T) + kHugePage;  // room to begin on a huge page
        void* map =
            mmap(nullptr, a.octets_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED)
            return std::unexpected(
                fmt::format("no {} MiB of memory for the FIB: {}; lower the sizes under `fib:` or "
                            "give the process more memory",
                            a.octets_ >> 20, std::strerror(errno)));
        a.map_ = map;
        const auto begin = (reinterpret_cast<std::uintptr_t>(map) + kHugePage - 1) & ~(kHugePage - 1);
        a.data_ = reinterpret_cast<T*>(begin);
        madvise(a.data_, count * sizeof(T), MADV_HUGEPAGE);  // a kernel without it still works, slower
        return a;
    }

    T* data() const noexcept { return data_; }

private:
    static constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;
    void* map_{};
    std::size_t octets_{};
    T* data_{};
};

}  // namespace dataplane
