#!/bin/bash
# Tags in clear before the SecTAG: none, one, two, and two SecYs on one port by their clear VLANs, each with keys and an
# interface of its own; every interface has a tag inside as well. EAPOL with an address and an EtherType of our own.
#
#   [east] ==== l1: no clear tag; l2: VLAN 7; l3: 0x88a8 VLAN 20, VLAN 30; l4: VLAN 7 and VLAN 8 ==== [west]
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 160
pair 4
"$here/clear_tags.py" "$prefix" "$work" "$build" || fail "tags in clear"
