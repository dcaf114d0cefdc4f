#!/bin/bash
# MKA between demarcd and Technica's MKAdaemon over Linux's MACsec, with the suites that wpa_supplicant does not have:
# GCM-AES-256, GCM-AES-XPN-128 and GCM-AES-XPN-256; either is key server. DEMARC_MKADAEMON is the path of its program
# `mkad`, which is no part of this tree; without it the test is skipped.
#
# Namespaces and addresses as in macsec_linux_test.sh; mkad runs in the guest.
[ -n "${DEMARC_MKADAEMON:-}" ] || { echo "skipped: DEMARC_MKADAEMON names no mkad"; exit 77; }
. "$(dirname "$0")/../smoke/_init.sh"
. "$here/_link.sh"
link
"$here/mka_mkad.py" "$prefix" "$build" "$work/guest" "$etc" || fail "MKA with MKAdaemon"
