#!/usr/bin/env python3
"""Plugins of ABI 1.0 live on: one that is built here from that version's headers, the binary of it that was built when the version was new, and one
whose structs are longer than the host knows. Each passes its trials, and a search takes its operator and its data.

tests/sdk/abi/1.0 is never changed. Its plugin.so came of:  cc -O2 -shared -fPIC -fvisibility=hidden -Iinclude plugin.c -o plugin.so; strip plugin.so"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import answer, asked, check

FROZEN = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]) / "tests/sdk/abi/1.0"


def compiler():
    cache = (pathlib.Path(os.environ["MIXOP_BUILD_DIR"]) / "CMakeCache.txt").read_text()
    return re.search(r"^CMAKE_C_COMPILER:\w+=(.+)$", cache, re.MULTILINE)[1]


def built(folder, include):
    folder.mkdir(exist_ok=True)
    run = subprocess.run([compiler(), "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-I", include,
                          FROZEN / "plugin.c", "-o", folder / "old.plugin.so"], capture_output=True, text=True)
    check(run.returncode == 0, f"{include}: {run.stderr}")
    return folder / "old.plugin.so"


def with_longer_structs(folder):
    """The headers, where every struct that says its size, and is not fixed for ever, has a field more at its end."""
    include = folder / "include"
    shutil.copytree(FROZEN / "include", include)
    count = 0
    for header in include.rglob("*.h"):
        def longer(match):
            nonlocal count
            if match[2] in ("MixopError", "MixopDatasetInfo"):  # the host's own memory
                return match[0]
            count += 1
            return f"{match[1]}  void* later;\n}} {match[2]};"
        text = re.sub(r"(typedef struct \w+ \{\n  uint32_t size;(?:(?!\n\}).)*\n)\} (\w+);", longer, header.read_text(), flags=re.DOTALL)
        header.write_text(text)
    check(count >= 8, f"only {count} structs were made longer")
    return include, count


def lives(what, plugin, folder):
    answer("plugins", "check", plugin)
    out = folder / f"{what}.h5"
    words = ["search", "quick", "--plugin-dir", plugin, "--out", out]
    for key in ("data.name=old.bars", "data.train_limit=0", "search.batch=8", "search.epochs=1", "space.channels=2", "space.layers=3", "space.nodes=2",
                "space.ops=skip_connect,old.conv", "threads=1"):
        words += ["--set", key]
    answer(*words)
    found = asked("inspect", out)
    check(found["data"]["classes"] == 2 and any(line.startswith("old.plugin 1.0.0 ") for line in found["provenance"]["plugins"]), f"{what}: {found}")
    network = asked("summary", "--genotype", out, "--plugin-dir", plugin)
    check(network["uncounted"] == [], f"{what}: {network['uncounted']}")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        lives("built now", built(folder / "now", FROZEN / "include"), folder)
        include, longer = with_longer_structs(folder)
        lives("longer structs", built(folder / "longer", include), folder)
        binary = folder / "then" / "old.plugin.so"
        binary.parent.mkdir()
        shutil.copyfile(FROZEN / "plugin.so", binary)
        lives("built then", binary, folder)
    print(f"abi_over_time: all well; {longer} structs were longer than the host's")


main()
