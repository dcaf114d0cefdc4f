#!/bin/bash
# No key outside locked, undumped memory: two routers with all four suites between them take new SAKs, traffic stops,
# and a second later their cores, every readable mapping, every thread's registers, logs and files are searched.
#
# Then the same of CAKs and what follows from them, where SAKs come by MKA.
#
#   lan --- [east] ==== l1 gcm-aes-128, l2 gcm-aes-256, l3 gcm-aes-xpn-128, l4 gcm-aes-xpn-256 ==== [west] --- far
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 160
pair 4
"$here/secrets_memory.py" "$prefix" "$work" "$build" || fail "secrets"
mkdir -m 0700 "$work/mka"
"$here/secrets_mka.py" "$prefix" "$work/mka" "$build" || fail "secrets of MKA"
