#!/bin/bash
# zebra's routes over FPM into our RIB, with our FRR configuration on both ends. Real FRR, kernel links, no dataplane.
#
#    namespace us                                           namespace peer
#   +----------------------------------+                   +----------------------------+
#   | fpm_dump 127.0.0.1:2620          |  10.99.1.0/30     | AS 65020                   |
#   |    ^ FPM                         l1=================l1  announces 10.20.0.0/16,   |
#   | zebra, bgpd, staticd; AS 65010   |  fd00:99:1::/126  |  10.20.7.0/24, fd00:20::/32|
#   | announces 10.10.0.0/24           |  10.99.2.0/30     |  and 10.66.0.0/16, which   |
#   |                                  l2=================l2  we do not accept          |
#   +----------------------------------+  fd00:99:2::/126  +----------------------------+
. "$(dirname "$0")/_init.sh"
dump=$build/tests/smoke/fpm_dump
texts=$build/tests/smoke/frr_texts

# frr NAME DAEMON [OPTION...]: in its namespace, sockets and files of its own
frr() {
    local name=$1 daemon=$2 dir=$work/$1
    shift 2
    spawn "$name-$daemon.log" ip netns exec "$(real "$name")" "/usr/lib/frr/$daemon" -f "$dir/$daemon.conf" \
        -i "$dir/$daemon.pid" -z "$dir/zserv" --vty_socket "$dir" -P 0 -A 127.0.0.1 --log stdout "$@"
    eval "${name}_$daemon=$spawned"
}
frr_all() {
    frr "$1" zebra -M dplane_fpm_nl
    wait_for 10 test -S "$work/$1/zserv" || fail "zebra of $1 does not start"
    frr "$1" staticd
    frr "$1" bgpd
}
vty() {
    local name=$1 c=() x
    shift
    for x in "$@"; do c+=(-c "$x"); done
    vtysh --vty_socket "$work/$name" "${c[@]}"
}
zebra_lacks() { ! grep -q "^Routing entry for $1" <<<"$(vty us "show ip route $1")"; }
established() { [ "$(vty us 'show bgp summary json' 2>/dev/null | grep -c '"state":"Established"')" = 4 ]; }

known() { jq -r "$1" "$work/rib.json" 2>/dev/null; }
is() { [ "$(known "$1")" = "$2" ]; }
has_route() { grep -q "^254 $1 " <<<"$(known '.routes[]')"; }
two_ways() {  # PREFIX GATEWAY GATEWAY
    grep -q "^254 $1 unicast proto 186 metric 20 via $2 dev 11 weight 1, via $3 dev 12 weight 1$" \
        <<<"$(known '.routes[]')"
}
lacks_route() { ! has_route "$1"; }
routes() { known '.routes[]' | grep "proto 186"; }
same_routes() { [ "$(routes)" = "$full" ]; }
server() {
    spawn fpm_dump.log ip netns exec "$(real us)" "$dump" 127.0.0.1 2620 "$work/rib.json" "$@"
    dump_pid=$spawned
}

