#!/usr/bin/env python3
"""Fails where a header whose C++ types cross between host and plugins changes and MIXOP_NATIVE_REVISION does not: compares
the headers, without comments and spaces, with tests/sdk/native_revision.txt, which holds the number and their digest.

  python3 tests/scripts/native_revision.py --approve    writes that file, once the number is raised
"""

import hashlib
import os
import pathlib
import re
import shutil
import sys
import tempfile

ROOT = pathlib.Path(os.environ.get("MIXOP_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
APPROVED = ROOT / "tests/sdk/native_revision.txt"
# What host and plugins call each other through, the exception that crosses, and the options that components are made with.
INTERFACES = ("space.hpp", "strategy.hpp", "error.hpp", "options.hpp")
INCLUDE = re.compile(r'^#include "(mixop/[^"]+)"', re.MULTILINE)
# A string is kept, in which a comment's marks are none.
COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def crossing(include):
    """The headers that the interfaces are made of. The C ABI has versions of its own."""
    found, ahead = set(), [f"mixop/{name}" for name in INTERFACES]
    while ahead:
        header = ahead.pop()
        if header not in found and not header.startswith("mixop/abi/"):
            found.add(header)
            ahead += INCLUDE.findall((include / header).read_text())
    return sorted(found)


def digest(include):
    sha256 = hashlib.sha256()
    for header in crossing(include):
        code = COMMENT.sub(lambda match: match[1] or " ", (include / header).read_text())
        sha256.update(f"{header}\n{' '.join(code.split())}\n".encode())
    return sha256.hexdigest()


def revision(include):
    return re.search(r"define MIXOP_NATIVE_REVISION (\d+)", (include / "mixop/native_revision.h").read_text())[1]


def overlooked(include):
    """Changes that the digest takes for what they are not."""
    changes = [("mixop/graph.hpp", "bool affine = false;", "int affine = false;", True),
               ("mixop/space.hpp", "virtual std::string summary() const = 0;", "", True),
               ("mixop/strategy.hpp", "double train_loss = 0;", "double train_loss = 0;\n  double other = 0;", True),
               ("mixop/structure.hpp", "bool bias = false;", "bool  bias = false;  // and this", False),
               ("mixop/genotype.hpp", "#pragma once\n", "#pragma once\n/* about\n   genotypes */\n", False),
               ("mixop/cells.hpp", "#pragma once\n", "#pragma once\nint unrelated;\n", False)]
    found, before = [], digest(include)
    for header, old, new, crosses in changes:
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(shutil.copytree(include / "mixop", pathlib.Path(folder) / "mixop")).parent
            text = (copy / header).read_text()
            if old not in text:
                sys.exit(f"native_revision: {header}: expected '{old}'; update the changes of this test")
            (copy / header).write_text(text.replace(old, new, 1))
            if (digest(copy) != before) != crosses:
                found.append(f"{header}: '{old}' as '{new}' is {'overlooked' if crosses else 'taken for a change'}")
    return found, len(changes)


def approve(include):
    now = (revision(include), digest(include))
    if APPROVED.exists():
        old = tuple(APPROVED.read_text().split())
        if old[0] == now[0] and old[1] != now[1]:
            sys.exit(f"native_revision: the crossing types changed; raise MIXOP_NATIVE_REVISION ({now[0]}) first")
    APPROVED.write_text(f"{now[0]} {now[1]}\n")
    print(f"wrote {APPROVED}")


def main():
    include = ROOT / "sdk/include"
    if sys.argv[1:] == ["--approve"]:
        return approve(include)
    now, (expected, sha256) = revision(include), APPROVED.read_text().split()
    problems, changes = overlooked(include)
    print(f"figure: changes of crossing headers distinguished from others {changes - len(problems)} of {changes}")
    if digest(include) != sha256:
        headers = ", ".join(crossing(include))
        problems.append(f"C++ types that cross changed since revision {expected} was approved ({headers}): raise "
                        f"MIXOP_NATIVE_REVISION in sdk/include/mixop/native_revision.h where it is still {expected} (found "
                        f"{now}), then run: python3 tests/scripts/native_revision.py --approve")
    elif now != expected:
        problems.append(f"MIXOP_NATIVE_REVISION is {now}, expected {expected}: the crossing types have not changed; restore "
                        "it, or run: python3 tests/scripts/native_revision.py --approve")
    print("\n".join(problems))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
