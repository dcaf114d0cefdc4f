#!/usr/bin/env python3
"""mutants_test.py [--only NN,NN] [--runs N] ROOT LIBRARY COMPILER...: the simulation finds planted bugs.

Each tests/sim/mutants/NN-name.patch plants one bug in a copy of the sources. What it touches and the simulation are
compiled again and linked before LIBRARY, the product's own. A violation has to be found within N runs, and has to say
what the patch's first line expects (words with | between them).
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def patches(root, only):
    found = sorted((root / "tests/sim/mutants").glob("*.patch"))
    return [p for p in found if not only or p.name.split("-")[0] in only]


def build(root, work, patch, compiler, library):
    """A simulation with the patch applied, as a program."""
    for part in ("macsec", "tests/sim"):
        shutil.copytree(root / part, work / part)
    subprocess.run(["patch", "-p1", "-s", "-F0", "-i", str(patch)], cwd=work, check=True)
    touched = sorted(set(re.findall(r"^\+\+\+ b/(\S+\.cpp)", patch.read_text(encoding="utf-8"), re.M)))
    objects = []
    simulation = [f"tests/sim/{n}.cpp" for n in ("cheap_primitives", "judge", "main", "scenario", "world")]
    for source in touched + simulation:
        compiled = work / (source.replace("/", "_") + ".o")
        subprocess.run([*compiler, "-std=c++2b", "-O1", "-I", str(work), "-c", source, "-o", str(compiled)], cwd=work,
                       check=True)
        objects.append(str(compiled))
    program = work / "mka-sim"
    # Objects come before the library: what the patch touches is taken from them.
    subprocess.run([*compiler, *objects, str(library), "-lIPSec_MB", "-lcrypto", "-lpthread", "-o", str(program)],
                   check=True)
    return program


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("library", type=Path)
    parser.add_argument("compiler", nargs="+")
    parser.add_argument("--only", default="")
    parser.add_argument("--runs", type=int, default=20000)
    args = parser.parse_args()
    only = {n for n in args.only.split(",") if n}
    failed = 0
    for patch in patches(args.root, only):
        expected = patch.read_text(encoding="utf-8").splitlines()[0].partition(": ")[2]
        with tempfile.TemporaryDirectory() as work:
            program = build(args.root, Path(work), patch, args.compiler, args.library)
            done = subprocess.run([str(program), "--runs", str(args.runs), "--expect-violation"], text=True,
                                  stdout=subprocess.PIPE, check=False)
        said = done.stdout.strip().splitlines()[-1]
        good = done.returncode == 0 and any(words in said for words in expected.split(" | "))
        failed += not good
        print(f"{'found' if good else 'NOT FOUND'}  {patch.stem}: {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
