# Sourced after ../smoke/_init.sh: the namespaces of macsec_linux_test.sh, which draws them.
#
#   link                          makes them all, boots the guest at $work/guest
#   reserve_hugepages PAGES       of 2 MiB, on top of what there is; given back at the end
etc=$work/etc  # not beside the logs, which a failure prints
mkdir -m 0700 "$etc"
hugepages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
reserved=0

# Several tests may do this at once: each adds its own and takes exactly that back.
change_hugepages() { flock "$hugepages" sh -c 'echo $(($(cat "$1") + $2)) >"$1"' sh "$hugepages" "$1"; }
reserve_hugepages() {
    change_hugepages "$1"
    reserved=$1
}
give_back() {
    local status=$?
    set +e  # or the status below ends the trap before it has cleaned up
    [ "$reserved" = 0 ] || change_hugepages "-$reserved"
    (exit "$status")
    cleanup
}
trap give_back EXIT

veth() {  # DEVICE NS MAC PEER-DEVICE PEER-NS PEER-MAC INDEX
    ip -n "$(real "$2")" link add "$1" index "$7" address "$3" type veth \
        peer name "$4" index "$(($7 + 100))" address "$6" netns "$(real "$5")"
    ns "$5" ethtool -K "$4" tx off rx off tso off gso off gro off sg off txvlan off >/dev/null 2>&1
}
tap() {  # DEVICE NS
    ip -n "$(real "$2")" tuntap add dev "$1" mode tap
    ip -n "$(real "$2")" link set "$1" mtu 9200 txqueuelen 10000
}
link() {
    reserve_hugepages 32
    netns lan router router-host wire far
    ns wire sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    ns router sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    for each in lan far; do ns "$each" sysctl -qw net.ipv6.conf.default.accept_dad=0; done
    veth plain router 02:de:00:00:01:01 eth0 lan 02:de:00:00:01:02 11
    veth sec router 02:de:00:00:00:01 sec0 wire 02:de:00:00:02:01 12
    tap guest0 wire
    tap far0 far
    ip -n "$(real wire)" link add name br type bridge stp_state 0 mcast_snooping 0 group_fwd_mask 8  # EAPOL passes
    for each in sec0 guest0; do ip -n "$(real wire)" link set "$each" master br up; done
    ip -n "$(real wire)" link set dev br up
    spawn guest.log "$here/guest.py" boot "$work/guest" "$(real wire)/guest0=02:de:00:00:00:02" \
        "$(real far)/far0=02:de:00:00:03:01"
    host lan eth0 10.99.0.2/24 fd00:99::2/64 10.99.0.1 fd00:99::1 10.99.0.2 fd00:99::2
    ip -n "$(real far)" address add 10.99.1.3/32 dev lo
    ip -n "$(real far)" address add fd00:99:1::3/128 dev lo
    host far far0 10.99.2.3/24 fd00:99:2::3/64 10.99.2.1 fd00:99:2::1 10.99.1.3 fd00:99:1::3
    "$here/guest.py" run "$work/guest" true || fail "the guest does not answer"
    ok "the guest is up"
}
host() {  # NS DEVICE ADDRESS4 ADDRESS6 GATEWAY4 GATEWAY6 SOURCE4 SOURCE6
    local n
    n=$(real "$1")
    ip -n "$n" link set "$2" up
    ip -n "$n" address add "$3" dev "$2"
    ip -n "$n" address add "$4" dev "$2" nodad
    ip -n "$n" route add default via "$5" src "$7"
    ip -n "$n" -6 route add default via "$6" src "$8"
}
