#!/bin/bash
# Is MKA ever starved? Two routers on six wires with MKA, one worker each; the time between their hellos is measured on
# the wires while all ports receive all that can be sent, while zebra tells a million routes, and in a flood of ARP.
#
#   flood -- lan --- plain [east] l1 ===== e1 (bridge l1, namespace wire) w1 ===== l1 [west] plain --- far -- flood
#                                 ...              ^ flood, and the clock         ...
#                                 l6 ===== e6                          w6 ===== l6
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 220
backlog
pair 6
"$here/hello_gaps.py" "$prefix" "$work" "$build" || fail "hello gaps"
