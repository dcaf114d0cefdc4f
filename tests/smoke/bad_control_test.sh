#!/bin/bash
# Clients of the control socket that hang, send halves, too much, no JSON, or leave before the answer: everybody else
# is answered within a second.
. "$(dirname "$0")/_init.sh"
. "$here/_router.sh"

netns router router-host lan peer
wire 11 plain router 02:bd:00:00:0c:01 eth0 lan 02:bd:00:00:0d:01
wire 12 sec router 02:bd:00:00:0a:01 eth0 peer 02:bd:00:00:0b:01
key ours
sa_tx="{an: 0, key-file: $etc/ours.sak, ssci: 1, salt: \"$salt\"}"
sa_rx=("{an: 0, key-file: $etc/ours.sak, ssci: 2, salt: \"$salt\"}")
sci_rx=02bd00000b010001 s0_addresses='10.99.1.1/24, "fd00:99:1::1/64"'
write_config router
start_router router
"$here/bad_control.py" "$work/router.run/demarc.sock" "$router_pid" || fail "bad control"
alive "$router_pid" "after bad clients"
[ "$(stat -c %a "$work/router.run/demarc.sock")" = 660 ] || fail "the socket's mode is not 0660"
sak=$(awk '{ print $2 }' "$etc/ours.sak")
ask router status >"$etc/all"
if grep -qiF "$sak" "$etc/all" "$work/router.log"; then fail "a key is in an answer or in the log"; fi
end_process TERM "$router_pid"
[ ! -e "$work/router.run/demarc.sock" ] || fail "the socket is left behind"
ok "a clean end after all that"
