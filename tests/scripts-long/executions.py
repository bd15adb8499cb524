#!/usr/bin/env python3
"""A whole `mixop search quick` in double precision ends with the same genotype in plain and in fused execution, and each is interrupted
and resumed to the bits of one that was not."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, asked, check, differences

QUICK = ["search", "quick", "--set", "precision=float64"]
LIMIT = 1800


def searched(out, *options):
    subprocess.run([MIXOP, *QUICK, *options, "--out", str(out)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT)


def interrupted(out, *options):
    """Stopped in the second epoch, killed in what follows, and resumed."""
    command = [MIXOP, *QUICK, *options, "--out", str(out)]
    for sign, words in ((signal.SIGTERM, b"epoch 1/3  train"), (signal.SIGKILL, b"epoch 2/3  train")):
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
            while process.poll() is None and words not in os.pread(log.fileno(), 1 << 20, 0):
                time.sleep(0.02)
            process.send_signal(sign)
            check(process.wait(timeout=LIMIT) != 0, f"over before {sign.name}")
        command = [MIXOP, "search", "--resume", "--out", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT)


def alphas(out):
    with h5py.File(out, "r") as archive:
        return {name: archive["alphas"][name][()] for name in archive["alphas"] if archive["alphas"][name].ndim > 2}


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for execution in ("plain", "fused"):
        begin = time.monotonic()
        searched(folder / f"{execution}.h5", "--set", f"execution={execution}")
        print(f"figure: quick in float64, {execution}: {time.monotonic() - begin:.0f} s", flush=True)
    interrupted(folder / "again.h5", "--set", "execution=fused")
    check(differences(folder / "fused.h5", folder / "again.h5") == [], "interrupted and resumed, fused execution has other bits")
    plain, fused = (asked("inspect", folder / f"{execution}.h5")["epochs"] for execution in ("plain", "fused"))
    check([row["genotype"] for row in plain] == [row["genotype"] for row in fused], f"other genotypes: {plain[-1]} {fused[-1]}")
    apart = max(float(numpy.abs(one - alphas(folder / "fused.h5")[name]).max()) for name, one in alphas(folder / "plain.h5").items())
    print(f"figure: alphas of all epochs differ by {apart:.1e} at most")
    check(0 < apart < 1e-6, f"the alphas differ by {apart}")
