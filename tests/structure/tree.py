"""The project's own files, as the structural tests see them: sources below a root, without builds and recordings."""
from pathlib import Path

PRODUCT = ("macsec", "dataplane", "bgp-glue", "config", "tools")
FOLDERS = (*PRODUCT, "bench", "docs", "tests")
SUFFIXES = (".h", ".cpp", ".c", ".py", ".sh", ".md", ".yaml")
SCRIPTS = ("tools/lab", "tools/check")


def sources(root, folders=FOLDERS, suffixes=SUFFIXES):
    """Paths relative to the root, sorted."""
    found = [p for folder in folders for p in (root / folder).rglob("*") if p.suffix in suffixes and p.is_file()]
    if ".py" in suffixes:
        found += [p for p in (root / s for s in SCRIPTS) if p.is_file()]
        found += [p for folder in folders for p in (root / folder).rglob("meson.build")]
    return sorted(p.relative_to(root) for p in found if "__pycache__" not in p.parts)


def read(path):
    return Path(path).read_text(encoding="utf-8")
