#!/bin/bash
# Captures before and after MACsec while two routers forward; a client that is killed, and one that does not read. Then
# traces, and clocks of stages.
#
#   lan --plain-- east ==sec (MACsec, VLAN 1101)== west
#   10.99.0.2     10.99.1.1                        10.99.1.2
. "$(dirname "$0")/_init.sh"
. "$here/_router.sh"
buffers=8192

netns east east-host west west-host lan far
wire 11 plain east 02:bd:00:00:0c:01 eth0 lan 02:bd:00:00:0d:01
wire 12 plain west 02:bd:00:00:0c:02 eth0 far 02:bd:00:00:0d:02
ip -n "$(real east)" link add sec index 13 address 02:bd:00:00:0a:01 type veth \
    peer name sec index 14 address 02:bd:00:00:0b:01 netns "$(real west)"
key k0
sa() { echo "{an: 0, key-file: $etc/k0.sak, ssci: $1, salt: \"$salt\"}"; }
sa_tx=$(sa 1) sci_rx=02bd00000b010001 s0_addresses='10.99.1.1/24' sa_rx=("$(sa 2)")
write_config east
sa_tx=$(sa 2) sci_rx=02bd00000a010001 s0_addresses='10.99.1.2/24' sa_rx=("$(sa 1)")
write_config west
sed -i 's|10.99.0.1/24, "fd00:99::1/64"|10.99.2.1/24|' "$etc/west.yaml"
sed -i 's|log: {level: warning}|log: {level: info}|' "$etc/east.yaml"
start_router east; east=$router_pid
start_router west; west=$router_pid
wait_for 10 carrier east && wait_for 10 carrier west || fail "s0 has no carrier"
ip -n "$(real lan)" address add 10.99.0.2/24 dev eth0
ip -n "$(real lan)" route add 10.99.1.0/24 via 10.99.0.1
ip -n "$(real west-host)" route add 10.99.0.0/24 via 10.99.1.1
through() { ns lan ping -q -c "${1:-1}" -i "${3:-0.02}" -s "${2:-56}" -W 2 10.99.1.2 >"$work/ping" 2>&1; }
wait_for 10 through || fail "no ping through"

export DEMARC_SOCKET=$work/east.run/demarc.sock
captures() { ask east status captures; }
running() { [ "$(captures | grep -o '"port"' | wc -l)" = "${1:-1}" ]; }
capture() {  # NAME ARGUMENT...: in the background, into $etc/NAME; its pid in $client
    local name=$1
    shift
    spawn "$name.said" "$build/demarc" capture "$@" -w "$etc/$name"
    client=$spawned
}
interrupt() {  # NAME PID: the client ends by itself, and says so
    kill -INT "$2"
    wait_for 10 gone "$2" || fail "$1: the client outlives SIGINT"
    grep -q ' captured.*, 0 dropped by demarcd' "$work/$1.said" || fail "$1: $(cat "$work/$1.said")"
}
frames() { "$here/pcapng.py" "$etc/$1" >"$work/$1.frames" || fail "$1: $(cat "$work/$1.frames")"; }
count() { grep -c "$2" "$work/$1.frames" || true; }  # NAME PATTERN

# 1. before MACsec, and on the plain port; a file that is there already is taken from others
touch "$etc/clear"
chmod 0644 "$etc/clear"
capture clear sec --before macsec; clear=$client
capture plain plain --after macsec --direction both; plain=$client
wait_for 5 running 2 || fail "two captures do not run: $(captures)"
"$build/demarc" status >"$work/status"
grep -q "capture.*port sec, before MACsec.*pid $clear.*PLAIN TEXT" "$work/status" || fail "status says nothing of it"
through 5 || fail "pings are lost while captures run"
interrupt clear "$clear"
interrupt plain "$plain"
frames clear; frames plain
[ "$(stat -c %a "$etc/clear")" = 600 ] || fail "others may read the plain text: $(stat -c %A "$etc/clear")"
[ "$(count clear '^out 102 102 8100.1101 0800')" = 5 ] || fail "five requests leave: $(cat "$work/clear.frames")"
[ "$(count clear '^in 102 102 8100.1101 0800')" = 5 ] || fail "five replies come: $(cat "$work/clear.frames")"
[ "$(count clear 88e5)" = 0 ] || fail "MACsec before MACsec"
[ "$(count plain '^in 98 98 0800')" = 5 ] && [ "$(count plain '^out 98 98 0800')" = 5 ] ||
    fail "the plain port: $(cat "$work/plain.frames")"
