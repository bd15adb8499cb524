#!/usr/bin/env python3
"""What the program makes of the process that it is: closed standard descriptors, output that is lost, a parent that ignores its children, how threads wait, more threads
than cores, and plugins that leave."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, SEARCH, TRAIN, answer, asked, check, differences

BENCH = ["cnn", "--channels", "2", "--layers", "3", "--steps", "1", "--warmup", "0", "--batch", "2", "--threads", "1"]


def descriptors(folder):
    """Closed standard descriptors, full disks behind them, and a parent that ignores its children."""
    out, lines = folder / "closed.h5", folder / "m"
    command = " ".join(f"'{word}'" for word in [MIXOP, *SEARCH, "--out", str(out), "--metrics=m", "--overwrite"])
    for closed in (">&-", "<&- >&- 2>&-", "2>&-"):
        run = subprocess.run(["bash", "-c", f"{command} {closed}"], capture_output=True, text=True, timeout=120)
        check(run.returncode == 0 and asked("verify", out)["ok"], f"{closed}: {run}")
        check(all("kind" in json.loads(line) for line in lines.read_text().splitlines()), f"{closed}: other text in the metrics")
    for words in (["list", "ops"], ["list", "genotypes", "--json"], ["inspect", out], ["derive", out], ["--help"], ["search", "--help"], ["search", "--keys"],
                  ["summary", "--genotype", "darts_cnn/DARTS_V2"], ["plugins", "list"], ["verify", out, "--json"], ["compare", out, out],
                  ["search", "quick", "--dry-run", *SEARCH[2:]], [*SEARCH, "--out", folder / "full.h5"], ["data", "check", "synthetic"],
                  ["distance", "ResNet18", "ResNet50"], ["bench", *BENCH]):
        with open("/dev/full", "w") as full:
            run = subprocess.run([MIXOP, *map(str, words)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
        check(run.returncode == 1 and run.stderr.count("error: standard output cannot be written: ") == 1, f"{words}: {run}")
    with open("/dev/full", "w") as full:  # a code that says something else keeps it
        run = subprocess.run([MIXOP, "compare", out, folder / "full.h5"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    check(run.returncode == 1 and "error: standard output cannot be written: " in run.stderr, f"a comparison: {run}")
    check(asked("verify", folder / "full.h5")["ok"], "a search whose result cannot be printed")


def children(folder):
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    line = '{"step_s": {"median": 1}, "peak_rss_mb": 10}'
    command = f"head -c 3000000 /dev/zero | tr '\\0' x; echo; echo '{line}'"
    run = subprocess.run([MIXOP, "bench", *BENCH, "--rounds", "1", "--against", command],
                         capture_output=True, text=True, timeout=120, preexec_fn=ignore)
    check(run.returncode == 0, f"bench --against without SIGCHLD, with much output: {run.stderr}")
    plugin = next(pathlib.Path(os.environ["MIXOP_BUILD_DIR"], "lib/mixop/plugins").rglob("*synthetic*.so"))
    run = subprocess.run([MIXOP, "plugins", "check", plugin], capture_output=True, text=True, timeout=120, preexec_fn=ignore)
    check(run.returncode == 0, f"plugins check without SIGCHLD: {run.stderr}")


def waiting(folder):
    """Threads sleep while they wait, unless the user says how they wait; programs that are started see the user's environment."""
    line = '{"step_s": {"median": 1}, "peak_rss_mb": 10}'
    said = folder / "said"
    command = f"{{ tr '\\0' '\\n' </proc/$PPID/environ; echo child; env; }} | grep -E '^(child|OMP_WAIT|MIXOP_THREADS)' >{said}; echo '{line}'"
    plain = {key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    for own, expected in (({}, ["MIXOP_THREADS_SLEEP=1", "OMP_WAIT_POLICY=passive", "child"]),
                          ({"OMP_WAIT_POLICY": "active"}, ["OMP_WAIT_POLICY=active", "child", "OMP_WAIT_POLICY=active"]),
                          ({"GOMP_SPINCOUNT": "10"}, ["child"])):
        run = subprocess.run([MIXOP, "bench", *BENCH, "--rounds", "1", "--against", command], capture_output=True, text=True, timeout=120, env=plain | own)
        check(run.returncode == 0, f"bench with {own}: {run.stderr}")
        lines = said.read_text().split()
        cut = lines.index("child")
        check(sorted(lines[:cut]) + lines[cut:] == expected, f"with {own}: {lines}")


def threads(folder):
    """More threads than cores are not used, and that is said; by a search, a training, and what goes on with either."""
    words = f"threads is 4096, and this machine has {os.sysconf('SC_NPROCESSORS_ONLN')} core(s)"
    out = folder / "run.h5"
    check(words in answer(*SEARCH, "--set", "threads=4096", "--out", out).stderr, "a search with 4096 threads")
    check(words in answer("search", "--continue", "--set", "search.epochs=3", "--out", out).stderr, "a search that goes on with 4096 threads")
    net = folder / "net.h5"
    check(words in answer(*TRAIN, "--set", "threads=4096", "--out", net).stderr, "a training with 4096 threads")
    check(words in answer("evaluate", net).stderr, "an evaluation with 4096 threads")
    check(words in answer("bench", *BENCH[:-1], 4096).stderr, "a bench with 4096 threads")


def leaving(folder):
    """A plugin that calls exit(0) is no finished run, and one that leaves for another folder takes no output along."""
    plugin = pathlib.Path(os.environ["MIXOP_BUILD_DIR"], "tests/plugins/test_leaves.so")
    command = [MIXOP, *SEARCH, "--set", "space.ops=+test.leaves", "--plugin-dir", plugin]

    def run(way, out, *more):
        return subprocess.run([*map(str, command), "--out", out, *more], capture_output=True, text=True, timeout=120, cwd=folder,
                              env={**os.environ, "MIXOP_DATA": "", "XDG_STATE_HOME": str(folder / "state"), "MIXOP_TEST_LEAVES": way})
    check(run("", "whole.h5").returncode == 0, "the plugin is not sound")
    for way in ("exit", "quick_exit"):
        left = run(way, f"{way}.h5")
        check(left.returncode == 4 and "called exit(0), which ends the program before its work is done" in left.stderr, f"{way}: {left}")
        check(left.stdout == "" and not list(folder.glob(f"{way}.h5.*.tmp")), f"{way}: {left.stdout}")
    (folder / "sub").mkdir()
    moved = run("folder", "sub/moved.h5", "--metrics=m", "--tensorboard")
    check(moved.returncode == 0 and "archive: sub/moved.h5" in moved.stderr, f"another folder: {moved}")
    found = sorted(path.name for path in (folder / "sub").iterdir())
    check(found == ["m", "moved.h5", "moved.h5.prev", "tensorboard"], f"another folder: {found}")
    check(differences(folder / "whole.h5", folder / "sub" / "moved.h5") == [], "another folder: another search")


def main():
    with tempfile.TemporaryDirectory() as made:
        for part in (descriptors, children, waiting, threads, leaving):
            place = pathlib.Path(made) / part.__name__
            place.mkdir()
            part(place)
        print("process: all well")


main()
