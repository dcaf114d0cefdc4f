#!/bin/bash
# Two ports of one process carry frames between two hosts: every buffer of the pool, all sizes, jumbo frames over
# AF_PACKET,
# 802.1Q and 802.1ad tags over AF_XDP.
. "$(dirname "$0")/_init.sh"
probe=$build/tests/smoke/port_probe

netns left router right
index=100
for side in left right; do
    ip -n "$(real router)" link add "p$side" index $((++index)) type veth \
        peer name eth0 index $((index + 100)) netns "$(real $side)"
    ns $side ethtool -K eth0 tx off tso off gso off sg off gro off rx off txvlan off >/dev/null 2>&1
    ns $side sysctl -qw net.ipv6.conf.eth0.accept_dad=0
done
hosts_mtu() {
    for side in left right; do ip -n "$(real $side)" link set eth0 mtu "$1" up; done
}
ip -n "$(real left)" address add 10.9.0.1/24 dev eth0
ip -n "$(real right)" address add 10.9.0.2/24 dev eth0
heard() { ns left cat /sys/class/net/eth0/statistics/rx_packets; }
start() {
    rm -f "$work/probe.log"
    spawn probe.log ip netns exec "$(real router)" "$probe" "$@"
    wait_for 20 grep -qs ready "$work/probe.log" || fail "not ready: $*"
}
sizes() {  # payload octets of ICMP
    local size
    for size in "$@"; do
        ns left ping -q -c 2 -i 0.01 -W 1 -M 'do' -s "$size" 10.9.0.2 >"$work/ping.log" || fail "$driver: $size octets"
    done
}

for driver in af_xdp af_packet; do
    hosts_mtu 1500
    start --buffers 16384 $driver:pleft $driver:pright
    sizes 0 18 64 500 1000 1472
    # More frames than buffers: each is used, also the last ones in memory.
    ns left ping -q -f -c 20000 10.9.0.2 >"$work/flood.log"
    grep -q ' 0% packet loss' "$work/flood.log" || fail "$driver: $(grep loss "$work/flood.log")"
    ok "$driver: 40,000 frames both ways over 16,384 buffers, none lost"
    if [ $driver = af_xdp ]; then
        ns right "$here/tags.py" receive eth0 >"$work/tags.log" &
        wait_for 5 grep -qs listening "$work/tags.log"
        ns left "$here/tags.py" send eth0
        wait_for 5 grep -qs complete "$work/tags.log" || fail "tags: $(cat "$work/tags.log")"
        ok "$driver: $(grep complete "$work/tags.log")"
    fi
    end_process TERM "$spawned"
done

# A buffer outside the memory that the kernel was shown would send nothing.
for driver in af_xdp af_packet; do
    hosts_mtu 1500
    before=$(heard)
    start --blast --buffers 16384 $driver:pleft
    wait_for 5 grep -q blasted "$work/probe.log" || fail "no blast"
    blasted=$(sed -n 's/blasted //p' "$work/probe.log")
    all_heard() { [ $(($(heard) - before)) -ge "$blasted" ]; }
    wait_for 5 all_heard || fail "$driver: of $blasted buffers $(($(heard) - before)) sent"
    ok "$driver: each of $blasted free buffers sends"
    end_process TERM "$spawned"
done

hosts_mtu 9000
start --mtu 9000 --buffers 4096 --buffer-octets 9312 af_packet:pleft af_packet:pright
sizes 1472 2000 4000 8000 8972
ok "af_packet: packets of 9,000 octets pass"
end_process TERM "$spawned"
