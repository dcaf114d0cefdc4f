#!/bin/bash
# What cannot be a port is one clear error that names the port, the device and the remedy, and nothing has changed.
. "$(dirname "$0")/_init.sh"
probe=$build/tests/smoke/port_probe

netns router
ip -n "$(real router)" link add v1 type veth peer name v2
ip -n "$(real router)" link set v2 mtu 1600
ip -n "$(real router)" link add br0 type bridge
state() {
    ip -n "$(real router)" -d link show v1 | sed -E 's/ qdisc [a-z]+//; s/ state [A-Z]+//'
    ip -n "$(real router)" address show dev v1 | grep inet || true
    ns router tc qdisc show dev v1 | grep clsact || true
    ns router sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.conf\.v1\.' | grep -v stable_secret
}
# refused WORDS COMMAND...: ends with 1 and one line with those words, within 20 s
refused() {
    local words=$1 status=0
    shift
    state >"$work/before"
    timeout 20 ip netns exec "$(real router)" "$@" >"$work/log" 2>&1 || status=$?
    [ $status = 1 ] || fail "status $status of: $*"
    [ "$(grep -c '^error:' "$work/log")" = 1 ] || fail "not one error of: $*"
    grep '^error:' "$work/log" | grep -qF -- "$words" || fail "no \`$words\` of: $*"
    state >"$work/after"
    diff "$work/before" "$work/after" >"$work/diff" || fail "changed by: $*"
    ok "$(grep '^error:' "$work/log")"
}

for driver in af_xdp af_packet; do
    refused 'name one that `ip link` shows' "$probe" $driver:nosuch
    refused 'missing; run as root' setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$probe" $driver:v1
done
refused 'dpdk-devbind.py' "$probe" pci:0000:00:99.0
refused "no device's name" "$probe" 'af_packet:v1,iface=v2'
refused 'sysctl vm.nr_hugepages=' "$probe" --buffers 4000000 af_packet:v1
refused "lower the port's MTU" "$probe" --mtu 9001 af_xdp:v1
refused 'memory.buffer-octets of 9312' "$probe" --mtu 9001 af_packet:v1
refused 'memory.buffers' "$probe" --buffers 1024 af_xdp:v1

ip -n "$(real router)" address add 10.9.0.2/24 dev v1
refused '10.9.0.2/24' "$probe" af_packet:v1
ip -n "$(real router)" address flush dev v1
ip -n "$(real router)" link set v1 master br0
refused 'nomaster' "$probe" af_packet:v1
ip -n "$(real router)" link set v1 nomaster
ip -n "$(real router)" link set v2 mtu 9000
refused 'Peer MTU is too large' "$probe" af_xdp:v1
ip -n "$(real router)" link set v2 mtu 1600

clang=$(compgen -c clang | grep -E '^clang(-[0-9]+)?$' | sort | head -1)
cat >"$work/foreign.c" <<'END'
__attribute__((section("xdp"), used)) int foreign(void* frame) { (void)frame; return 2; }
END
"$clang" -O2 -target bpf -c "$work/foreign.c" -o "$work/foreign.o"
ip -n "$(real router)" link set dev v1 xdp obj "$work/foreign.o" sec xdp
refused 'XDP program `foreign`, which is not ours' "$probe" af_xdp:v1
ip -n "$(real router)" -d link show v1 | grep -q 'name foreign' || fail "another's XDP program was taken off"
ok "another's XDP program stays"
