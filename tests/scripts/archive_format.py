#!/usr/bin/env python3
"""docs/archive-format.md is true: its examples run on an archive and print what it shows, and its table has what is in one."""
import contextlib
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import h5py

MIXOP = os.environ["MIXOP"]
PAGE = (pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]) / "docs" / "archive-format.md").read_text()
SMALL = ["--set", "synthetic.size=8", "--set", "synthetic.train=32", "--set", "synthetic.test=8", "--set", "space.channels=2", "--set",
         "space.layers=3", "--set", "search.batch=8", "--set", "search.epochs=2", "--set", "threads=1", "--set", "data.train_limit=0"]
NETWORK = ["--set", "data.name=synthetic", "--set", "synthetic.size=8", "--set", "synthetic.train=16", "--set", "synthetic.test=8",
           "--set", "space.channels=2", "--set", "space.layers=3", "--set", "data.cutout=0", "--set", "train.auxiliary=0", "--set",
           "train.batch=8", "--set", "train.epochs=1", "--set", "threads=1"]
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def check(holds, message):
    if not holds:
        sys.exit(f"archive_format: {message}")


def examples():
    """Runs the Python blocks in the folder of run.h5 and net.h5; a text block shows what the one before it printed. Returns their
    common names."""
    names, printed, counts = {}, "", {"python": 0, "text": 0}
    for language, content in FENCED.findall(PAGE):
        check(language in counts, f"a block of '{language}'")
        counts[language] += 1
        if language == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(content, "docs/archive-format.md", "exec"), names)
            printed = output.getvalue()
        else:
            check(printed == content, f"the page shows\n{content}\nand its example prints\n{printed}")
    check(counts["python"] >= 3 and counts["text"] >= 1, f"the page has {counts}")
    return names, counts


def damage_is_noticed(verify):
    verify("run.h5")
    content = bytearray(pathlib.Path("run.h5").read_bytes())
    content[len(content) // 2] ^= 1
    pathlib.Path("damaged.h5").write_bytes(content)
    try:
        verify("damaged.h5")
    except AssertionError:
        return
    check(False, "the page's verify() takes a damaged file")


def tables():
    """The first columns of the tables of paths, and the list of the provenance."""
    rows = re.findall(r"^\| (`/.*?) \|", PAGE, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`/(\w+)", row)}
    attributes = PAGE[PAGE.index("The attributes of `/provenance`"):].split("\n\n")[0]
    with h5py.File("run.h5") as run, h5py.File("dropped.h5") as dropped, h5py.File("net.h5") as net:
        found = set(run) | set(dropped) | set(net)
        sometimes = {"average", "last"}  # of trainings that keep another network than the last one
        check(documented - sometimes == found, f"the tables have {sorted(documented)}, the archives {sorted(found)}")
        check(set(dropped) - set(run) == {"dropped"}, f"a schedule that drops operations adds {sorted(set(dropped) - set(run))}")
        for archive in (run, dropped, net):
            check(f"`{archive.attrs['layout'].decode()}`" in PAGE, "a layout is not the page's")
            check(set(archive["provenance"].attrs) == set(run["provenance"].attrs), "the provenances differ in what they hold")
        provenance = [*run["provenance"].attrs, *run["provenance"]]
        check(all(f"`{name}`" in attributes for name in provenance), f"the page lacks one of {provenance}")
        listed = set(re.findall(r"`(\w+)`", attributes))
        check(listed - {"weights"} == set(provenance), f"the page lists {sorted(listed)}, the archive {sorted(provenance)}")
    return len(documented), len(listed)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for command in (["search", "quick", *SMALL, "--out", "run.h5"], ["search", "quick", "--strategy", "darts_pt", *SMALL, "--out", "dropped.h5"],
                        ["train", "--genotype", "DARTS_V2", *NETWORK, "--out", "net.h5"]):
            run = subprocess.run([MIXOP, *command], capture_output=True, text=True, timeout=120)
            check(run.returncode == 0, run.stderr)
        names, counts = examples()
        damage_is_noticed(names["verify"])
        groups, attributes = tables()
        os.chdir("/")
    print(f"figure: docs/archive-format.md: {counts['python']} examples run, {counts['text']} outputs are as shown, {groups} groups and "
          f"{attributes} of the provenance are as listed")


if __name__ == "__main__":
    main()
