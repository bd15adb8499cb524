#!/usr/bin/env python3
"""Published protocols end to end: staged, resumable at every stage, tabled from the archives alone, nothing selected by the test split."""
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import h5py

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, answer, asked, check, differences, mixop, refusal

# One of each kind: selection among searches, text, genotypes of each search, a published genotype, random ones. The others are in
# tests/scripts-long/all_experiments.py.
RUN = ["darts-cifar10", "random-ptb", "p-darts-cifar10", "darts-imagenet"]


def reproduced(experiment, out, *options):
    found = asked("reproduce", experiment, "--scale", "smoke", "--out", out, *options)
    check(found == json.loads((out / "reproduction.json").read_text()), "--json prints reproduction.json")
    return found


def rows_of(found):
    rows = {row["what"]: row for row in found["rows"]}
    check(len(rows) == len(found["rows"]), "a row is there twice")
    return rows


def seconds_of(archive):
    with h5py.File(archive, "r") as file:
        return file["provenance/epoch_seconds"][()].tolist()


def tabled(folder, experiment):
    """Every figure of the table is that of archives and evaluations, and the winner is the best on held-out records."""
    out = folder / experiment
    found = reproduced(experiment, out, "--jobs", "2")
    rows = rows_of(found)
    nets = sorted(out.glob("train-*.h5"))
    scores = [json.loads((out / f"evaluate-{net.stem}.json").read_text()) for net in nets]
    text = "perplexity" in scores[0]
    name = "test perplexity" if text else "test top-1 error"
    figures = [score["perplexity"] if text else 100 - score["top1"] for score in scores]
    check(len(figures) == rows[name]["runs"] and abs(rows[name]["ours"] - statistics.mean(figures)) < 1e-9, f"{experiment}: {rows[name]} of {figures}")
    expected = statistics.stdev(figures) if len(figures) > 1 else None
    check((rows[name]["std"] is None) == (expected is None) and (expected is None or abs(rows[name]["std"] - expected) < 1e-9), rows[name])
    counted = [asked("summary", "--genotype", net, *(["--classes", "50"] if text else []))["parameters"] for net in nets] if not text else []
    check(not counted or abs(rows["parameters"]["ours"] - statistics.mean(counted) / 1e6) < 1e-9, f"{experiment}: {counted}")
    if not text:
        best = [min(100 - row["test_top1"] for row in asked("inspect", net)["epochs"]) for net in nets]
        check(abs(rows[name + ", best epoch"]["ours"] - statistics.mean(best)) < 1e-9 and "no result" in rows[name + ", best epoch"]["note"], best)
    took = [sum(seconds_of(net)) for net in nets]
    check(sum(took) <= rows[name]["cost_s"] < sum(took) + 60, f"{experiment}: {rows[name]} of trainings of {took}")
    for what, kind in (("search of a seed", "search-*.h5"), ("training that selects", "select-*.h5")):
        took = [sum(seconds_of(file)) for file in out.glob(kind)]
        check((what in rows) == bool(took) and (not took or abs(rows[what]["cost_s"] - sum(took)) < 1e-9), f"{experiment}: {what} took {took}")
    check(rows[name]["scaled"] and rows[name]["cost_s"] > 0 and rows[name]["epochs"] == asked("inspect", nets[0])["epochs"][-1]["epoch"], rows[name])
    selected(out, found, nets, "valid_perplexity" if text else "valid_top1")
    page = (out / "report.html").read_text()
    check(all(net.name in page for net in nets), f"{experiment}: the report lacks a network")
    return out, found


def selected(out, found, nets, metric):
    if not found["candidates"]:
        return
    judged = {row["seed"]: asked("inspect", out / f"select-{row['seed']}.h5")["epochs"][-1] for row in found["candidates"]}
    check(all(row[metric] == judged[row["seed"]][metric] for row in found["candidates"]), found["candidates"])
    sign = 1 if metric == "valid_perplexity" else -1
    winner = min(judged, key=lambda seed: (sign * judged[seed][metric], judged[seed]["valid_loss"]))
    origin = next(out / row["from"] for row in found["candidates"] if row["seed"] == winner)
    for net in nets:
        check(asked("derive", net) == asked("derive", origin), f"{net} is no network of seed {winner}")


def killed(folder, whole):
    """Killed twice and interrupted once, each in another stage, it ends with the same bits."""
    out = folder / "killed"
    command = [MIXOP, "reproduce", RUN[0], "--scale", "smoke", "--jobs", "2", "--out", str(out)]
    for archive, sign in (("search-0.h5", signal.SIGKILL), ("select-1.h5", signal.SIGTERM), ("train-0.h5", signal.SIGKILL)):
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "MIXOP_DATA": ""})
            while process.poll() is None and not (out / archive).exists():
                time.sleep(0.002)
            process.send_signal(sign)
            code = process.wait(timeout=120)
            said = os.pread(log.fileno(), 1 << 20, 0).decode()
        check(code == (143 if sign == signal.SIGTERM else -9), f"{sign.name} gives exit code {code}: {said}")
        check(sign == signal.SIGKILL or "the same command goes on" in said, said)
    found = reproduced(RUN[0], out, "--jobs", "2")
    figures = [[(row["what"], row["ours"], row["std"]) for row in table["rows"] if row["unit"] != "days"] for table in (found, whole)]
    check(figures[0] == figures[1], f"killed and continued, another table: {figures}")
    for archive in sorted((folder / RUN[0]).glob("*.h5")):
        paths = differences(archive, out / archive.name)
        check(paths == [], f"{archive.name} has other bits in {paths}")
    refusal(2, "holds another reproduction (darts-cifar10 at smoke scale, stages ", "reproduce", "random-ptb", "--scale", "smoke", "--out", out)
    (out / "mine").write_text("mine")
    reproduced("random-ptb", out, "--overwrite")
    check(not (out / "search-0.h5").exists() and (out / "mine").read_text() == "mine", "--overwrite leaves or takes too much")


