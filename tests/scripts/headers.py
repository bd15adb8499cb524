#!/usr/bin/env python3
"""Fails where a public header does not compile alone: the C ABI as C11, C++17 and C++20, the C++ headers as C++20. Takes
the compiler and the include folders from the build's compile_commands.json."""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

INCLUDE_FLAGS = ("-I", "-isystem")
PLUGIN_DEFINITIONS = ["-DMIXOP_PLUGIN_KINDS=1", "-DMIXOP_PLUGIN_TIER=2", "-DMIXOP_PLUGIN_LIBTORCH=0",
                      "-DMIXOP_PLUGIN_CUDA=0"]


def build_of_the_sdk(build):
    """The compiler and the include flags with which the SDK's own sources are compiled."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if "/sdk/src/" in entry["file"]:
            words = shlex.split(entry["command"])
            compiler = next(word for word in words if pathlib.Path(word).name.startswith(("c++", "g++", "clang++")))
            flags = []
            for i, word in enumerate(words):
                if word in INCLUDE_FLAGS:
                    flags += [word, words[i + 1]]
                elif word.startswith("-I"):
                    flags.append(word)
            return compiler, flags
    sys.exit(f"{build}/compile_commands.json: found no source of the SDK")


def compile_alone(compiler, header, root, standard, language, flags):
    """None, or the compiler's first complaint."""
    command = [compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
               *flags, *PLUGIN_DEFINITIONS, "-"]
    run = subprocess.run(command, input=f'#include "{header.relative_to(root)}"\n', capture_output=True, text=True)
    if run.returncode == 0:
        return None
    complaint = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr[:500])
    return f"{header}: not alone as {standard}: {complaint}"


def main():
    build = pathlib.Path(os.environ["MIXOP_BUILD_DIR"])
    root = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]) / "sdk/include"
    compiler, flags = build_of_the_sdk(build)
    jobs = []
    for header in sorted((root / "mixop").rglob("*.h*")):
        if header.suffix == ".h":
            own = ["-I", str(root)]
            jobs += [(header, root, "c11", "c", own), (header, root, "c++17", "c++", own),
                     (header, root, "c++20", "c++", own)]
        else:
            jobs.append((header, root, "c++20", "c++", flags))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [line for line in pool.map(lambda job: compile_alone(compiler, *job), jobs) if line]
    print("\n".join(found))
    print(f"{len(jobs)} compilations, {len(found)} failed")
    sys.exit(1 if found or not jobs else 0)


if __name__ == "__main__":
    main()
