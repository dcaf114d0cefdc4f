#!/bin/bash
# The longest packets there are, 9,001 octets, across two routers: IPv4 over the one link, IPv6 over the other.
#
#    lan --- plain [east] ==== l1: gcm-aes-xpn-256, VLAN inside ==== [west] plain --- far
#                         ==== l2: gcm-aes-128, VLAN inside     ====
. "$(dirname "$0")/_init.sh"
. "$here/_pair.sh"
hugepages 160
pair 2
for port in e1 w1 l1 e2 w2 l2; do ip -n "$(real wire)" link set "$port" mtu 9200; done
for place in lan far; do ip -n "$(real $place)" link set eth0 mtu 9200; done
"$here/jumbo.py" "$prefix" "$work" "$build" || fail "packets of 9,001 octets"
