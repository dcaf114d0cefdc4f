# Sourced after _init.sh: demarcd with a small configuration of its own.
#
#   wire INDEX DEVICE NS MAC PEER-DEVICE PEER-NS PEER-MAC   a veth pair with fixed indexes and addresses
#   key NAME                      a 0600 key file of the name; its path is $etc/NAME.sak
#   write_config NAME             $etc/NAME.yaml from the variables below; sa_tx and sa_rx are lines of YAML
#   small_router                  namespaces, wires, key and configuration of a router named `router`
#   start_router NAME             demarcd in namespace `NAME`, its TAPs in `NAME-host`; its pid in $router_pid
#   carrier NAME                  whether its secured interface has carrier
#   ask NAME REQUEST [PATH...]    one request (a word or JSON); each PATH's value on a line (a.b.0.c, or a.b[name=x].c)
etc=$work/etc  # not beside the logs, which a failure prints
mkdir "$etc"
wire() {
    ip -n "$(real "$3")" link add "$2" index "$1" address "$4" type veth \
        peer name "$5" index "$(($1 + 100))" address "$7" netns "$(real "$6")"
    ns "$6" sysctl -qw "net.ipv6.conf.$5.disable_ipv6=1"
    ns "$6" ethtool -K "$5" tx off rx off tso off gso off gro off sg off txvlan off >/dev/null 2>&1
    ip -n "$(real "$6")" link set "$5" mtu 3000 up
}
key() {
    (umask 077 && echo "sak: $(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >"$etc/$1.sak")
}

salt=a1b2c3d4e5f60718293a4b5c
buffers=16384 state=''
write_config() {
    local name=$1
    cat >"$etc/$name.yaml" <<END
router:
  name: $name
  run-directory: $work/$name.run
  state-directory: ${state:-$work/$name.state}
workers: {idle: sleep, count: 2}
memory: {buffers: $buffers, buffer-octets: 2176}
fib: {ipv4-root-bits: 16, ipv6-root-bits: 16, ipv4-nodes: 4096, ipv6-nodes: 4096, groups: 1024, next-hops: 1024}
host:
  netns: $(real "$name-host")
  fpm: {address: 127.0.0.1, port: 2620}
  punt-rates: {bfd: 10000, bgp: 20000, arp-nd: 10000, other: 100000, eapol: 1000}
ports:
  plain: {driver: af_xdp, device: plain, receive-worker: 0, transmit-worker: 0, mtu: 1500}
  sec:
    driver: af_xdp
    device: sec
    receive-worker: 1
    transmit-worker: 1
    mtu: 1500
    macsec:
      - cipher-suite: gcm-aes-xpn-256
        replay-window: 64
        static:
          transmit: $sa_tx
          receive:
            - sci: "$sci_rx"
              sas:
$(printf '                - %s\n' "${sa_rx[@]}")
interfaces:
  a0:
    port: plain
    mtu: 1500
    addresses: [10.99.0.1/24, "fd00:99::1/64"]
  s0:
    port: sec
    tags: [1101]
    mtu: 1500
    addresses: [$s0_addresses]
log: {level: warning}
END
}
small_router() {
    netns router router-host lan peer
    wire 11 plain router 02:bd:00:00:0c:01 eth0 lan 02:bd:00:00:0d:01
    wire 12 sec router 02:bd:00:00:0a:01 eth0 peer 02:bd:00:00:0b:01
    key ours
    sa_tx="{an: 0, key-file: $etc/ours.sak, ssci: 1, salt: \"$salt\"}"
    sa_rx=("{an: 0, key-file: $etc/ours.sak, ssci: 2, salt: \"$salt\"}")
    sci_rx=02bd00000b010001 s0_addresses='10.99.1.1/24, "fd00:99:1::1/64"'
    write_config router
}
start_router() {
    spawn "$1.log" ip netns exec "$(real "$1")" "$build/demarcd" --config "$etc/$1.yaml"
    router_pid=$spawned
    answers() { gone "$router_pid" || ask "$1" status >"$etc/status" 2>/dev/null; }
    wait_for 30 answers "$1" || fail "$1 does not answer"
    alive "$router_pid" "$1 does not start"
}
carrier() { [ "$(ask "$1" status 'interfaces[name=s0].carrier')" = true ]; }
ask() {
    local name=$1
    shift
    "$here/ask.py" "$work/$name.run/demarc.sock" "$@"
}
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
alive() { ! gone "$1" || fail "demarcd ended: $2"; }  # PID WHEN
