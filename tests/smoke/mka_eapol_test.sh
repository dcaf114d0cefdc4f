#!/bin/bash
# Two KaYs on one wire behind clear VLAN tags, one with an EAPOL address and an EtherType of its own.
#
#   [east] l1 ==== VLAN 7: EAPOL 01:80:c2:00:00:03, 0x888e; VLAN 8: 03:5e:00:00:00:01, 0x876f ==== l1 [west]
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 100
pair 1
"$here/mka_eapol.py" "$prefix" "$work" "$build" || fail "EAPOL as configured"
