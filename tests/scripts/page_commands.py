#!/usr/bin/env python3
"""Every command in README.md, CONTRIBUTING.md and docs is run by a test, or has its reason here not to be. Those that no other test runs are run
here, page by page in the page's order, on data of a few records and with networks of a few channels: what they print is not looked at, but each must
succeed."""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy
from PIL import Image

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, answer, check

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])

# Pages whose blocks another test runs, all of them.
TESTED = {
    "docs/tutorial-own-images.md": "tests/scripts/tutorial.py",
    "docs/write-an-operator.md": "tests/scripts-long/tutorials.py",
    "docs/write-a-dataset.md": "tests/scripts-long/tutorials.py",
    "docs/write-a-space.md": "tests/scripts-long/tutorials.py",
    "docs/write-a-strategy.md": "tests/scripts-long/tutorials.py",
    "docs/archive-format.md": "tests/scripts/archive_format.py",
    "docs/python.md": "tests/scripts/python_reader.py",
}

# Commands that are not run here: a part of them, and the test that runs such a command, or why none does.
NOT_RUN = {
    "./quickstart": ".ci/run",
    "./check": ".ci/run",
    ".ci/wheel": "tests/scripts-long/wheel.sh",
    "pip install dist/": "tests/scripts-long/wheel.sh",
    "mixop data fetch": "tests/scripts/data_fetch.py",
    "mixop swap": "tests/scripts/swap.py",
    "--genotype ddarts.h5": "tests/scripts/ddarts_train.py",
    "mixop reproduce": "tests/scripts/reproduce.py",
    "mixop report --watch": "tests/scripts/watch.py",
    "cmake --install": "tests/scripts/package.sh",
    "cmake -S": "tests/scripts/plugin_project.sh",
    "--plugin-dir build/lib/mixop/plugins": "tests/scripts/plugin_project.sh",
    "plugins check build/lib/mixop/plugins": "tests/scripts/plugin_project.sh",
    "--against": "tests/scripts/bench.py",
    "man -l": "tests/scripts/manual.py",
    "tensorboard --logdir": "tests/scripts/metrics.py",
    "cmake --preset": "builds mixop itself",
    "cmake --build --preset": "builds mixop itself",
    "ctest": "runs the tests themselves",
    "build/release/bin/mixop_tests": "runs the tests themselves",
    "docs/site.py": "tests/scripts/site.py",
    "/usr/bin/time": "tests/scripts/start_up.py",
}

# Put in front of the program: the same command, made small. The last --set of a key counts.
SMALL = """#!/bin/bash
images=(--set space.channels=4 --set data.train_limit=8 --set threads=1)
text=(--set space.width=8 --set data.train_limit=200 --set data.bptt=5 --set threads=1)
network=(--set space.layers=3)
case " $* " in *ddarts*|*dartopti*) network=() ;; esac
cell=("${network[@]}" --set space.nodes=2 --set space.ops=none,skip_connect,sep_conv_3x3)
case " $* " in *ddarts*|*dartopti*|*nasbench201*) cell=() ;; esac
new=--overwrite
case " $* " in *" --dry-run "*) new= ;; esac
case "$1: $* " in
  *" --resume "*) ;;
  search:*" --continue "*) set -- "$@" --set search.epochs=2 ;;
  train:*" --continue "*) set -- "$@" --set train.epochs=2 ;;
  search:*ptb*) set -- "$@" $new "${text[@]}" --set search.batch=4 --set search.epochs=1 ;;
  train:*ptb*) set -- "$@" $new "${text[@]}" --set train.batch=4 --set train.epochs=1 ;;
  search:*) set -- "$@" $new "${images[@]}" "${cell[@]}" --set search.batch=4 --set search.epochs=1 ;;
  train:*) set -- "$@" $new "${images[@]}" "${network[@]}" --set data.train_portion=0.5 --set train.batch=4 --set train.epochs=1 ;;
  select:*) set -- "$@" $new "${images[@]}" "${cell[@]}" --set search.batch=4 --set search.epochs=1 --train-set train.batch=4 --train-set train.epochs=1 \\
                   --train-set space.channels=4 --train-set space.layers=3 ;;
  evaluate:*.pt*) set -- "$@" --set space.channels=4 --set space.layers=3 ;;
  import:*) set -- "$@" --overwrite "${images[@]}" "${network[@]}" --set train.batch=4 --set train.epochs=1 ;;
  compare:*) "$MIXOP" "$@" || [[ $? == 1 ]]; exit ;;
  draw:*" --epoch "* | inspect:*" --epoch "*) set -- $(sed -E 's/--epoch [0-9]+/--epoch 1/' <<<"$*") ;;
  summary:*" --batch "*) set -- "$@" --channels 4 --layers 3 ;;
  bench:*)
    sizes="--channels 2 --layers 3"
    [[ $2 != rnn ]] || sizes="--width 8 --tokens 50 --bptt 5"
    set -- bench "$2" $(sed -E 's/--(batch|steps) [0-9]+//g' <<<"${*:3}") $sizes --batch 2 --steps 1 --warmup 0 ;;
esac
exec "$MIXOP" "$@"
"""


def blocks(text):
    """(language, content) of a page."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def complete(command):
    return not command.endswith("\\") and subprocess.run(["bash", "-n"], input=command, text=True, capture_output=True).returncode == 0


def commands(block):
    """A block's commands, which may have several lines."""
    found, command = [], ""
    for line in block.splitlines():
        command += ("\n" if command else "") + line
        if command.strip() and complete(command):
            found.append(command)
            command = ""
    check(not command.strip(), f"a command has no end: {command}")
    return found


