#!/usr/bin/env python3
"""Text from search to evaluation: searches of either order, killed and resumed to the same bits, the genotype's network trained,
evaluated and trained on, and what is refused."""
import json
import math
import os
import pathlib
import signal
import sys
import tempfile

import h5py

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import asked, check, differences, mixop, refusal, says, stopped  # noqa: E402


def sets(*assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


DATA = sets("data.name=synthetic_text", "synthetic_text.vocabulary=50", "synthetic_text.train=2000", "synthetic_text.valid=300",
            "synthetic_text.test=250", "data.bptt=10", "space.width=10", "threads=1")
SEARCH = ["search", "darts-ptb-search", *DATA, *sets("space.nodes=3", "search.batch=10", "search.epochs=3")]
TRAIN = ["train", "darts-ptb-train", *DATA, *sets("train.batch=10", "weights.lr=5")]


def expect(code, parts, *arguments):
    for part in parts:
        refusal(code, part, *arguments)


def search(folder, strategy):
    whole, broken = folder / f"{strategy}.h5", folder / f"{strategy}-broken.h5"
    found = asked(*SEARCH, "--strategy", strategy, "--out", whole)
    cell = found["genotype"]
    check(len(cell["recurrent"]) == 3 and cell["concat"] == [1, 2, 3], cell)
    check(all(name in ("tanh", "relu", "sigmoid", "identity") for name, _ in cell["recurrent"]), cell)
    check(math.isclose(found["valid_perplexity"], math.exp(found["valid_loss"]), rel_tol=1e-9), found)
    check(stopped(signal.SIGKILL, says("epoch 1/3  train"), *SEARCH, "--strategy", strategy, "--out", broken) == -9, "SIGKILL")
    check(mixop("search", "--resume", "--out", broken).returncode == 0, "resuming after SIGKILL")
    check(differences(whole, broken) == [], f"{strategy}: other bits after SIGKILL: {differences(whole, broken)}")
    broken.unlink()
    check(stopped(signal.SIGTERM, says("step 1/"), *SEARCH, "--strategy", strategy, "--out", broken) == 143, "SIGTERM")
    check(0 < asked("inspect", broken)["step"] <= found["step"], "SIGTERM came within the search")
    check(mixop("search", "--resume", "--out", broken).returncode == 0, "resuming after SIGTERM")
    check(differences(whole, broken) == [], f"{strategy}: other bits after SIGTERM: {differences(whole, broken)}")
    check(asked("derive", whole) == cell, "derive")
    again = mixop("search", "--resume", "--out", whole)
    check(again.returncode == 0 and "finished before, after epoch 3" in again.stderr, again.stderr)
    picture = folder / "cell.svg"
    check(mixop("draw", whole, "-o", picture).returncode == 0 and "<svg" in picture.read_text(), "draw")
    return whole


def train(folder, run):
    net = folder / "net.h5"
    answer = asked(*TRAIN, "--genotype", run, *sets("train.epochs=4"), "--out", net)
    check(answer["epoch"] == 4 and {"train_perplexity", "valid_loss", "valid_perplexity"} <= answer.keys(), answer)
    rows = asked("inspect", net)["epochs"]
    best = min(rows, key=lambda row: row["valid_loss"])
    check(answer["kept_epoch"] == best["epoch"], f"kept {answer['kept_epoch']}, the best is {best['epoch']}")
    check(f"network  of epoch {best['epoch']}, the best by the held-out records" in mixop("inspect", net).stdout, "inspect's network")
    ten = asked("evaluate", net, "--split", "valid", "--batch", 10)
    check(math.isclose(ten["loss"], best["valid_loss"], rel_tol=1e-5), f"evaluate gives {ten}, training {best}")
    one = asked("evaluate", net)
    check(one["tokens"] == 249 and math.isclose(one["perplexity"], math.exp(one["loss"]), rel_tol=1e-9), one)
    check(asked("evaluate", net, "--split", "valid")["tokens"] == 299, "every word but the first")
    check("perplexity" in mixop("evaluate", net).stdout, "evaluate as text")
    with h5py.File(net) as file:
        check("encoder.weight" in file["weights"] and "decoder.weight" not in file["weights"], "a tied weight is stored once")
    check(asked("summary", "--genotype", net)["parameters"] == 2 * 10 * 20 + 3 * 200 + 550, "summary takes the archive's sizes")
    check(asked("summary", "--genotype", net, "--width", 20)["parameters"] == 2 * 20 * 40 + 3 * 800 + 1050, "summary of another width")
    return net


def go_on(folder, run, net):
    longer = folder / "longer.h5"
    asked(*TRAIN, "--genotype", run, *sets("train.epochs=6"), "--out", longer)
    continued = asked("train", "--continue", "--out", net, *sets("train.epochs=6"))
    check(continued["epoch"] == 6, continued)
    check(set(differences(longer, net)) <= {"/config/resolved", "/config/sets"}, differences(longer, net))
    changed = asked("train", "--continue", "--out", net, *sets("train.epochs=7", "weights.lr=1"))
    check(asked("inspect", net)["epochs"][-1]["learning_rate"] == 1 and changed["epoch"] == 7, "another rate from there on")
    with h5py.File(net) as file:
        check([text.decode() for text in file["config/sets"][-2:]] == ["train.epochs=7", "weights.lr=1"], "what was changed is kept")
    said = mixop("train", "--resume", "--out", net)
    check(said.returncode == 0 and "finished before: all 7 epochs" in said.stderr, said.stderr)
    expect(2, ["--continue", "above the 7 epochs", "found 7"], "train", "--continue", "--out", net)
    expect(2, ["--continue: --set space.width=12: expected train.epochs"], "train", "--continue", "--out", net, *sets("space.width=12"))
    expect(2, ["--continue: goes on with the archive's own"], "train", "darts-ptb-train", "--continue", "--out", net)
    unfinished = folder / "unfinished.h5"
    long = sets("train.epochs=4", "synthetic_text.train=60000")  # an epoch that the signal surely comes in
    stopped(signal.SIGINT, says("step 1/"), *TRAIN, "--genotype", run, *long, "--out", unfinished)
    steps = asked("inspect", unfinished)["step"]
    check(f"position 0 of 4 epochs, {steps} steps, {steps} of them in the epoch under way" in mixop("inspect", unfinished).stdout, "inspect")
    check("network  the last one\n" in mixop("inspect", unfinished).stdout, "the network that an unfinished training holds")
    check("its training has 0 of 4 epochs" in mixop("evaluate", unfinished).stderr, "evaluate is silent on an unfinished training")
    dry = mixop("train", "--resume", "--dry-run", "--out", unfinished)
    check(json.loads(dry.stdout)["space"]["width"] == 10 and "predicted peak memory" in dry.stderr, f"a dry run of a resumed run: {dry.stderr}")
    expect(2, ["has 0 of its 4 epochs; finish it by --resume"], "train", "--continue", "--out", unfinished, *sets("train.epochs=9"))


def misuse(folder, net):
    out = ["--out", folder / "x.h5"]
    expect(2, ["space.name: expected a space for text", "'darts_cnn'"], *SEARCH, *sets("space.name=darts_cnn"), *out)
    expect(2, ["space.name: expected a space for images", "'darts_rnn'"], "search", "quick", *sets("space.name=darts_rnn"), *out)
    expect(2, ["goes by the loss on held-out records"], "train", "--genotype", "DARTS_V2", *sets("space.name=darts_cnn", "data.name=synthetic",
           "train.keep=best"), *out)
    expect(2, ["was trained on text of 50 words", "text of 60 words"], "evaluate", net, *sets("synthetic_text.vocabulary=60"))
    expect(2, ["was trained on text of 50 words", "3x32x32 images of 10 classes"], "evaluate", net, *sets("data.name=synthetic"))
    expect(2, ["--width means nothing to a space of images"], "summary", "--genotype", "darts_cnn/DARTS_V2", "--width", 10)
    expect(2, ["--channels means nothing to a space of text"], "summary", "--genotype", "darts_rnn/DARTS_V2", "--channels", 10)
    expect(1, ["not finite any more"], *TRAIN, "--genotype", "darts_rnn/DARTS_V2", *sets("weights.lr=1000", "weights.clip=0",
           "weights.decay=1000", "train.epochs=2"), *out)
    described = asked("data", "describe", "synthetic_text")
    check(all(1 < value < 200 for value in described["unigram_perplexity"].values()) and described["classes"] == 200, described)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o700)
        search(folder, "first_order")
        run = search(folder, "second_order")
        net = train(folder, run)
        go_on(folder, run, net)
        misuse(folder, net)
    print("text: all well")


if __name__ == "__main__":
    main()
