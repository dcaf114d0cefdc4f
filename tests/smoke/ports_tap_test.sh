#!/bin/bash
# A TAP in another namespace: name, MAC address, MTU, addresses without duplicate address detection, settings, and a
# carrier whose changes every listener sees at once. It goes with its process, also with a killed one.
. "$(dirname "$0")/_init.sh"
probe=$build/tests/smoke/tap_probe

netns host
ns host sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.all.send_redirects=1 net.ipv6.conf.all.forwarding=0
value() { ns host cat "/proc/sys/net/$1"; }
expect() { [ "$(value "$1")" = "$2" ] || fail "net/$1 is $(value "$1"), not $2"; }
show() { ip -n "$(real host)" -o "$@"; }
says() { grep -q "$1" <<<"$("${@:2}")"; }  # PATTERN COMMAND...: read to its end, or a pipe would break now and then

spawn monitor.log ip netns exec "$(real host)" stdbuf -oL ip -o -ts monitor link
mkfifo "$work/words"
exec 3<>"$work/words"
mac=02:00:00:00:11:01
spawn probe.log "$probe" "$(real host)" ch1-1101 $mac 9001 169.254.101.1/30 fd00:1:101::1/126 <"$work/words"
wait_for 5 grep -qs ready "$work/probe.log" || fail "no TAP"
ip link show ch1-1101 >/dev/null 2>&1 && fail "the TAP is in our namespace"

says "NO-CARRIER.* mtu 9001 .*link/ether $mac" show link show ch1-1101 || fail "$(show link show ch1-1101)"
grep 'ch1-1101.*[<,]UP' "$work/monitor.log" | grep -q LOWER_UP && fail "born with carrier"
says 'inet 169.254.101.1/30' show addr show dev ch1-1101 || fail "no IPv4 address"
usable() { says "inet6 $1" show addr show dev ch1-1101 && ! says "inet6 $1.*tentative" show addr show dev ch1-1101; }
usable fd00:1:101::1/126 || fail "no IPv6 address, or a tentative one"
for d in all ch1-1101; do
    expect ipv6/conf/$d/forwarding 1
    expect ipv4/conf/$d/rp_filter 0
    expect ipv4/conf/$d/send_redirects 0
done
expect ipv4/conf/ch1-1101/forwarding 1
expect ipv4/conf/ch1-1101/accept_redirects 0
expect ipv6/conf/ch1-1101/accept_redirects 0
expect ipv4/conf/ch1-1101/arp_ignore 1
expect ipv4/conf/ch1-1101/arp_announce 2
expect ipv6/conf/ch1-1101/accept_ra 0
expect ipv4/conf/ch1-1101/ignore_routes_with_linkdown 1
expect ipv6/conf/ch1-1101/ignore_routes_with_linkdown 1
ok "born without carrier, with MAC address, MTU, addresses and settings"

said() { [ "$(grep -c "^$1" "$work/probe.log")" -ge "$2" ]; }
word() {
    echo "$1" >&3
    wait_for 5 said "$1" "$2" || fail "the probe did not do $1: $(cat "$work/probe.log")"
}
for i in $(seq 10); do
    word up "$i"
    sleep 0.3
    says 'UP,LOWER_UP.*state UP mode DEFAULT' show link show ch1-1101 || fail "not up: $(show link show ch1-1101)"
    word down "$i"
    sleep 0.3
    says NO-CARRIER show link show ch1-1101 || fail "not down: $(show link show ch1-1101)"
done
word up 11
sleep 0.3
usable fe80 || fail "no link-local address, or a tentative one"
echo "mtu 1500" >&3
wait_for 5 grep -q '^mtu' "$work/probe.log"
says 'mtu 1500 .*state UP' show link show ch1-1101 || fail "MTU not changed, or the link went down with it"
"$here/carrier_times.py" ch1-1101 "$work/probe.log" "$work/monitor.log" 50 || fail "carrier seen late"

spawned_probe=$spawned
"$probe" "$(real host)" ch1-1101 $mac 1500 </dev/null >"$work/second.log" 2>&1 && fail "two TAPs of one name"
grep -q 'ip link del ch1-1101' "$work/second.log" || fail "no remedy for a name that is taken"
end_process KILL "$spawned_probe"
show link show ch1-1101 >/dev/null 2>&1 && fail "the TAP outlives its killed process"
ok "gone with its killed process"

ns host sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.all.send_redirects=1 net.ipv6.conf.all.forwarding=0
echo quit | "$probe" "$(real host)" ch1-1101 02:00:00:00:11:01 1500 >/dev/null
expect ipv4/conf/all/rp_filter 1
expect ipv4/conf/all/send_redirects 1
expect ipv6/conf/all/forwarding 0
ok "the namespace's settings are put back"
"$probe" "$(real nosuch)" tap0 02:00:00:00:11:01 1500 </dev/null >"$work/third.log" 2>&1 && fail "a TAP in no namespace"
grep -q 'ip netns add' "$work/third.log" || fail "no remedy for a missing namespace"
ok "$(cat "$work/third.log")"
