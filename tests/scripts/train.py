#!/usr/bin/env python3
"""Training from scratch: interrupted or killed and resumed to the same bits, its archive in every command, evaluation, misuse."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import h5py
import numpy

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import says, stopped  # noqa: E402

MIXOP = os.environ["MIXOP"]
DATA = ["--set", "data.name=synthetic", "--set", "synthetic.size=8", "--set", "synthetic.train=192", "--set", "synthetic.test=50",
        "--set", "threads=1"]
TINY = [*DATA, "--set", "space.channels=2", "--set", "space.layers=3", "--set", "data.cutout=2", "--set", "data.train_portion=0.75",
        "--set", "train.auxiliary=0", "--set", "train.batch=16", "--set", "train.epochs=4"]
TRAIN = ["train", "--genotype", "DARTS_V2", *TINY]
failures = []


def check(holds, message):
    if not holds:
        failures.append(str(message))


def mixop(*arguments):
    return subprocess.run([MIXOP, *map(str, arguments)], capture_output=True, text=True, timeout=120, env={**os.environ, "MIXOP_DATA": ""})


def asked(*arguments):
    run = mixop(*arguments, "--json")
    check(run.returncode == 0, f"mixop {' '.join(map(str, arguments))}: {run.stderr}")
    return json.loads(run.stdout or "null")


def expect(status, words, *arguments):
    """The command exits with `status` and says all `words` in its one error message."""
    run = mixop(*arguments)
    missing = [word for word in words if word not in run.stderr]
    if run.returncode != status or missing or run.stderr.count("mixop: error:") != 1:
        failures.append(f"mixop {' '.join(map(str, arguments))}: exit code {run.returncode} for {status}, lacks {missing}\n{run.stderr}")


def differences(first, second):
    return [row["path"] for row in json.loads(mixop("compare", first, second, "--json").stdout)["differences"]
            if not row["path"].startswith("/provenance")]


def resume(folder, whole):
    for sign, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        out = folder / f"announced-{sign.name}.h5"
        check(stopped(sign, says("training "), *TRAIN, "--out", out) == code, f"{sign.name} just after the announcement")
        check(0 < asked("inspect", out)["step"] <= 36, f"{sign.name} just after the announcement leaves no step")
    for sign, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        out = folder / f"{sign.name}.h5"
        status = stopped(sign, says("epoch 1/4  train"), *TRAIN, "--out", out)
        check(status == code, f"{sign.name} ended the training with {status}, not {code}")
        step = asked("inspect", out)["step"]
        check(9 <= step <= 36, f"{sign.name} came at step {step}, not within the training")
        resumed = mixop("train", "--resume", "--out", out)
        check(resumed.returncode == 0, resumed.stderr)
        check(differences(whole, out) == [], f"resumed after {sign.name} at step {step}: other bits in {differences(whole, out)}")
    expect(2, ["the archive's own configuration"], *TRAIN, "--seed", 9, "--resume", "--out", whole)
    expect(2, ["genotype", "means another"], "train", "--genotype", "DARTS_V1", "--resume", "--out", whole)
    check(mixop("train", "--genotype", "DARTS_V2", "--resume", "--out", whole).returncode == 0, "the same genotype resumes")


def archive(folder, net, answer):
    seen = asked("inspect", net)
    check([row["epoch"] for row in seen["epochs"]] == [1, 2, 3, 4] and seen["step"] == 36, "inspect's epochs and steps")
    last = seen["epochs"][-1]
    for name in ("train_loss", "train_accuracy", "valid_loss", "valid_top1", "test_loss", "test_top1", "test_top5"):
        check(last[name] == answer[name], f"inspect and train give two {name}")
    check(seen["epochs"][0]["drop_path"] == 0 and last["drop_path"] > 0, "scheduled drop-path")
    data = seen["data"]
    check({name: data[name] for name in ("channels", "height", "width", "classes")} == {"channels": 3, "height": 8, "width": 8, "classes": 10}, data)
    check(len(data["class_names"]) == 10 and len(data["mean"]) == len(data["deviation"]) == 3, data)
    check("train" in seen["config"] and "search" not in seen["config"], "the config of a training has its own keys alone")
    for name, metric in (("best_epoch_by_held_out_records", "valid_top1"), ("best_epoch_by_test_split_not_a_selection", "test_top1")):
        check(answer[name][metric] == max(row[metric] for row in seen["epochs"]), f"{name}: {answer[name]}")
    genotype = asked("derive", net)
    check(genotype == seen["genotype"] == answer["genotype"], "derive prints the genotype")
    check(asked("verify", net)["ok"] and asked("compare", net, net)["equal"], "verify and compare")
    check(mixop("draw", net, "-o", folder / "cells.dot").returncode == 0, "draw")
    sizes = ["--channels", 2, "--layers", 3, "--input", "3x8x8", "--classes", 10]
    check(asked("summary", "--genotype", net) == asked("summary", "--genotype", "darts_cnn/DARTS_V2", *sizes), "summary takes the archive's sizes")
    larger = ["--channels", 36, "--layers", 20, "--input", "3x32x32"]
    check(asked("summary", "--genotype", net, *larger)["parameters"] == 3349342, "summary with other sizes than the archive's")
    check("genotype" in mixop("inspect", net).stdout, "inspect as text")
    with h5py.File(net) as file:
        check(file.attrs["layout"] in ("mixop.network/1", b"mixop.network/1"), "the layout")
        check("stem.0.weight" in file["weights"] and "stem.1.running_mean" in file["buffers"], "weights and buffers")
        check(set(file["optimizer/weights/momentum"]) == set(file["weights"]), "a momentum for each weight")
    again = folder / "again.h5"
    run = mixop("train", "--genotype", net, *TINY, "--out", again)
    check(run.returncode == 0 and differences(net, again) == [], f"the genotype of a network trains to the same bits: {run.stderr}")
    check("which the archive holds: " in run.stdout and "not a selection and no result to report" in run.stdout, run.stdout)


def low_precision(folder):
    """bfloat16 keeps weights in float32, resumes to the same bits, and learns about as well as float32."""
    command = ["train", "--genotype", "DARTS_V2", *DATA, "--set", "synthetic.size=16", "--set", "space.channels=4", "--set", "space.layers=3",
               "--set", "train.auxiliary=0", "--set", "data.cutout=0", "--set", "train.batch=16", "--set", "train.epochs=4"]
    exact = asked(*command, "--out", folder / "float32.h5")
    low = asked(*command, "--set", "precision=bfloat16", "--out", folder / "low.h5")
    again = asked(*command, "--set", "precision=bfloat16", "--out", folder / "low-again.h5")
    losses = [numpy.asarray(h5py.File(folder / name)["metrics/step_train_loss"]) for name in ("float32.h5", "low.h5")]
    # The first step has the same weights and images: 8 bits of a product are a relative 1/256, a few layers some times that.
    check(0 < abs(losses[1][0] - losses[0][0]) < 0.02 * losses[0][0], f"the first loss is {losses[1][0]}, in float32 {losses[0][0]}")
    check(any(numpy.float32(losses[1]).view(numpy.uint32) & 0xffff), "the loss is rounded to bfloat16")
    check(low["train_loss"] < losses[1][:10].mean() - 0.5, f"bfloat16 does not learn: {low['train_loss']} after {losses[1][:10].mean()}")
    check(again["train_loss"] == low["train_loss"] and differences(folder / "low.h5", folder / "low-again.h5") == [], "bfloat16 is not repeated")
    with h5py.File(folder / "low.h5") as file:
        check(all(array.dtype == "float32" for array in file["weights"].values()), "weights are not kept in float32")
    print(f"figure: train loss after 4 epochs: float32 {exact['train_loss']:.4f}, bfloat16 {low['train_loss']:.4f}")
    expect(2, ["precision: bfloat16 is for trainings of images"], "search", "quick", "--set", "precision=bfloat16", "--out", folder / "x.h5")


def confusion(net, first):
    """Classes and matrix say the same as top-1; the picture is one."""
    rows, counts = first["classes"], first["confusion"]
    check(len(rows) == len(counts) == 10 and sum(map(sum, counts)) == 50, counts)
    check([row["samples"] for row in rows] == [sum(row) for row in counts], "a row has its class's samples")
    check([row["correct"] for row in rows] == [counts[i][i] for i in range(10)], "the diagonal is what was right")
    check(abs(sum(row["correct"] for row in rows) / 50 * 100 - first["top1"]) < 1e-9, "the diagonal is top-1")
    check(all(abs(row["accuracy"] - 100 * row["correct"] / row["samples"]) < 1e-9 for row in rows if row["samples"]), rows)
    picture = net.parent / "confusion.svg"
    run = mixop("evaluate", net, "--confusion", picture)
    check(run.returncode == 0 and run.stdout.count("class ") == sum(row["samples"] > 0 for row in rows), run.stdout + run.stderr)
    check("<svg" in picture.read_text() and f"{first['top1']:.2f} % of 50 samples right" in picture.read_text(), "the picture")
    expect(2, ["ends in .svg", "x.png"], "evaluate", net, "--confusion", "x.png")
    expect(2, ["folder.svg", "it is a folder"], "evaluate", net, "--confusion", (net.parent / "folder.svg").mkdir() or net.parent / "folder.svg")
    expect(2, ["cannot be written"], "evaluate", net, "--confusion", net.parent / "no" / "x.svg")


def evaluation(net, answer):
    first = asked("evaluate", net)
    check(first["samples"] == 50 and abs(first["loss"] - answer["test_loss"]) < 6e-5, first)
    check(first["top1"] == answer["test_top1"] and first["top5"] == answer["test_top5"], first)
    for batch in (1, 7, 50, 1000):
        check(asked("evaluate", net, "--batch", batch) == first, f"--batch {batch} gives other figures")
    valid = asked("evaluate", net, "--split", "valid")
    check(valid["samples"] == 48 and valid["top1"] == answer["valid_top1"], valid)
    check(asked("evaluate", net, "--split", "train")["samples"] == 144, "the records that trained it")
    confusion(net, first)
    check("top-1" in mixop("evaluate", net).stdout, "evaluate as text")
    more = asked("evaluate", net, "--set", "synthetic.test=20")
    check(more["samples"] == 20, "an option of the data set")
    expect(2, ["3x8x8 images of 10 classes", "3x16x16 images of 10 classes"], "evaluate", net, "--set", "synthetic.size=16")
    expect(2, ["3x8x8 images of 10 classes", "3x8x8 images of 7 classes"], "evaluate", net, "--set", "synthetic.classes=7")
    expect(2, ["--split", "test, valid or train", "all"], "evaluate", net, "--split", "all")
    expect(2, ["--batch", "from 1", "found 0"], "evaluate", net, "--batch", 0)
    for key in ("space.channels=4", "data.train_portion=0.5", "data.train_limit=10", "data.cutout=4", "data.augment=false", "train.batch=7",
                "seed=3", "second_order.epsilon=3"):
        expect(2, [f"--set {key}: evaluate takes device, threads, data.name", f"not {key.split('=')[0]};", "stands in its archive"],
               "evaluate", net, "--set", key)
    for key in ("data.workers=1", "data.name=synthetic", f"data.dir={net.parent}", "device=cpu"):
        check(asked("evaluate", net, "--set", key) == first, f"--set {key} gives other figures")
    for split in ("valid", "train"):
        expect(2, [f"--split {split}", "was trained on data of digest", "--split test"], "evaluate", net, "--set", "synthetic.test=20",
               "--split", split)
    expect(2, ["no test split"], "evaluate", net, "--set", "synthetic.test=0")
    expect(2, ["--epoch is for a search"], "derive", net, "--epoch", 1)
    expect(3, ["expected a search", "mixop.network/1"], "search", "--resume", "--out", net)


def from_search(folder):
    run = folder / "run.h5"
    found = asked("search", "quick", *DATA, "--set", "synthetic.train=32", "--set", "data.train_limit=0", "--set", "space.channels=2",
                  "--set", "space.layers=3", "--set", "search.epochs=1", "--set", "search.batch=8", "--out", run)
    net = folder / "found.h5"
    answer = asked("train", "--genotype", run, *TINY, "--set", "train.epochs=1", "--set", "data.train_portion=1",
                   "--set", "synthetic.test=0", "--out", net)
    check(answer["genotype"] == found["genotype"], "the genotype that the search ended with is trained")
    check("test_loss" not in answer and answer["best_epoch_by_test_split_not_a_selection"] is None, "nothing measured on no test split")
    check(answer["best_epoch_by_held_out_records"] is None, "nothing held out")
    (folder / "genotype.json").write_text(json.dumps(found["genotype"]))
    same = folder / "same.h5"
    options = [*TINY, "--set", "train.epochs=1", "--set", "data.train_portion=1", "--set", "synthetic.test=0"]
    run_json = mixop("train", "--genotype", folder / "genotype.json", *options, "--out", same)
    check(run_json.returncode == 0 and differences(net, same) == [], "a genotype's file trains to the same bits")
    check("has no test split" in run_json.stderr, run_json.stderr)
    expect(3, ["this is a search", f"mixop train --genotype {run}"], "evaluate", run)
    expect(3, ["expected a trained network", "mixop.run/1"], "train", "--resume", "--out", run)
    expect(2, ["held none out"], "evaluate", net, "--split", "valid")


def misuse(folder, net):
    out = ["--out", folder / "x.h5"]
    expect(2, ["--genotype is missing", "DARTS_V2"], "train", *TINY, *out)
    expect(2, ["a batch norm in training needs more than one value", "the last batch of an epoch"], "train", "--genotype", "DARTS_V2",
           *DATA, "--set", "space.channels=2", "--set", "space.layers=3", "--set", "synthetic.size=32", "--set", "synthetic.train=17",
           "--set", "train.batch=16", *out)
    expect(2, ["unknown genotype 'DARTS_V3'", "DARTS_V2"], "train", "--genotype", "DARTS_V3", *TINY, *out)
    expect(3, ["no-such.h5"], "train", "--genotype", folder / "no-such.h5", *TINY, *out)
    expect(2, ["'darts-cifar10' is for mixop search, not for mixop train"], "train", "--genotype", "DARTS_V2", "darts-cifar10", *out)
    expect(2, ["'darts-cifar10-train' is for mixop train, not for mixop search"], "search", "darts-cifar10-train", *out)
    expect(2, ["'search.epochs' belongs to mixop search", "set train.epochs"], *TRAIN, "--set", "search.epochs=3", *out)
    expect(2, ["'train.epochs' belongs to mixop train", "set search.epochs"], "search", "quick", "--set", "train.epochs=3", *out)
    expect(2, ["unknown option '--strategy'"], *TRAIN, "--strategy", "first_order", *out)
    expect(2, ["auxiliary head"], *TRAIN, "--set", "train.auxiliary=0.4", *out)
    expect(2, ["second_order.epsilon=0.1: this run has no part 'second_order'", "leave the option out"], *TRAIN, "--set", "second_order.epsilon=0.1", *out)
    expect(2, ["leaves none to train"], *TRAIN, "--set", "data.train_portion=0", *out)
    expect(2, [str(net), "--resume", "--overwrite"], *TRAIN, "--out", net)
    expect(2, ["nothing to go on with"], "train", "--resume", *out)
    expect(2, ["a network's archive or file of weights is missing"], "evaluate")
    expect(3, ["no-such.h5"], "evaluate", folder / "no-such.h5")
    for clip, advice in (("0", "a smaller weights.lr may help"), ("5", "a smaller weights.lr or weights.clip may help")):
        expect(1, ["not finite any more", "epoch 1", advice], *TRAIN, "--set", "weights.lr=1000", "--set", f"weights.clip={clip}",
               "--set", "weights.decay=1000", *out)
    check(not (folder / "x.h5").exists(), "a refused or failed training left an archive")
    dry = mixop(*TRAIN, "--dry-run")
    check(dry.returncode == 0 and "predicted peak memory" in dry.stderr, dry.stderr)
    headed = mixop(*TRAIN, "--set", "train.auxiliary=0.4", "--set", "synthetic.size=32", "--set", "synthetic.train=32", "--set",
                   "space.stem=cifar", "--dry-run")
    check(headed.returncode == 0 and "predicted peak memory" in headed.stderr, f"--dry-run with an auxiliary head: {headed.stderr}")
    expect(2, ["data set 'synthetic': option 'train' must be 1 to", "-5"], *TRAIN, "--set", "synthetic.train=-5", "--dry-run")
    (folder / "again.json").write_text(dry.stdout)
    check(mixop("train", "--genotype", "DARTS_V2", folder / "again.json", "--dry-run").stdout == dry.stdout, "the resolved config is a config file")
    check("train.drop_path" in mixop("train", "--keys").stdout and "train." not in mixop("search", "--keys").stdout, "--keys")
    presets = {row["name"]: row["about"] for row in json.loads(mixop("list", "presets", "--json").stdout)}
    check(presets["darts-imagenet-train"].startswith("mixop train: ") and presets["quick"].startswith("mixop search: "), presets)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o700)
        net = folder / "net.h5"
        answer = asked(*TRAIN, "--out", net)
        misuse(folder, net)
        archive(folder, net, answer)
        evaluation(net, answer)
        from_search(folder)
        low_precision(folder)
        resume(folder, net)
    print("\n".join(failures) or "train: all well")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
