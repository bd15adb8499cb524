#!/usr/bin/env python3
"""What commands write goes to the files that were named and to no other: names that cannot be written are refused before the work begins, links and
pipes are never written through, and --overwrite replaces a run's own files."""
import concurrent.futures
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import SEARCH, TRAIN, answer, asked, check, mixop, refusal

SELECT = ["select", "quick", *SEARCH[2:], *(word for item in ("threads=1", "space.channels=2", "space.layers=3", "train.auxiliary=0",
          "train.batch=8", "train.epochs=1", "data.cutout=0") for word in ("--train-set", item))]
FIRST = ["--seeds", "0,1"]
KINDS = ("hard link", "symbolic link", "pipe")


def plant(kind, victim, path):
    if kind == "hard link":
        os.link(victim, path)
    elif kind == "symbolic link":
        path.symlink_to(victim)
    else:
        os.mkfifo(path)


def unwritable(folder, net):
    """Every command that writes a file, by every name to which none can be written; nothing was computed by then."""
    place = folder / "sub.svg"
    place.mkdir()
    (folder / "run.h5.prev").mkdir()
    refusal(2, "run.h5.prev is a folder", *SEARCH, "--out", folder / "run.h5")
    (folder / "run.h5.prev").rmdir()
    os.mkfifo(folder / "pipe.svg")
    no_lock = "is no lock file that can be replaced"
    cases = (("", "an empty name cannot be written", None), (folder / ("x" * 300 + ".svg"), "name is too long", None),
             (folder / ("x" * 246 + ".svg"), "File name too long", None), (place, "it is a folder", no_lock),
             (folder / "no" / "a.svg", "does not exist; make it first", None), (folder / "pipe.svg", "a link, a pipe or a device", no_lock))
    writers = ([*SEARCH, "--out"], [*TRAIN, "--out"], ["draw", "darts_cnn/DARTS_V2", "-o"], ["evaluate", net, "--confusion"], ["plugins", "lock", "--out"])
    for path, words, of_lock in cases:
        for command in writers:
            if path == "" and command[0] in ("draw", "evaluate"):
                continue  # it has no ending, which is refused before
            said = refusal(2, of_lock if of_lock and command[0] == "plugins" else words, *command, path).stderr
            check("searching" not in said and "training" not in said, f"{command} began its work: {said}")
    for path, words in (("sub.svg", "it is a folder"), ("no/m", "does not exist"), ("x" * 300, "too long"), ("pipe.svg", "a pipe")):
        refusal(2, words, *SEARCH, "--out", folder / "run.h5", f"--metrics={path}")
    refusal(2, "an empty name is no folder", *SELECT, *FIRST, "--out", "")
    refusal(2, "cannot be made: File name too long", *SELECT, *FIRST, "--out", folder / ("x" * 300))
    check(sorted(path.name for path in folder.iterdir()) == ["pipe.svg", "sub.svg"], f"left: {list(folder.iterdir())}")


def planted(folder):
    """Whatever lies where a run writes beside its archive: nothing is written through it, and nothing hangs."""
    for kind in KINDS:
        for end in (".tmp", ".prev", ".prev.tmp"):
            place = folder / f"{kind}{end}"
            place.mkdir()
            victim = place / "victim"
            victim.write_text("mine")
            plant(kind, victim, place / f"run.h5{end}")
            answer(*SEARCH, "--out", place / "run.h5")
            check(victim.read_text() == "mine" and asked("verify", place / "run.h5")["ok"], f"{kind} at run.h5{end}")
        place = folder / kind
        place.mkdir()
        (place / "victim").write_text("mine")
        plant(kind, place / "victim", place / "run.h5.lock")
        refusal(2, "run.h5.lock", *SEARCH, "--out", place / "run.h5")
        for more in ([], ["--overwrite"]):
            plant(kind, place / "victim", place / "m")
            refusal(2, "/m: ", *SEARCH, "--out", place / "new.h5", "--metrics=m", *more)
            (place / "m").unlink()
        check((place / "victim").read_text() == "mine", f"{kind}: another file was written")
    pipe = folder / "state"
    os.mkfifo(pipe)
    for command in (["list", "ops", f"--locked={pipe}"], ["inspect", pipe], ["verify", pipe], ["compare", pipe, pipe], ["evaluate", pipe]):
        refusal(3, "regular file", *command)
    refusal(2, "a link, a pipe or a device", "search", "--resume", "--out", pipe)


def a_mode_stays(folder):
    out = folder / "private.h5"
    answer(*SEARCH, "--out", out)
    out.chmod(0o600)
    answer("search", "--continue", "--set", "search.epochs=4", "--out", out)
    check(out.stat().st_mode & 0o777 == 0o600 and asked("inspect", out)["step"] == 8, f"mode {oct(out.stat().st_mode)}")


def leftovers(folder):
    """A killed run's temporary file goes with the next run of that output, and files of others stay."""
    out = folder / "run.h5"
    left, others = folder / "run.h5.0123456789abcdef.tmp", folder / "run.h5.mine.tmp"
    for path in (left, others):
        path.write_text("half")
    answer(*SEARCH, "--out", out)
    check(not left.exists() and others.read_text() == "half", f"left: {list(folder.iterdir())}")


