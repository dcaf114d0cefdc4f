#!/bin/bash
# What keeps demarcd from starting is one clear error with its remedy on standard error, exit status 1, and nothing is
# left behind: the ports' netdevs are as before, no TAP, no socket, no BPF program of ours.
. "$(dirname "$0")/_init.sh"
. "$here/_router.sh"
buffers=8192

netns router router-host lan peer
wire 11 plain router 02:bd:00:00:0c:01 eth0 lan 02:bd:00:00:0d:01
wire 12 sec router 02:bd:00:00:0a:01 eth0 peer 02:bd:00:00:0b:01
key ours
key theirs
sa_tx="{an: 0, key-file: $etc/ours.sak, ssci: 1, salt: \"$salt\"}"
sa_rx=("{an: 0, key-file: $etc/theirs.sak, ssci: 2, salt: \"$salt\"}")
sci_rx=02bd00000b010001 s0_addresses='10.99.1.1/24, "fd00:99:1::1/64"'
write_config router
cp "$etc/router.yaml" "$etc/good.yaml"

state_of_ports() {
    local d
    for d in plain sec; do
        ip -n "$(real router)" -d link show "$d" | sed -E 's/ qdisc [a-z]+//; s/ state [A-Z]+//'
        ns router tc qdisc show dev "$d" | grep clsact || true
        ns router sysctl -a 2>/dev/null | grep -E "^net\.ipv[46]\.conf\.$d\." | grep -v stable_secret || true
    done
    ns router-host ip -o link show | awk '{ print $2 }'
    ls -d /var/run/dpdk/* /tmp/rte_* 2>/dev/null || true
    ls "$work/router.run" 2>/dev/null || true
}
# refused WORDS... -- COMMAND...: one error with each of the WORDS, status 1, within 30 s
refused() {
    local words=() status=0 w
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    shift
    state_of_ports >"$work/before"
    timeout 30 ip netns exec "$(real router)" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    # DPDK's own warnings may stand in the log, but nothing else that is an error.
    grep -v ' warning ' "$work/err" >"$work/errors" || true
    [ "$status" = 1 ] || fail "status $status instead of 1: ${words[0]}"
    [ "$(wc -l <"$work/errors")" = 1 ] || fail "not exactly one error: ${words[0]}"
    for w in "${words[@]}"; do
        grep -qF -- "$w" "$work/errors" || fail "no \`$w\`"
    done
    [ ! -s "$work/out" ] || fail "something on standard output: ${words[0]}"
    state_of_ports >"$work/after"
    diff "$work/before" "$work/after" >"$work/diff" || fail "left behind: ${words[0]}"
    ok "$(cat "$work/errors")"
}
demarcd=("$build/demarcd" --config "$etc/router.yaml")
changed() { sed "$1" "$etc/good.yaml" >"$etc/router.yaml"; }

refused "nosuch.yaml" "--config" -- "$build/demarcd" --config "$work/nosuch.yaml"
changed 's|device: plain|device: nosuch|'; refused "port plain" "nosuch" "ip link" -- "${demarcd[@]}"
changed 's|buffers: 8192|buffers: 4000000|'; refused "nr_hugepages" -- "${demarcd[@]}"
changed "s|netns: .*|netns: nosuch$$|"; refused "nosuch$$" "ip netns add" -- "${demarcd[@]}"
changed 's|address: 127.0.0.1, port: 2620|address: 192.0.2.1, port: 2620|'
refused "192.0.2.1:2620" "host.fpm" -- "${demarcd[@]}"
changed ''
cp "$etc/ours.sak" "$etc/ours.whole"
echo "sak: 00112233" >"$etc/ours.sak"; refused "ours.sak" "64 hexadecimal digits" -- "${demarcd[@]}"
rm "$etc/ours.sak"; refused "ours.sak" "No such file" "0600" -- "${demarcd[@]}"
mv "$etc/ours.whole" "$etc/ours.sak"
chmod 0644 "$etc/ours.sak"; refused "ours.sak" "0644" "chmod 0600" -- "${demarcd[@]}"; chmod 0600 "$etc/ours.sak"
touch "$work/file"
changed "s|run-directory: .*|run-directory: $work/file/run|"
refused "$work/file/run" "router.run-directory" -- "${demarcd[@]}"
changed "s|state-directory: .*|state-directory: $work/file/state|"
refused "$work/file/state" "that demarcd may write" -- "${demarcd[@]}"
mkdir "$work/full"
changed "s|run-directory: .*|run-directory: $work/full|"
refused "$work/full/demarc.sock" "writable" -- \
    sh -c "mount -t tmpfs -o ro none '$work/full' && exec \"\$@\"" sh "${demarcd[@]}"
rmdir "$work/full"
changed ''
for capability in net_admin net_raw sys_admin; do
    refused "CAP_${capability^^}" "run as root" -- \
        setpriv --bounding-set="-$capability" --inh-caps="-$capability" "${demarcd[@]}"
done
ns router-host ip link add s0 type dummy 2>/dev/null || ns router-host ip link add s0 type veth peer name s1
refused "interface s0" "s0" -- "${demarcd[@]}"
ns router-host ip link del s0

# A second daemon, while the first one runs and goes on.
start_router router
wait_for 10 carrier router || fail "s0 has no carrier"
first=$router_pid
sed "s|run-directory: .*|run-directory: $work/other.run|" "$etc/good.yaml" >"$etc/router.yaml"
refused "$work/router.state" "another demarcd" "router.state-directory" -- "${demarcd[@]}"
sed "s|state-directory: .*|state-directory: $work/other.state|" "$etc/good.yaml" >"$etc/router.yaml"
refused "2620" "host.fpm" -- "${demarcd[@]}"
sed "s|state-directory: .*|state-directory: $work/other.state|; s|port: 2620|port: 2621|" "$etc/good.yaml" \
    >"$etc/router.yaml"
refused "port plain" "another demarcd" -- "${demarcd[@]}"
alive "$first" "when a second one started"
[ "$(ask router status pid)" = "$first" ] || fail "another pid answers"
carrier router || fail "the second one took the first one's link down"
[ "$(ask router status ports.0.xdp_program ports.1.xdp_program | sort -u)" = steer ] || fail "our XDP program is off"
ok "the first daemon goes on"
end_process TERM "$first"
