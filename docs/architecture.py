#!/usr/bin/env python3
"""Draws docs/images/architecture.svg: the folders of the SDK, the plugins and the host, and which includes which, read from the
sources. An include that leads back is an error.

    python3 docs/architecture.py [FILE.svg]
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/scripts"))
from layers import HOST, INCLUDE, SUFFIXES  # noqa: E402

SDK = ["sdk/abi", "sdk/values", "sdk"]
PLUGINS = ["plugins/datasets", "plugins/ops", "plugins/spaces", "plugins/strategies"]
LIBTORCH_FREE_HEADERS = {"error", "options", "random", "utf8", "plugin", "dataset", "build_flags", "version", "native_revision", "structure",
                         "structure_operator", "structure_size", "graph", "genotype", "space", "cells", "distance", "image_blocks", "slots"}
PRESENT = [folder for folder in HOST if (ROOT / "host" / folder).is_dir()]
ORDER = SDK + PLUGINS + ["host/" + folder for folder in PRESENT]


def place_of(path):
    """The box that a file of the tree, or a file that is included by this name, belongs to."""
    parts = pathlib.PurePosixPath(path).parts
    if path.startswith("mixop/abi/") or path.startswith("sdk/include/mixop/abi/"):
        return "sdk/abi"
    if path.startswith(("mixop/", "sdk/include/mixop/")):
        return "sdk/values" if pathlib.PurePosixPath(path).stem in LIBTORCH_FREE_HEADERS else "sdk"
    if path.startswith("sdk/"):
        return "sdk/values" if parts[1] == "values" else "sdk"
    if parts[0] in ("plugins", "host") and len(parts) > 2:
        return f"{parts[0]}/{parts[1]}"
    return None


def includes():
    found = set()
    for file in sorted(path for top in ("sdk", "plugins", "host") for path in (ROOT / top).rglob("*") if path.suffix in SUFFIXES):
        name = str(file.relative_to(ROOT))
        for line in file.read_text().splitlines():
            match = re.match(INCLUDE, line)
            other = place_of(match[2]) if match and match[1] == '"' else None
            own = place_of(name)
            if own and other and own != other:
                found.add((own, other))
    return found


def reachable(start, edges):
    seen, new = set(), {start}
    while new:
        new = {to for at, to in edges if at in new} - seen
        seen |= new
    return seen


def thinned(edges):
    """Without the arrows that a way over other folders says already."""
    return {(a, b) for a, b in edges if not any(b in reachable(c, edges) for x, c in edges if x == a and c != b)}


def to_dot(edges):
    colours = {"sdk": "#cfe8cf", "plugins": "#f6e3b4", "host": "#d7e3f4"}
    lines = ['digraph architecture {', '  rankdir=BT; nodesep=0.25; ranksep=0.35; fontname="Helvetica";',
             '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=12]; edge [color="#707070", arrowsize=0.7];']
    for folder in ORDER:
        lines.append(f'  "{folder}" [fillcolor="{colours[folder.split("/")[0]]}"];')
    lines += [f'  "{own}" -> "{other}";' for own, other in sorted(edges)]
    return "\n".join(lines + ["}", ""])


def main():
    edges = includes()
    back = sorted((own, other) for own, other in edges if ORDER.index(own) < ORDER.index(other))
    if back:
        sys.exit("includes that lead back: " + ", ".join(f"{own} -> {other}" for own, other in back))
    picture = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs/images/architecture.svg")
    subprocess.run(["dot", "-T" + picture.suffix[1:], "-o", picture], input=to_dot(thinned(edges)), text=True, check=True)
    print(f"{picture}: {len(ORDER)} folders, {len(edges)} includes between them, none back")


if __name__ == "__main__":
    main()
