// For clsact, both ways, on a port's own netdev: what the kernel would see or send is dropped.
// AF_XDP and AF_PACKET sockets (with qdisc bypass) stand before it and are not touched.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

SEC("tc")
int demarc_drop(struct __sk_buff* frame) {
    (void)frame;
    return TC_ACT_SHOT;
}

char license_text[] SEC("license") = "Apache-2.0";
