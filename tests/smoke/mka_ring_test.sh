#!/bin/bash
# The key ring of two routers: CAKs that start and end, a fallback, hard-expiry, and `mka` taken out of the file.
#
#   lan --- [east] ==== l1: bridge in namespace wire, frames counted by EtherType ==== [west] --- far
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 160
backlog
pair 1
"$here/mka_ring.py" "$prefix" "$work" "$build" || fail "the key ring"
