#!/usr/bin/env python3
"""embed.py NAME INPUT OUTPUT: writes a header that holds the octets of INPUT as the constant NAME."""
import sys

name, source, target = sys.argv[1:]
with open(source, "rb") as f:
    octets = f.read()
with open(target, "w") as f:
    f.write(f"#pragma once\n\nalignas(8) inline constexpr unsigned char {name}[] = {{\n")
    for i in range(0, len(octets), 24):
        f.write("    " + ", ".join(str(o) for o in octets[i:i + 24]) + ",\n")
    f.write("};\n")
