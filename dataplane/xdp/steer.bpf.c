// What an AF_XDP port's frames become: ours, or nothing.
//
// 1. The AF_XDP socket of the frame's receive queue gets it.
// 2. No socket there (not yet, or its owner was killed): the frame is dropped. Never XDP_PASS: the kernel must not see,
//    answer or forward a frame of our port.
//
// The driver finds the map by its name, and a stale program of ours is known by the name `steer`.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, 64);  // receive queues
    __type(key, __u32);
    __type(value, __u32);
} xsks_map SEC(".maps");

SEC("xdp")
int steer(struct xdp_md* frame) {
    return bpf_redirect_map(&xsks_map, frame->rx_queue_index, XDP_DROP);
}

char license_text[] SEC("license") = "Apache-2.0";
