#!/usr/bin/env python3
"""Trained networks as ONNX: the checker of the format accepts them, and onnxruntime gives the logits and the accuracy that mixop gives on the same
images, with batch norms and with these folded, for any number of images, and the loss of a text, word by word with its state. One network of each space and
stem, one of odd sizes; --all: every published genotype."""
import os
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests/support"))
from exchange import cifar, corpus, image_folder, largest, safetensors, sets
from program import answer, asked, check, refusal

TOLERANCE = 1e-5
SMALL = sets("threads=1", "data.cutout=0", "space.channels=4", "train.epochs=1", "train.batch=8")
SOME = ("darts_cnn/NASNet", "dartopti/Xception", "ddarts/D-DARTS_threshold_sparse_cifar10_0.85_50", "nasbench201/ResNet")
ALONE = sets("space.layers=6")  # of genotypes that do not list their cells


def session(file):
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    return model, onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def images_of(model, pixels):
    """Normalised as the model's own metadata tells."""
    about = {entry.key: entry.value for entry in model.metadata_props}
    mean, deviation = (np.array(about[name].split(","), np.float32).reshape(3, 1, 1) for name in ("mean", "deviation"))
    check({"genotype", "space", "classes"} <= about.keys(), about.keys())
    return ((pixels.astype(np.float32) / 255 - mean) / deviation).astype(np.float32)


def compare(folder, net, pixels, targets):
    """The largest relative difference of the logits."""
    said = asked("evaluate", net, "--logits", folder / "logits.safetensors")
    ours = safetensors(folder / "logits.safetensors")["logits"]
    worst = 0.0
    for fold in ([], ["--fold-norms"]):
        file = folder / "net.onnx"
        answer("export", net, *fold, "-o", file)
        model, run = session(file)
        norms = sum(node.op_type == "BatchNormalization" for node in model.graph.node)
        check(not fold or norms < before, "no norm was folded")
        before = norms
        images = images_of(model, pixels)
        theirs = run.run(["logits"], {"images": images})[0]
        check(np.allclose(run.run(None, {"images": images[:1]})[0], theirs[:1], rtol=1e-4, atol=1e-5), "one image")
        worst = max(worst, largest(torch.tensor(theirs), ours))
        correct = int((theirs.argmax(1) == targets).sum())
        check(abs(100 * correct / len(targets) - said["top1"]) < 1e-9, f"accuracy {correct} of {len(targets)} instead of {said['top1']} %")
    check(worst <= TOLERANCE, f"{net.name}: logits differ by {worst}")
    return worst


def published(folder, data, genotype, extra=()):
    net = folder / "net.h5"
    listed = () if genotype.startswith(("ddarts/", "dartopti/")) else ALONE
    preset = ("ddarts-cifar10-train",) if genotype.startswith("ddarts/") else ("dartopti-cifar10-train",) if genotype.startswith("dartopti/") else ()
    answer("train", *preset, "--genotype", genotype, *SMALL, *listed, *extra, "--data", data[0], "--out", net, "--overwrite")
    print(f"{genotype}: {compare(folder, net, *data[1:]):.1e}", flush=True)
    return net


def language(folder, genotype):
    """The test text word by word, three copies at once."""
    streams, _ = corpus(folder / genotype.replace("/", "-"))
    net, file, width = folder / "text.h5", folder / "text.onnx", 14
    answer("train", "darts-ptb-train", "--genotype", genotype, "--data", folder / genotype.replace("/", "-"), *sets(
        "data.name=corpus", "threads=1", f"space.width={width}", "data.bptt=7", "train.epochs=1", "train.batch=5"), "--out", net, "--overwrite")
    answer("export", net, "-o", file)
    refusal(2, "a recurrent network has no norms to fold", "export", net, "--fold-norms", "-o", file)
    run, words = session(file)[1], streams["test"]
    state, loss = np.zeros((3, width), np.float32), 0.0
    for word, following in zip(words[:-1], words[1:]):
        logits, state = run.run(["logits", "next_state"], {"words": np.full(3, int(word)), "state": state})
        loss -= float(torch.log_softmax(torch.tensor(logits[1], dtype=torch.float64), 0)[following])
    expected = asked("evaluate", net)["loss"]
    difference = abs(loss / (len(words) - 1) - expected) / expected
    check(difference <= TOLERANCE, f"{genotype}: the loss differs by {difference}")
    print(f"{genotype}: {difference:.1e}", flush=True)


def refusals(folder, data):
    run = folder / "run.h5"
    answer("search", "darts-cifar10-first-order", "--data", data[0], *sets("threads=1", "space.channels=2", "space.layers=3", "search.batch=8", "search.epochs=1"), "--out", run)
    refusal(2, "a search's supernet has no form in ONNX; train its genotype first", "export", run, "-o", folder / "run.onnx")
    refusal(2, "--fold-norms is for --format onnx", "export", run, "--fold-norms", "-o", folder / "run.pt")
    refusal(2, "ends in none of .pt, .pth, .safetensors and .onnx", "export", run, "-o", folder / "copy.h5")
    refusal(2, "--format: expected pt, safetensors or onnx, found 'h5'", "export", run, "--format", "h5", "-o", folder / "copy.h5")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        small = (folder / "cifar", *cifar(folder / "cifar", records=100))
        large = (folder / "folder", *image_folder(folder / "folder"))
        if "--all" in sys.argv:
            for entry in asked("list", "genotypes"):
                if entry["name"].startswith("darts_rnn/"):
                    language(folder, entry["name"])
                else:
                    published(folder, small, entry["name"])
            return
        for genotype in SOME:
            published(folder, small, genotype)
        many = (folder / "many", *cifar(folder / "many", records=1000))
        published(folder, many, "darts_cnn/DARTS_V2", sets("data.train_limit=200"))
        published(folder, large, "darts_cnn/DARTS_V2", sets("data.name=image_folder", "image_folder.size=224", "image_folder.resize=224", "space.stem=imagenet"))
        odd = (folder / "odd", *image_folder(folder / "odd", size=37))
        published(folder, odd, "darts_cnn/DARTS_V1", sets("data.name=image_folder", "image_folder.size=37", "image_folder.resize=37", "train.auxiliary=0"))
        language(folder, "darts_rnn/DARTS_V2")
        refusals(folder, small)


if __name__ == "__main__":
    main()