def runnable(language, content):
    """What a block asks a shell to do."""
    if language == "python":
        return [f"{sys.executable} - <<'PYTHON'\n{content}PYTHON"]
    return commands(content) if language == "bash" else []


def data(folder):
    """Every data set that the pages name, of a few records."""
    draw = numpy.random.default_rng(3)
    cifar = folder / "cifar-10-batches-bin"
    cifar.mkdir(parents=True)
    (cifar / "batches.meta.txt").write_text("".join(f"{name}\n" for name in "airplane automobile bird cat deer dog frog horse ship truck".split()))
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        records = draw.integers(0, 256, (10, 3073), numpy.uint8)
        records[:, 0] = range(10)
        (cifar / f"{name}.bin").write_bytes(records.tobytes())
    (folder / "ptb").mkdir()
    for split in ("train", "valid", "test"):
        (folder / "ptb" / f"ptb.{split}.txt").write_text(" the cat sat on the mat \n" * 60)
    for place in ("imagenet/train", "imagenet/val", "../photos"):
        for name in ("ant", "bee"):
            (folder / place / name).mkdir(parents=True)
            for i in range(8):
                Image.fromarray(draw.integers(0, 256, (70, 80, 3), numpy.uint8)).save(folder / place / name / f"{i}.JPEG")


def files(folder):
    """What the pages take for granted beside the data, made by the program."""
    data(folder / "DIR")
    small = folder / "bin" / "mixop"
    small.parent.mkdir()
    small.write_text(SMALL)
    small.chmod(0o755)

    def made(*command):
        run = subprocess.run([small, *command], cwd=folder, capture_output=True, text=True, env=environment(folder))
        check(run.returncode == 0, f"mixop {' '.join(command)}: {run.stderr}")
        return run.stdout

    for archive in ("run", "a", "b", "seed0", "seed1", "seed2"):
        made("search", "quick", "--out", f"{archive}.h5", "--set", f"seed={archive[-1] if archive[-1].isdigit() else 3}")
    made("train", "--genotype", "DARTS_V2", "darts-cifar10-train", "--out", "net.h5")
    made("export", "net.h5", "-o", "net.pt")
    shutil.copy(folder / "net.pt", folder / "cifar10_model.pt")
    (folder / "cell.json").write_text(made("derive", "darts_cnn/DARTS_V2"))
    (folder / "genotypes.py").write_text("DARTS_V2 = " + made("derive", "darts_cnn/DARTS_V2", "--form", "python"))
    draw = numpy.random.default_rng(4)
    (folder / "alphas.json").write_text(json.dumps({f"alphas_{cell}": draw.normal(size=(14, 8)).tolist() for cell in ("normal", "reduce")}))
    (folder / "cells.json").write_text(json.dumps({"alphas": draw.normal(size=(5, 14, 7)).tolist()}))
    (folder / "mine.json").write_text(json.dumps({"preset": "darts-cifar10-first-order"}))
    shutil.copy(pathlib.Path(os.environ["MIXOP_BUILD_DIR"]) / "lib/mixop/plugins/mixop_spaces_darts_cnn.so", folder / "FILE")


def environment(folder):
    return {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder), "MIXOP_DATA": str(folder / "DIR")}


def run(page, made, folder):
    """Runs a page's commands in one shell, as a reader would; returns how many there were, and the time."""
    shutil.copytree(made, folder)
    script, count, previous = ["trap 'echo \"failed: $at\" >&2' ERR"], 0, ("", "")
    for language, content in blocks((SOURCE / page).read_text()):
        if language == "bash" and previous[0] == "json" and "mine.json" in content:
            script.append(f"cat >mine.json <<'JSON'\n{previous[1]}JSON")
        for command in runnable(language, content):
            if not any(part in command for part in NOT_RUN):
                script += [f"at=$(cat <<'COMMAND'\n{command}\nCOMMAND\n)", command]
                count += 1
        previous = (language, content)
    began = time.monotonic()
    done = subprocess.run(["bash", "-eEuo", "pipefail"], input="\n".join(script), cwd=folder, capture_output=True, text=True, timeout=550,
                          env=environment(folder), stdin=None)
    check(done.returncode == 0, f"{page}: exit code {done.returncode}: {done.stderr[-3000:]}")
    return page, count, time.monotonic() - began


def table_is_true(pages):
    """Every line of it is of a command that is there, and of a test that is."""
    every = [command for page in pages for block in blocks((SOURCE / page).read_text()) for command in runnable(*block)]
    for part, reason in NOT_RUN.items():
        check(any(part in command for command in every), f"no page has a command with '{part}'; take it out of NOT_RUN")
        check("/" not in reason or (SOURCE / reason).is_file(), f"'{part}' names the test {reason}, which is not there")
    for page, test in TESTED.items():
        check((SOURCE / page).is_file() and pathlib.Path(page).stem in (SOURCE / test).read_text(), f"{test} does not name {page}")


def main():
    every = [str(page.relative_to(SOURCE)) for page in [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").rglob("*.md"))]]
    for page in every:
        for language, content in blocks((SOURCE / page).read_text()):
            check(language in ("bash", "python", "text", "json", "cpp", "c", "cmake"), f"{page}: a block without its language: {content[:60]}")
    pages = [page for page in every if page not in TESTED]
    table_is_true(pages)
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made).resolve()
        (folder / "made").mkdir()
        files(folder / "made")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda page: run(page, folder / "made", folder / page.replace("/", "-")), pages))
    print("figure: commands of pages:", ", ".join(f"{page} {count} in {took:.0f} s" for page, count, took in done if count))


if __name__ == "__main__":
    main()
