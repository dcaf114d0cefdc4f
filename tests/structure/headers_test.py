#!/usr/bin/env python3
"""headers_test.py ROOT COMPILER [FLAG...]: every header of the product compiles alone.

A header that its own .cpp includes first is proved by the build. The others are compiled here, as the only line of a
file, as many at a time as there are processors.
"""
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tree import PRODUCT, read, sources

FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)


def proved_by_the_build(root, header):
    source = root / header.with_suffix(".cpp")
    first = FIRST_INCLUDE.search(read(source)) if source.exists() else None
    return first is not None and first.group(1) == header.as_posix()


def compile_alone(root, header, compiler):
    """What the compiler says against it; empty: nothing."""
    done = subprocess.run([*compiler, f"-I{root}", "-fsyntax-only", "-O0", "-x", "c++", "-"], text=True, check=False,
                          input=f'#include "{header}"\n', stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return "" if done.returncode == 0 else f"{header} does not compile alone:\n{done.stderr[:2000]}"


def self_test(compiler):
    """A header that needs another one's include has to fail, a whole one to pass."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        (root / "needy.h").write_text("#pragma once\nstd::string name();\n", encoding="utf-8")
        (root / "whole.h").write_text("#pragma once\n#include <string>\nstd::string name();\n", encoding="utf-8")
        wrong = [] if compile_alone(root, "needy.h", compiler) else ["a header without its include was accepted"]
        return wrong + [e for e in [compile_alone(root, "whole.h", compiler)] if e]


def main():
    root, compiler = Path(sys.argv[1]).resolve(), [a for a in sys.argv[2:] if a]
    headers = sources(root, PRODUCT, (".h",))
    alone = [h for h in headers if not proved_by_the_build(root, h)]
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        wrong = [e for e in pool.map(lambda h: compile_alone(root, h.as_posix(), compiler), alone) if e]
    wrong += self_test(compiler)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(headers)} headers, {len(alone)} of them compiled here, {len(wrong)} errors")
    return 1 if wrong or not alone else 0


if __name__ == "__main__":
    sys.exit(main())
