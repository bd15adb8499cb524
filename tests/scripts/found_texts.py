#!/usr/bin/env python3
"""Genotypes are read as they are found: files of any name by what is in them, definitions, logs, text on the command line."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, answer, asked, check, mixop, refusal  # noqa: E402

PAIRS = [("sep_conv_3x3", 0), ("skip_connect", 1), ("dil_conv_5x5", 2), ("sep_conv_5x5", 0)]
FLAT = f"Genotype(normal={PAIRS}, normal_concat=range(2, 4), reduce={PAIRS}, reduce_concat=list(range(2, 4)))"
NESTED = [[PAIRS[0], PAIRS[1]], [PAIRS[2], PAIRS[3]]]
SIZES = ["--channels", "8", "--layers", "4"]
ARCHIVE = ["--strategy", "first_order", "--set", "space.channels=2", "--set", "space.layers=3", "--set", "threads=1", "--set",
           "search.batch=8", "--set", "search.epochs=1", "--set", "synthetic.size=8", "--set", "synthetic.train=32", "--set",
           "synthetic.test=8", "--set", "data.train_limit=0"]

TRAINING = ["--set", "data.name=synthetic", "--set", "synthetic.size=8", "--set", "synthetic.train=32", "--set", "synthetic.test=8",
            "--set", "train.epochs=1", "--set", "train.batch=8", "--set", "train.auxiliary=0", "--set", "space.channels=2",
            "--set", "space.layers=3", "--set", "threads=1"]


def forms(folder):
    """Every form of one genotype is the same network, under any name."""
    wanted = asked("summary", "--genotype", FLAT, *SIZES)
    nested = f"Genotype(normal={NESTED}, normal_concat=[2, 3], reduce={NESTED}, reduce_concat=[2, 3], connectN=None)"
    weighted = [(name, source, 0.25) for name, source in PAIRS]
    for name, text in (("arch", FLAT), ("khanrc.txt", nested), ("cdarts.json", json.dumps({"2": nested})),
                       ("log", f"07/16 13:39:20 gpu device = 0\n07/16 13:39:20 genotype = {FLAT}\n07/16 epoch 1\n"),
                       ("quoted.txt", f'"genotype = {FLAT}"'), ("bom.json", "\ufeff" + json.dumps({
                           "normal": PAIRS, "normal_concat": [2, 3], "reduce": PAIRS, "reduce_concat": [2, 3]})),
                       ("weighted", f"Genotype(normal={weighted}, normal_concat=[2, 3], reduce={PAIRS}, reduce_concat=[2, 3])"),
                       ("dict.py", str({"normal": PAIRS, "normal_concat": [2, 3], "reduce": PAIRS, "reduce_concat": [2, 3]}))):
        (folder / name).write_text(text)
        check(asked("summary", "--genotype", folder / name, *SIZES) == wanted, f"{name} is another network")
        check(answer("draw", folder / name, "-o", folder / "cells.dot").returncode == 0, name)
    check("edge weights" in answer("derive", folder / "weighted").stderr, "weights are said")
    check(asked("distance", folder / "arch", folder / "khanrc.txt")["distance"] == 0, "distance of two forms")


def definitions(folder):
    file = folder / "genotypes.py"
    file.write_text("from collections import namedtuple\nGenotype = namedtuple('Genotype', 'normal normal_concat')\n"
                    f"A = {FLAT}\nB = {FLAT}\nDARTS = B\n")
    refusal(2, f"has several genotypes: A, B, DARTS; name one, for instance {file}:A", "derive", file)
    refusal(2, "has no genotype 'C'", "derive", f"{file}:C")
    check(answer("derive", f"{file}:DARTS").stdout == answer("derive", FLAT).stdout, "a definition by its name")
    refusal(2, "no such file", "derive", folder / "absent.json")
    (folder / "config.yaml").write_text("normal:\n  - [sep_conv_3x3, 0]\n")
    refusal(3, "found YAML", "derive", folder / "config.yaml")
    (folder / "wide.json").write_bytes("{}".encode("utf-16"))
    refusal(2, "UTF-16", "derive", folder / "wide.json")
    (folder / "comment.json").write_text("{ // mine\n}")
    refusal(3, "a comment, of which JSON has none", "derive", folder / "comment.json")


def archives(folder):
    """An archive is one under any name, in every command."""
    run = folder / "run"
    answer("search", "quick", *ARCHIVE, "--out", run)
    (folder / "run.h5.prev").write_bytes(run.read_bytes())
    for name in (run, folder / "run.h5.prev"):
        for command in (["derive", name], ["draw", name, "-o", folder / "a.dot"], ["draw", name, "--epoch", "0", "-o", folder / "a.dot"],
                        ["summary", "--genotype", name], ["distance", name, "darts_cnn/DARTS_V2"], ["inspect", name], ["verify", name]):
            answer(*command)
    refusal(2, "0 (the start) to 1", "draw", run, "--epoch", "2", "-o", folder / "a.dot")
    refusal(2, "--epoch is for a search's archive", "draw", "darts_cnn/DARTS_V2", "--epoch", "0", "-o", folder / "a.dot")
    first, last = (answer("inspect", run, "--epoch", n).stdout for n in ("0", "1"))
    check("genotype after 0 epochs" in first and "genotype after 1" not in first, first)
    check(answer("inspect", run).stdout == last and "configuration" not in last, "inspect shows the last genotype")
    whole = answer("inspect", run, "--all").stdout
    check("genotype after 0" in whole and "genotype after 1" in whole and "configuration" in whole, "inspect --all")
    refusal(2, "expected 0 (the start) to 1, found 7", "inspect", run, "--epoch", "7")
    answer("search", "quick", *ARCHIVE, "--set", "seed=9", "--out", folder / "other.h5")
    brief = mixop("compare", run, folder / "other.h5", "--brief")
    check(brief.returncode == 1 and brief.stdout.count("\n") < 15 and "/weights: " in brief.stdout, brief.stdout)


def hostile(folder):
    """Deep, large and evaluated texts end in a message."""
    (folder / "deep").write_text("Genotype(normal=" + "range(" * 100000)
    refusal(3, "at most 16 brackets within each other", "derive", folder / "deep")
    (folder / "long").write_text("Genotype(normal=range(100000), normal_concat=[2], reduce=[], reduce_concat=[2])")
    refusal(3, "a list of 100000 items; at most 65536", "derive", folder / "long")
    (folder / "doubling").write_text(json.dumps({"genes": [[["sep_conv_3x3", 2, 0]]] * 20, "concat": [2], "reductions": list(range(20))}))
    refusal(2, "channels, at most 65536", "summary", "--genotype", folder / "doubling", "--channels", "4")
    (folder / "names").write_text(json.dumps({"normal": [["x', 0)] + [print('\x1b[31m", 0], ["a", 1]], "normal_concat": [2]}))
    run = refusal(3, "expected an operation's name of letters", "derive", folder / "names", "--form", "python")
    check("\x1b" not in run.stderr and "\\x1b[31m" in run.stderr, f"a control character reached the terminal: {run.stderr!r}")
    refusal(2, "expected an operation's name of letters", "derive", "|x'y~0|", "--form", "python")


def pipes(folder):
    """A configuration and a genotype may come from a pipe, which is read once."""
    config = json.dumps({"preset": "quick", "space": {"channels": 6}})
    run = subprocess.run([MIXOP, "search", "/dev/stdin", "--dry-run"], input=config, capture_output=True, text=True, timeout=120)
    check(run.returncode == 0 and json.loads(run.stdout)["space"]["channels"] == 6, run.stderr)
    run = subprocess.run([MIXOP, "search", "/dev/stdin", *ARCHIVE, "--out", folder / "piped.h5"], input=config,
                         capture_output=True, text=True, timeout=120)
    check(run.returncode == 0, run.stderr)


    own = answer("derive", "darts_cnn/DARTS_V2").stdout
    for genotype in (own, answer("derive", "darts_cnn/DARTS_V2", "--form", "python").stdout, "\n" + own):
        for command in (["train", "darts-cifar10-train", *TRAINING, "--overwrite", "--out", folder / "net.h5"],
                        ["summary", "--space", "darts_cnn"]):
            run = subprocess.run([MIXOP, *command, "--genotype", "/dev/stdin"], input=genotype, capture_output=True, text=True, timeout=120)
            check(run.returncode == 0, run.stderr)


def unsearched(folder):
    """A cell whose alphas no cell of the network reads is in no genotype; alphas that stayed where they began are said."""
    two = [word.replace("space.layers=3", "space.layers=2") for word in ARCHIVE]
    run, words = folder / "two.h5", "alphas 'alphas_normal', so"
    searched = answer("search", "quick", *two, "--out", run)
    check(words in searched.stderr, "a set that no cell reads")
    alone = json.loads(searched.stdout)
    check(sorted(alone) == ["reduce", "reduce_concat"], f"the genotype of reductions: {alone}")
    for command in (["derive", run], ["draw", run, "-o", folder / "a.dot"], ["summary", "--genotype", run]):
        check(words in answer(*command).stderr, command)
    check(json.loads(answer("derive", run).stdout) == alone, "derive")
    check(answer("derive", run, "--form", "python").stdout.startswith("Genotype(normal=None, normal_concat=None, reduce=[("), "Python")
    check("normal" not in (folder / "a.dot").read_text(), "the picture has a cell that nothing searched")
    check('"normal"' not in answer("inspect", run, "--epoch", 1).stdout, "inspect")
    check(all(sorted(epoch["genotype"]) == ["reduce", "reduce_concat"] for epoch in asked("inspect", run)["epochs"]), "inspect --json")
    small = ["--set", "space.channels=2", "--set", "threads=1", "--set", "data.name=synthetic", "--set", "synthetic.size=8", "--set",
             "synthetic.train=16", "--set", "synthetic.test=8", "--set", "train.epochs=1", "--set", "train.batch=8", "--set",
             "train.auxiliary=0", "--out", folder / "two-net.h5"]
    refusal(2, "space.layers=3 has a 'normal' cell, and the genotype has none", "train", "--genotype", run, "--set", "space.layers=3", *small)
    answer("train", "--genotype", run, "--set", "space.layers=2", *small)

    still = answer("search", "quick", *ARCHIVE, "--set", "alphas.lr=0", "--out", folder / "still.h5")
    check("alphas.lr is 0" in still.stderr and "(alphas.lr was 0)" in answer("derive", folder / "still.h5").stderr, "a rate of 0")
    answer("search", "quick", *ARCHIVE, "--set", "search.pretrain_epochs=1", "--out", folder / "pretrained.h5")
    for file in ("still.h5", "pretrained.h5"):
        check("after 1 epochs the alphas are those of the start" in answer("derive", folder / file).stderr, file)
        check("not searched" not in answer("derive", folder / file, "--epoch", 0).stderr, "the start is what it is")
        check("not searched: its alphas are those of the start" in answer("inspect", folder / file).stdout, "inspect says it")
        check([epoch["alphas_moved"] for epoch in asked("inspect", folder / file)["epochs"]] == [False, False], file)
        answer("draw", folder / file, "-o", folder / "b.dot")
        check("epoch 1, not searched" in (folder / "b.dot").read_text(), "the picture's title")
    check("alphas" not in answer("derive", folder / "run").stderr, "a search of all alphas")
    check(asked("inspect", folder / "run")["epochs"][1]["alphas_moved"], "alphas of a search move")


def relaxed(folder):
    """Alphas that softmax has seen are noticed, and may be taken as they are."""
    row = [0.05, 0.05, 0.05, 0.05, 0.65, 0.05, 0.05, 0.05]
    file = folder / "alphas.json"
    file.write_text(json.dumps({"alphas_normal": [row] * 14, "alphas_reduce": [row] * 14}))
    given = ["derive", "--space", "darts_cnn", "--alphas", file]
    check("every row sums to 1" in answer(*given).stderr, "printed alphas are noticed")
    check("every row" not in answer(*given, "--relaxation", "none").stderr, "what is asked for is not noticed")
    refusal(2, "--relaxation: expected none, found 'softmax'", *given, "--relaxation", "softmax")
    file.write_text(json.dumps({"alphas_normal": [[x - 1 for x in row]] * 14, "alphas_reduce": [row] * 14}))
    check("every row" not in answer(*given).stderr, "raw alphas are not noticed")


def smallest_cells(folder):
    """Alphas of a space that has no cell of one node."""
    file, operations = folder / "bench.json", ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    given = ["derive", "--space", "nasbench201", "--alphas", file]
    for edges in ([(1, 0)], [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]):
        best = [operations[e % 5] for e in range(len(edges))]
        file.write_text(json.dumps({"alphas": [[float(name == one) for name in operations] for one in best]}))
        found = json.loads(answer(*given).stdout)
        check(sorted(found["cell"]) == sorted([name, *edge] for name, edge in zip(best, edges)), f"{len(edges)} edges: {found}")
    file.write_text(json.dumps({"alphas": [[0.0] * 5] * 4}))
    refusal(3, "no number of nodes gives a cell with as many edges", *given)
    file.write_text(json.dumps({"alphas": [[0.0] * 2]}))
    refusal(2, "stands in the list twice", *given, "--ops", "skip_connect,skip_connect")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o700)
        for part in (forms, definitions, hostile, relaxed, smallest_cells, archives, unsearched, pipes):
            part(folder)


main()
