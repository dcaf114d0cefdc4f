#!/usr/bin/env python3
"""carrier_times.py DEVICE PROBE_LOG MONITOR_LOG LIMIT_MS: how long after the probe's `up` and `down` a netlink
listener saw the link running or not."""
import datetime
import re
import sys

device, probe_log, monitor_log, limit = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
asked = [(w[0], float(w[1])) for w in map(str.split, open(probe_log)) if w and w[0] in ("up", "down")]
seen = []
for line in open(monitor_log):
    m = re.match(r"\[(\S+)\] \d+: " + device + r": <(\S+)>", line)
    if m:
        at = datetime.datetime.fromisoformat(m[1]).timestamp()
        seen.append((at, "NO-CARRIER" not in m[2].split(",") and "DORMANT" not in m[2].split(",")))
worst = {}
for number, (word, at) in enumerate(asked):
    end = asked[number + 1][1] if number + 1 < len(asked) else at + 2
    took = [t - at for t, running in seen if at <= t < end and running == (word == "up")]
    if not took:
        sys.exit(f"change {number} to {word} was not seen")
    worst.setdefault(word, []).append(1000 * took[0])
for word, times in worst.items():
    median = sorted(times)[len(times) // 2]
    print(f"ok: carrier {word} seen after {median:.1f} ms (median), {max(times):.1f} ms (worst of {len(times)})")
sys.exit(max(map(max, worst.values())) > limit)
