"""From samples to figures. Pure."""
from statistics import median

# ns per packet and core clock in GHz of the baseline's machine (a Xeon of the Sapphire Rapids class), means of two
# runs: octets of text -> enc_staged32_cold, dec_staged32_cold; AAD of 28 octets.
KNOWN_GHZ = 3.4
KNOWN = {
    128: {64: (25.95, 24.45), 238: (39.7, 36.35), 494: (52.85, 52.25), 1486: (122.5, 117.0)},
    256: {64: (28.7, 25.65), 238: (47.3, 39.55), 494: (63.1, 59.05), 1486: (144.5, 136.0)},
}
CREDIBLE = 0.10
TARGET = 2.2    # protect at 64 octets: the router's cost in raw staged ciphers


def spread(values):
    """The tenth and ninetieth percentile."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return [round(ordered[round(last * q)], 2) for q in (0.1, 0.9)]


def bits(suite):
    return 256 if suite.endswith("256") else 128


def baseline(suite, rounds):
    """The raw cipher here beside what it took elsewhere, scaled by the core's clock."""
    ghz = median(r["core_ghz"] for r in rounds)
    rows = []
    for i, first in enumerate(rounds[0]["baseline"]):
        ns = median(r["baseline"][i]["ns"] for r in rounds)
        known = KNOWN[bits(suite)][first["text"]][first["row"] == "dec"] * KNOWN_GHZ / ghz
        rows.append({"row": f"{first['row']}_staged32_cold", "text_octets": first["text"], "ns": round(ns, 2),
                     "expected_ns": round(known, 2), "off": round(ns / known - 1, 3)})
    return {"core_ghz": round(ghz, 2), "rows": rows, "credible": all(abs(r["off"]) <= CREDIBLE for r in rows)}


def row(index, about, rounds, harness):
    """One scenario at one size. harness: testpmd's samples for frames of the received length, by round."""
    samples = [r["variants"][index] for r in rounds]
    gross = [s["gross"] for s in samples]
    figures = {"scenario": about["scenario"], "octets": about["octets"], "received_octets": about["received_octets"],
               "gross_ns": median(gross), "gross_p10_p90": spread(gross), "harness_ns": median(harness),
               "io_ns": median(s["io"] for s in samples)}
    figures["net_ns"] = figures["gross_ns"] - figures["harness_ns"]
    figures["gross_mpps"] = 1e3 / figures["gross_ns"]
    if "raw" in samples[0]:
        figures["raw_ns"] = median(s["raw"] for s in samples)
        figures["ratio"] = figures["net_ns"] / figures["raw_ns"]
        figures["ratio_by_round"] = spread([(s["gross"] - h) / s["raw"] for s, h in zip(samples, harness)])
    if "raw_hot" in samples[0]:
        figures["raw_hot_ns"] = median(s["raw_hot"] for s in samples)
        figures["ratio_hot"] = figures["net_ns"] / figures["raw_hot_ns"]
    return {k: round(v, 2) if isinstance(v, float) else v for k, v in figures.items()}


def target(rows):
    for r in rows:
        if r["scenario"] == "protect" and r["octets"] == 64:
            value = r["net_ns"] / r["raw_ns"]
            return {"what": "protect at 64 octets, net, in raw staged ciphers", "want": TARGET,
                    "value": round(value, 3), "holds": value <= TARGET}
    return None


def stage_rows(documents, tsc_ghz):
    """Nanoseconds per packet of each stage, medians over the documents."""
    rows = []
    for i, first in enumerate(documents[0]["stages"]):
        ns = {name: round(median(d["stages"][i]["cycles"][name] for d in documents) / tsc_ghz, 2)
              for name in first["cycles"]}
        rows.append({"scenario": first["scenario"], "octets": first["octets"], "ns": ns,
                     "sum_ns": round(sum(ns.values()), 2)})
    return rows
