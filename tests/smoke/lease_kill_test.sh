#!/bin/bash
# kill -9 of a transmitting daemon at random moments, also while it writes its packet-number lease; each time it starts
# again at once. On the wire, over the whole test, no nonce twice; on disk, no ceiling that falls, no lease torn.
# 40 kills; with DEMARC_FULL=1 200. SEED as the first argument repeats a run's moments.
#
#   [east] ==== l1 (GCM-AES-XPN-256), tcpdump on the wire ==== [west]
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 100
pair 1
"$here/lease_kill.py" "$prefix" "$work" "$build" "$([ "${DEMARC_FULL:-0}" = 1 ] && echo 200 || echo 40)" "${1:-}" ||
    fail "lease under kill -9"
