#!/usr/bin/env python3
"""Selecting among searches of several seeds by short trainings: the best on held-out records wins, and what was killed goes on."""
import json
import os
import pathlib
import shutil
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


def sets(name, *assignments):
    return [word for assignment in assignments for word in (name, assignment)]


TEXT = ["select", "darts-ptb-search", *sets("--set", "data.name=synthetic_text", "synthetic_text.vocabulary=50", "synthetic_text.train=2000",
        "synthetic_text.valid=300", "synthetic_text.test=250", "data.bptt=10", "space.width=10", "threads=1", "space.nodes=3",
        "search.batch=10", "search.epochs=1"), "--train", "darts-ptb-train", *sets("--train-set", "space.width=10", "train.epochs=2",
        "train.batch=10", "weights.lr=5", "threads=1")]
# Alphas that start far apart, so that the threshold leaves some networks a cell without operations.
THRESHOLD = ["select", "ddarts-cifar10", *sets("--set", "data.name=synthetic", "synthetic.size=8", "synthetic.train=16", "synthetic.test=16",
             "threads=1", "search.batch=8", "search.epochs=1", "space.layers=3", "space.nodes=1", "space.channels=2"),
             *sets("--train-set", "space.channels=2", "train.epochs=1", "train.batch=4", "train.auxiliary=0", "threads=1", "data.cutout=0")]


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


