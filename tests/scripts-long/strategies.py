#!/usr/bin/env python3
"""Every named strategy on every space, plain and fused: two epochs of a tiny search are archived, killed, resumed to the same bits and derived. What
makes no sense is refused with the reason.

  tests/scripts-long/strategies.py [STRATEGY ...]    those alone"""
import os
import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import answer, asked, check, differences, mixop, says, stopped

IMAGES = ["data.name=synthetic", "synthetic.size=8", "synthetic.train=64", "synthetic.test=16", "data.train_limit=0", "search.batch=8", "space.channels=4",
          "weights.lr=0.1"]
SPACES = {
    "darts_cnn": ["darts-cifar10-first-order", *IMAGES, "space.layers=3", "space.nodes=2", "space.ops=none,skip_connect,sep_conv_3x3,max_pool_3x3"],
    "ddarts": ["ddarts-cifar10", *IMAGES, "space.layers=3", "space.nodes=2", "space.ops=skip_connect,sep_conv_3x3,max_pool_3x3"],
    "nasbench201": ["darts-cifar10-first-order", "space.name=nasbench201", *IMAGES, "space.layers=3",
                    "space.ops=none,skip_connect,nor_conv_1x1,nor_conv_3x3,avg_pool_3x3"],
    "darts_rnn": ["darts-ptb-search", "data.name=synthetic_text", "synthetic_text.train=600", "synthetic_text.valid=200", "synthetic_text.vocabulary=20",
                  "data.bptt=5", "search.batch=8", "space.width=8", "space.nodes=3"],
}
# Strategy and space, and why they do not go together.
REFUSED = {("pc_darts", "darts_rnn"): "partial channels are for images",
           ("p_darts", "ddarts"): "makes the network deeper, and the alphas 'alphas' of space.name=ddarts are those of the cells at hand"}


def search(space, strategy, execution):
    preset, *keys = SPACES[space]
    words = ["search", preset, "--strategy", strategy]
    for key in [*keys, "search.epochs=2", "alphas.lr=0.1", "threads=1", "device=cpu", f"execution={execution}", "strategy.stopper="]:
        words += ["--set", key]
    return words


def whole_way(folder, space, strategy, execution):
    what = f"{strategy} on {space}, {execution}"
    words = search(space, strategy, execution)
    run, cut = folder / "run.h5", folder / "cut.h5"
    if reason := REFUSED.get((strategy, space)):
        none = folder / "refused.h5"
        refused = mixop(*words, "--out", none)
        check(refused.returncode == 2 and reason in refused.stderr and not none.exists(), f"{what}: {refused.stderr}")
        return f"{what}: refused"
    answer(*words, "--overwrite", "--out", run)
    check(stopped(signal.SIGKILL, says("epoch 1/2  train loss"), *words, "--out", cut) == -9, f"{what}: not killed")
    answer("search", "--resume", "--out", cut)
    check(differences(run, cut) == [], f"{what}: killed and resumed, other bits in {differences(run, cut)}")
    last = asked("inspect", run)["epochs"][-1]
    check(asked("derive", run) == last["genotype"], f"{what}: derives another genotype")
    return f"{what}: {last['valid_loss']:.4f}"


def main():
    strategies = sys.argv[1:] or [row["name"] for row in asked("list", "strategies") if "=" not in row["name"]]
    with tempfile.TemporaryDirectory() as made:
        for strategy in strategies:
            for space in SPACES:
                for execution in ("plain", "fused"):
                    print(whole_way(pathlib.Path(made), space, strategy, execution), flush=True)
    print("strategies: all well")


main()
