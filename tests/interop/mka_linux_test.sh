#!/bin/bash
# MKA between demarcd and wpa_supplicant, over Linux's MACsec: either is key server, with CAKs of 128 and 256 bits;
# rekeys under traffic, a peer that is killed, a daemon that is killed, a wrong key. GCM-AES-128 alone, because
# wpa_supplicant 2.10 has no other.
#
#    lan ==== plain [demarcd] sec ==== br (namespace wire) ==== eth0 [guest: wpa_supplicant, macsec0] eth1 ==== far
#
# Namespaces and addresses as in macsec_linux_test.sh.
. "$(dirname "$0")/../smoke/_init.sh"
. "$here/../smoke/_pair.sh"  # backlog
. "$here/_link.sh"
backlog
link
if [ "${DEMARC_FULL:-0}" = 1 ]; then rekeys=20; else rekeys=5; fi
"$here/mka_linux.py" "$prefix" "$build" "$work/guest" "$etc" "${DEMARC_REKEYS:-$rekeys}" ||
    fail "MKA with wpa_supplicant"
