#!/usr/bin/env python3
"""A search that is killed at 40 random points, and resumed each time, ends in the bits of one that never stopped; every
checkpoint that it announced is there. The argument is another number of kills."""
import pathlib
import random
import re
import signal
import sys
import tempfile
import time

import h5py
from archive.common import MIXOP, SMALL, Search, check, differences, figure, opened, run, searched

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 40
SEED = 7
# A life is killed this many epochs after its start, or some milliseconds later; the last ones come near the end.
MOST_EPOCHS = 3
EPOCHS = 3 * KILLS // 2 + 8
MARGIN = 12
ANNOUNCED = re.compile(r"^epoch (\d+)/\d+  train loss", re.MULTILINE)


class Life(Search):
    """A search from its start or resumption to its death."""

    def __init__(self, out, log):
        begin = ["--resume"] if out.exists() else [*SMALL, "--set", f"search.epochs={EPOCHS}"]
        super().__init__(log, *begin, "--out", out)

    def announced(self):
        return [int(epoch) for epoch in ANNOUNCED.findall(self.log.read_text())]

    def wait_for(self, reached, pause=0.002):
        super().wait_for(lambda: reached() or self.process.poll() == 0, pause)

    def is_killed(self):
        """False where the search was over before: a busy machine may let it be."""
        status = self.ends(signal.SIGKILL)[0]
        check(status in (-9, 0), f"the search ended by itself, with exit code {status}: {self.log.read_text()}")
        return status == -9


def killed_at_random(life, temporaries, left, source):
    """Kills a life in its start, in an epoch or while a checkpoint is written, and says which of these it was; none: it ended."""
    kind = source.choice(("start", "epoch", "epoch", "write")) if left > MOST_EPOCHS + MARGIN else "start"
    if kind == "start":
        end = time.monotonic() + source.uniform(0, 0.6)
        life.wait_for(lambda: time.monotonic() > end or life.says("searching")())
    else:
        epochs = source.randint(1, MOST_EPOCHS)
        life.wait_for(lambda: len(life.announced()) >= epochs)
        if kind == "write":
            life.wait_for(temporaries, pause=0.0002)
            time.sleep(source.uniform(0, 0.001))
        else:
            time.sleep(source.uniform(0, 0.06))
    return kind if life.is_killed() else None


def check_state(out, announced, number):
    """What a kill leaves: whole files, none older than what was announced. Returns the archive's epoch."""
    if not out.exists():
        check(announced == 0, f"kill {number}: epoch {announced} was announced and there is no archive")
        return 0
    previous = out.with_name(out.name + ".prev")
    files = [out, previous] if previous.exists() else [out]
    for found in opened(*files):
        check(found["problem"] == "", f"kill {number}: {found['problem']}")
    verified = run(MIXOP, "verify", out)
    check(verified.returncode == 0, f"kill {number}: {verified.stderr}")
    with h5py.File(out) as file:
        epoch = int(file["position"].attrs["epoch"])
    check(epoch >= announced, f"kill {number}: epoch {announced} was announced, and the archive holds {epoch}")
    return epoch


def main():
    source = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        out, whole, log = folder / "run.h5", folder / "whole.h5", folder / "log"
        temporaries = lambda: list(folder.glob("run.h5.*.tmp"))
        killed, left_temporary, announced, epoch = [], 0, 0, 0
        while len(killed) < KILLS:
            life = Life(out, log)
            kind = killed_at_random(life, temporaries, EPOCHS - epoch, source)
            if kind is None:
                out.unlink()
                announced = epoch = 0
                continue
            killed.append(kind)
            number = len(killed)
            left_temporary += bool(temporaries())
            announced = max([announced, *life.announced()])
            epoch = check_state(out, announced, number)
        last = run(MIXOP, "search", "--resume", "--out", out)
        check(last.returncode == 0, f"resuming after the last kill: {last.stderr}")
        check(not temporaries(), f"{temporaries()} is left at the end")
        searched(whole, EPOCHS)
        check(differences(whole, out) == [], f"after {KILLS} kills other bits in {differences(whole, out)}")
    figure(f"{KILLS} kills (seed {SEED}): {killed.count('start')} in the start, {killed.count('epoch')} in an epoch, "
           f"{killed.count('write')} in a write; {left_temporary} left a temporary file; the last came after epoch {epoch} of {EPOCHS}")
    figure(f"after {KILLS} of {KILLS} kills the archive verified, held what was announced and was resumed; at the end the "
           f"same bits as uninterrupted")


if __name__ == "__main__":
    main()
