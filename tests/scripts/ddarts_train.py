#!/usr/bin/env python3
"""Networks of genotypes by position: trained, archived, resumed, evaluated, drawn; a baseline of one's own; misuse."""
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]) / "tests/support"))
from program import answer, asked, check, differences, refusal  # noqa: E402

TINY = ["--set", "data.name=synthetic", "--set", "synthetic.size=8", "--set", "synthetic.train=64", "--set", "synthetic.test=20",
        "--set", "threads=1", "--set", "space.channels=2", "--set", "data.cutout=2", "--set", "train.batch=16"]
# Two cells that repeat; node 3 runs before node 2, and the second cell lacks node 3, which concat names.
OWN = {"genes": [[["simple_conv_1x1", 3, 0], ["sep_conv_3x3", 2, 3], ["skip_connect", 2, 1]], [["max_pool_3x3", 2, 1]]],
       "concat": [2, 3], "reductions": [1], "seq": [0, 1, 0]}
START = {"genes": [[["simple_conv_3x3", 2, 0], ["simple_conv_3x3", 3, 2], ["skip_connect", 3, 0]], [["sep_conv_3x3", 2, 1], ["skip_connect", 3, 2]]],
         "concat": [2, 3], "reductions": [1]}


def baseline(folder):
    """A baseline in all commands, with the auxiliary head on a map of one pixel."""
    net = folder / "net.h5"
    trained = asked("train", "--genotype", "dartopti/ResNet18", *TINY, "--set", "train.epochs=2", "--out", net)
    seen = asked("inspect", net)
    check(seen["config"]["space"]["name"] == "dartopti" and seen["config"]["space"]["layers"] == 4, seen["config"]["space"])
    check(seen["config"]["train"]["auxiliary"] == 0.4 and [row["epoch"] for row in seen["epochs"]] == [1, 2], seen["epochs"])
    check(trained["genotype"] == seen["genotype"] == asked("derive", net) == asked("derive", "ResNet18"), "the genotype survives")
    measured = asked("evaluate", net)
    check(measured["samples"] == 20 and measured["top1"] == trained["test_top1"], measured)
    check(answer("train", "--resume", "--out", net).returncode == 0, "a finished training resumes")
    again = folder / "again.h5"
    asked("train", "--genotype", net, *TINY, "--set", "train.epochs=2", "--out", again)
    check(differences(net, again) == [], "the genotype of a network trains to the same bits")
    check(asked("summary", "--genotype", net, "--channels", 16)["parameters"] == 881274, "summary of an archive")
    check(asked("distance", net, "ResNet50")["distance"] == asked("distance", "ResNet18", "ResNet50")["distance"], "distance")
    answer("draw", net, "-o", folder / "cells.svg")
    picture = (folder / "cells.svg").read_text()
    check("simple_conv_3x3" in picture and "cell 0 at 0, 1 (reduction), 2 (reduction), 3 (reduction)" in picture, "the picture")


def own(folder):
    """A baseline of one's own, as JSON and as Python text."""
    (folder / "own.json").write_text(json.dumps(OWN))
    first, second = folder / "own.h5", folder / "own2.h5"
    trained = asked("train", "--genotype", folder / "own.json", "ddarts-cifar10-train", *TINY, "--set", "train.epochs=1", "--out", first)
    check(trained["genotype"] == OWN, trained["genotype"])
    (folder / "own.txt").write_text(answer("derive", folder / "own.json", "--form", "python").stdout)
    asked("train", "--genotype", folder / "own.txt", "ddarts-cifar10-train", *TINY, "--set", "train.epochs=1", "--out", second)
    check(differences(first, second) == [], "both forms train to the same bits")


