#!/usr/bin/env python3
"""Draws docs/images/architecture.svg: the layers of the code and the includes between them, as the sources have them.

    python3 docs/architecture.py [FILE.svg|FILE.png]     # needs Graphviz

Fails where an arrow leads back, by the order of tests/scripts/layers.py."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/scripts"))
import layers  # noqa: E402

SDK = {"abi": "abi\nthe C ABI", "values": "values\ngraphs, genotypes, spaces", "torch": "with LibTorch\nstrategies, operators"}
RAW_STRING = re.compile(r'R"(\w*)\(.*?\)\1"', re.DOTALL)
KINDS = ("ops", "spaces", "datasets", "strategies")
ORDER = [*SDK, *(f"host/{folder}" for folder in layers.HOST), "host/main.cpp", *(f"plugins/{kind}" for kind in KINDS)]


def sources(folder):
    return sorted(file for file in (ROOT / folder).rglob("*") if file.suffix in layers.SUFFIXES)


def includes(file):
    code = RAW_STRING.sub("", file.read_text())  # which may hold the text of another file
    return [match[2] for line in code.splitlines() if (match := layers.INCLUDE.match(line))]


def sdk_files():
    """Every file of the SDK with its layer: with LibTorch whatever includes it, itself or through others."""
    files = {str(file.relative_to(ROOT)).removeprefix("sdk/include/"): file for file in sources("sdk")}
    with_torch = set()
    while True:
        more = {name for name, file in files.items() if name not in with_torch
                and any(i in with_torch or i.startswith(("ATen/", "torch/", "c10/")) for i in includes(file))}
        if not more:
            break
        with_torch |= more
    return {name: "abi" if name.startswith("mixop/abi/") else "torch" if name in with_torch else "values" for name in files}


def layer_of(name, sdk):
    """Of a file's path, or of what an include names; None for the world outside."""
    parts = pathlib.PurePosixPath(name).parts
    return "/".join(parts[:2]) if parts[0] in ("host", "plugins") else sdk.get(name)


def arrows():
    """Pairs (layer, layer that it includes)."""
    sdk, found = sdk_files(), set()
    for file in sources("sdk") + sources("host") + sources("plugins"):
        own = layer_of(str(file.relative_to(ROOT)).removeprefix("sdk/include/"), sdk)
        found |= {(own, to) for i in includes(file) if (to := layer_of(i, sdk)) not in (None, own)}
    return found


def place(layer):
    return ORDER.index(layer) if layer in ORDER else -1


def leading_back(found):
    """Arrows to a later layer, to one without a place, and from plugins to anything but the SDK."""
    def wrong(of, to):
        return min(place(of), place(to)) < 0 or place(to) >= place(of) or (of.startswith("plugins/") and to not in SDK)
    return sorted((of, to) for of, to in found if wrong(of, to))


def group(name, colour, boxes):
    """The lines of a frame with a box for each of {layer: text}."""
    return [f'  subgraph cluster_{name} {{ label="{name}"; fillcolor="{colour}";',
            *(f'    "{layer}" [label="{text}"];'.replace("\n", "\\n") for layer, text in boxes.items()), "  }"]


def dot_text(found):
    used = [layer for layer in ORDER if any(layer in arrow for arrow in found)]

    def inside(folder):
        return {layer: layer.removeprefix(folder) for layer in used if layer.startswith(folder)}
    return "\n".join([
        "digraph architecture {",
        '  rankdir=BT; nodesep=0.35; ranksep=0.4; bgcolor=white; fontname="Helvetica"; style="rounded,filled"; color="#999999";',
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=12];',
        '  edge [color="#555555", arrowsize=0.7];',
        *group("sdk", "#e8f0fe", SDK), *group("host", "#f3f3f3", inside("host/")), *group("plugins", "#fdf3e1", inside("plugins/")),
        *(f'  "{of}" -> "{to}";' for of, to in sorted(found)),
        "}"])


def tool(command, text):
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


def main():
    picture = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images/architecture.svg"
    found = arrows()
    wrong = leading_back(found)
    if wrong:
        sys.exit("\n".join(f"{of} includes {to}, which comes after it: move the file, or the folder in HOST of tests/scripts/layers.py"
                           for of, to in wrong))
    thinned = tool(["tred"], dot_text(found))
    tool(["dot", "-T" + picture.suffix[1:], "-o", str(picture)], thinned)
    print(f"{picture}: {len(found)} pairs of layers of which one includes the other, {thinned.count('->')} drawn, none back")


if __name__ == "__main__":
    main()
