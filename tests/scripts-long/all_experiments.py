#!/usr/bin/env python3
"""Every experiment runs at smoke scale, two stages at once, all within ten minutes, and its forecast is of the stages that ran."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, asked, check

with tempfile.TemporaryDirectory() as name:
    took = {}
    for experiment in (row["name"] for row in asked("list", "experiments")):
        out = pathlib.Path(name) / experiment
        start = time.monotonic()
        command = [MIXOP, "reproduce", experiment, "--scale", "smoke", "--jobs", "2", "--out", str(out), "--json"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=600).stdout)
        ours = {row["what"]: row["ours"] for row in found["rows"]}
        check(any(what.startswith("test") for what in ours) and (out / "report.html").stat().st_size > 10000, f"{experiment}: {ours}")
        took[experiment] = time.monotonic() - start
        print(f"figure: {experiment}: {took[experiment]:.1f} s, {json.dumps(ours)}", flush=True)
    whole = sum(took.values())
    print(f"figure: all experiments at smoke scale: {whole:.0f} s")
    check(whole < 600, f"{whole:.0f} s instead of at most 600")
    for experiment, seconds in took.items():
        command = [MIXOP, "reproduce", experiment, "--scale", "smoke", "--jobs", "2", "--dry-run", "--json"]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=600).stdout)
        ran = json.loads((pathlib.Path(name) / experiment / "reproduction.json").read_text())["stages"]
        check(set(told["stages"]) == set(ran), f"{experiment}: forecast {sorted(told['stages'])}, ran {sorted(ran)}")
        print(f"figure: {experiment}: forecast {told['seconds']:.1f} s, took {seconds:.1f} s")