def starting_point(folder):
    """A search starts from whatever --genotype takes."""
    (folder / "start.json").write_text(json.dumps(START))
    text = answer("derive", folder / "start.json", "--form", "python").stdout.strip()
    (folder / "starts.py").write_text(f"MINE = {text}\nOTHER = {text}\n")
    (folder / "log").write_text(f"10:00 genotype = {text}\n10:01 genotype = {text}\n")
    sizes = ["--set", "space.layers=2", "--set", "space.nodes=2", "--set", "search.batch=8", "--set", "search.epochs=1"]
    search = ["search", "--set", "space.name=dartopti", *TINY[:-2], *sizes]
    first = folder / "from.h5"
    asked(*search, "--set", f"space.baseline={folder / 'start.json'}", "--out", first)
    first.rename(folder / "archive")
    kept = asked("inspect", folder / "archive")["config"]["space"]["baseline"]
    check(json.loads(kept)["genes"] == START["genes"], f"the archive keeps {kept}")
    for given in (text, f"{folder / 'starts.py'}:MINE", folder / "log", kept):
        said = answer(*search, "--set", f"space.baseline={given}", "--out", first, "--overwrite").stderr
        check(differences(folder / "archive", first, ("/provenance", "/config/sets")) == [], f"another search from {given}")
        check(("the last of its 2 genotypes is taken" in said) == (given == folder / "log"), f"what was chosen of {given}: {said}")
        summary = ["summary", "--space", "dartopti", "--genotype", "supernet", "--layers", 2, "--nodes", 2]
        check(asked(*summary, "--baseline", given) == asked(*summary, "--baseline", kept), f"summary of {given}")
    found = asked("derive", folder / "archive")["genes"]
    answer(*search, "--set", f"space.baseline={folder / 'archive'}", "--out", first, "--overwrite")
    check(json.loads(asked("inspect", first)["config"]["space"]["baseline"])["genes"] == found, "what a search found is the next one's start")
    answer(*search, "--set", f"space.baseline={folder / 'archive'}", "--resume", "--out", first)
    named = ["summary", "--space", "dartopti", "--genotype", "supernet", "--layers", 4, "--baseline"]
    check(asked(*named, "dartopti/ResNet18") == asked(*named, "ResNet18"), "a published one by both names")
    for given, words in ((f"{folder / 'starts.py'}", "has several genotypes: MINE, OTHER"), ("ResNet81", "unknown genotype 'ResNet81'"),
                         ("ddarts/DARTS", "unknown genotype"), (folder / "absent.json", "no such file")):
        refusal(2, "space.baseline: ", *search, "--set", f"space.baseline={given}", "--out", folder / "x.h5")
        refusal(2, words, *search, "--set", f"space.baseline={given}", "--out", folder / "x.h5")


def deeper(folder):
    """More cells than were searched."""
    name = "ddarts/D-DARTS_threshold_sparse_cifar10_0.85_50"
    net = folder / "deeper.h5"
    asked("train", "--genotype", name, *TINY, "--set", "space.layers=9", "--set", "train.epochs=1", "--set", "synthetic.train=16", "--out", net)
    check(asked("inspect", net)["config"]["space"]["layers"] == 9, "nine cells")
    check(asked("derive", net) == asked("derive", name), "the genotype stays that of the search")


def cells_by_kind(folder):
    """The strategy and its rules on a space whose cells are normal and reduce: empty ones, and any number of genes a node."""
    search = ["search", "darts-cifar10", "--strategy", "ddarts", "--set", "data.name=synthetic", "--set", "synthetic.size=8",
              "--set", "synthetic.train=48", "--set", "threads=1", "--set", "space.channels=2", "--set", "space.layers=3",
              "--set", "space.nodes=2", "--set", "search.batch=8", "--set", "search.epochs=1"]
    none, all_above = folder / "none.h5", folder / "all.h5"
    check(asked(*search, "--out", none)["genotype"]["normal"] == [], "no operation is above the threshold")
    check(asked("derive", none) == asked("inspect", none)["epochs"][1]["genotype"], "an empty genotype is read")
    check(answer("search", "--resume", "--out", none).returncode == 0, "and its search goes on")
    refusal(2, "cell 'normal' has no operations", "summary", "--genotype", none)
    still = answer(*search, "--set", "search.pretrain_epochs=1", "--out", folder / "still.h5")
    check("the alphas stay where they start" in still.stderr, still.stderr)
    found = asked(*search, "--set", "strategy.deriver=threshold_complete", "--set", "threshold_complete.threshold=0.01", "--out", all_above)
    check({len(gene) for gene in found["genotype"]["normal"]} == {3}, found["genotype"])
    check(asked("derive", all_above) == found["genotype"], "a genotype of many genes a node is read")
    asked("train", "--genotype", all_above, *TINY, "--set", "space.layers=3", "--set", "train.epochs=1", "--set", "train.auxiliary=0",
          "--out", folder / "all-net.h5")
    recurrent = folder / "recurrent.h5"
    asked("search", "darts-ptb-search", "--strategy", "ddarts", "--set", "data.name=synthetic_text", "--set", "synthetic_text.train=60",
          "--set", "synthetic_text.valid=40", "--set", "space.width=4", "--set", "space.nodes=2", "--set", "search.batch=4",
          "--set", "search.epochs=1", "--out", recurrent)
    asked("inspect", recurrent)


