#!/usr/bin/env python3
"""A search that is interrupted or killed, and resumed, gives the same bits as one that never stopped; another seed does not."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import h5py

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import says, stopped

MIXOP = os.environ["MIXOP"]
SEARCH = [MIXOP, "search", "quick", "--set", "synthetic.size=8", "--set", "synthetic.train=160", "--set", "space.channels=2",
          "--set", "space.layers=3", "--set", "space.nodes=2", "--set", "search.batch=8", "--set", "search.epochs=4", "--set", "threads=1", "--set",
          "data.train_limit=0"]


def check(holds, message):
    if not holds:
        sys.exit(f"resume: {message}")


def run(*arguments):
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=300)


def differences(first, second):
    answer = json.loads(run(MIXOP, "compare", first, second, "--json").stdout)
    return [row["path"] for row in answer["differences"] if not row["path"].startswith("/provenance")]


def elsewhere(folder):
    """Another instruction set rounds sums in another way, which is said."""
    out = folder / "elsewhere.h5"
    check(stopped(signal.SIGTERM, says("epoch 1/4  train"), *SEARCH[1:], "--out", out) == 143, "no interrupted search")
    with h5py.File(out) as archive:
        kernels = archive["provenance"].attrs["kernels"].decode()
    other = "generic" if kernels != "generic" else None
    for isa, said in ((kernels, False), *(((other, True),) if other else ())):
        copy = folder / f"{isa}.h5"
        copy.write_bytes(out.read_bytes())
        resumed = subprocess.run([MIXOP, "search", "--resume", "--out", copy], capture_output=True, text=True, timeout=300,
                                 env={**os.environ, "MIXOP_ISA": isa})
        words = f"the archive was written with kernels for {kernels}, and this run has {isa}: sums are rounded in another way"
        check(resumed.returncode == 0 and (words in resumed.stderr) == said, f"{isa} after {kernels}: {resumed.stderr}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole = folder / "whole.h5"
        answer = run(*SEARCH, "--out", whole, "--json")
        check(answer.returncode == 0, answer.stderr)
        check(json.loads(answer.stdout)["epoch"] == 4, "the JSON answer is not that of a whole run")
        for sign, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
            out = folder / f"{sign.name}.h5"
            status = stopped(sign, says("epoch 1/4  train"), *SEARCH[1:], "--out", out)
            check(status == code, f"{sign.name} ended the search with {status}, not {code}")
            check(run(MIXOP, "verify", out).returncode == 0, f"the archive is damaged after {sign.name}")
            step = json.loads(run(MIXOP, "inspect", out, "--json").stdout)["step"]
            check(10 <= step <= 40, f"{sign.name} came at step {step}, not within the search")
            resumed = run(MIXOP, "search", "--resume", "--out", out)
            check(resumed.returncode == 0, resumed.stderr)
            check(differences(whole, out) == [], f"resumed after {sign.name} at step {step}: other bits in {differences(whole, out)}")
        other = folder / "other.h5"
        check(run(*SEARCH, "--seed", 9, "--out", other).returncode == 0, "another seed does not run")
        check("/weights/classifier.weight" in differences(whole, other), "another seed gives the same weights")
        elsewhere(folder)
        contradiction = run(*SEARCH, "--seed", 9, "--resume", "--out", whole)
        check(contradiction.returncode == 2 and "the archive's own configuration" in contradiction.stderr, contradiction.stderr)
    print("resume: all well")


if __name__ == "__main__":
    main()
