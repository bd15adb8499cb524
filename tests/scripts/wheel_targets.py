#!/usr/bin/env python3
"""Everything made by the build that an installation copies is made by the targets that a wheel builds (pyproject.toml)."""
import os
import pathlib
import re
import subprocess
import sys
import tomllib

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import check

SOURCE, BUILD = (pathlib.Path(os.environ[name]) for name in ("MIXOP_SOURCE_DIR", "MIXOP_BUILD_DIR"))


def installed():
    """The files and folders of the build folder that cmake_install.cmake files name."""
    found = set()
    for script in BUILD.rglob("cmake_install.cmake"):
        for files in re.findall(r"file\(INSTALL DESTINATION [^)]*? FILES?\s([^)]*)\)", script.read_text()):
            found.update(name for name in re.findall(r'"([^"]+)"', files) if name.startswith(f"{BUILD}/"))
    return found


def made(targets):
    """All files that the targets need or make, as ninja draws them."""
    run = subprocess.run(["ninja", "-C", str(BUILD), "-t", "graph", *targets], capture_output=True, text=True, check=True)
    return {str(BUILD / name) for name in re.findall(r'label="([^"]+)"', run.stdout)}


def main():
    targets = tomllib.loads((SOURCE / "pyproject.toml").read_text())["tool"]["scikit-build"]["build"]["targets"]
    files, copied = made(targets), installed()
    check(f"{BUILD}/bin/mixop" in copied and any(name.endswith("share/man") for name in copied), sorted(copied))
    for name in sorted(copied):
        if name in files or any(file.startswith(f"{name}/") for file in files):
            continue
        check("/CMakeFiles/" in name or name.endswith(".cmake"), f"{name} is installed but not made by {' '.join(targets)}")


main()
