#!/usr/bin/env python3
"""`mixop bench` and the plain PyTorch steps that it is held against take the same work: networks of as many parameters."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

MIXOP = os.environ["MIXOP"]
EAGER = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]) / "tests/bench/eager.py"
SHORT = ["--batch", "2", "--threads", "1", "--steps", "1", "--warmup", "0"]
IMAGES = ["--channels", "2", "--layers", "3"]
WORK = [["cnn", "--order", "1", *IMAGES], ["cnn", "--order", "2", *IMAGES], ["train", *IMAGES],
        ["rnn", "--order", "2", "--width", "6", "--bptt", "3", "--tokens", "20"]]


def check(holds, message):
    if not holds:
        sys.exit(f"bench: {message}")


def timed(*command):
    run = subprocess.run([*map(str, command), *SHORT], capture_output=True, text=True, timeout=120)
    check(run.returncode == 0, f"{command}: {run.stderr}")
    times = json.loads(run.stdout)
    check(0 < times["step_s"]["min"] <= times["step_s"]["median"] <= times["step_s"]["max"] and times["peak_rss_mb"] > 0,
          f"{command}: {times}")
    return times["parameters"]


def main():
    torch = importlib.util.find_spec("torch") is not None
    for work in WORK:
        ours = timed(MIXOP, "bench", *work, "--json")
        check(ours > 0, f"{work}: a network without parameters")
        if torch:
            theirs = timed(sys.executable, EAGER, *work)
            check(ours == theirs, f"{work}: {ours} parameters, in PyTorch {theirs}")
    print("bench: all well" if torch else "bench: all well; no PyTorch here, so nothing was held against it")


if __name__ == "__main__":
    main()
