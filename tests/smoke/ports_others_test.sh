#!/bin/bash
# A port hears nothing of the namespace's other netdevs, least of all while it opens: v1, v2 are silent, c1 is flooded.
#
#    router                    peer
#   +-----------+     veth    +-----------+
#   | probe  v1 =============== v2        |  silent
#   |        c1 =============== c2  flood |  2,000 frames, then a pause of 1 ms, again and again
#   +-----------+             +-----------+
. "$(dirname "$0")/_init.sh"
probe=$build/tests/smoke/port_probe

netns router peer
for n in router peer; do ns $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; done
ip -n "$(real router)" link add v1 type veth peer name v2 netns "$(real peer)"
ip -n "$(real router)" link add c1 type veth peer name c2 netns "$(real peer)"
ip -n "$(real router)" link set c1 up
for d in v2 c2; do ip -n "$(real peer)" link set $d up; done

spawn flood.log ip netns exec "$(real peer)" timeout 60 python3 -c '
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("c2", 0))
while True:
    for _ in range(2000):
        s.send(b"\xff" * 6 + bytes.fromhex("020000000001") + b"\x88\xb5" + bytes(50))
    time.sleep(0.001)'
flooded() { [ "$(ns router cat /sys/class/net/c1/statistics/rx_packets)" -gt 10000 ]; }
wait_for 10 flooded || fail "c1 is not flooded"

for driver in af_xdp af_packet; do
    for turn in 1 2 3; do
        spawn "$driver$turn.log" ip netns exec "$(real router)" "$probe" --sink --buffers 8192 "$driver:v1"
        wait_for 20 grep -qs ready "$work/$driver$turn.log" || fail "$driver: not ready"
        end_process TERM "$spawned"
        grep -q 'received 0 ' "$work/$driver$turn.log" ||
            fail "$driver: $(grep received "$work/$driver$turn.log") of a silent wire"
    done
    ok "$driver: three times opened, nothing received"
done
