#!/usr/bin/env python3
"""sizes_test.py ROOT: files of at most 500 lines, functions of at most 80, lines of at most 120 columns, and no word
that puts work off. bench/raw_gcm.c is the raw cipher's baseline and stays as it was measured."""
import ast
import re
import sys
import tempfile
from pathlib import Path

from tree import read, sources

MOST_LINES, MOST_FUNCTION_LINES, MOST_COLUMNS = 500, 80, 120
UNCHANGED = {"bench/raw_gcm.c"}
TEXT_SUFFIXES = (".md", ".yaml")
PUT_OFF = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")
LITERAL = re.compile(r'//.*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'')
SCOPE = re.compile(r"^\s*(inline\s+)?(namespace\b|extern\s+\"C\")|"
                   r"^\s*(template\s*<.*>\s*)?(class|struct|union|enum)\b[^()]*$")


def cpp_functions(text):
    """(line, number of lines) of every outermost pair of braces that is no namespace and no type. Lines are blanked
    where raw strings stand, which may hold any brace."""
    raw = re.compile(r'R"(\w*)\((.*?)\)\1"', re.DOTALL)
    text = raw.sub(lambda m: '""' + "\n" * m.group(0).count("\n"), text)
    scopes, head = [], ""  # for each open brace: the line of a function's, or None
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for c in LITERAL.sub("", line) + "\n":
            if c == "{":
                inside = any(s is not None for s in scopes)
                scopes.append(None if inside or SCOPE.match(head.strip()) else number)
                head = ""
            elif c == "}" and scopes:
                began = scopes.pop()
                if began is not None:
                    yield began, number - began + 1
                head = ""
            elif c == ";":
                head = ""
            else:
                head += " " if c == "\n" else c


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def shell_functions(text):
    began = None
    for number, line in enumerate(text.splitlines(), 1):
        if began is None and re.match(r"^\w+\(\) \{", line) and not line.rstrip().endswith("}"):
            began = number
        elif began is not None and line.startswith("}"):
            yield began, number - began + 1
            began = None


def functions(path, text):
    if path.suffix in (".cpp", ".h", ".c"):
        return cpp_functions(text)
    if path.suffix == ".sh" or text.startswith("#!/bin/bash"):
        return shell_functions(text)
    return python_functions(text) if path.suffix == ".py" or "python3" in text[:40] else []


def violations(root):
    found = []
    for path in sources(root):
        if path.as_posix() in UNCHANGED:
            continue
        text = read(root / path)
        lines = text.splitlines()
        found += [f"{path}:{n}: a word that puts work off" for n, l in enumerate(lines, 1) if PUT_OFF.search(l)]
        if path.suffix in TEXT_SUFFIXES:
            continue
        found += [f"{path}:{n}: {len(l)} columns" for n, l in enumerate(lines, 1) if len(l) > MOST_COLUMNS]
        if len(lines) > MOST_LINES:
            found.append(f"{path}: {len(lines)} lines")
        found += [f"{path}:{n}: a function of {size} lines" for n, size in functions(path, text)
                  if size > MOST_FUNCTION_LINES]
    return found


def self_test():
    """Every rule is broken once, at its limit and above; where something must not be found, or was not."""
    body = "    a();\n"
    plants = {
        "macsec/long.cpp": ("int a;\n" * 501, 1), "macsec/enough.cpp": ("int a;\n" * 500, 0),
        "dataplane/wide.h": ("//" + "x" * 119 + "\n", 1), "dataplane/fits.h": ("//" + "x" * 118 + "\n", 0),
        "config/big.cpp": ("namespace a {\nvoid f() {\n" + body * 79 + "}\n}\n", 1),
        "config/good.cpp": ("namespace a {\nstruct S {\nvoid f() {\n" + body * 78 + "}\n};\n}\n" + "\n" * 20, 0),
        "config/member.cpp": ("struct S {\nint f(int x = '{') {\n" + body * 79 + "}\n};\n", 1),
        "tools/lab.d/big.py": ("def f():\n" + "    g()\n" * 80, 1),
        "tools/lab.d/good.py": ("def f():\n" + "    g()\n" * 79, 0),
        "tests/smoke/big.sh": ("big() {\n" + body * 79 + "}\n", 1), "docs/later.md": ("TO" + "DO: write\n", 1),
        "tools/demarcd/later.cpp": ("int a;  // X" + "XX\n", 1), "tests/unit/fine.cpp": ('f("XXXXXX");\n', 0),
    }
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        for name, (text, _) in plants.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        found = violations(root)
    return [f"self-test: {name}: {n} found, {wanted} planted" for name, (_, wanted) in plants.items()
            if (n := sum(f.startswith(name + ":") for f in found)) != wanted]


def main():
    wrong = violations(Path(sys.argv[1]).resolve()) + self_test()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(wrong)} violations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
