#!/bin/bash
# Bad frames at a plain and at a secured port, of AF_XDP and of AF_PACKET: each one is counted, none crashes the daemon,
# leaks a buffer, or lets anything but MACsec out of the secured port or anything unverified in.
#
#    lan eth0 --- plain [router: a0, s0] sec === VLAN 1101 inside gcm-aes-xpn-256 === eth0 peer (the test itself)
#                                                                                      \ counted by nft
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

bad_frames() {  # DRIVER SEED
    local before each address tap mac
    key ours  # a daemon and a key: the test's own end begins with PN 1 each time
    write_config router
    sed -i "s/driver: af_xdp/driver: $1/" "$etc/router.yaml"
    start_router router
    wait_for 10 carrier router || fail "$1: s0 has no carrier"
    for each in "10.99.0.2 a0 02:bd:00:00:0d:01" "fd00:99::2 a0 02:bd:00:00:0d:01" \
        "10.99.1.2 s0 02:bd:00:00:0b:01" "fd00:99:1::2 s0 02:bd:00:00:0b:01"; do
        read -r address tap mac <<<"$each"
        ns router-host ip neigh replace "$address" dev "$tap" lladdr "$mac" nud permanent
    done
    [ "$(ask router status 'ports[name=plain].driver' 'ports[name=sec].driver' | uniq)" = "$1" ] || fail "not $1"
    before=$(left_as macsec)
    "$here/bad_frames.py" "$work/router.run/demarc.sock" "$prefix" "$etc/ours.sak" "$salt" "$2" ||
        fail "$1: bad frames"

    alive "$router_pid" "after bad frames"
    [ "$(ask router status pid)" = "$router_pid" ] || fail "$1: another pid answers"
    [ "$(left_as other)" = 0 ] || fail "$1: $(left_as other) clear frames left the secured port"
    [ "$(left_as macsec)" -gt $((before + 100)) ] || fail "$1: only $(($(left_as macsec) - before)) MACsec frames left"
    ok "$1: $(($(left_as macsec) - before)) frames left the secured port as 0x88e5, $(left_as eapol) as 0x888e," \
        "none in clear"
    end_process TERM "$router_pid"
    ok "$1: a clean end after all that"
}
for driver in af_xdp af_packet; do bad_frames $driver "${1:-1}"; done