def own_files_alone(folder):
    """--overwrite, and outputs that are in each other's way."""
    out, other = folder / "run.h5", folder / "other.h5"
    answer(*SEARCH, "--out", out, "--metrics", "--tensorboard")
    answer(*SEARCH, "--out", other)
    before = other.read_bytes()
    refusal(2, "expected a file of metrics to replace", *SEARCH, "--out", out, "--overwrite", "--metrics=other.h5")
    check(other.read_bytes() == before, "--metrics destroyed an archive")
    for name in ("run.h5.tmp", "run.h5.prev", "run.h5.lock"):
        refusal(2, "is a name that is kept for what is written beside", *SEARCH, "--out", out, "--overwrite", f"--metrics={name}")
    refusal(2, "run.h5, which --out names", *SEARCH, "--out", out, "--overwrite", "--metrics=run.h5")
    refusal(2, "which --out names", *SEARCH, "--out", folder / "plain", "--tensorboard=.")
    notes = folder / "notes.txt"
    notes.write_text("mine")
    refusal(2, "is no archive of mixop", *SEARCH, "--out", notes, "--overwrite")
    check(notes.read_text() == "mine", "--overwrite replaced a text")
    (folder / "plugins.lock").write_text("{}")
    refusal(2, "expected a lock file", *SEARCH, "--out", folder / "plugins")
    check((folder / "plugins.lock").read_text() == "{}", "a lock destroyed another file")
    events = folder / "tensorboard" / "run" / "events.out.tfevents.1700000000.host.1.0"
    events.write_text("another program's")
    answer(*SEARCH, "--out", out, "--overwrite", "--metrics", "--tensorboard")
    own = sorted(path.name for path in events.parent.iterdir() if path != events)
    check(events.read_text() == "another program's" and own == ["events.out.tfevents.000000.mixop"], f"{events.name} and {own}")
    empty = folder / "empty.h5"
    empty.touch()
    answer(*SEARCH, "--out", empty, "--overwrite")


def selections(folder):
    """select --overwrite removes what the selection that was there lists, and nothing through a link."""
    out, elsewhere = folder / "selection", folder / "elsewhere"
    answer(*SELECT, *FIRST, "--out", out)
    elsewhere.mkdir()
    for place in (elsewhere, out / "seed-7"):
        place.mkdir(exist_ok=True)
        (place / "search.h5").write_text("mine")
    (out / "seed-8").symlink_to(elsewhere)
    before = (out / "seed-0" / "search.h5").read_bytes()
    for seeds in ("7,9", "8,9"):
        refusal(2, "is in the way, and no selection made it", *SELECT, "--seeds", seeds, "--overwrite", "--out", out)
    check((out / "seed-0" / "search.h5").read_bytes() == before, "a refused selection removed the one that was there")
    (out / "seed-1").rename(folder / "moved")
    (out / "seed-1").symlink_to(folder / "moved")
    answer(*SELECT, "--seeds", "2,3", "--overwrite", "--out", out)
    check(not (out / "seed-0").exists() and (folder / "moved" / "search.h5").exists(), "seeds of the selection that was there")
    check(all((place / "search.h5").read_text() == "mine" for place in (elsewhere, out / "seed-7")), "files that no selection made")
    for path, words in ((out / "seed-4", "is no folder"), (out / "winner.json", "it is a folder"), (out / "seed-5" / "train.h5", "it is a folder")):
        path.unlink(missing_ok=True)
        path.mkdir(parents=True) if words == "it is a folder" else path.touch()
        refusal(2, words, *SELECT, "--seeds", "4,5", "--overwrite", "--out", out)
        path.rmdir() if words == "it is a folder" else path.unlink()
    (out / "selection.json").unlink()
    (out / "selection.json").symlink_to(elsewhere / "search.h5")
    refusal(2, "is no result of a selection", *SELECT, *FIRST, "--overwrite", "--out", out)
    (out / "selection.json").unlink()
    os.mkfifo(out / "selection.json")
    refusal(2, "is no result of a selection", *SELECT, *FIRST, "--out", out)


def pictures(folder):
    """A picture that cannot be drawn leaves the old one."""
    picture = folder / "a.svg"
    picture.write_text("old")
    (folder / "dot").write_text("#!/bin/sh\nexit 1\n")
    (folder / "dot").chmod(0o755)
    run = mixop("draw", "darts_cnn/DARTS_V2", "-o", picture, PATH=f"{folder}:{os.environ['PATH']}")
    check(run.returncode == 1 and picture.read_text() == "old", f"a failed drawing: {run.stderr}")
    check(sorted(path.name for path in folder.iterdir()) == ["a.svg", "dot"], f"left: {list(folder.iterdir())}")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        net = folder / "net.h5"
        answer(*TRAIN, "--out", net)
        parts = [unwritable, planted, a_mode_stays, leftovers, own_files_alone, selections, pictures]

        def run(part):
            place = folder / part.__name__
            place.mkdir()
            part(*([place, net] if part is unwritable else [place]))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(run, [part for part in parts if part.__name__ in sys.argv[1:]] or parts))
        print("outputs: all well")


main()
