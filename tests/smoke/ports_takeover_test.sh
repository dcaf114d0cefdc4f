#!/bin/bash
# A taken netdev sends no frame of the kernel's, from before its port exists until after it is gone: start, stop,
# restart, kill -9, restart, stop, while the other end talks to it. A clean stop leaves the netdev as it was.
. "$(dirname "$0")/_init.sh"
probe=$build/tests/smoke/port_probe

netns router peer
ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n "$(real router)" link add v1 index 101 type veth peer name v2 index 202 netns "$(real peer)"
ip -n "$(real router)" link add c1 index 103 type veth peer name c2 index 204 netns "$(real peer)"
for d in v2 c2; do
    ns peer sysctl -qw net.ipv6.conf.$d.accept_dad=0
    ip -n "$(real peer)" link set $d mtu 1600 up
done
ip -n "$(real peer)" address add 10.9.0.1/24 dev v2
mac=$(ns router cat /sys/class/net/v1/address)

heard() { ns peer cat "/sys/class/net/$1/statistics/rx_packets"; }
state() {
    ns router ip -d link show v1 | sed -E 's/ qdisc [a-z]+//; s/ state [A-Z]+//; s/,?(UP|LOWER_UP|NO-CARRIER|M-DOWN)//g'
    ns router ip address show dev v1 | grep -E 'inet' || true
    ns router tc qdisc show dev v1 | grep clsact || true
    ns router tc filter show dev v1 ingress 2>/dev/null || true
    ns router sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.(conf|neigh)\.v1\.' |
        grep -v -E 'stable_secret|base_reachable'
    ns router ethtool -k v1 2>/dev/null | grep -v 'Features'
    ns router bpftool net show dev v1 2>/dev/null | grep steer || true
}
talk() {
    ns peer "$here/talk.py" v2 "$mac"
    sleep 0.5
}
silent() { [ "$(heard v2)" = 0 ] || fail "$driver: $(heard v2) frames on the wire $1"; }
start() {
    rm -f "$work/$driver.log"
    spawn "$driver.log" ip netns exec "$(real router)" "$probe" --sink --buffers 8192 --mtu 1500 --secured "$driver:v1"
    wait_for 20 grep -qs ready "$work/$driver.log" || fail "$driver: not ready $1"
    ns router ip route add 10.8.0.0/16 dev v1 2>/dev/null || true
}

# The control: an untouched netdev does send by itself, and this count sees it.
ip -n "$(real router)" link set c1 up
more_than_none() { [ "$(heard c2)" -gt 0 ]; }
wait_for 5 more_than_none || fail "an untouched netdev sent nothing: this test cannot see leaks"
ok "an untouched netdev sent $(heard c2) frames of its own"

for driver in af_xdp af_packet; do
    state >"$work/before"
    start "at first"
    silent "after start"
    talk
    silent "while the other end talks"
    if [ $driver = af_xdp ]; then
        ns router ip -d link show v1 | grep -q 'prog/xdp .*name steer' || fail "no XDP program named steer"
    fi
    [ "$(ns router tc filter show dev v1 egress | grep -c demarc_drop)" = 1 ] || fail "$driver: no drop on egress"
    [ "$(ns router cat /proc/sys/net/ipv6/conf/v1/disable_ipv6)" = 1 ] || fail "$driver: IPv6 is on"
    end_process TERM "$spawned"
    grep -q closed "$work/$driver.log" || fail "$driver: no clean stop"
    grep -q 'received 0' "$work/$driver.log" && fail "$driver: the port heard nothing of the talk"
    talk
    silent "after a clean stop"
    state >"$work/after"
    diff "$work/before" "$work/after" >"$work/diff" || fail "$driver: a clean stop left changes"
    ok "$driver: start, talk and clean stop: 0 frames, the netdev as before"

    start "the second time"
    end_process KILL "$spawned"
    talk
    silent "after kill -9"
    [ "$(ns router tc filter show dev v1 ingress | grep -c demarc_drop)" = 1 ] ||
        fail "$driver: kill -9 took the drop off"
    start "after kill -9"
    talk
    silent "after the restart"
    end_process TERM "$spawned"
    grep -q closed "$work/$driver.log" || fail "$driver: no clean stop after kill -9"
    silent "at the end"
    ns router tc qdisc show dev v1 | grep -q clsact && fail "$driver: clsact of a killed process stays for ever"
    ns router ip -d link show v1 | grep -q xdp && fail "$driver: XDP of a killed process stays for ever"
    ns router sysctl -qw net.ipv6.conf.v1.disable_ipv6=0 net.ipv6.conf.v1.forwarding=1 net.ipv4.conf.v1.forwarding=1
    ip -n "$(real router)" link set v1 arp on allmulticast off mtu 1500
    ok "$driver: kill -9, restart and stop: 0 frames, nothing of ours stays"
done
