#!/bin/bash
# tools/bench measures every scenario at every size and gives back the huge pages it took. Not what the numbers are.
. "$(dirname "$0")/_init.sh"
root=$here/../..
pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages

wants() { jq -e "$1" "$work/bench.json" >/dev/null || fail "$2: $(jq -c . "$work/bench.json" | head -c 600)"; }

before=$(cat $pages)
DEMARC_BUILD=$build "$root/tools/bench" --quick --json >"$work/bench.json" 2>"$work/bench.log" || fail "tools/bench"
[ "$(cat $pages)" = "$before" ] || fail "huge pages: $before before, $(cat $pages) after"

for scenario in forward forward-vlan protect verify; do
    for octets in 64 238 494 1486; do
        wants "[.rows[] | select(.scenario == \"$scenario\" and .octets == $octets)] | length == 1 and
            (.[0] | .gross_ns > 0 and .harness_ns > 0 and (.net_ns - (.gross_ns - .harness_ns) | fabs) < 0.1)" \
            "$scenario at $octets octets"
        wants "[.stages[] | select(.scenario == \"$scenario\" and .octets == $octets)] | length == 1 and
            .[0].ns.route > 0" "stages of $scenario at $octets octets"
    done
done
wants '[.rows[] | select(.scenario == "protect" or .scenario == "verify") |
       .raw_ns > 0 and (.ratio | type) == "number"] |
    length == 8 and all' "the raw cipher beside protect and verify"
wants '.target.want == 2.2 and (.target.holds | type) == "boolean"' "the target"
wants '(.baseline.rows | length) == 8 and (.baseline.credible | type) == "boolean"' "the baseline"
wants '[.lookup[].family] == ["ipv4", "ipv6"]' "lookup"
ok "every scenario at every size, the raw cipher, the harness, the stages"

! "$root/tools/bench" no-such-thing 2>"$work/refused.log" || fail "an unknown scenario is accepted"
grep -q 'there is no scenario no-such-thing' "$work/refused.log" || fail "the refusal does not say why"
ok "an unknown scenario is refused by name"
