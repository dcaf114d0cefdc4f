#!/bin/bash
# SAK rotation between two routers under 20,000 frames/s: a new SAK every second, receive SAs first, then transmit
# moves, the old one goes 300 ms later; four ANs round and round. Nothing lost, nothing reordered, nothing invalid.
# 15 s; with DEMARC_FULL=1 60 s.
#
#   lan --- [east] ==== l1 (GCM-AES-XPN-256) ==== [west] --- far
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 100
backlog  # veth hands frames over through this queue: a stall of the machine must not end there
pair 1
"$here/rotation.py" "$prefix" "$work" "$build" "$([ "${DEMARC_FULL:-0}" = 1 ] && echo 60 || echo 15)" || fail "rotation"
