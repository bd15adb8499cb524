#!/usr/bin/env python3
"""Every experiment runs at smoke scale, two stages at once."""
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
    begin = time.monotonic()
    for experiment in (row["name"] for row in asked("list", "experiments")):
        out = pathlib.Path(name) / experiment
        start = time.monotonic()
        command = [MIXOP, "reproduce", experiment, "--scale", "smoke", "--jobs", "2", "--out", str(out), "--json"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=600).stdout)
        ours = {row["what"]: row["ours"] for row in found["rows"]}
        check(any(what.startswith("test") for what in ours) and (out / "report.html").stat().st_size > 10000, f"{experiment}: {ours}")
        print(f"figure: {experiment}: {time.monotonic() - start:.1f} s, {json.dumps(ours)}", flush=True)
    took = time.monotonic() - begin
    print(f"figure: all experiments at smoke scale: {took:.0f} s")
    check(took < 600, f"{took:.0f} s instead of at most 600")
