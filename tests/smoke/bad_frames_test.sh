#!/bin/bash
# Bad frames at a plain and at a secured port: each one is counted, none crashes the daemon, leaks a buffer, or lets
# anything but MACsec out of the secured port or anything unverified in.
. "$(dirname "$0")/_init.sh"
. "$here/_router.sh"

small_router

ns peer nft -f - <<'END'
table netdev wire {
    counter macsec {}
    counter eapol {}
    counter other {}
    chain in {
        type filter hook ingress device "eth0" priority 0;
        ether type 0x88e5 counter name macsec accept
        ether type 0x888e counter name eapol accept
        counter name other
    }
}
END
left_as() { ns peer nft list counter netdev wire "$1" | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }

start_router router
wait_for 10 carrier router || fail "s0 has no carrier"
for each in "10.99.0.2 a0 02:bd:00:00:0d:01" "fd00:99::2 a0 02:bd:00:00:0d:01" \
    "10.99.1.2 s0 02:bd:00:00:0b:01" "fd00:99:1::2 s0 02:bd:00:00:0b:01"; do
    read -r address tap mac <<<"$each"
    ns router-host ip neigh replace "$address" dev "$tap" lladdr "$mac" nud permanent
done
"$here/bad_frames.py" "$work/router.run/demarc.sock" "$prefix" "$etc/ours.sak" "$salt" "${1:-1}" || fail "bad frames"

alive "$router_pid" "after bad frames"
[ "$(ask router status pid)" = "$router_pid" ] || fail "another pid answers"
[ "$(left_as other)" = 0 ] || fail "$(left_as other) clear frames left the secured port"
[ "$(left_as macsec)" -gt 100 ] || fail "only $(left_as macsec) MACsec frames left the secured port"
ok "$(left_as macsec) frames left the secured port as 0x88e5, $(left_as eapol) as 0x888e, none in clear"
end_process TERM "$router_pid"
ok "a clean end after all that"
