#!/bin/bash
# Demarc and a live Linux on one wire: MACsec in every suite and form, both ways, counters compared. The rows are those
# of macsec_pairs.txt; with DEMARC_FULL=1 the whole matrix.
#
#    lan              router                           wire                guest (user-mode-linux)          far
#   +------+  veth  +---------+-----------+  veth  +-----------+  TAP   +-----------+----------+  TAP  +----------+
#   | eth0 ========== plain   | demarcd   |        |           |        | eth0      |          |       |          |
#   |      |        |    a0   |   s0  sec ========== sec0  br  ========== msec0     | eth1     ========= far0     |
#   +------+        +---------+-----------+        |    guest0 |        +-----------+----------+       +----------+
#   10.99.0.2        .0.1       10.99.1.1          +-----------+        10.99.1.2     10.99.2.1         10.99.1.3
#
# The guest forwards to `far` and answers ARP and ND for it on the link. One guest for all rows, a demarcd for each.
. "$(dirname "$0")/../smoke/_init.sh"
. "$here/_link.sh"

if [ "${DEMARC_FULL:-0}" = 1 ]; then table=full; else table=$here/macsec_pairs.txt; fi
link
"$here/macsec_linux.py" "$prefix" "$build" "$work/guest" "$etc" "${1:-$table}" || fail "rows do not hold"
