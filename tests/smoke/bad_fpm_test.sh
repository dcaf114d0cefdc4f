#!/bin/bash
# An FPM peer that sends nonsense, half frames, frames of 64 KiB, garbage in valid frames, or connects thousands of
# times: an error is counted, the daemon goes on, and what zebra really sent still comes to the right routes.
. "$(dirname "$0")/_init.sh"
. "$here/_router.sh"
golden=$here/../golden/fpm

netns router router-host lan peer
wire 11 plain router 02:bd:00:00:0c:01 eth0 lan 02:bd:00:00:0d:01
wire 12 sec router 02:bd:00:00:0a:01 eth0 peer 02:bd:00:00:0b:01
key ours
sa_tx="{an: 0, key-file: $etc/ours.sak, ssci: 1, salt: \"$salt\"}"
sa_rx=("{an: 0, key-file: $etc/ours.sak, ssci: 2, salt: \"$salt\"}")
sci_rx=02bd00000b010001 s0_addresses='10.99.1.1/24, "fd00:99:1::1/64"'
write_config router
start_router router
# The recorded routes leave by interface 2, where their gateways 10.99.0.2 and others are.
[ "$(ns router-host cat /sys/class/net/a0/ifindex)" = 2 ] || fail "a0 is not interface 2"

ns router-host "$here/bad_fpm.py" "$work/router.run/demarc.sock" "$router_pid" "$golden" || fail "bad FPM"
alive "$router_pid" "after bad FPM"
[ "$(ask router status pid)" = "$router_pid" ] || fail "another pid answers"
end_process TERM "$router_pid"
ok "a clean end after all that"
