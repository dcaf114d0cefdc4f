#!/bin/bash
# `tools/lab down` leaves no trace: of a lab that runs, of one whose every process was killed, of one that was never
# finished.
set -euo pipefail
[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"
cd "$(dirname "$0")/../.."
export DEMARC_LAB=labdown$$
state=$(mktemp -d)
trap 'tools/lab down 2>/dev/null || true; rm -rf "$state"' EXIT

snapshot() {
    echo "namespaces:"; ip netns list | awk '{print $1}' | sort
    echo "links:"; ip -br link | awk '{print $1}' | sort
    echo "processes:"
    ps -eo pid=,comm= | awk '$2 ~ /^(demarcd|zebra|staticd|bgpd|tcpdump|flow|iperf3)$/' | sort
    pgrep -af 'tools/lab\.d/' | grep -v -e pgrep || true
    echo "huge pages:"; cat /sys/kernel/mm/hugepages/hugepages-2048kB/{nr,free}_hugepages
    echo "sysctls:"; sysctl net.core.netdev_max_backlog net.ipv4.ip_forward net.ipv6.conf.all.forwarding
    echo "mounts:"; awk '{print $5}' /proc/self/mountinfo | sort
    echo "BPF programs:"; bpftool -j prog show | python3 -c 'import json,sys
for p in json.load(sys.stdin): print(p["id"], p.get("name"))'
    echo "directories:"; ls -d /run/demarc* /var/tmp/demarc* /run/netns /tmp/rte_* /run/dpdk* 2>/dev/null || true
}

# The kernel takes namespaces and programs apart in the background.
expect_no_trace() {
    for _ in $(seq 50); do
        snapshot >"$state/after"
        if cmp -s "$state/before" "$state/after"; then
            echo "no trace: $1"
            return
        fi
        sleep 0.2
    done
    echo "traces: $1"
    diff "$state/before" "$state/after"
    exit 1
}

snapshot >"$state/before"

tools/lab up --no-verify
tools/lab down
expect_no_trace "of a lab that ran"

tools/lab up --no-verify
supervisor=$(cat "/run/demarc-$DEMARC_LAB/supervisor.pid")
kill -9 "$supervisor"
for namespace in $(ip netns list | awk '{print $1}' | grep "^$DEMARC_LAB-"); do
    ip netns pids "$namespace" | xargs -r kill -9
done
tools/lab down
expect_no_trace "of a lab whose every process was killed"

tools/lab up --no-verify &
up=$!
for _ in $(seq 600); do
    [ -e "/run/demarc-$DEMARC_LAB/supervisor.sock" ] && break
    sleep 0.1
done
kill -9 "$up"
wait "$up" 2>/dev/null || true
tools/lab down
expect_no_trace "of a lab that was never finished"

tools/lab down
expect_no_trace "of no lab at all"
