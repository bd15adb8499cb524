#!/usr/bin/env python3
"""Whichever file operation fails while an archive is replaced, there is a whole archive, the old or the new one, and an
error that says where; short writes and interrupted calls go unnoticed."""
import errno
import os
import pathlib
import re
import resource
import shutil
import tempfile

import h5py
from archive.common import BUILT, MIXOP, SMALL, check, differences, figure, opened, run, searched

GENERATIONS = 6
PROBLEMS = (errno.EIO, errno.ENOSPC)
# What each call does, in the words of the errors. A folder or lock that cannot be closed harms nothing.
STEPS = {"open": ("creating", "opening the folder"), "write": ("writing",), "fsync": ("syncing",), "close": ("closing",),
         "ftruncate": ("writing the lock file",), "link": ("linking",), "rename": ("renaming", "keeping the previous")}


def preloaded(folder, log, mode, call="", at=0, problem=0):
    return {**os.environ, "LD_PRELOAD": str(BUILT / "archive_faults.so"), "FAULTS_FOLDER": str(folder), "FAULTS_MODE": mode,
            "FAULTS_CALL": call, "FAULTS_AT": str(at), "FAULTS_ERRNO": str(problem), "FAULTS_LOG": str(log),
            "FAULTS_WATCH": str(folder / "run.h5"), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


def write(file, first, count, **options):
    return run(BUILT / "archive_writer", file, first, count, **options)


def generations(folder):
    """The bytes of every generation that the writer makes."""
    contents = []
    for number in range(GENERATIONS + 1):
        file = folder / f"generation{number}.h5"
        check(write(file, number, 1).returncode == 0, "the writer does not run")
        contents.append(file.read_bytes())
    return contents


class Scene:
    """A folder with generation 0 of an archive, in which a writer is to write the others."""

    def __init__(self, root, contents):
        self.folder, self.log, self.contents = root / "scene", root / "log", contents
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log.unlink(missing_ok=True)
        self.folder.mkdir()
        self.file = self.folder / "run.h5"
        self.file.write_bytes(contents[0])

    def write(self, mode, **fault):
        answer = write(self.file, 1, GENERATIONS, env=preloaded(self.folder, self.log, mode, **fault))
        self.calls = self.log.read_text().splitlines()
        check("gone " not in self.calls, f"{fault}: at a moment there was no {self.file}")
        return answer

    def failed_call(self):
        """The call that failed and its path."""
        failed = [line.split(" ", 2)[1:] for line in self.calls if line.startswith("failed ")]
        check(len(failed) == 1, f"not one call failed: {failed}")
        return failed[0]

    def holds(self, saved, what):
        """The archive is the newest one that was safe, or the complete next one; nothing else lies about."""
        found = self.contents.index(self.file.read_bytes()) if self.file.read_bytes() in self.contents else None
        check(found in (saved, saved + 1), f"{what}: after generation {saved} the archive holds {found}")
        previous = self.folder / "run.h5.prev"
        if previous.exists():
            check(previous.read_bytes() in self.contents[max(0, found - 1):found + 1], f"{what}: .prev is none of the last two")
        left = {path.name for path in self.folder.iterdir()} - {"run.h5", "run.h5.prev", "run.h5.lock"}
        check(not left, f"{what}: left {left}")
        return found

    def goes_on(self, found, what):
        again = write(self.file, found, 2)
        check(again.returncode == 0, f"{what}: the next run fails: {again.stderr}")
        check({path.name for path in self.folder.iterdir()} == {"run.h5", "run.h5.prev"}, f"{what}: the next run leaves something")


def one_fault(root, contents, mode, call, at, problem):
    """Fails one call; returns its name, or None where there are no so many calls."""
    what = f"{call} number {at} with {errno.errorcode[problem]}"
    scene = Scene(root, contents)
    answer = scene.write(mode, call=call, at=at, problem=problem)
    saved = max([0, *(int(line.split()[1]) for line in answer.stdout.splitlines())])
    if not any(line.startswith("failed ") for line in scene.calls):
        check(answer.returncode == 0 and saved == GENERATIONS, f"{what}: {answer.returncode} {answer.stderr}")
        return None
    name, path = scene.failed_call()
    harmless = name == "close" and path in (str(scene.folder), f"{scene.file}.lock")
    if harmless:
        check(answer.returncode == 0 and saved == GENERATIONS, f"{what}, {path}: {answer.returncode} {answer.stderr}")
    else:
        told = any(f"{step}" in answer.stderr for step in STEPS[name])
        check(answer.returncode == 1 and str(scene.folder) in answer.stderr and told and os.strerror(problem) in answer.stderr,
              f"{what}, {path}: {answer.returncode} '{answer.stderr}'")
    scene.goes_on(scene.holds(saved, what), what)
    return name


def every_call(root, contents):
    for problem in PROBLEMS:
        failed = [one_fault(root, contents, "fail", "any", at, problem) for at in range(1, 61)]
        check(None not in failed and set(failed) == set(STEPS), f"not all kinds of calls failed: {failed}")
        figure(f"{errno.errorcode[problem]} at call 1 to 60 of a writer ("
               + ", ".join(f"{failed.count(name)} {name}" for name in STEPS) + "): 60 of 60 left a whole archive")
    pieces = 0
    while one_fault(root, contents, "short", "write", pieces + 1, errno.ENOSPC) and pieces < 60:
        pieces += 1
    check(pieces > 20, f"only {pieces} short writes")
    figure(f"ENOSPC at write 1 to {pieces}, each of 4096 bytes at most: {pieces} of {pieces} left a whole archive")


def order_of_calls(root, contents):
    """A generation is on the disk before it gets its name, and the name is before it is announced."""
    scene = Scene(root, contents)
    check(scene.write("fail").returncode == 0, "the writer does not run")
    temporary = re.compile(re.escape(str(scene.file)) + r"\.[0-9a-f]{16}\.tmp$")
    calls = [temporary.sub("TEMPORARY", line) for line in scene.calls]
    told = [line for line in calls if line in ("fsync TEMPORARY", "rename TEMPORARY", f"fsync {scene.folder}")]
    expected = ["fsync TEMPORARY", "rename TEMPORARY", f"fsync {scene.folder}"]  # a rename keeps the previous file, too
    check([line for i, line in enumerate(told) if line != "rename TEMPORARY" or told[i + 1] != "rename TEMPORARY"] == expected * GENERATIONS,
          f"the order is {told}")


def harmless_modes(root, contents):
    for mode, words in (("short", "short writes"), ("interrupt", "every second call interrupted")):
        scene = Scene(root, contents)
        answer = scene.write(mode)
        check(answer.returncode == 0, f"{words}: {answer.returncode} {answer.stderr}")
        check(scene.holds(GENERATIONS, words) == GENERATIONS, f"{words}: not the same bytes")
        interrupted = sum(line.startswith("failed ") for line in scene.calls)
        figure(f"{words}: the same bytes after {len(scene.calls)} calls, {interrupted} of them interrupted")


def through_the_program(root):
    """A search of four epochs in which something fails in the third one's checkpoint."""
    whole, cases = root / "whole.h5", (("write", 4, errno.ENOSPC), ("fsync", 5, errno.EIO), ("rename", 4, errno.EIO),
                                       ("link", 3, errno.ENOSPC), ("close", 7, errno.EIO))
    searched(whole, 4)
    for call, at, problem in cases:
        what = f"search, {call} number {at}"
        folder = root / call
        folder.mkdir()
        out = folder / "run.h5"
        answer = run(MIXOP, "search", *SMALL, "--set", "search.epochs=4", "--out", out,
                     env=preloaded(folder, root / f"{call}.log", "fail", call, at, problem))
        check(answer.returncode == 1 and f"mixop: error: {out}" in answer.stderr and os.strerror(problem) in answer.stderr,
              f"{what}: {answer.returncode} {answer.stderr}")
        check(opened(out)[0]["problem"] == "", f"{what}: the archive is damaged")
        with h5py.File(out) as file:
            epoch = int(file["position"].attrs["epoch"])
        check(epoch == 2, f"{what}: the archive holds {epoch} epochs instead of 2")
        resumed = run(MIXOP, "search", "--resume", "--out", out)
        check(resumed.returncode == 0 and differences(whole, out) == [], f"{what}: resumed: {resumed.stderr}")
    figure(f"searches whose checkpoint failed: {len(cases)} of {len(cases)} ended with exit code 1 and the last archive, "
           f"and were resumed to the same bits")


def full_disk(root):
    """No file may grow beyond 64 KiB, which an archive needs."""
    out = root / "full.h5"
    searched(out, 1)
    before = out.read_bytes()
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    answer = run(MIXOP, "search", *SMALL, "--overwrite", "--out", out, preexec_fn=limit)
    check(answer.returncode == 1 and "writing failed: File too large; free some space" in answer.stderr,
          f"a file size limit: {answer.returncode} {answer.stderr}")
    check(out.read_bytes() == before and not list(root.glob("full.h5.*.tmp")), "a file size limit: not the old archive alone")
    figure("a search that may write no more than 64 KiB: exit code 1, the old archive bit for bit")


def main():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name).resolve()
        contents = generations(root)
        check(len(set(contents)) == len(contents), "generations are the same")
        order_of_calls(root, contents)
        harmless_modes(root, contents)
        every_call(root, contents)
        through_the_program(root)
        full_disk(root)


if __name__ == "__main__":
    main()
