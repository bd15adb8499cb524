#!/usr/bin/env python3
"""Whatever asks a run to end has it end with its archive written: a closed terminal and the warnings of batch systems as Ctrl-C does. What a run was
started to ignore stays ignored, and a reader that is gone ends nothing."""
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, answer, asked, check, differences, says, stopped

SEARCH = ["search", "quick", "--set", "synthetic.size=8", "--set", "synthetic.train=160", "--set", "space.channels=2", "--set", "space.layers=3",
          "--set", "space.nodes=2", "--set", "search.batch=8", "--set", "search.epochs=4", "--set", "threads=1", "--set", "data.train_limit=0"]
ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


def each_ends(folder, whole):
    """The step is finished and archived, and the run goes on to the bits of one that never stopped."""
    for sign in ALL[2:]:
        out = folder / f"{sign.name}.h5"
        status = stopped(sign, says("epoch 1/4  train"), *SEARCH, "--out", out)
        check(status == 128 + sign, f"{sign.name} ended the search with {status}, not {128 + sign}")
        check(10 <= asked("inspect", out)["step"] <= 40, f"{sign.name} came outside the search")
        answer("search", "--resume", "--out", out)
        check(differences(whole, out) == [], f"resumed after {sign.name}: other bits in {differences(whole, out)}")


def started(out, log, **options):
    process = subprocess.Popen([MIXOP, *SEARCH, "--out", out], stderr=log, env={**os.environ, "MIXOP_DATA": ""}, **options)
    while process.poll() is None and b"searching " not in os.pread(log.fileno(), 1 << 20, 0):
        time.sleep(0.002)
    return process


def ignored_stays_ignored(folder, whole):
    """As under nohup, and in the background of a shell without job control."""
    def ignore():
        for sign in ALL:
            signal.signal(sign, signal.SIG_IGN)
    out = folder / "ignored.h5"
    with tempfile.TemporaryFile() as log:
        process = started(out, log, stdout=subprocess.DEVNULL, preexec_fn=ignore)
        for sign in ALL:
            process.send_signal(sign)
        check(process.wait(timeout=120) == 0, f"ignored signals ended the search: {process.returncode}")
    check(differences(whole, out) == [], "ignored signals change the search")


def warnings_come_again(folder):
    """The kernel sends SIGXCPU every second: the step is finished all the same."""
    out = folder / "again.h5"
    with tempfile.TemporaryFile() as log:
        process = started(out, log, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            process.send_signal(signal.SIGXCPU)
            time.sleep(0.0005)
    check(process.returncode == 128 + signal.SIGXCPU, f"repeated SIGXCPU: {process.returncode}")
    check(asked("inspect", out)["step"] > 0, "repeated SIGXCPU left no step")


def processor_time(folder):
    """A limit of processor time, as ulimit -t and batch systems set it."""
    out = folder / "limit.h5"
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (3, 30))
    run = subprocess.run([MIXOP, *SEARCH, "--set", "search.epochs=1000", "--out", out], capture_output=True, text=True, timeout=120,
                         env={**os.environ, "MIXOP_DATA": ""}, preexec_fn=limit)
    check(run.returncode == 128 + signal.SIGXCPU, f"ulimit -t: {run.returncode} {run.stderr}")
    check(asked("inspect", out)["step"] > 0, "ulimit -t: no step")


def readers_gone(folder, whole):
    """A run whose progress nobody reads any more goes on; that its result was not printed is exit code 1. A listing ends as others do."""
    out = folder / "pipe.h5"
    process = subprocess.Popen([MIXOP, *SEARCH, "--out", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "MIXOP_DATA": ""})
    process.stderr.readline()
    process.stderr.close()
    process.stdout.close()
    status = process.wait(timeout=120)
    check(status == 1, f"without a reader the search ends with {status}")
    check(differences(whole, out) == [], "without a reader: another archive")
    process = subprocess.Popen([MIXOP, *SEARCH, "--overwrite", "--out", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "MIXOP_DATA": ""})
    process.stdout.close()
    said = process.stderr.read()
    check(process.wait(timeout=120) == 1 and "mixop: error: standard output cannot be written: Broken pipe" in said, said)
    run = subprocess.run(["bash", "-c", f"'{MIXOP}' list genotypes --json | head -1; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=120)
    check(run.stderr == "" and run.stdout.splitlines()[-1] in ("0", "141"), f"a listing into head: {run}")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        whole = folder / "whole.h5"
        answer(*SEARCH, "--out", whole)
        each_ends(folder, whole)
        ignored_stays_ignored(folder, whole)
        warnings_come_again(folder)
        processor_time(folder)
        readers_gone(folder, whole)
        print(f"figure: {len(ALL) - 2} further signals end a search with its archive; resumed to the same bits")


main()
