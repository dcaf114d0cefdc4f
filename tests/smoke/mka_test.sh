#!/bin/bash
# Two routers that get their SAKs by MKA: from nothing, through rekeys, a change of CAK, a kill -9 and a wrong CAK.
#
#   lan --- [east] ==== l1: bridge in namespace wire, captured on both ends ==== [west] --- far
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 160
backlog
pair 1
"$here/mka.py" "$prefix" "$work" "$build" || fail "MKA"
