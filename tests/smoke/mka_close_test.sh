#!/bin/bash
# How fast the router stops using a link when its KaY closes the port: the peer is killed five times under traffic.
#
#   lan --- [east] ==== l1: bridge in namespace wire, frames counted by EtherType ==== [west: killed] --- far
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 160
backlog
pair 1
"$here/mka_close.py" "$prefix" "$work" "$build" || fail "closing a port"
