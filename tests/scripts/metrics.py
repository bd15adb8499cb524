#!/usr/bin/env python3
"""Metrics as they come: JSON lines, and event files as TensorBoard's own reader sees them; live, and after kills without doubled steps."""
import json
import os
import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import answer, asked, check, differences, refusal, stopped
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TINY = ["--set", "data.name=synthetic", "--set", "synthetic.size=8", "--set", "synthetic.train=96", "--set", "synthetic.test=16",
        "--set", "data.train_limit=0", "--set", "threads=1", "--set", "space.channels=2", "--set", "space.layers=3"]
SEARCH = ["search", "quick", *TINY, "--set", "search.batch=8", "--set", "search.epochs=2", "--set", "space.nodes=2", "--set",
          "space.ops=none,skip_connect,sep_conv_3x3"]
TRAIN = ["train", "--genotype", "DARTS_V2", *TINY, "--set", "train.auxiliary=0", "--set", "train.batch=8", "--set", "train.epochs=6",
         "--set", "data.cutout=0"]
LIVE = ["--metrics", "--tensorboard", "--metrics-every", 1]


def lines_of(file):
    head, *lines = map(json.loads, file.read_text().splitlines())
    check(head["kind"] == "run", head)
    return lines


def scalars_of(folder):
    """Tag to [(step, value)], by TensorBoard's reader."""
    reader = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reader.Reload()
    return {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def same(first, second):
    return abs(first - second) <= 1e-6 * max(1, abs(second))


def agree(archive, every=1):
    """Both say what the archive holds, each step and epoch once; returns how many."""
    seen = asked("inspect", archive)
    lines, scalars = lines_of(archive.parent / "metrics.jsonl"), scalars_of(archive.parent / "tensorboard" / archive.stem)
    steps = [line for line in lines if line["kind"] == "step"]
    epochs = [line for line in lines if line["kind"] == "epoch"]
    check([line["step"] for line in steps] == list(range(every, seen["step"] + 1, every)), [line["step"] for line in steps])
    rows = [row for row in seen["epochs"] if row["epoch"] > 0]
    check([line["epoch"] for line in epochs] == [row["epoch"] for row in rows], [line["epoch"] for line in epochs])
    for line, row in zip(epochs, rows, strict=True):
        shared = set(line) & set(row) - {"epoch"}
        check("train_loss" in shared and all(line[name] == row[name] for name in shared), f"{line} is not {row}")
    check([step for step, _ in scalars["step/loss"]] == [line["step"] for line in steps], "TensorBoard sees other steps")
    check(all(same(value, line["loss"]) for (_, value), line in zip(scalars["step/loss"], steps)), "TensorBoard sees other losses")
    for name in ("train_loss", "train_accuracy", "learning_rate"):
        found = scalars[f"epoch/{name}"]
        check([step for step, _ in found] == [line["step"] for line in epochs], f"TensorBoard sees other epochs of {name}: {found}")
        check(all(same(value, line[name]) for (_, value), line in zip(found, epochs)), f"TensorBoard sees other values of {name}")
    return len(steps), len(epochs)


def killed_and_resumed(folder, whole):
    """Killed at several places, the last line torn as a crash may tear it: the resumed run reports the same as one that was never killed."""
    for count, sign, code in ((5, signal.SIGKILL, -9), (33, signal.SIGINT, 130), (50, signal.SIGKILL, -9)):
        place = folder / f"killed-{count}"
        place.mkdir()
        out = place / "net.h5"
        told = lambda said: "training " in said and (place / "metrics.jsonl").read_bytes().count(b"\n") >= count
        status = stopped(sign, told, *TRAIN, *LIVE, "--out", out)
        check(status == code, f"{sign.name} ended the training with {status}, not {code}")
        if not out.exists():
            answer(*TRAIN, *LIVE, "--overwrite", "--out", out)
        else:
            with open(place / "metrics.jsonl", "ab") as file:
                file.write(b'{"kind": "st')
            answer("train", "--resume", *LIVE, "--out", out)
        check(differences(whole, out) == [], "metrics change what is trained")
        strip = lambda lines: [{key: value for key, value in line.items() if key != "wall_time"} for line in lines]
        check(strip(lines_of(place / "metrics.jsonl")) == strip(lines_of(whole.parent / "metrics.jsonl")), f"killed at {count}: other lines")
        agree(out)


def misuse(folder):
    place = folder / "misuse"
    place.mkdir()
    out, other = place / "run.h5", place / "other.h5"
    answer(*SEARCH, "--metrics", "--out", out)
    refusal(2, "metrics.jsonl: metrics of a run are there already", *SEARCH, "--metrics", "--out", other)
    answer(*SEARCH, "--metrics=other.jsonl", "--metrics-every=7", "--out", other)
    check(len(lines_of(place / "other.jsonl")) == 12 // 7 + 2, "--metrics=FILE, --metrics-every")
    refusal(2, "these are not the metrics of other.h5", "search", "--resume", "--metrics", "--out", other)
    refusal(2, "--metrics-every: expected a number of steps from 1 on, found 0", *SEARCH, "--metrics", "--metrics-every=0", "--out", place / "x.h5")
    (place / "tensorboard").write_text("a file")
    refusal(2, "the folder for event files cannot be made", *SEARCH, "--tensorboard", "--out", place / "x.h5")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        (folder / "search").mkdir()
        answer(*SEARCH, *LIVE, "--out", folder / "search" / "run.h5")
        agree(folder / "search" / "run.h5")
        whole = folder / "whole" / "net.h5"
        whole.parent.mkdir()
        answer(*TRAIN, *LIVE, "--out", whole)
        steps, epochs = agree(whole)
        killed_and_resumed(folder, whole)
        misuse(folder)
        print(f"figure: {steps} steps and {epochs} epochs read back by TensorBoard's reader, the same after 2 kills and an interruption")


main()
