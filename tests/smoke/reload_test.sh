#!/bin/bash
# Reload, between two routers under a flood of pings: nothing is lost when anything changes, what is refused changes
# nothing, and what did not change is not touched.
. "$(dirname "$0")/_init.sh"
. "$here/_router.sh"
buffers=8192

netns east east-host west west-host lan far
wire 11 plain east 02:bd:00:00:0c:01 eth0 lan 02:bd:00:00:0d:01
wire 12 plain west 02:bd:00:00:0c:02 eth0 far 02:bd:00:00:0d:02
ip -n "$(real east)" link add sec index 13 address 02:bd:00:00:0a:01 type veth \
    peer name sec index 14 address 02:bd:00:00:0b:01 netns "$(real west)"
for n in 0 1 2; do key "k$n"; done
sa() { echo "{an: $1, key-file: $etc/k$1.sak, ssci: $2, salt: \"$salt\"}"; }
configure() {  # RECEIVE-ANS TRANSMIT-AN: for both
    sa_tx=$(sa "$2" 1) sci_rx=02bd00000b010001 s0_addresses='10.99.1.1/24, "fd00:99:1::1/64"' sa_rx=()
    for an in $1; do sa_rx+=("$(sa "$an" 2)"); done
    write_config east
    sa_tx=$(sa "$2" 2) sci_rx=02bd00000a010001 s0_addresses='10.99.1.2/24, "fd00:99:1::2/64"' sa_rx=()
    for an in $1; do sa_rx+=("$(sa "$an" 1)"); done
    write_config west
    sed -i 's|10.99.0.1/24, "fd00:99::1/64"|10.99.2.1/24|' "$etc/west.yaml"
}
configure "0" 0
start_router east; east=$router_pid
start_router west; west=$router_pid
wait_for 10 carrier east && wait_for 10 carrier west || fail "s0 has no carrier"
ping_ok() { ns "${2:-east-host}" ping -q -c 1 -W 1 "$1" >/dev/null; }
wait_for 5 ping_ok 10.99.1.2 || fail "no ping across the link"

reload() { [ "$(ask "$1" reload ok)" = true ] || fail "$1 refuses: $(ask "$1" reload)"; }
edit() { sed -i "$1" "$etc/east.yaml"; }
ifindex() { ns east-host cat "/sys/class/net/$1/ifindex"; }
identity() {  # what a reload that changes nothing must leave alone
    ask east status macsec.0.transmit.an macsec.0.transmit.key macsec.0.transmit.pn_ceiling \
        macsec.0.receive.0.sas.0.key macsec.0.replay_window 'interfaces[name=s0].addresses' \
        'interfaces[name=s0].carrier' ports.0.xdp_program
    ns east-host ip -o address show | awk '{ print $1, $2, $4 }'
    ns east-host ip -o neigh show nud permanent
    ifindex a0; ifindex s0
}
next_pn() { ask east status macsec.0.transmit.next_pn; }

# 1. nothing changed
identity >"$work/before"
pn=$(next_pn)
for _ in 1 2 3; do
    [ "$(ask east reload changes)" = '[]' ] || fail "a reload of the same file says $(ask east reload changes)"
done
identity >"$work/after"
diff "$work/before" "$work/after" >"$work/diff" || fail "a reload of the same file changes something"
ping_ok 10.99.1.2 || fail "no ping after a reload"
[ "$(next_pn)" -gt "$pn" ] || fail "packet numbers go back: $pn, then $(next_pn)"
ok "three reloads of the same file change nothing, packet numbers go on"

# From here on a flood runs, in bursts until the file `stop` is there; nothing of it may be lost.
flood() {
    until [ -e "$etc/stop" ]; do
        ns east-host ping -q -i 0.002 -c 250 -W 2 10.99.1.2 | grep transmitted
    done
}
spawn flood.log flood
flood=$spawned

