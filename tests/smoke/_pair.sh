# Sourced after _init.sh: two routers joined by links that can be tapped, a host behind each. pair.py configures them.
#
#    lan --- plain [east] l1 ===== e1 (bridge l1, namespace wire) w1 ===== l1 [west] plain --- far
#                         l2 ===== ...
#
#   pair LINKS             namespaces, links, hosts
pair() {
    local n
    netns east east-host west west-host lan far wire
    ns wire sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    for n in $(seq "$1"); do link "$n"; done
    host east 1 lan
    host west 2 far
}
end_of_link() {  # ROUTER BRIDGE-PORT INDEX LINK MAC
    ip -n "$(real wire)" link add "$2" index "$3" type veth \
        peer name "l$4" index "$(($3 + 100))" address "$5" netns "$(real "$1")"
    ns wire ethtool -K "$2" tx off txvlan off tx-vlan-stag-hw-insert off >/dev/null 2>&1
    ip -n "$(real wire)" link set "$2" master "l$4" mtu 3000 up
}
link() {
    ip -n "$(real wire)" link add "l$1" type bridge stp_state 0 mcast_snooping 0 group_fwd_mask 8
    end_of_link east "e$1" "$((1000 + $1))" "$1" "02:5e:00:0a:00:0$1"
    end_of_link west "w$1" "$((1020 + $1))" "$1" "02:5e:00:0b:00:0$1"
    ip -n "$(real wire)" link set "l$1" up
}
host() {  # ROUTER NUMBER NAMESPACE
    ip -n "$(real "$3")" link add eth0 index 1201 type veth \
        peer name plain index "130$2" address "02:5e:00:0c:00:0$2" netns "$(real "$1")"
    ns "$3" ethtool -K eth0 tx off rx off tso off gso off gro off sg off txvlan off >/dev/null 2>&1
    ns "$3" sysctl -qw net.ipv6.conf.eth0.accept_ra=0 net.ipv6.conf.eth0.accept_dad=0
    ip -n "$(real "$3")" address add "10.97.$2.2/24" dev eth0
    ip -n "$(real "$3")" address add "fd00:97:$2::2/64" dev eth0 nodad
    ip -n "$(real "$3")" link set eth0 up
    ip -n "$(real "$3")" route add default via "10.97.$2.1"
    ip -n "$(real "$3")" route add ::/0 via "fd00:97:$2::1" dev eth0
}

# net.core.netdev_max_backlog as the lab has it, while it is smaller; another test may have done so before us.
backlog() {
    local file=/proc/sys/net/core/netdev_max_backlog
    backlog_before=$(cat "$file")
    [ "$backlog_before" -ge 20000 ] || echo 20000 >"$file"
    cleanups+=(restore_backlog)
}
restore_backlog() { echo "$backlog_before" >/proc/sys/net/core/netdev_max_backlog; }
