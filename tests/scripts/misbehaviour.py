#!/usr/bin/env python3
"""Operators that pass their trials and break their contract in the middle of a search: the run ends with a message that names plugin, operator, edge,
pass and step, and the archive of the last epoch is whole. Plainly and fused."""
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import answer, asked, built_project, check, mixop

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
# What the message says, after the operator, and the exit code.
WAYS = {
    "shape": ("forward in training: expected a result Float [12, ", 4),
    "type": ("on cpu, found Half [12, ", 4),
    "input": ("forward in training: it writes to its input", 4),
    "memory": ("forward in training: it writes to its input", 4),
    "state": ("forward in training: its state changed: expected 1 tensors, found 2", 4),
    "throws": ("backward: no gradient today", 1),
    "nan": ("forward in training: gives numbers that are not finite, of an input and a state that are", 1),
    "nan_gradient": ("backward: the gradient of the input is not finite", 1),
    "wrong_gradient": ("backward: expected a gradient of the input like it", 4),
    "writes": ("forward in training: its state changed: 'scale' is written to, and parameters are the optimiser's", 4),
    "resizes": ("forward in training: its state changed: 'scale' was Float [1, ", 4),
    "grad_mode": ("forward in training: it leaves the recording of gradients ", 4),
    "sparse": ("forward in training: expected a dense tensor that gradients can be recorded of, found another layout", 4),
    "crash": ("forward in training; archives are as they were written last", -11),
}


def ends(way, plugin, execution, folder):
    out = folder / f"{way}-{execution}.h5"
    words = ["search", "quick", "--plugin-dir", plugin, "--out", out]
    for key in ("data.name=synthetic", "synthetic.size=8", "synthetic.train=48", "synthetic.test=12", "data.train_limit=0", "search.batch=12",
                "space.channels=2", "space.layers=3", "space.nodes=2", "search.epochs=20", "threads=1", f"execution={execution}",
                f"space.ops=skip_connect,sep_conv_3x3,test.{way}"):
        words += ["--set", key]
    expected, code = WAYS[way]
    run = mixop(*words)
    what = f"{way}, {execution}"
    check(run.returncode == code, f"{what}: exit code {run.returncode}: {run.stderr}")
    line = next((line for line in run.stderr.splitlines() if line.startswith("mixop: error: ")), "")
    name = f"operator 'test.{way}' (plugin test.misbehaving, edge cells."
    check(name in line and "._ops." in line and expected in line, f"{what}: {run.stderr}")
    if way != "crash":
        check("; in a pass on the " in line and "; in epoch " in line and ", step " in line, f"{what}: {line}")
    check(asked("verify", out)["ok"] and len(asked("inspect", out)["epochs"]) >= 1, f"{what}: the last archive is not whole")
    print(f"{what}: {line}")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        plugin = built_project(SOURCE / "tests/third_party/misbehaving", folder) / "test.misbehaving.so"
        answer("plugins", "check", plugin)
        for way in WAYS:
            for execution in ("plain", "fused"):
                ends(way, plugin, execution, folder)
    print("misbehaviour: all well")


main()