tcpdump -nr "$etc/clear" 'vlan 1101 and icmp' >"$work/tcpdump" 2>&1 || fail "tcpdump cannot read it"
[ "$(grep -c '10.99.0.2 > 10.99.1.2: ICMP echo request' "$work/tcpdump")" = 5 ] ||
    fail "tcpdump: $(cat "$work/tcpdump")"
[ "$(stat -c %a "$etc/clear")" = 600 ] || fail "others may read the file"
grep -q "plain text of the secured port sec goes to uid 0, pid $clear" "$work/east.log" || fail "not in the log"
grep -q "capture of port plain, after MACsec, begins for uid 0, pid $plain" "$work/east.log" || fail "not in the log"
wait_for 5 running 0 || fail "captures outlive their clients: $(captures)"
ok "before MACsec: five requests out and five replies in, in clear, read by tcpdump; logged; shown in status"

# 2. after MACsec: nothing but 0x88e5; filter, count, direction, snaplen, a pipe
capture wire sec --after macsec; wire=$client
wait_for 5 running || fail "no capture runs"
through 5 || fail "pings are lost"
interrupt wire "$wire"
frames wire
[ "$(count wire '^in 134 134 88e5')" = 5 ] && [ "$(count wire '^out 134 134 88e5')" = 5 ] ||
    fail "not five each way: $(cat "$work/wire.frames")"
[ "$(count wire '^\(in\|out\)')" = "$(count wire 88e5)" ] || fail "in clear on the wire: $(cat "$work/wire.frames")"
ok "after MACsec: 0x88e5 and nothing else"

capture some sec --before macsec --filter 'vlan and icmp[0] == 8' --count 3 --snaplen 60; some=$client
wait_for 5 running || fail "no capture runs"
through 5 || fail "pings are lost"
wait_for 10 gone "$some" || fail "--count 3 does not end it"
frames some
[ "$(count some '^out 102 60 ')" = 3 ] && [ "$(count some '^in')" = 0 ] || fail "filter: $(cat "$work/some.frames")"
capture out sec --after macsec --direction out --count 5; out=$client
wait_for 5 running || fail "no capture runs"
through 5 || fail "pings are lost"
wait_for 10 gone "$out" || fail "--count 5 does not end it"
frames out
[ "$(count out '^out')" = 5 ] && [ "$(count out '^in')" = 0 ] || fail "direction: $(cat "$work/out.frames")"
capture second sec --after macsec --seconds 1; second=$client
wait_for 10 gone "$second" || fail "--seconds 1 does not end it"
frames second
[ "$(count second '^statistics')" = 1 ] || fail "--seconds 1 ends in an unfinished file"
piped() { "$build/demarc" capture sec --before macsec --filter 'vlan and icmp' --count 2 -w - | tcpdump -nr -; }
spawn piped piped
pipe=$spawned
wait_for 5 running || fail "no capture runs"
through 5 || fail "pings are lost"
wait_for 10 gone "$pipe" || fail "a pipe does not end"
[ "$(grep -c 'ICMP echo re' "$work/piped")" = 2 ] || fail "tcpdump behind a pipe: $(cat "$work/piped")"
ok "filter, count, snaplen, seconds, direction, a pipe into tcpdump"

# 3. refusals leave no file
refuses() {  # CODE WORDS ARGUMENT...
    local code=0
    "$build/demarc" capture "${@:3}" -w "$etc/none" >"$work/refused" 2>&1 || code=$?
    [ "$code" = "$1" ] && grep -qF -- "$2" "$work/refused" || fail "capture ${*:3}: exit $code, $(cat "$work/refused")"
    [ ! -e "$etc/none" ] || fail "capture ${*:3} leaves a file"
}
capture one sec --after macsec; one=$client
wait_for 5 running || fail "no capture runs"
refuses 1 "runs already, of pid $one" sec --before macsec
refuses 1 'no port `nosuch`' nosuch --after macsec
refuses 2 "--filter" sec --after macsec --filter 'nonsense here'
refuses 2 "--before macsec or --after macsec" sec
ok "refused: a second capture of a port, a port that is not there, a bad filter"