# 2. addresses
edit 's|"fd00:99:1::1/64"|"fd00:99:1::1/64", 10.99.7.1/24|'
[ "$(ask east reload ok)" = true ] || fail "an address cannot be added"
at_tap() { [[ "$(ns east-host ip -o address show dev s0)" == *" $1 "* ]]; }
at_tap 10.99.7.1/24 || fail "the address is not at the TAP"
[ "$(ask east '{"request":"lookup","address":"10.99.7.1"}' kind)" = local ] || fail "the address is no local route"
edit 's|, 10.99.7.1/24||'
reload east
! at_tap 10.99.7.1/24 || fail "the address is still at the TAP"
[ "$(ask east '{"request":"lookup","address":"10.99.7.1"}' kind)" = none ] || fail "the address is still a route"
ok "an address comes and goes"

# 3. an interface
s0=$(ifindex s0)
edit '/^log:/i\  v9:\n    port: plain\n    tags: [9]\n    mtu: 1400\n    addresses: [10.99.9.1/24]'
reload east
[ "$(ns east-host cat /sys/class/net/v9/mtu)" = 1400 ] || fail "v9 has another MTU"
sed -i '/^  v9:/,/^    addresses: \[10.99.9.1/d' "$etc/east.yaml"
reload east
gone_v9() { ! ns east-host test -e /sys/class/net/v9; }
wait_for 5 gone_v9 || fail "v9 is still there"
[ "$(ifindex s0)" = "$s0" ] || fail "s0 was made anew"
ok "an interface comes and goes, the others stay"

# 4. the replay window
edit 's|replay-window: 64|replay-window: 128|'
reload east
[ "$(ask east status macsec.0.replay_window)" = 128 ] || fail "the replay window stays"
edit 's|replay-window: 128|replay-window: 64|'
reload east
ok "the replay window changes and changes back"

# 5. a new SAK: receivers first, then senders, then the old one goes
for step in "0 1:0" "0 1:1" "1:1" "1 2:1" "1 2:2" "2:2"; do
    configure "${step%:*}" "${step#*:}"
    reload west
    reload east
    on_an() { [ "$(ask "$1" status macsec.0.transmit.an)" = "${step#*:}" ]; }
    wait_for 5 on_an east || fail "$step: east does not move"
    wait_for 5 on_an west || fail "$step: west does not move"
    sleep 0.5
done
[ "$(ask east status 'macsec.0.receive.0.sas' | grep -o '"an"' | wc -l)" = 1 ] || fail "old SAs are still there"
touch "$etc/stop"
wait_for 25 gone "$flood" || fail "the flood does not end"
bursts=$(grep -c ' 250 received, 0% packet loss' "$work/flood.log") || fail "no ping came back"
[ "$bursts" = "$(wc -l <"$work/flood.log")" ] || fail "lost: $(grep -v ' 0% packet loss' "$work/flood.log")"
for name in east west; do
    for counter in in_pkts_not_valid in_pkts_no_sa in_pkts_late; do
        [ "$(ask $name status "macsec.0.receive.0.$counter")" = 0 ] || fail "$name: $counter is not 0"
    done
done
ok "SAKs move from AN 0 over 1 to 2 under all those changes: $((bursts * 250)) pings, none lost"