def defective(folder):
    """Networks that cannot be built are named; where none can, that is the failure."""
    plugins = folder / "plugins"
    (plugins / "experiments").mkdir(parents=True)
    fair = json.loads((pathlib.Path(MIXOP).parent.parent / "share/mixop/experiments/fair-darts-cifar10.json").read_text())
    fair["smoke"]["search"]["set"] += ["threshold_sparse.threshold=0.999"]
    shutil.copy(pathlib.Path(os.environ["MIXOP_BUILD_DIR"]) / "tests/plugins/test_plain.so", plugins)
    (plugins / "experiments" / "bad.json").write_text(json.dumps(fair))
    refusal(1, "none of the networks that were found can be built", "reproduce", "bad", "--scale", "smoke", "--plugin-dir", plugins, "--out", folder / "bad")
    fair["smoke"]["search"]["set"][-1] = "threshold_sparse.threshold=0.4"
    (plugins / "experiments" / "bad.json").write_text(json.dumps(fair))
    refusal(2, "holds another reproduction", "reproduce", "bad", "--scale", "smoke", "--plugin-dir", plugins, "--out", folder / "bad")


def forecast(out, experiment):
    """What would be run, and how long; nothing is written."""
    found = asked("reproduce", experiment, "--scale", "smoke", "--dry-run", "--out", out)
    check(not out.exists() and found["seconds"] > 0, found)
    ran = {name for name in json.loads((out.parent / experiment / "reproduction.json").read_text())["stages"]}
    check(set(found["stages"]) == ran, f"{experiment}: forecast {sorted(found['stages'])}, ran {sorted(ran)}")


def refused(folder):
    refusal(2, "did you mean 'darts-cifar10'", "reproduce", "darts-cifar")
    refusal(2, "--scale: expected smoke, short, paper, found 'big'", "reproduce", "darts-cifar10", "--scale", "big")
    refusal(2, "--jobs: expected 1 to 256, found 0", "reproduce", "darts-cifar10", "--jobs", "0")
    refusal(2, "an experiment is missing", "reproduce")
    nothing = folder / "nothing"
    run = mixop("reproduce", "darts-cifar10", "--out", folder / "x", "--data", nothing)
    check(run.returncode in (2, 3) and str(nothing) in run.stderr and not (folder / "x").exists(), run.stderr)
    (folder / "full").mkdir()
    (folder / "full" / "file").write_text("")
    refusal(2, "exists and holds no reproduction", "reproduce", "darts-cifar10", "--scale", "smoke", "--out", folder / "full")


def samples():
    """A genotype is a function of the seed; every operation but none and every pair of edges is as likely as any other."""
    many = asked("sample", "--space", "darts_cnn", "--count", "400", "--seed", "5")
    check(many[7] == asked("sample", "--space", "darts_cnn", "--seed", "12") and len({json.dumps(one) for one in many}) == 400, "seeds")
    genes = [gene for one in many for gene in one["normal"]]
    counts = {name: sum(gene[0] == name for gene in genes) for name in {gene[0] for gene in genes}}
    check("none" not in counts and len(counts) == 7, counts)
    expected = len(genes) / 7
    # Six degrees of freedom: a right sampler is above 30 once in 25000 seeds, and this one is fixed.
    check(sum((count - expected) ** 2 / expected for count in counts.values()) < 30, counts)
    edges = [sum(one["normal"][i][1] == source for one in many for i in (6, 7)) for source in range(5)]
    check(sum((count - 160) ** 2 / 160 for count in edges) < 25, edges)
    for space in (entry["name"] for entry in asked("list", "spaces")):
        check(asked("sample", "--space", space, "--seed", "3"), space)
    refusal(2, "--count: expected 1 to 100000, found 0", "sample", "--space", "darts_cnn", "--count", "0")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    listed = {row["name"]: row for row in asked("list", "experiments")}
    check(len(listed) >= 20 and all(row["about"] and row["from"] for row in listed.values()), sorted(listed))
    check(all("cannot be used" not in row["about"] for row in listed.values()), listed)
    refused(folder)
    samples()
    whole = [tabled(folder, experiment)[1] for experiment in RUN]
    check("no result" in answer("reproduce", RUN[0], "--scale", "smoke", "--out", folder / RUN[0]).stdout, "the table")
    killed(folder, whole[0])
    forecast(folder / "dry", RUN[2])
    defective(folder)
