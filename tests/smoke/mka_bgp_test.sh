#!/bin/bash
# BGP with a hold time of 30 s while demarcd is killed, or ends, and starts again under MKA. Real FRR in each router.
#
#   lan --- [east, FRR AS 65010] ==== l1: bridge in namespace wire ==== [west, FRR AS 65020] --- far
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 160
backlog
pair 1
chmod 755 "$work"
"$here/mka_bgp.py" "$prefix" "$work" "$build" || fail "BGP across a restart"
