#!/bin/bash
# An FPM peer that sends nonsense, half frames, frames of 64 KiB, garbage in valid frames, or connects thousands of
# times: an error is counted, the daemon goes on, and what zebra really sent still comes to the right routes.
. "$(dirname "$0")/_init.sh"
. "$here/_router.sh"
golden=$here/../golden/fpm

small_router
start_router router
# The recorded routes leave by interface 2, where their gateways 10.99.0.2 and others are.
[ "$(ns router-host cat /sys/class/net/a0/ifindex)" = 2 ] || fail "a0 is not interface 2"

ns router-host "$here/bad_fpm.py" "$work/router.run/demarc.sock" "$router_pid" "$golden" || fail "bad FPM"
alive "$router_pid" "after bad FPM"
[ "$(ask router status pid)" = "$router_pid" ] || fail "another pid answers"
end_process TERM "$router_pid"
ok "a clean end after all that"
