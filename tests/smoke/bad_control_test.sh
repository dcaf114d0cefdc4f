#!/bin/bash
# Clients of the control socket that hang, send halves, too much, no JSON, or leave before the answer: everybody else
# is answered within a second.
. "$(dirname "$0")/_init.sh"
. "$here/_router.sh"

small_router
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
