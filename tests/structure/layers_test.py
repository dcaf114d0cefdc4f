#!/usr/bin/env python3
"""layers_test.py ROOT: who includes whom, line by line, against the table of docs/architecture.md.

Every include of the product is judged: a path of our own names its folder, anything else is a library by its pattern.
What a layer may include is written down; all else is a violation. A planted violation of every rule has to be found.
"""
import re
import shutil
import sys
import tempfile
from pathlib import Path

from tree import PRODUCT, sources

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
LIBRARIES = {
    "dpdk": re.compile(r"^(rte_|bus_|ethdev_)"),
    "ipsec-mb": re.compile(r"^(intel-ipsec-mb|ipsec[-_]mb)"),
    "openssl": re.compile(r"^openssl/"),
    "yaml-cpp": re.compile(r"^yaml-cpp/"),
    "netlink": re.compile(r"^(libmnl/|linux/(rt)?netlink\.h|linux/if_(link|addr)\.h|linux/neighbour\.h)"),
    "bpf": re.compile(r"^(bpf|xdp)/"),
    "log": re.compile(r"^spdlog/"),
    "libpcap": re.compile(r"^pcap(/|\.h|-)"),
    "input and output": re.compile(r"^(fstream|iostream|cstdio|stdio\.h|unistd\.h|fcntl\.h|poll\.h|"
                                   r"sys/(socket|ioctl|epoll)\.h)$"),
}
# The layer of a file is the longest folder of this table that it is in. For each layer: what it may include of ours,
# and for a library the files that may: a pattern of their names.
ANY = r""
LAYERS = {
    "macsec": ({"macsec"}, {"ipsec-mb": r"^macsec/aead_ipsec_mb\.cpp$", "openssl": r"^macsec/mka/"}),
    "dataplane/net": ({"macsec/octets.h", "dataplane/net"}, {"input and output": r"^dataplane/net/address\.h$"}),
    "dataplane/xdp": ({"dataplane/xdp"}, {"bpf": ANY}),
    "dataplane": ({"macsec", "dataplane"},
                  {"dpdk": ANY, "bpf": r"/steering\.cpp$", "netlink": r"/(netlink_request|tap)\.(cpp|h)$",
                   "input and output": ANY}),
    "config": ({"macsec/types.h", "dataplane/net", "config"},
               {"yaml-cpp": r"/(parse|print)\.cpp$", "input and output": r"/key_files\.(cpp|h)$"}),
    "bgp-glue": ({"macsec/octets.h", "dataplane/net", "bgp-glue"}, {"netlink": ANY, "input and output": ANY}),
    # demarcd holds frames, quiescent states and the pool in its hands at four places beside the router.
    "tools": ({"macsec", "dataplane", "config", "bgp-glue", "tools"},
              {"dpdk": r"^tools/demarcd/(main|router\w*|host_path|requests|retire)\.(cpp|h)$",
               "netlink": r"^tools/demarcd/router\w*\.cpp$", "log": r"^tools/demarcd/", "input and output": ANY,
               "libpcap": r"^tools/demarc/(capture|decode_capture)\.cpp$"}),
}
FORBIDDEN_FOLDERS = ("common", "utils")


def layer_of(name):
    return max((layer for layer in LAYERS if name.startswith(layer + "/")), key=len)


def library_of(name):
    return next((library for library, pattern in LIBRARIES.items() if pattern.match(name)), None)


def judge(file, quote, name):
    """What is wrong with this include, or nothing."""
    layer = layer_of(file)
    ours, libraries = LAYERS[layer]
    if quote == '"':
        if name.split("/")[0] not in PRODUCT:
            return f"\"{name}\" is no path from the top of the project"
        allowed = any(name == o or name.startswith(o + "/") for o in ours)
        return None if allowed else f"{layer} may not include {name}"
    library = library_of(name)
    if library is None or (library in libraries and re.search(libraries[library], file)):
        return None
    return f"{layer} may not include <{name}> ({library}) here"


def violations(root):
    found = []
    for path in sources(root, PRODUCT, (".h", ".cpp", ".c")):
        file = path.as_posix()
        found += [f"{file}: a folder `{p}`" for p in path.parts[:-1] if p in FORBIDDEN_FOLDERS]
        for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            wrong = match and judge(file, *match.groups())
            if wrong:
                found.append(f"{file}:{number}: {wrong}")
    return found


PLANTED = [
    ("macsec/sectag.h", "#include <rte_mbuf.h>"), ("macsec/verify.cpp", "#include <intel-ipsec-mb.h>"),
    ("macsec/secy.cpp", "#include <openssl/evp.h>"), ("macsec/secy.cpp", '#include "dataplane/net/vlan.h"'),
    ("macsec/protect.cpp", "  #  include <spdlog/spdlog.h>"), ("macsec/replay.h", "#include <fstream>"),
    ("dataplane/net/ipv4.h", '#include "macsec/types.h"'), ("dataplane/net/ipv4.h", '#include "dataplane/ids.h"'),
    ("dataplane/net/ipv6.h", "#include <rte_ip.h>"), ("dataplane/route.cpp", '#include "config/model.h"'),
    ("dataplane/port.cpp", "#include <libmnl/libmnl.h>"), ("dataplane/fib.h", "#include <yaml-cpp/yaml.h>"),
    ("dataplane/xdp/steer.bpf.c", '#include "dataplane/ids.h"'), ("config/model.h", '#include "macsec/secy.h"'),
    ("config/model.h", '#include "dataplane/ids.h"'), ("config/validate.cpp", "#include <yaml-cpp/yaml.h>"),
    ("config/diff.cpp", "#include <rte_eal.h>"), ("config/diff.cpp", '#include "bgp-glue/rib.h"'),
    ("bgp-glue/rib.h", '#include "dataplane/fib.h"'), ("bgp-glue/rib.h", '#include "config/model.h"'),
    ("bgp-glue/rib.cpp", "#include <rte_rib.h>"), ("bgp-glue/rib.cpp", '#include "macsec/types.h"'),
    ("tools/demarcd/status.cpp", "#include <rte_mbuf.h>"), ("tools/demarcd/live.h", "#include <openssl/evp.h>"),
    ("tools/demarcd/host_path.cpp", "#include <linux/rtnetlink.h>"), ("tools/demarcd/live.cpp", '#include "live.h"'),
    ("tools/demarcd/live.cpp", "#include <pcap/pcap.h>"), ("tools/demarc/decode.cpp", "#include <pcap.h>"),
    ("dataplane/utils/strings.h", "// a folder for everything"), ("tools/flow/send.cpp", '#include "tests/x.h"'),
]


def self_test(root):
    """Each planted line, alone in a copy, is the only violation more than before; the ones that were not found."""
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        for path in sources(root, PRODUCT, (".h", ".cpp", ".c")):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, copy / path)
        before = len(violations(copy))
        for file, line in PLANTED:
            target = copy / file
            old = target.read_bytes() if target.exists() else None
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((old or b"") + b"\n" + line.encode() + b"\n")
            if len(violations(copy)) != before + 1:
                missed.append(f"planted in {file}, not found: {line}")
            if old is None:
                target.unlink()
            else:
                target.write_bytes(old)
    return missed


def main():
    root = Path(sys.argv[1]).resolve()
    wrong = violations(root) + self_test(root)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(wrong)} violations; {len(PLANTED)} planted ones looked for")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
