#!/usr/bin/env python3
"""Makes the pictures of README.md that are of searches: three on NAS-Bench-201's space, made small, on CIFAR-10.

    python3 docs/pictures.py WORK --data DIR     # needs mixop on PATH, Graphviz, Chromium, and matplotlib, h5py and Pillow

WORK keeps the archives, so that the pictures can be made again without the searches, which take ten minutes of one core."""

import argparse
import pathlib
import shutil
import subprocess
import sys

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BELOW = 100  # pixels of a window that its page does not fill
SEEDS, EPOCHS = (1, 2, 3), (10, 40)
KEYS = ("space.name=nasbench201", "space.channels=8", "space.layers=3", "space.ops=skip_connect,nor_conv_1x1,nor_conv_3x3,avg_pool_3x3",
        "data.train_limit=1280", "search.epochs=40", "alphas.lr=0.01", "threads=1")


def mixop(*words):
    subprocess.run(["mixop", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def search(archive, seed, data):
    keys = [word for key in KEYS for word in ("--set", key)]
    if not archive.is_file():
        mixop("search", "--strategy", "first_order", "--seed", seed, *keys, "--data", data, "--out", archive)


def photographed(page, picture, width, height):
    """The top of a page as a PNG of 64 colours, of which its text and curves need no more."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        sys.exit("docs/pictures.py: no Chromium on PATH, which photographs reports")
    subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000",
                    f"--window-size={width},{height + BELOW}", f"--screenshot={picture}", page.as_uri()], check=True, stderr=subprocess.DEVNULL)
    Image.open(picture).convert("RGB").crop((0, 0, width, height)).quantize(64, dither=Image.Dither.NONE).save(picture, optimize=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(exist_ok=True)
    archives = [work / f"seed{seed}.h5" for seed in SEEDS]
    for archive, seed in zip(archives, SEEDS):
        search(archive, seed, given.data)
    subprocess.run([sys.executable, ROOT / "docs" / "trajectories.py", IMAGES / "alphas.svg", f"seed {SEEDS[0]}={archives[0]}"], check=True)
    for epoch in EPOCHS:
        mixop("draw", archives[0], "--epoch", epoch, "-o", IMAGES / f"cell_{epoch}.svg")
    for archive_list, name, size in (archives[:1], "report", (1200, 1100)), (archives, "comparison", (1200, 840)):
        page = work / f"{name}.html"
        mixop("report", *archive_list, "-o", page)
        photographed(page, IMAGES / f"{name}.png", *size)


main()
