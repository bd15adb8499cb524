#!/usr/bin/env python3
"""The memory that --dry-run and summary predict, against the peak of the runs: within 15 % of it. The sizes are chosen so that
the steps take more than the program itself. Summary by an archive's own sizes."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
from program import MIXOP, answer, asked, check

SANITIZED = "MIXOP_SLOWNESS" in os.environ  # whose allocator keeps what is freed, so that resident memory says nothing


def sets(*assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


IMAGES = sets("data.name=synthetic", "synthetic.test=32", "threads=1")
TEXT = sets("data.name=synthetic_text", "synthetic_text.vocabulary=2000", "synthetic_text.train=4700", "synthetic_text.valid=4700",
            "synthetic_text.test=500", "threads=1")
# Two steps each. The second list is what summary predicts the same by.
RUNS = {
    "first order": (["search", "darts-cifar10-first-order", *IMAGES,
                     *sets("synthetic.train=128", "space.channels=8", "space.layers=3", "search.batch=32", "search.epochs=1")],
                    ["--genotype", "supernet", "--channels", 8, "--layers", 3, "--batch", 32, "--order", 1]),
    "second order": (["search", "darts-cifar10", *IMAGES,
                      *sets("synthetic.train=96", "space.channels=8", "space.layers=3", "search.batch=24", "search.epochs=1")],
                     ["--genotype", "supernet", "--channels", 8, "--layers", 3, "--batch", 24, "--order", 2]),
    "training": (["train", "--genotype", "darts_cnn/DARTS_V2", *IMAGES,
                  *sets("synthetic.train=128", "space.channels=16", "space.layers=8", "train.batch=64", "train.epochs=1")],
                 ["--genotype", "darts_cnn/DARTS_V2", "--channels", 16, "--layers", 8, "--batch", 64]),
    "recurrent": (["search", "darts-ptb-search", "--strategy", "first_order", *TEXT,
                   *sets("space.width=150", "search.batch=64", "search.epochs=1")],
                  ["--space", "darts_rnn", "--genotype", "supernet", "--width", 150, "--vocabulary", 2000, "--batch", 64, "--order", 1]),
}


def predicted(stderr):
    found = re.search(r"predicted peak memory: about (\d+) MiB", stderr)
    check(found, f"no prediction: {stderr}")
    return int(found[1])


def measured(*arguments):
    """MiB that the command takes at its peak."""
    process = subprocess.Popen([MIXOP, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "MIXOP_DATA": ""})
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    check(status == 0, f"{arguments}: {said}")
    return usage.ru_maxrss / 1024


def compare(folder, name):
    run, summary = RUNS[name]
    peak = measured(*run, "--out", folder / f"{name.replace(' ', '_')}.h5")
    if SANITIZED:
        return
    own = measured("summary", "--genotype", "darts_cnn/DARTS_V2", "--channels", 4)
    check(peak > 1.5 * own, f"{name}: of {peak:.0f} MiB the program itself takes {own:.0f}, so that the steps hardly show")
    for source, said in (("--dry-run", answer(*run, "--dry-run").stderr), ("summary", answer("summary", *summary).stderr)):
        ratio = predicted(said) / peak
        check(abs(ratio - 1) < 0.15, f"{name}: {source} predicts {predicted(said)} MiB, and the run took {peak:.0f}, {ratio:.2f} of it")
        print(f"{name}: {source} predicts {predicted(said)} MiB of {peak:.0f}")


def archived_sizes(folder):
    run = folder / "first_order.h5"
    own = asked("summary", "--genotype", run, "--depth", 2)
    (folder / "genotype.json").write_text(answer("derive", run).stdout)
    check(own == asked("summary", "--genotype", folder / "genotype.json", "--channels", 8, "--layers", 3, "--depth", 2),
          "a search's archive says channels and cells")
    check(asked("summary", "--genotype", run, "--layers", 5) != own, "an option goes before the archive")
    text = asked("summary", "--genotype", folder / "recurrent.h5")
    check(text["rows"][0]["parameters"] == 150 * 2000, f"width and vocabulary of a recurrent search: {text['rows'][0]}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda run: compare(folder, run), RUNS))
        archived_sizes(folder)


main()
