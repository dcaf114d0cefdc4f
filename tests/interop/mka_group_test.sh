#!/bin/bash
# A group CA of three stations on one bridge: two demarcd and a guest with wpa_supplicant over Linux's MACsec. All pairs
# talk; a member leaves and comes back, a SAK is renewed, the key server itself goes: the others lose nothing.
#
#    lan ==== plain [east] l1 ==== e1 (bridge l1, namespace wire) w1 ==== l1 [west] plain ==== far
#                                       guest0 ==== eth0 [guest: wpa_supplicant, macsec0]
. "$(dirname "$0")/../smoke/_init.sh"
. "$here/../smoke/_pair.sh"
hugepages 160
backlog
etc=$work/etc
mkdir -m 0700 "$etc"
pair 1
ip -n "$(real wire)" tuntap add dev guest0 mode tap
ip -n "$(real wire)" link set guest0 mtu 9200 txqueuelen 10000
ip -n "$(real wire)" link set guest0 master l1 up
spawn guest.log "$here/guest.py" boot "$work/guest" "$(real wire)/guest0=02:de:00:00:00:02"
"$here/guest.py" run "$work/guest" true || fail "the guest does not answer"
"$here/mka_group.py" "$prefix" "$work" "$build" || fail "MKA in a group of three"