# 6. what is refused. refused FILE:LINE:COLUMN-PATTERN WORDS: as the daemon says it, and nothing has changed.
cp "$etc/east.yaml" "$etc/good.yaml"
identity >"$work/before"
refused() {
    ask east reload diagnostics.0.file diagnostics.0.line diagnostics.0.column diagnostics.0.message \
        diagnostics.0.remedy ok >"$work/refusal" || fail "accepted: $2"
    [ "$(sed -n 6p "$work/refusal")" = false ] || fail "accepted: $2"
    [ "$(sed -n 1p "$work/refusal")" = "$etc/east.yaml" ] || fail "another file is named"
    [ -z "$1" ] || [ "$(sed -n 2p "$work/refusal"):$(sed -n 3p "$work/refusal")" = "$1" ] ||
        fail "$2: at $(sed -n '2,3p' "$work/refusal" | tr '\n' ':') instead of $1"
    grep -qF -- "$2" "$work/refusal" || fail "no \`$2\` in: $(cat "$work/refusal")"
    [ -n "$(sed -n 5p "$work/refusal")" ] || fail "no remedy: $(cat "$work/refusal")"
    cp "$etc/good.yaml" "$etc/east.yaml"
    chmod 0600 "$etc"/*.sak
    identity >"$work/after"
    diff "$work/before" "$work/after" >"$work/diff" || fail "changed by a refused reload: $2"
    ok "refused: $(sed -n 4p "$work/refusal"); $(sed -n 5p "$work/refusal")"
}
place() {  # PATTERN: line:column of where it begins in the file
    awk -v p="$1" '{ c = index($0, p); if (c) { print NR ":" c; exit } }' "$etc/east.yaml"
}
echo 'nonsense: [' >>"$etc/east.yaml"; refused "" "end of sequence"
edit 's|^  name: east|&\n  nmae: west|'; refused "$(place nmae)" "nmae"
edit 's|tags: \[1101\]|tags: [4095]|'; refused "$(place 4095)" "4095"
chmod 0644 "$etc/k2.sak"; refused "" "0644"
mv "$etc/k2.sak" "$etc/k2.away"; sed 's/^sak: ./sak: /' "$etc/k2.away" >"$etc/k2.sak"; chmod 0600 "$etc/k2.sak"
refused "" "k2.sak"
mv "$etc/k2.away" "$etc/k2.sak"
edit 's|count: 2|count: 3|'; refused "" "workers.count 2 -> 3"
edit 's|buffers: 8192|buffers: 9000|'; refused "" "memory.buffers"
edit 's|port: 2620|port: 2621|'; refused "" "host.fpm.port"
edit '/^  plain:/s|device: plain|device: other|'; refused "" "ports.plain"
edit '/^  sec:/i\  lost: {driver: af_xdp, device: nosuch, receive-worker: 0, transmit-worker: 0, mtu: 1500}'
refused "" "nosuch"
# What only the kernel can refuse, after another TAP has taken its change: that one is taken back.
edit '/^log:/i\  v9:\n    port: plain\n    tags: [9]\n    mtu: 1400\n    addresses: [10.99.9.1/24]'
cp "$etc/east.yaml" "$etc/good.yaml"
reload east
ns east-host sysctl -qw net.ipv6.conf.v9.disable_ipv6=1
identity >"$work/before"
edit '/^  a0:/,/addresses/s|addresses: \[|&10.99.7.1/24, |'
edit 's|addresses: \[10.99.9.1/24\]|addresses: [10.99.9.2/24, "fd00:99:9::1/64"]|'
refused "" "net.ipv6.conf.v9.disable_ipv6=0"
ns east-host sysctl -qw net.ipv6.conf.v9.disable_ipv6=0
edit 's|addresses: \[10.99.9.1/24\]|addresses: [10.99.9.2/24, "fd00:99:9::1/64"]|'
reload east
[[ "$(ns east-host ip -o address show dev v9)" == *" 10.99.9.2/24 "*" fd00:99:9::1/64 "* ]] || fail "v9 stays as it was"
ok "the same change is taken once the kernel lets it"
cp "$etc/east.yaml" "$etc/good.yaml"
identity >"$work/before"
: >"$etc/east.yaml"; refused "" ""
rm "$etc/east.yaml"; refused "" "cannot read"

ping_ok 10.99.1.2 || fail "no ping after the refusals"
[ "$(ask east status pid)" = "$east" ] && [ "$(ask west status pid)" = "$west" ] || fail "another pid answers"
end_process TERM "$east"
end_process TERM "$west"
ok "both end cleanly"
