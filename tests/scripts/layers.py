#!/usr/bin/env python3
"""Fails where a file includes across the layers: plugins see the SDK alone, the host sees no plugin, a folder of the host
sees those before it, the SDK sees no host, and the C ABI sees itself and the C library."""

import os
import pathlib
import re
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SUFFIXES = {".h", ".hpp", ".c", ".cpp", ".cu", ".cuh"}
C_LIBRARY = {"<stddef.h>", "<stdint.h>"}


def abi_may(file, included, quoted, root):
    if quoted:
        return included.startswith("mixop/abi/")
    return f"<{included}>" in C_LIBRARY


def sdk_may(file, included, quoted, root):
    return not included.startswith(("host/", "plugins/", "tests/"))


# A folder of the host includes itself and the folders before it.
HOST = ("text files json weights process draw config archive genotype data fetch cuda plugins graph onnx runtime loop task search trials train "
        "metrics session bench selftest report cli").split()


def host_may(file, included, quoted, root):
    parts = pathlib.PurePosixPath(included).parts
    own = file.relative_to(root / "host").parts
    if parts[:1] != ("host",):
        return not included.startswith(("plugins/", "tests/"))
    if len(own) == 1:  # main.cpp
        return True
    return own[0] in HOST and parts[1] in HOST[: HOST.index(own[0]) + 1]


def plugin_may(file, included, quoted, root):
    """Quoted: the SDK's public headers, or a file of the plugin's own folder."""
    if not quoted:
        return not included.startswith(("host/", "plugins/", "tests/"))
    own = root / "plugins" / pathlib.Path(*file.relative_to(root / "plugins").parts[:2])
    beside = (file.parent / included).resolve()
    return included.startswith("mixop/") or (beside.is_file() and own.resolve() in beside.parents)


LAYERS = (
    ("sdk/include/mixop/abi", abi_may, "the C ABI includes only mixop/abi/ and " + ", ".join(sorted(C_LIBRARY))),
    ("sdk", sdk_may, "the SDK includes no host, no plugin and no test"),
    ("host", host_may, "a folder of the host includes itself and those before it in: " + " ".join(HOST)),
    ("plugins", plugin_may, "a plugin includes mixop/ headers, third parties' and files of its own folder"),
)


def violations(root):
    """Lines 'file:line: what: rule', and the number of files read."""
    found, read = [], 0
    for folder, may, rule in LAYERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SUFFIXES:
                continue
            read += 1
            for number, line in enumerate(file.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if match and not may(file, match[2], match[1] == '"', root):
                    found.append(f"{file.relative_to(root)}:{number}: includes {match[2]}: {rule}")
                # A relative path could leave the folder without naming a layer.
                elif match and ".." in pathlib.PurePosixPath(match[2]).parts:
                    found.append(f"{file.relative_to(root)}:{number}: includes {match[2]}: no '..' in includes")
    return found, read


def check_the_check():
    """Every rule catches a file made to break it."""
    broken = {
        "sdk/include/mixop/abi/a.h": "#include <vector>\n",
        "sdk/src/b.cpp": '\n#include "host/x.hpp"\n',
        "host/c.cpp": '#include "plugins/ops/p/p.hpp"\n#include "host/cli/x.hpp"\n',
        "host/data/f.cpp": '#include "host/text/x.hpp"\n#include "host/data/x.hpp"\n#include "host/search/x.hpp"\n',
        "host/elsewhere/g.cpp": '#include <vector>\n#include "host/text/x.hpp"\n',
        "plugins/ops/p/d.cpp": '#include "mixop/plugin.hpp"\n#include "p.hpp"\n#include "host/x.hpp"\n',
        "plugins/ops/p/e.cpp": '#include "../q/q.hpp"\n',
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        for name, text in {**broken, "plugins/ops/p/p.hpp": "", "plugins/ops/q/q.hpp": ""}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        places = {line.split(": ")[0] for line in violations(root)[0]}
        expected = {"sdk/include/mixop/abi/a.h:1", "sdk/src/b.cpp:2", "host/c.cpp:1", "host/data/f.cpp:3", "host/elsewhere/g.cpp:2",
                    "plugins/ops/p/d.cpp:3",
                    "plugins/ops/p/e.cpp:1"}
        assert places == expected, f"expected {sorted(expected)}, found {sorted(places)}"


def main():
    check_the_check()
    root = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]).resolve()
    found, read = violations(root)
    print("\n".join(found))
    print(f"{read} files, {len(found)} includes across layers")
    sys.exit(1 if found or read == 0 else 0)


if __name__ == "__main__":
    main()
