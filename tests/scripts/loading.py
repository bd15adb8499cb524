#!/usr/bin/env python3
"""No library is looked for in the current folder, neither by the program nor by the CUDA libraries that it loads, in the
build and where it is installed; what lies there under the name of a library that they need does not run."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from program import MIXOP, check  # noqa: E402

BUILD = pathlib.Path(os.environ["MIXOP_BUILD_DIR"])
# The driver, what the program needs, and what the CUDA libraries do.
NAMES = ["libcuda.so.1", "libhdf5_serial.so.103", "libstdc++.so.6", "libgcc_s.so.1", "librt.so.1", "libpthread.so.0", "libdl.so.2",
         "libm.so.6", "libnvidia-ml.so.1", "libtorch_cpu.so"]
SEARCH = ["search", "quick", "--set", "data.name=synthetic", "--dry-run", "--set", "device=cuda"]


def plant(folder, trace):
    """A library that leaves a trace where it is loaded, under all names."""
    source = folder / "planted.cpp"
    source.write_text('#include <cstdio>\n__attribute__((constructor)) static void run() {\n'
                      f'  if (std::FILE* trace = std::fopen("{trace}", "a")) std::fclose(trace);\n}}\n')
    subprocess.run(["c++", "-shared", "-fPIC", "-o", folder / NAMES[0], source], check=True)
    for name in NAMES[1:]:
        shutil.copy(folder / NAMES[0], folder / name)


def looked_up(program, arguments, folder):
    """Whatever the loader tries by a path that begins in the current folder."""
    report = folder / "loader"
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    subprocess.run([program, *arguments], cwd=folder, capture_output=True, env=environment | {"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(report)})
    lines = [line for part in folder.glob("loader.*") for line in part.read_text(errors="replace").splitlines()]
    check(any("libc.so.6" in line for line in lines), f"{program}: the loader reports nothing")
    return sorted(set(re.findall(r"trying file=([^/\s].*)", "\n".join(lines))))


def main():
    with tempfile.TemporaryDirectory() as made:
        root = pathlib.Path(made)
        prefix, trace = root / "installed", root / "trace"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        for program in (MIXOP, prefix / "bin/mixop"):
            for arguments in (["list", "ops"], SEARCH):
                folder = pathlib.Path(tempfile.mkdtemp(dir=root))
                plant(folder, trace)
                found = looked_up(program, arguments, folder)
                check(not found, f"mixop {arguments[0]} looks in the current folder for {', '.join(found)}")
                check(not trace.exists(), f"mixop {arguments[0]} ran a library of the current folder")
        print("loading: all well")


if __name__ == "__main__":
    main()
