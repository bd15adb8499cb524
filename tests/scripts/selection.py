#!/usr/bin/env python3
"""Selecting among searches of several seeds by short trainings: the best on held-out records wins, and what was killed goes on."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, answer, asked, check, differences, mixop, refusal

DATA = ["--set", "data.name=synthetic", "--set", "synthetic.size=8", "--set", "synthetic.train=64", "--set", "synthetic.test=16"]
SEARCH = ["quick", *DATA, "--set", "data.train_limit=0", "--set", "threads=1", "--set", "space.channels=2", "--set", "space.layers=3",
          "--set", "search.batch=8", "--set", "search.epochs=2", "--set", "space.nodes=2", "--set", "space.ops=none,skip_connect,sep_conv_3x3"]
TRAIN = ["threads=1", "space.channels=4", "space.layers=3", "train.auxiliary=0", "train.batch=8", "train.epochs=3", "data.cutout=0"]
SELECT = ["select", *SEARCH, "--seeds", "3,5,8", *(word for item in TRAIN for word in ("--train-set", item))]



def selected(out):
    found = asked(*SELECT, "--out", out)
    check(found == json.loads((out / "selection.json").read_text()), "--json prints selection.json")
    return found


def judged(out, found):
    """The winner is the best on held-out records of the trainings that the archives hold, and nothing else selects it."""
    check([row["seed"] for row in found["candidates"]] == [3, 5, 8], "the candidates")
    for row in found["candidates"]:
        rows = asked("inspect", out / row["train"])["epochs"]
        check(len(rows) == 3 and rows[-1]["valid_top1"] == row["valid_top1"], f"seed {row['seed']}: the training's archive says {rows[-1]}")
        check(row["train_curves"]["valid_top1"] == [r["valid_top1"] for r in rows], "the training's curve")
        check(not any(name.startswith("test_") for name in row["train_curves"]), "the test split plays a part")
        check(len(row["search_curves"]["valid_accuracy"]) == 2, "the search's curve")
        check(asked("derive", out / row["search"]) == row["genotype"], "the candidate's genotype")
    best = max(found["candidates"], key=lambda row: (row["valid_top1"], -row["valid_loss"], -row["seed"]))
    check(found["winner"] == {"seed": best["seed"], "valid_top1": best["valid_top1"], "genotype": best["genotype"]}, found["winner"])
    check(json.loads((out / "winner.json").read_text()) == best["genotype"], "winner.json")
    config = asked("inspect", out / found["candidates"][0]["train"])["config"]
    check(config["data"]["train_portion"] == 0.5 and config["synthetic"]["size"] == 8, f"the training's data: {config}")


def killed(folder, whole):
    """Killed in a search and in a training, interrupted in between: the same command ends with the same bits."""
    out = folder / "killed"
    for archive, sign in (("seed-3/search.h5", signal.SIGKILL), ("seed-5/train.h5", signal.SIGTERM), ("seed-8/search.h5", signal.SIGKILL)):
        process = subprocess.Popen([MIXOP, *map(str, SELECT), "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (out / archive).exists():
            time.sleep(0.005)
        check(process.poll() is None, "the selection ended too early")
        process.send_signal(sign)
        check(process.wait(timeout=60) == (143 if sign == signal.SIGTERM else -9), f"{sign.name} gives another exit code")
        check(json.loads((out / "selection.json").read_text())["winner"] is None, "a winner before the end")
    found = selected(out)
    check(found == json.loads((whole / "selection.json").read_text()), "killed and continued, another selection")
    for row in found["candidates"]:
        for name in ("search", "train"):
            paths = [path for path in differences(whole / row[name], out / row[name])]
            check(paths == [], f"{row[name]} has other bits in {paths}")


def misuse(folder, whole):
    refusal(2, "holds another selection (seeds 3,5,8; search quick", *SELECT[:-2], "--out", whole)
    refusal(2, "--seeds: expected whole numbers from 0 on", "select", *SEARCH, "--seeds", "1,x", "--out", folder / "x")
    refusal(2, "--seeds: expected at least two different seeds, found '4,4'", "select", *SEARCH, "--seeds", "4,4", "--out", folder / "x")
    refusal(2, "data.train_portion=1 holds no train records out", *SELECT, "--train-set", "data.train_portion=1", "--out", folder / "x")
    refusal(2, "unknown key 'train.epoch'", *SELECT, "--train-set", "train.epoch=1", "--out", folder / "x")
    check(not (folder / "x").exists(), "a refused selection made its folder")
    (folder / "other").mkdir()
    (folder / "other" / "mine").write_text("mine")
    refusal(2, "exists and holds no selection", *SELECT, "--out", folder / "other")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        whole = folder / "whole"
        judged(whole, selected(whole))
        text = answer(*SELECT, "--out", whole).stdout
        check(text.count("selected") == 1 and text.count("held-out top-1 %") == 3 and "winner.json" in text, text)
        net = asked("train", "--genotype", whole / "winner.json", *DATA, *(word for item in TRAIN for word in ("--set", item)), "--set",
                    "data.train_portion=1", "--out", folder / "net.h5")
        check(net["test_loss"] > 0, "the winner trains")
        alone = mixop("search", *SEARCH, "--seed", 5, "--out", folder / "alone.h5")
        check(alone.returncode == 0 and differences(folder / "alone.h5", whole / "seed-5/search.h5") == [], "a search alone has other bits")
        killed(folder, whole)
        misuse(folder, whole)
        print("figure: three seeds selected by held-out accuracy; the same bits after two kills and an interruption")


main()