def stopped_thrice(out):
    """Killed in a search and in a training, interrupted in between; false where a busy machine let it end before."""
    for archive, sign in (("seed-3/search.h5", signal.SIGKILL), ("seed-5/train.h5", signal.SIGTERM), ("seed-8/search.h5", signal.SIGKILL)):
        process = subprocess.Popen([MIXOP, *map(str, SELECT), "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (out / archive).exists():
            time.sleep(0.005)
        process.send_signal(sign)
        code = process.wait(timeout=120)
        if code == 0:
            return False
        check(code == (143 if sign == signal.SIGTERM else -9), f"{sign.name} gives exit code {code}")
        # A kill may come between the two files of the result.
        check(sign == signal.SIGKILL or json.loads((out / "selection.json").read_text())["winner"] is None, "a winner before the end")
    return True


def killed(folder, whole):
    """The same command ends with the same bits."""
    out = folder / "killed"
    while not stopped_thrice(out):
        shutil.rmtree(out)
    found = selected(out)
    check(found == json.loads((whole / "selection.json").read_text()), "killed and continued, another selection")
    for row in found["candidates"]:
        for name in ("search", "train"):
            paths = [path for path in differences(whole / row[name], out / row[name])]
            check(paths == [], f"{row[name]} has other bits in {paths}")


def of_text(folder):
    """By held-out perplexity, on the data of the searches, in a folder where another selection was killed as it began."""
    out = folder / "text"
    out.mkdir()
    (out / "selection.json.lock").write_text("1")
    found = asked(*TEXT, *sets("--set", f"data.dir={folder}"), "--seeds", "0,1", "--out", out)
    for row in found["candidates"]:
        seen = asked("inspect", out / row["train"])
        check([at["valid_perplexity"] for at in seen["epochs"]] == row["train_curves"]["valid_perplexity"], f"the training's archive says {seen}")
        check(row["valid_perplexity"] == row["train_curves"]["valid_perplexity"][-1] and row["defect"] is None, row)
        check(seen["config"]["data"]["bptt"] == 10 and seen["config"]["data"]["dir"] == str(folder), f"the training's data: {seen['config']}")
    best = min(found["candidates"], key=lambda row: (row["valid_perplexity"], row["valid_loss"], row["seed"]))
    check(found["winner"] == {name: best[name] for name in ("seed", "valid_perplexity", "genotype")}, found["winner"])
    check("held-out perplexity" in answer(*TEXT, *sets("--set", f"data.dir={folder}"), "--seeds", "0,1", "--out", out).stdout, "the table")
    begun_anew(out, folder)


def begun_anew(out, folder):
    """Nothing is left of a selection that is overwritten, but what was no part of it."""
    for left in ("seed-0/search.h5.prev", "seed-1/train.h5.prev", "winner.json.prev", "mine"):
        (out / left).write_text("old")
    answer(*TEXT, "--seeds", "1,2", "--overwrite", "--out", out)
    check(not (out / "seed-0").exists() and (out / "mine").read_text() == "old", "files of earlier seeds, or of others")
    olds = [path for path in out.rglob("*.prev") if path.read_bytes() == b"old"]
    check(olds == [] and not list(out.rglob("*.lock")), f"left of the earlier selection: {olds}")
    (out / "selection.json").unlink()
    (out / "winner.json").write_text("mine")
    refusal(2, "exists and holds no selection", *TEXT, "--seeds", "1,2", "--overwrite", "--out", out)
    check((out / "winner.json").read_text() == "mine", "--overwrite replaces what is no selection's")


def defects(folder):
    """A network that cannot be built is reported, and the others are selected from."""
    out = folder / "threshold"
    apart = [*THRESHOLD, "--set", "space.alpha_init=3", "--seeds", "0,1"]
    said = answer(*apart, "--out", out).stdout
    check("seed 0      cannot be built: cell 2 of the genotype has no operations" in said and said.count("selected") == 1, said)
    found = json.loads((out / "selection.json").read_text())
    bad, good = found["candidates"]
    check(bad["defect"].startswith("cell 2 of the genotype has no operations") and [] in bad["genotype"]["genes"], bad)
    check([bad[name] for name in ("train", "valid_top1", "valid_loss")] == [None] * 3 and bad["train_curves"] == {}, bad)
    check(good["defect"] is None and good["valid_top1"] is not None and found["winner"]["seed"] == 1, good)
    trained = (out / "seed-1/train.h5").read_bytes()
    check(asked(*apart, "--out", out) == found, "repeated, another selection")
    check(not (out / "seed-0/train.h5").exists() and (out / "seed-1/train.h5").read_bytes() == trained, "repeated, another training")
    none = folder / "none"
    for _ in range(2):
        refusal(1, "none of the networks that were found can be built, the first for this reason: cell 0", *THRESHOLD, "--seeds", "0,1", "--out", none)
        found = json.loads((none / "selection.json").read_text())
        check(found["winner"] is None and len(found["candidates"]) == 2 and not (none / "winner.json").exists(), found)


def misuse(folder, whole):
    refusal(2, "holds another selection (seeds 3,5,8; search quick", *SELECT[:-2], "--out", whole)
    refusal(2, "--seeds: expected whole numbers from 0 on", "select", *SEARCH, "--seeds", "1,x", "--out", folder / "x")
    refusal(2, "--seeds: expected at least two different seeds, found '4,4'", "select", *SEARCH, "--seeds", "4,4", "--out", folder / "x")
    refusal(2, "the trainings hold no records of synthetic out, by which to select", *SELECT, "--train-set", "data.train_portion=1", "--out", folder / "x")
    refusal(2, "unknown key 'train.epoch'", *SELECT, "--train-set", "train.epoch=1", "--out", folder / "x")
    refusal(2, "data.train_portion is for images", *TEXT, "--train-set", "data.train_portion=0.5", "--out", folder / "x")
    refusal(2, "data.bptt is for text", *SELECT, "--train-set", "data.bptt=5", "--out", folder / "x")
    refusal(2, "give a batch of at most 1000", *TEXT, "--train-set", "train.batch=100000", "--out", folder / "x")
    (folder / "penn").mkdir()
    for split in ("train", "valid", "test"):
        (folder / "penn" / f"{split}.txt").write_text("a b c\n" * 200)
    penn = ["select", "darts-ptb-search", "--train", "darts-ptb-train", "--out", folder / "x"]
    refusal(3, str(folder / "lost"), *penn, "--set", f"data.dir={folder / 'lost'}")
    refusal(3, str(folder / "lost"), *penn, "--set", f"data.dir={folder / 'penn'}", "--train-set", f"data.dir={folder / 'lost'}")
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
        of_text(folder)
        defects(folder)
        print("figure: three seeds selected by held-out accuracy; the same bits after two kills and an interruption")


main()