# 4. killed: nothing of it remains; a client that never reads: nobody notices but its own counters
kill -KILL "$one"
wait_for 5 running 0 || fail "a capture outlives its client's kill -9: $(captures)"
[ "$(ask east status control.retired_waiting)" -lt 8 ] || fail "snapshots are not freed"
spawn deaf.said "$here/deaf.py" "$DEMARC_SOCKET" \
    '{"request":"capture","port":"sec","point":"before","direction":"both"}'
deaf=$spawned
wait_for 5 running || fail "no capture runs"
through 6000 1400 0.001 || fail "the flood fails: $(cat "$work/ping")"
grep -q ' 6000 received, 0% packet loss' "$work/ping" || fail "a deaf client loses frames: $(cat "$work/ping")"
[ "$(ask east status captures.0.dropped)" -gt 0 ] || fail "a deaf client is told to have lost nothing: $(captures)"
[ "$(ask east reload ok)" = true ] || fail "no reload beside a deaf client"
free=$(ask east status pool.free)
end_process KILL "$deaf"
wait_for 5 running 0 || fail "the deaf client's capture stays: $(captures)"
drops=$(ask east status workers.1.drops)
ok "a client that does not read: 6000 pings, none lost; longest turn of control" \
    "$(ask east status control.longest_turn_ms) ms; $free buffers free; drops of the worker: $drops"

# 5. traces: of what passes, and of what is dropped
tracing() { [ "$(ask east status traces | grep -o '"port"' | wc -l)" = 1 ]; }
trace() {  # NAME ARGUMENT...: in the background
    spawn "$1.story" "$build/demarc" trace "${@:2}"
    tracer=$spawned
    wait_for 5 tracing || fail "no trace runs: $(cat "$work/$1.story")"
}
told() {  # NAME PATTERN...: the trace has ended, and has said that
    wait_for 10 gone "$tracer" || fail "trace $1 does not end: $(cat "$work/$1.story")"
    local pattern
    for pattern in "${@:2}"; do
        grep -qE "$pattern" "$work/$1.story" || fail "no '$pattern' in $(cat "$work/$1.story")"
    done
}
trace passes sec --count 2
through 3 || fail "pings are lost"
told passes 'verify +worker 1 .*forward +SCI 02bd00000b010001, AN 0, PN [0-9]+' 'pop-vlan .*interface s0' \
    'hand-over .*port plain, for worker 0' 'transmit +worker 0 .*port plain' '^  transmitted on port plain$'
[ "$(grep -c '^frame' "$work/passes.story")" = 2 ] || fail "not two frames: $(cat "$work/passes.story")"
ip -n "$(real lan)" route add 192.0.2.0/24 via 10.99.0.1
trace dropped plain --drops --count 1
through 3 || fail "pings are lost"
ns lan ping -q -c 2 -i 0.02 -W 1 192.0.2.1 >/dev/null || true
told dropped 'route .*no-route +to 192.0.2.1, none' '^  DROPPED by route: no-route$'
[ "$(grep -c '^frame' "$work/dropped.story")" = 1 ] || fail "more than a drop: $(cat "$work/dropped.story")"
code=0
"$build/demarc" trace sec --filter-verdict nonsense >"$work/refused" 2>&1 || code=$?
[ "$code" = 1 ] && grep -q 'no verdict `nonsense`' "$work/refused" ||
    fail "nonsense is a verdict: $(cat "$work/refused")"
ok "a trace tells every stage of two frames across two workers, and why one is dropped"
"$build/demarc" clocks on >"$work/clocks"
timed() { through 20 1400 0.001 && "$build/demarc" show stages | grep -q ' verify '; }
wait_for 30 timed || fail "no stage is timed: $("$build/demarc" show stages)"
"$build/demarc" clocks off | grep -q 'stage clocks *off' || fail "the clocks do not stop"
ok "stage clocks go on and off"

# 6. the daemon ends: the file is whole
capture last sec --after macsec; last=$client
wait_for 5 running || fail "no capture runs"
through 3 || fail "pings are lost"
end_process TERM "$east"
wait_for 10 gone "$last" || fail "the client outlives the daemon"
frames last
[ "$(count last 88e5)" -ge 6 ] && [ "$(count last '^statistics')" = 1 ] || fail "$(cat "$work/last.frames")"
end_process TERM "$west"
ok "the daemon ends, the file is whole"
