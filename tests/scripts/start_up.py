#!/usr/bin/env python3
"""What the program needs to start: no CUDA library, 140 MiB for the commands that only look something up (150 where they read an archive), no search path that
depends on the current folder; LibTorch stays out of spaces and data sets, and its CUDA libraries out of everything but
libmixop_cuda.so. device=auto says what it took, device=cuda why it cannot."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from program import MIXOP, answer, check, mixop, refusal  # noqa: E402

BUILD = pathlib.Path(os.environ["MIXOP_BUILD_DIR"])
LARGEST, LARGEST_OF_ARCHIVES = 140 * 1024, 150 * 1024  # KiB
SANITIZED = "MIXOP_SLOWNESS" in os.environ  # whose shadow memory is resident, too
LIBTORCH = re.compile(r"lib(torch|c10)")
LIBTORCH_CUDA = re.compile(r"lib(torch|c10)_cuda")
SMALL = ["--set", "data.name=synthetic", "--set", "data.train_limit=0", "--set", "synthetic.train=16", "--set", "search.epochs=1", "--set", "search.batch=8",
         "--set", "space.channels=2", "--set", "space.layers=3", "--set", "threads=1"]


def dynamic(file, tag):
    """The values of a tag of a file's dynamic section: NEEDED, or RPATH and RUNPATH."""
    text = subprocess.run(["readelf", "-d", "-W", file], capture_output=True, text=True, check=True).stdout
    return re.findall(rf"\((?:{tag})\).*\[(.*)\]", text)


def check_needed(file, forbidden):
    found = [name for name in dynamic(file, "NEEDED") if forbidden.match(name)]
    check(not found, f"{file} needs {', '.join(found)}")


def check_search_path(file):
    """Absolute folders and $ORIGIN alone: an empty or relative entry is looked up in the current folder."""
    paths = dynamic(file, "RPATH|RUNPATH")
    check(paths, f"{file} has no search path, so it would not find LibTorch")
    for entry in ":".join(paths).split(":"):
        check(entry.startswith(("/", "$ORIGIN")), f"{file}: its search path '{':'.join(paths)}' has the entry '{entry}'")


def built_plugins():
    """What the build makes; a file of an older build may lie beside it."""
    text = (BUILD / "build.ninja").read_text()
    return sorted(BUILD / path for path in set(re.findall(r"lib/mixop/plugins/[A-Za-z0-9_.]+\.so", text)))


def check_libraries(program, cuda):
    check_needed(program, LIBTORCH_CUDA)
    check_search_path(program)
    if cuda.exists():
        check_search_path(cuda)
        check(any(LIBTORCH_CUDA.match(name) for name in dynamic(cuda, "NEEDED")), f"{cuda} does not need LibTorch's CUDA libraries")


def check_plugins():
    plugins = built_plugins()
    for kind in ("spaces", "datasets"):
        check(any(f"mixop_{kind}_" in plugin.name for plugin in plugins), f"no plugin of {kind} is built")
    for plugin in plugins:
        libtorch_free = plugin.name.startswith(("mixop_spaces_", "mixop_datasets_"))
        check_needed(plugin, LIBTORCH if libtorch_free else LIBTORCH_CUDA)
    return len(plugins)


def peak(*arguments):
    """The largest resident memory of a command, in KiB, of a child of its own."""
    with open(os.devnull, "w") as nowhere:
        child = subprocess.Popen([MIXOP, *arguments], stdout=nowhere)
        _, status, usage = os.wait4(child.pid, 0)
    check(os.waitstatus_to_exitcode(status) == 0, f"mixop {' '.join(arguments)} fails")
    return usage.ru_maxrss


def check_memory(archive):
    for command in (["--version"], ["--help"], ["list", "ops"], ["list", "presets"], ["verify", archive], ["inspect", archive]):
        found, largest = peak(*command), LARGEST_OF_ARCHIVES if archive in command else LARGEST
        print(f"figure: peak of mixop {' '.join(command[:2])} {found >> 10} MiB")
        check(found <= largest, f"mixop {' '.join(command)} takes {found >> 10} MiB; expected at most {largest >> 10}")


def check_devices(folder):
    """What a search says of its device."""
    run = mixop("search", "quick", *SMALL, "--set", "device=auto", "--out", folder / "auto.h5")
    check(run.returncode == 0, run.stderr)
    check(re.search(r"steps an epoch, (cpu|cuda:0) \(auto: .+\), 1 thread", run.stderr), f"device=auto does not say what it took: {run.stderr}")
    run = answer("search", "quick", *SMALL, "--set", "device=cpu", "--out", folder / "cpu.h5")
    check("steps an epoch, cpu, 1 thread" in run.stderr, f"device=cpu is not what is said: {run.stderr}")
    refusal(2, "device: 'cuda:99' was asked for, but ", "search", "quick", *SMALL, "--set", "device=cuda:99", "--out", folder / "no.h5")


def check_missing_library(prefix, cuda):
    """What an installation says whose libmixop_cuda.so is missing, then another library."""
    program = prefix / "bin/mixop"
    command = [program, "search", "quick", *SMALL, "--set", "device=cuda", "--out", prefix / "no.h5"]

    def message():
        run = subprocess.run(command, capture_output=True, text=True)
        check(run.returncode == 2, f"device=cuda without CUDA: exit code {run.returncode}: {run.stderr}")
        check(run.stderr.startswith("mixop: error: device: 'cuda' was asked for, but "), run.stderr)
        return run.stderr

    if not cuda.exists():
        check("built with a LibTorch without CUDA" in message(), message())
        return
    own = prefix / "lib/mixop/libmixop_cuda.so"
    own.unlink()
    check(f"{own} cannot be loaded (" in message(), message())
    shutil.copy(prefix / "lib/mixop/plugins/mixop_datasets_synthetic.so", own)
    check(f"{own} is not of this mixop (" in message(), message())
    own.unlink()
    check(subprocess.run([program, "list", "ops"], capture_output=True).returncode == 0, "mixop does not start without libmixop_cuda.so")


def main():
    cuda = BUILD / "lib/mixop/libmixop_cuda.so"
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        prefix = folder / "installed"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
        installed = prefix / "lib/mixop/libmixop_cuda.so"
        check(installed.exists() == cuda.exists(), f"{installed} is not installed")
        check_libraries(MIXOP, cuda)
        check_libraries(prefix / "bin/mixop", installed)
        check_devices(folder)
        check_missing_library(prefix, cuda)
        if not SANITIZED:
            check_memory(str(folder / "cpu.h5"))
        print(f"start_up: all well, {check_plugins()} plugins")


if __name__ == "__main__":
    main()