netns us peer
for i in 1 2; do
    ip -n "$(real us)" link add "l$i" index "$((10 + i))" type veth \
        peer name "l$i" index "$((20 + i))" netns "$(real peer)"
    for end in us:1 peer:2; do
        n=$(real "${end%:*}") host=${end#*:}
        ip -n "$n" addr add "10.99.$i.$host/30" dev "l$i"
        ip -n "$n" addr add "fd00:99:$i::$host/126" dev "l$i" nodad
        ip -n "$n" link set "l$i" up
    done
done
chmod 755 "$work"
for name in us peer; do mkdir "$work/$name"; chown frr:frr "$work/$name"; done
"$texts" "$work/us" us 65010 10.255.0.1 2620 announce=10.10.0.0/24 accept=10.20.0.0/16 accept=fd00:20::/32 \
    neighbor=10.99.{1,2}.2,65020,lab-only-md5 neighbor=fd00:99:{1,2}::2,65020,lab-only-md5
"$texts" "$work/peer" peer 65020 10.255.0.2 2621 announce=10.{20,66}.0.0/16 announce=10.20.7.0/24 \
    announce=fd00:20::/32 accept=10.10.0.0/24 \
    neighbor=10.99.{1,2}.1,65010,lab-only-md5 neighbor=fd00:99:{1,2}::1,65010,lab-only-md5
chown frr:frr "$work"/{us,peer}/*.conf

server
frr_all us
frr_all peer
wait_for 30 established || fail "BGP: $(vty us 'show bgp summary')"
ok "four sessions with MD5, both families"

for route in "10.20.0.0/16 10.99.1.2 10.99.2.2" "10.20.7.0/24 10.99.1.2 10.99.2.2" "fd00:20::/32 fe80:.* fe80:.*"; do
    # shellcheck disable=SC2086
    wait_for 30 two_ways $route || fail "${route%% *} does not arrive over both links: $(known '.routes[]')"
done
has_route 10.99.1.0/30 || fail "no connected route"
ok "routes arrive, two ways each, connected ones too"
lacks_route 10.66.0.0/16 || fail "a prefix that is not on the list was accepted"
grep -q 65010 <<<"$(vty peer 'show bgp ipv4 unicast 10.10.0.0/24')" || fail "ours was not announced"
ok "prefix lists hold"
is .errors 0 || fail "messages not understood"
wait_for 10 is '.sentinels > 0' true || fail "no sentinel"
lacks_route fec0: || fail "the sentinel is a route"
for daemon in zebra bgpd staticd; do
    ! grep -iE 'config line|unknown command|^% ' "$work"/*-$daemon.log || fail "$daemon does not take its file"
done
ok "FRR takes every line of the files"

full=$(routes)
end_process KILL "$dump_pid"
server 3600000 8000
wait_for 15 is .state synchronized || fail "the sentinel does not end a replay: $(cat "$work/rib.json")"
wait_for 5 is '.routes_at_first_synchronization == (.routes | length)' true || fail "routes came after the sentinel"
same_routes || fail "the replay gives other routes: $(known '.routes[]')"
ok "a replay brings everything, the sentinel last"

removed=$(known .removed)
# The newest wins. zebra would try again after 3 s: it is told not to before the other end withdraws.
spawn intruder.log ip netns exec "$(real us)" bash -c 'exec 3<>/dev/tcp/127.0.0.1/2620; exec sleep 60'
wait_for 10 is .replaced 1 || fail "a newer connection does not win"
[ "$(known .stale)" -gt 0 ] || fail "not stale"
same_routes || fail "a disconnection cost routes"
vty us 'configure terminal' 'no fpm address'
vty peer 'configure terminal' 'router bgp 65020' 'address-family ipv4 unicast' 'no network 10.20.7.0/24'
wait_for 15 zebra_lacks 10.20.7.0/24 || fail "the withdrawal does not come"
vty us 'configure terminal' 'fpm address 127.0.0.1 port 2620'
wait_for 15 is .stale 1 || fail "zebra does not come back: $(cat "$work/rib.json")"
has_route 10.20.7.0/24 || fail "what a replay does not mention goes before the cap"
wait_for 20 is .state synchronized || fail "the cap does not end it: $(cat "$work/rib.json")"
wait_for 5 lacks_route 10.20.7.0/24 || fail "what was withdrawn meanwhile is still there"
is .swept 1 && is .removed $((removed + 1)) || fail "swept $(known .swept), removed $(known .removed)"
ok "a reconnect sweeps what was withdrawn meanwhile, and only that"

full=$(routes)
connections=$(known .connections)
vty us 'configure terminal' 'fpm use-next-hop-groups'
wait_for 15 is ".connections == $((connections + 1)) and"' .next_hops > 0 and .state == "synchronized"' true ||
    fail "next-hop groups: $(cat "$work/rib.json")"
same_routes || fail "with next-hop groups the routes are others: $(known '.routes[]')"
is .unresolved 0 || fail "unresolved routes"
ok "with next-hop groups the routes are the same"

end_process KILL "$dump_pid"
server 1500 25000
wait_for 15 is .state synchronized || fail "no replay"
vty peer 'configure terminal' 'router bgp 65020' 'address-family ipv4 unicast' 'network 10.20.7.0/24'
wait_for 30 two_ways 10.20.7.0/24 10.99.1.2 10.99.2.2 || fail "10.20.7.0/24 does not come back: $(known '.routes[]')"
full=$(routes)
removed=$(known .removed)
for p in "$us_bgpd" "$us_staticd" "$us_zebra"; do kill -KILL "$p"; done
for p in "$us_bgpd" "$us_staticd" "$us_zebra"; do wait_for 10 gone "$p"; done
wait_for 10 is .state disconnected || fail "a dead zebra goes unnoticed"
same_routes || fail "a dead zebra cost routes"
vty peer 'configure terminal' 'router bgp 65020' 'address-family ipv4 unicast' 'no network 10.20.7.0/24'
rm -f "$work/us/zserv"
frr_all us
# Each link's session comes up by itself: for a while a route may have the way of one link only.
wait_for 40 is '.state == "synchronizing" and .stale == 1' true || fail "not all comes back: $(known '.routes[]')"
is .removed "$removed" || fail "FRR's restart removed $(($(known .removed) - removed)) routes"
has_route 10.20.7.0/24 || fail "swept before the cap"
ok "kill -9 and restart of FRR removes not one route"
wait_for 40 is .state synchronized || fail "the cap does not end it: $(cat "$work/rib.json")"
full=$(grep -v '^254 10.20.7.0/24 ' <<<"$full")
wait_for 30 same_routes || fail "after FRR's restart the routes are others: $(known '.routes[]')"
is .removed $((removed + 1)) || fail "FRR's restart removed $(($(known .removed) - removed)) routes, not one"
ok "what was withdrawn meanwhile goes when the waiting ends"
