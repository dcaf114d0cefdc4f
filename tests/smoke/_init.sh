# Sourced first by every smoke test: `. "$(dirname "$0")/_init.sh"`. Runs as root, in namespaces and a directory of its
# own, and leaves nothing behind; what a killed run left, the next one removes. The binaries are those of $DEMARC_BUILD
# (default: build/release).
#
#   netns NAME            a namespace; `ns NAME COMMAND...` runs in it; its real name is $(real NAME)
#   spawn LOG COMMAND...  a process in the background, its pid in $spawned; killed at the end
#   wait_for SECONDS COMMAND...   until it succeeds
#   ok TEXT / fail TEXT   one line each; fail ends the test
#   hugepages COUNT       so many of 2 MiB more than are there; given back at the end. Every test has 64 to begin with
#   cleanups+=(FUNCTION)  called at the end, after processes and namespaces are gone
set -euo pipefail
[ "$(id -u)" = 0 ] || exec sudo -n -E "$0" "$@"

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${DEMARC_BUILD:-$here/../../build/release}" && pwd)
prefix=$(basename "$0" _test.sh)-$$
work=$(mktemp -d "/tmp/$prefix.XXXXXX")
namespaces=() pids=() cleanups=()

real() { echo "$prefix-$1"; }
netns() {
    local n
    for n in "$@"; do
        ip netns add "$(real "$n")"
        namespaces+=("$(real "$n")")
        ip -n "$(real "$n")" link set lo up
    done
}
ns() { local n; n=$(real "$1"); shift; ip netns exec "$n" "$@"; }
spawn() {
    local log=$work/$1
    shift
    "$@" <&0 >"$log" 2>&1 &
    spawned=$!
    pids+=("$spawned")
    disown "$spawned"
}
wait_for() {
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@"; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
        sleep 0.05
    done
}
gone() { ! kill -0 "$1" 2>/dev/null; }
end_process() {  # SIGNAL PID
    kill "-$1" "$2"
    wait_for 10 gone "$2" || fail "process $2 outlives SIG$1"
}
ok() { echo "ok: $*"; }
fail() {  # the logs first: whoever sees only the end of what was printed sees the reason
    local log
    for log in "$work"/*; do [ -f "$log" ] && sed "s|^|  $(basename "$log"): |" "$log" | tail -15 >&2; done
    echo "FAILED: $*" >&2
    exit 1
}
after_a_crash() {  # what an earlier run of this test left that was killed before it could clean up
    local name=${prefix%-*} n run
    for n in $(ip netns list | awk '{print $1}'); do
        run=${n#"$name-"} run=${run%%-*}
        [[ $n = "$name-"* && $run =~ ^[0-9]+$ && ! -d /proc/$run ]] || continue
        ip netns pids "$n" | xargs -r kill -KILL 2>/dev/null || true
        ip netns del "$n"
    done
    for n in "/tmp/$name-"*; do
        run=${n#"/tmp/$name-"} run=${run%%.*}
        [[ -d $n && $run =~ ^[0-9]+$ && ! -d /proc/$run ]] && rm -rf "$n"
    done
    return 0
}
cleanup() {
    local status=$? p n
    set +e
    for p in "${pids[@]}"; do kill -KILL "$p" 2>/dev/null; done
    wait 2>/dev/null
    for n in "${namespaces[@]}"; do ip netns del "$n"; done
    for n in "${cleanups[@]}"; do "$n"; done
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
after_a_crash

pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
pages_added=0
change_pages() {  # BY, under a lock: tests of other trees do the same
    (
        flock 9
        before=$(cat "$pages")
        echo "$((before + $1))" >"$pages"
        echo "$(($(cat "$pages") - before))"
    ) 9>/run/lock/demarc-hugepages
}
hugepages() {
    local got
    got=$(change_pages "$1")
    [ "$pages_added" != 0 ] || cleanups+=(give_pages_back)
    pages_added=$((pages_added + got))
    [ "$got" = "$1" ] || fail "only $got of $1 huge pages could be had: free some memory"
}
give_pages_back() { change_pages "-$pages_added" >/dev/null; }
hugepages 64
trap 'exit 130' INT TERM
