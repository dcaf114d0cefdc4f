// The pool of mbufs, declared in eal.h.
#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <rte_memzone.h>

#include <algorithm>

#include "dataplane/crossing.h"
#include "dataplane/eal.h"

namespace dataplane {
namespace {

constexpr unsigned kFlags =
    RTE_MEMPOOL_F_NO_IOVA_CONTIG;  // objects may cross pages: they are contiguous to us and to an IOMMU
constexpr const char* kName = "frames";

void free_memory(rte_mempool_memhdr*, void* memory) {
    rte_memzone_free(static_cast<const rte_memzone*>(memory));
}

// Memory that EAL took at its start is no longer a free hugepage.
bool fits_the_heap(std::uint64_t octets) {
    rte_malloc_socket_stats s{};
    return rte_malloc_get_socket_stats(0, &s) == 0 && s.greatest_free_size >= octets + (1 << 16);
}

// One piece without gaps: the AF_XDP driver sizes its UMEM as objects x size. rte_pktmbuf_pool_create() leaves room at
// the end of every page, so that the last objects lie outside and the kernel refuses them.
bool populate(rte_mempool* pool, std::uint32_t buffer_octets, std::uint64_t octets) {
    rte_pktmbuf_pool_private room{};
    room.mbuf_data_room_size = static_cast<std::uint16_t>(buffer_octets);
    room.mbuf_priv_size = kMbufPrivate;
    if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr) != 0) return false;
    rte_pktmbuf_pool_init(pool, &room);
    const auto* memory = rte_memzone_reserve_aligned("frames_memory", octets, SOCKET_ID_ANY, RTE_MEMZONE_IOVA_CONTIG,
                                                     RTE_CACHE_LINE_SIZE);
    if (!memory) return false;
    const int placed = rte_mempool_populate_iova(pool, static_cast<char*>(memory->addr), memory->iova, memory->len,
                                                 free_memory, const_cast<rte_memzone*>(memory));
    if (placed < 0) rte_memzone_free(memory);
    if (placed != static_cast<int>(pool->size)) return false;
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
    return true;
}

}  // namespace

std::expected<rte_mempool*, std::string> make_pool(std::uint32_t buffers, std::uint32_t buffer_octets,
                                                   bool hugepages_used) {
    if (buffers < 512 || buffer_octets < RTE_PKTMBUF_HEADROOM + 256 || buffer_octets > 65535)
        return std::unexpected(
            fmt::format("memory: {} buffers of {} octets cannot be made; use at least 512 of 384 to 65535 octets",
                        buffers, buffer_octets));
    const unsigned element = sizeof(rte_mbuf) + kMbufPrivate + buffer_octets;
    const std::uint64_t octets = std::uint64_t{rte_mempool_calc_obj_size(element, kFlags, nullptr)} * buffers;
    if (hugepages_used && !fits_the_heap(octets))
        if (auto lacks = hugepage_shortage(hugepages(), octets); !lacks.empty())
            return std::unexpected("memory: " + std::move(lacks) + ", or lower memory.buffers");
    const unsigned cache = std::min(256u, buffers / 16);
    rte_mempool* pool;
    if (rte_eal_iova_mode() == RTE_IOVA_VA) {
        pool = rte_mempool_create_empty(kName, buffers, element, cache, sizeof(rte_pktmbuf_pool_private), SOCKET_ID_ANY,
                                        kFlags);
        if (pool && !populate(pool, buffer_octets, octets)) {
            rte_mempool_free(pool);
            pool = nullptr;
        }
    } else {  // physical addresses: an object must not cross a page
        pool = rte_pktmbuf_pool_create(kName, buffers, cache, kMbufPrivate, static_cast<std::uint16_t>(buffer_octets),
                                       SOCKET_ID_ANY);
    }
    if (pool) return pool;
    return std::unexpected(
        fmt::format("memory: no room for {} buffers of {} octets ({} MiB): {}; raise vm.nr_hugepages or lower "
                    "memory.buffers",
                    buffers, buffer_octets, octets >> 20, rte_strerror(rte_errno)));
}

}  // namespace dataplane
