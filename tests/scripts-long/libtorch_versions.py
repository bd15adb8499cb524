#!/usr/bin/env python3
"""One operator's binary over LibTorch versions. mixop is built a second time, against the newest LibTorch. A plugin of tier stable that was built against
the first is loaded by both as it is, passes its trials, gradients among them, and a search that one of them began goes on in the other, which says that
it is not exact. A plugin of tier native is refused there by a message that names both versions. Half an hour.

MIXOP_OTHER_LIBTORCH: the folder of another LibTorch (default: the newest of PyPI, in $MIXOP_CACHE/venv-newest).
MIXOP_OTHER_BUILD: where the second build is made, or brought up to date (default: a folder that goes)."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests" / "support"))
import program
from program import DATA, NET, answer, asked, check, mixop, refusal


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **more)
    check(done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def other_libtorch():
    if "MIXOP_OTHER_LIBTORCH" in os.environ:
        return pathlib.Path(os.environ["MIXOP_OTHER_LIBTORCH"])
    venv = pathlib.Path(os.environ["MIXOP_CACHE"]) / "venv-newest"
    if not (venv / "bin/python3").exists():
        run(sys.executable, "-m", "venv", venv)
    run(venv / "bin/pip", "install", "-q", "torch", env=os.environ | {"PIP_CACHE_DIR": os.environ["MIXOP_CACHE"] + "/pip"})
    return pathlib.Path(run(venv / "bin/python3", "-c", "import os, torch; print(os.path.dirname(torch.__file__))").strip())


def version_of(libtorch):
    text = (libtorch / "include/torch/headeronly/version.h").read_text()
    return ".".join(re.search(rf"TORCH_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH"))


def second_build(libtorch, build):
    """mixop's program against that LibTorch."""
    environment = {key: value for key, value in os.environ.items() if key not in ("CMAKE_PREFIX_PATH", "Torch_DIR")}
    run("cmake", "-G", "Ninja", "-S", SOURCE, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DMIXOP_TESTS=OFF", f"-DTorch_DIR={libtorch}/share/cmake/Torch",
        env=environment)
    run("cmake", "--build", build, "--target", "mixop", "mixop_share", "mixop_plugins")
    return build / "bin/mixop"


def project(kind, folder):
    """A plugin of `mixop plugins new`, built against the first build."""
    answer("plugins", "new", kind, f"acme.{kind.replace('-', '_')}", "--out", folder)
    run("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={os.environ['MIXOP_BUILD_DIR']}")
    run("cmake", "--build", folder / "build")
    return folder / f"build/lib/mixop/plugins/acme.{kind.replace('-', '_')}.so"


def goes_on(begun, other, versions, stable, archive):
    """A search that `begun` leaves after an epoch is finished by `other`, with a word on what differs."""
    program.MIXOP = begun
    answer("search", "quick", *DATA, *NET, "--set", "data.train_limit=0", "--set", "search.batch=8", "--set", "space.nodes=2", "--set",
           "space.ops=skip_connect,sep_conv_3x3,acme.stable_op", "--set", "search.epochs=1", "--plugin-dir", stable, "--out", archive)
    program.MIXOP = other
    done = answer("search", "--continue", "--set", "search.epochs=2", "--plugin-dir", stable, "--out", archive)
    words = f"the archive was written with LibTorch {versions[0]}, and this run has {versions[1]}: sums are rounded in another way"
    check(words in done.stderr, f"the run in {other} does not say '{words}': {done.stderr}")
    found = asked("inspect", archive, "--all")
    check([row["epoch"] for row in found["epochs"]] == [0, 1, 2], f"{archive}: {found['epochs']}")
    check(asked("verify", archive)["ok"], f"{archive} is not whole")


def main():
    libtorch = other_libtorch()
    second = version_of(libtorch)
    with tempfile.TemporaryDirectory() as made:
        work = pathlib.Path(made)
        os.environ["XDG_STATE_HOME"] = str(work / "state")
        ours = program.MIXOP
        cache = (pathlib.Path(os.environ["MIXOP_BUILD_DIR"]) / "CMakeCache.txt").read_text()
        first = version_of(pathlib.Path(re.search(r"^MIXOP_LIBTORCH_CONFIG:\w+=(.+)$", cache, re.MULTILINE)[1]).parents[2])
        check(first != second, f"both LibTorches are {first}; name another by MIXOP_OTHER_LIBTORCH")
        stable, native = project("stable-op", work / "stable"), project("op", work / "native")
        theirs = second_build(libtorch, pathlib.Path(os.environ.get("MIXOP_OTHER_BUILD", work / "second")))
        for one in (ours, theirs):
            program.MIXOP = one
            said = answer("plugins", "check", stable).stdout
            check("ok      acme.stable_op: gradient of the input" in said, said)
        program.MIXOP = theirs
        refused = refusal(4, "LibTorch", "plugins", "check", native).stderr
        check(first in refused and second in refused, f"the refusal does not name both versions: {refused}")
        goes_on(ours, theirs, (first, second), stable, work / "forth.h5")
        goes_on(theirs, ours, (second, first), stable, work / "back.h5")
    print(f"figure: one binary of tier stable in LibTorch {first} and {second}, searches go on in either; a native one is refused: {refused.strip()}")
    print("libtorch_versions: all well")


main()
