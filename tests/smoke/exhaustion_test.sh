#!/bin/bash
# The end of the packet numbers, driven across with traffic on, at both widths: the last one used is the last but one
# there is, then nothing leaves: counted, carrier down, said in words, nothing in clear. A new SAK opens the link again.
#
#   lan --- [east] ==== l1 (GCM-AES-128), l2 (GCM-AES-XPN-256), tcpdump on the wire ==== [west]
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 120
pair 2
"$here/exhaustion.py" "$prefix" "$work" "$build" || fail "the end of the packet numbers"
