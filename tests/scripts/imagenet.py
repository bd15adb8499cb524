#!/usr/bin/env python3
"""The program on a small ImageNet of made files: check, search, training and evaluation, corrupt files, the workers."""
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import h5py
import numpy
from PIL import Image

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import answer, check, differences, mixop, refusal, says, stopped

SMALL = ["--set", "data.name=imagenet", "--set", "imagenet.size=32", "--set", "space.channels=2", "--set", "space.layers=3",
         "--set", "threads=1"]
LONG = 20  # epochs of two steps: longer than a signal takes
SEARCH = ["search", "darts-cifar10-first-order", *SMALL, "--set", "search.batch=4", "--set", "search.epochs=2", "--set", "space.nodes=2",
          "--set", "space.ops=none,skip_connect,sep_conv_3x3"]


def write_set(folder):
    """Three classes of four train images and two val images, of unlike sizes, a grey and a CMYK one among them."""
    draw = numpy.random.default_rng(1)
    for split, count in (("train", 4), ("val", 2)):
        for name in ("ant", "bee", "cow"):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                height, width = draw.integers(20, 90, 2)
                pixels = draw.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
                mode = {"ant": "L", "cow": "CMYK"}.get(name, "RGB") if i == 0 else "RGB"
                Image.fromarray(pixels).convert(mode).save(folder / split / name / f"{i}.JPEG", quality=90)


def checks(folder):
    found = json.loads(answer("data", "check", "imagenet", "--data", folder, "--json").stdout)
    check(found["records"] == {"train": 12, "valid": 0, "test": 6} and found["corrupt"] == [], found)
    check(found["class_names"] == ["ant", "bee", "cow"] and found["shape"] == [3, 224, 224], found)
    described = json.loads(answer("data", "describe", "imagenet", "--data", folder.parent, "--json").stdout)
    check(described["digest"] == found["digest"], "the folder above gives another digest")
    check("made of images of many sizes" in answer("data", "describe", "imagenet", "--data", folder).stdout, "describe")


def same_bits(one, two):
    return differences(one, two, ("/provenance", "/config"))


def searches(folder):
    archives = []
    for workers in (0, 3):
        archives.append(folder / f"run{workers}.h5")
        answer(*SEARCH, "--set", f"data.workers={workers}", "--data", folder, "--out", archives[-1])
    check(same_bits(*archives) == [], f"workers change the search: {same_bits(*archives)}")
    network = folder / "net.h5"
    answer("train", "--genotype", archives[0], *SMALL, "--set", "train.batch=4", "--set", "train.epochs=2", "--set",
           "train.auxiliary=0", "--data", folder, "--out", network)
    figures = [json.loads(answer("evaluate", network, "--data", folder, "--batch", batch, "--json").stdout) for batch in (1, 5)]
    check(figures[0] == figures[1] and figures[0]["samples"] == 6, f"evaluation depends on the batch: {figures}")


def trains_for_imagenet(folder):
    """The published training made small: the network for 224 pixels with its auxiliary head, and its evaluation."""
    network = folder / "imagenet.h5"
    answer("train", "--genotype", "DARTS_V2", "darts-imagenet-train", "--set", "space.channels=2", "--set", "space.layers=3",
           "--set", "train.batch=4", "--set", "train.epochs=1", "--set", "threads=1", "--data", folder, "--out", network)
    with h5py.File(network) as file:
        head = file["weights"]["auxiliary_head.classifier.weight"]
        check(head.shape == (3, 768), f"the auxiliary head's classifier has the shape {head.shape}")
        check(file["weights"]["stem0.0.weight"].shape == (1, 3, 3, 3), "the network has not ImageNet's stem")
    figures = json.loads(answer("evaluate", network, "--data", folder, "--json").stdout)
    check(figures["samples"] == 6 and figures["top5"] == 100 and 0 < figures["loss"] < 10, figures)


def position(archive):
    with h5py.File(archive) as file:
        return file["position"].attrs["step"]


def interrupted(folder):
    """A signal while workers decode: a checkpoint, the exit code, no hang; resumed to the bits of a run that went on."""
    out, whole = folder / "stopped.h5", folder / "whole.h5"
    long = [*SEARCH, "--set", f"search.epochs={LONG}", "--set", "data.workers=3", "--data", folder, "--out"]
    answer(*long, whole)
    code = stopped(signal.SIGINT, says("searching"), *long, out)
    check(code == 130, f"interrupted with exit code {code}")
    print(f"figure: a search with 3 workers, interrupted at step {position(out)} of {position(whole)}, ended with its archive")
    alone = folder / "alone.h5"
    alone.write_bytes(out.read_bytes())
    answer("search", "--resume", "--data", folder, "--out", alone, "--set", "data.workers=0")
    check(same_bits(whole, alone) == [], "resuming without workers changes the search")
    answer("search", "--resume", "--data", folder, "--out", out)
    check(same_bits(whole, out) == [], f"resuming changes the search: {same_bits(whole, out)}")


def corrupt_files(folder):
    bad = folder / "train" / "bee" / "1.JPEG"
    bad.write_bytes(bad.read_bytes()[:-200])
    png = folder / "val" / "cow" / "0.JPEG"
    Image.new("RGB", (40, 40)).save(png, "PNG")
    run = refusal(3, "images that cannot be decoded: 2; their files are named above", "data", "check", "imagenet", "--data", folder,
                  "--json")
    problems = json.loads(run.stdout)["corrupt"]
    check([(p["split"], p["problem"].split(": ")[1]) for p in problems] == [("train", str(bad)), ("test", str(png))], problems)
    check(f"{png}: expected a JPEG file, found a PNG file" in run.stderr, run.stderr)
    for workers in (0, 2):
        failed = refusal(3, f"mixop: error: data set 'imagenet', split 'train': {bad}: the JPEG file cannot be decoded: ", *SEARCH,
                         "--set", f"data.workers={workers}", "--data", folder, "--out", folder / "failed.h5")
        check("or set imagenet.on_corrupt=skip" in failed.stderr, failed.stderr)
    archives = []
    for workers in (0, 3):
        archives.append(folder / f"skip{workers}.h5")
        run = answer(*SEARCH, "--set", "imagenet.on_corrupt=skip", "--set", f"data.workers={workers}", "--data", folder, "--out",
                     archives[-1])
        said = "images that cannot be decoded, so that the next ones stand in their places: 1; mixop data check names them"
        check(run.stderr.count(said) == 1, f"the replaced image is not reported once: {run.stderr}")
    check(same_bits(*archives) == [], "workers change what stands for a corrupt image")


def misuse(folder):
    refusal(2, "option 'size' must be a side of 8 to 4096 pixels, or HEIGHTxWIDTH such as 20x31, found '5'", "data", "check", "imagenet", "--data", folder, "--set", "size=5")
    refusal(2, "data.workers: expected a whole number from -1 to 256, found ", *SEARCH, "--set", "data.workers=-2", "--dry-run")
    shutil.rmtree(folder / "val" / "ant")
    refusal(3, "have no folder here: ant", "data", "check", "imagenet", "--data", folder)


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made) / "imagenet"
        write_set(folder)
        checks(folder)
        searches(folder)
        trains_for_imagenet(folder)
        interrupted(folder)
        corrupt_files(folder)
        misuse(folder)


main()
