"""Figures as text."""


def _number(value, width=9):
    return f"{value:{width}.1f}" if isinstance(value, float) else f"{'-':>{width}}"


def rows(document):
    yield (f"{document['suite']}, medians of {document['rounds']} rounds, ns of worker CPU time per packet; octets: "
           "the plain frame without FCS")
    if not document["hugepages"]:
        yield "without huge pages, none could be had: about half as fast as with them"
    heads = ("octets", "gross", "testpmd", "net", "io", "Mpps", "raw", "net/raw", "raw hot")
    yield " " * 11 + "".join(f"{h:>9}" for h in heads) + "  p10..p90 of gross"
    for r in document["rows"]:
        low, high = r["gross_p10_p90"]
        ratio = f"{r['ratio']:9.2f}" if "ratio" in r else f"{'-':>9}"
        yield (f"{r['scenario']:<13}{r['octets']:>7}{_number(r['gross_ns'])}{_number(r['harness_ns'])}"
               f"{_number(r['net_ns'])}{_number(r['io_ns'])}{_number(r['gross_mpps'])}{_number(r.get('raw_ns'))}{ratio}"
               f"{_number(r.get('raw_hot_ns'))}  {low:.1f}..{high:.1f}")
    yield ""


def verdicts(document):
    goal = document.get("target")
    if goal:
        yield (f"{goal['what']}: {goal['value']:.3f}, wanted at most {goal['want']}: "
               f"{'holds' if goal['holds'] else 'DOES NOT HOLD'}")
    base = document["baseline"]
    if base["credible"]:
        yield f"the raw cipher is within 10 % of what it was elsewhere, scaled to {base['core_ghz']} GHz"
        return
    yield (f"baseline not credible: at {base['core_ghz']} GHz the raw cipher is more than 10 % off what another "
           "machine gave, scaled by clock:")
    for r in base["rows"]:
        yield (f"  {r['row']:<18}{r['text_octets']:>6} octets of text{r['ns']:>8.1f} ns, expected "
               f"{r['expected_ns']:.1f} ({100 * r['off']:+.0f} %)")


def stages(document):
    yield ""
    yield (f"ns per packet of each stage, by the {document['tsc_ghz']:.2f} GHz time-stamp counter; the harness is in "
           "receive and transmit")
    names = list(document["stages"][0]["ns"])
    yield f"{'':<13}{'octets':>7}" + "".join(f"{n:>10}" for n in names) + f"{'sum':>9}"
    for r in document["stages"]:
        yield (f"{r['scenario']:<13}{r['octets']:>7}" + "".join(f"{r['ns'][n]:>10.1f}" for n in names) +
               f"{r['sum_ns']:>9.1f}")


def lookup(document):
    yield ""
    for family in document["lookup"]:
        yield f"lookup {family['family']}: {family['routes']} routes, random addresses inside them"
        for v in family["variants"]:
            yield (f"  {v['name']:<24}{v['mlps']:>9.1f} Mlookups/s{v['ns_per_lookup']:>8.2f} ns"
                   f"{'' if v['complete'] else '  incomplete'}")
        yield f"  ours is {family['ratio']:.2f} of the best complete one"


def text(document):
    lines = []
    if document["rows"]:
        lines += [*rows(document), *verdicts(document)]
        if document.get("stages"):
            lines += stages(document)
    if document.get("lookup"):
        lines += lookup(document)
    return "\n".join(lines)
