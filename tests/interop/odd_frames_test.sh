#!/bin/bash
# 37 odd frames to a live Linux and to a demarcd: what each makes of them is in odd_frames.txt; why they differ, where
# they do, in docs/ieee-names.md.
#
#   odd_frames.py -- guest0 (TAP) -- guest: eth0, msec0
#                 `- sec0 (veth) --- demarcd: sec, s0
. "$(dirname "$0")/../smoke/_init.sh"
. "$here/_link.sh"
link
ip -n "$(real wire)" link set dev br down
"$here/odd_frames.py" "$prefix" "$build" "$work/guest" "$etc" "$here/odd_frames.txt" "$here/../../docs/ieee-names.md" ||
    fail "not the expected verdicts"
