#!/usr/bin/env python3
"""docs/tutorial-own-images.md, followed to the letter: on drawn photographs, and on real ones where MIXOP_DATA has some."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.dom.minidom

import numpy
from PIL import Image

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, asked, check

PAGE = (pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]) / "docs" / "tutorial-own-images.md").read_text()
FIRST_THING = "n02500000"  # WordNet's numbers of the sample's animals are below


def drawn_photographs(folder):
    """Stripes of two directions, in JPEG and PNG files of many sizes."""
    draw = numpy.random.default_rng(7)
    for name in ("animals", "things"):
        (folder / name).mkdir(parents=True)
        for i in range(10):
            height, width = map(int, draw.integers(50, 120, 2))
            y, x = numpy.mgrid[:height, :width]
            wave = numpy.sin((x if name == "animals" else y) / draw.uniform(3, 6)) * 90 + 128
            pixels = (wave[:, :, None] + draw.normal(0, 15, (height, width, 3))).clip(0, 255).astype(numpy.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.{'png' if i % 3 == 0 else 'jpg'}")


def real_photographs(folder, given):
    files = sorted(file for file in given.rglob("*") if file.suffix.lower() in (".jpeg", ".jpg"))
    check(len(files) > 20, f"MIXOP_DATA is set and {given} holds {len(files)} JPEG files; unset it, or give a folder that holds imagenet-sample")
    for file in {file.name: file for file in files}.values():
        link = folder / ("animals" if file.name < FIRST_THING else "things") / file.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)


def follow(folder):
    """Runs every block of commands in the page's order, in one shell as a reader would."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    check(len(blocks) == 6, f"the page has {len(blocks)} blocks of commands")
    path = f"{pathlib.Path(MIXOP).parent}:{os.environ['PATH']}"
    run = subprocess.run(["bash", "-euo", "pipefail"], input="\n".join(blocks), capture_output=True, text=True, cwd=folder, timeout=550,
                         env={**os.environ, "PATH": path, "MIXOP_DATA": ""})
    check(run.returncode == 0, f"a command of the page failed:\n{run.stdout}\n{run.stderr}")
    return run


def followed(folder, what):
    run = follow(folder)
    check("classes: 2" in run.stdout and "predicted peak memory" in run.stderr, run.stdout + run.stderr)
    check(re.search(r"%  animals \(\d+ of \d+\)\n", run.stdout) and re.search(r"%  things \(\d+ of \d+\)\n", run.stdout), run.stdout)
    for picture in ("cells.svg", "confusion.svg"):
        xml.dom.minidom.parse(str(folder / picture))
    selection = json.loads((folder / "selection" / "selection.json").read_text())
    check(len(selection["candidates"]) == 2 and selection["winner"]["genotype"] == asked("derive", folder / "net.h5"), selection["winner"])
    epochs = asked("inspect", folder / "net.h5")["epochs"]
    lines = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    check(len(epochs) == 4 and sum(line["kind"] == "epoch" for line in lines) == 4, epochs)
    for name in ("run", "net"):
        check(any((folder / "tensorboard" / name).glob("events.out.tfevents.*")), f"no event file of {name}")
    measured = asked("evaluate", folder / "net.h5", "--data", folder / "photos", "--split", "valid")
    check(sum(map(sum, measured["confusion"])) == measured["samples"], measured)
    print(f"figure: the tutorial on {what}: {len(epochs)} epochs, {measured['samples']} held-out photographs, top-1 {measured['top1']:.2f} %")


def main():
    with tempfile.TemporaryDirectory() as made:
        drawn_photographs(pathlib.Path(made) / "photos")
        followed(pathlib.Path(made), "drawn photographs")
    if os.environ.get("MIXOP_DATA"):
        with tempfile.TemporaryDirectory() as made:
            real_photographs(pathlib.Path(made) / "photos", pathlib.Path(os.environ["MIXOP_DATA"]).resolve() / "imagenet-sample")
            followed(pathlib.Path(made), "imagenet-sample")


main()