def misuse(folder):
    out = ["--out", folder / "x.h5"]
    refusal(2, "makes networks of up to 4 cells, found 6", "train", "--genotype", "ResNet18", *TINY, "--set", "space.layers=6", *out)
    refusal(2, "is of the space 'dartopti', and --space or space.name says 'darts_cnn'", "train", "--genotype",
            "dartopti/ResNet18", "darts-cifar10-train", *TINY, *out)
    for genes, words in (([[["skip_connect", 2, 0]], []], "cell 1 of the genotype has no operations"),
                         ([[["skip_connect", 3, 2], ["skip_connect", 2, 0]]], "leaves node 3 without input"),
                         ([[["skip_connect", 4, 0]]], "has none of the nodes that concat names")):
        (folder / "broken.json").write_text(json.dumps({"genes": genes, "concat": [2, 3], "reductions": []}))
        refusal(2, words, "train", "--genotype", folder / "broken.json", *TINY, *out)
        refusal(2, words, "summary", "--genotype", folder / "broken.json")
        check(answer("draw", folder / "broken.json", "-o", folder / "broken.dot").returncode == 0, "a defect can be looked at")
    (folder / "broken.py").write_text("Genotype_opt(genes=[residual_layer], seq=[0], concat=[2], reductions=[])")
    refusal(3, "'residual_layer' is not known here", "summary", "--genotype", folder / "broken.py")
    refusal(2, "two genotypes or more are expected, found 1", "distance", "ResNet18")
    refusal(2, "expected genotypes of cells for images, found the recurrent cell of 'ENAS'", "distance", "ENAS", "ResNet18")
    own = {"genes": [[["sep_conv_3x3", 2, 0], ["own_conv", 3, 0]]], "concat": [2, 3, 4, 5]}
    (folder / "own.json").write_text(json.dumps(own))
    told = answer("distance", folder / "own.json", "ResNet18")
    check(told.returncode == 0 and "'own_conv' has no published weight and weighs the mean" in told.stderr, told.stderr)
    refusal(2, "unknown genotype 'ResNet19'", "distance", "ResNet19", "ResNet18")
    for weights, words in (([1], "expected an object of weights"), ({"a": -1}, "a: expected a weight of at least 0"),
                           ({"a": 0}, "expected a weight above 0"), ({"a": 1}, "has no weight in the architecture distance; those of a are")):
        (folder / "weights.json").write_text(json.dumps(weights))
        refusal(2, words, "distance", "ResNet18", "ResNet50", "--weights", folder / "weights.json")
    refusal(2, "--form: expected json, python or mmrazor, found 'yaml'", "derive", "ResNet18", "--form", "yaml")
    refusal(2, "--epoch is for a search's archive or --alphas; ResNet18 is a genotype", "derive", "ResNet18", "--epoch", 1)
    check(not (folder / "x.h5").exists(), "a refused training left an archive")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in (baseline, own, starting_point, deeper, cells_by_kind, misuse):
            part(folder)
    print("ddarts_train: all well")


if __name__ == "__main__":
    main()
