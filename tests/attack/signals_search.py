#!/usr/bin/env python3
"""The first SIGINT or SIGTERM ends a search at the next step with its archive, the second one at once; neither harms an
archive, whenever they come."""
import os
import pathlib
import random
import signal
import tempfile
import time

import h5py
from archive.common import MIXOP, SMALL, Search, check, differences, figure, opened, run

SEED = 3
SLOWNESS = float(os.environ.get("MIXOP_SLOWNESS", "1"))  # of a sanitized build
SOON, AT_ONCE = 5.0 * SLOWNESS, 2.0 * SLOWNESS  # seconds, beside other tests; on a slow machine those of a whole search
MOST = 40  # times that a case is tried which a busy machine may let pass
# Epochs of 20 steps, and of 2 steps that a far longer validation follows.
STEPS = [*SMALL, "--set", "synthetic.train=320", "--set", "search.epochs=3"]
VALIDATION = [*SMALL, "--set", "synthetic.train=1600", "--set", "data.train_portion=0.01", "--set", "search.epochs=8"]


def position(out):
    with h5py.File(out) as file:
        at = file["position"].attrs
        return int(at["epoch"]), int(at["step"]), int(at["step_in_epoch"])


def sound(out, what):
    check(opened(out)[0]["problem"] == "", f"{what}: {opened(out)[0]['problem']}")


def goes_on(out, whole, what):
    again = run(MIXOP, "search", "--resume", "--out", out)
    check(again.returncode == 0, f"{what}: it cannot be resumed: {again.stderr}")
    check(differences(whole, out) == [], f"{what}: other bits in {differences(whole, out)}")


def interrupted(folder, out, options, words, delay, number):
    """Signals a search some time after its words; anew and earlier, where it is over by then."""
    for _ in range(MOST):
        out.unlink(missing_ok=True)
        search = Search(folder / "log", *options, "--out", out)
        search.wait_for(search.says(words))
        time.sleep(delay)
        status, seconds = search.ends(number)
        if status != 0:
            return status, seconds, search
        delay /= 2
    check(False, "no signal came before the search's end")


def first_signal(folder, whole, soon, source):
    """In a step: the archive holds it."""
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        longest, cases = 0, 4
        for case in range(cases):
            out = folder / f"{code}-{case}.h5"
            words, delay = ("epoch 1/3  train loss", source.uniform(0, 0.2)) if case > 0 else ("searching", 0)
            status, seconds, search = interrupted(folder, out, STEPS, words, delay, number)
            check(status == code and seconds < soon, f"{number.name}: exit code {status} after {seconds:.2f} s")
            check("interrupted; go on with: mixop search --resume --out" in search.log.read_text(), search.log.read_text())
            sound(out, number.name)
            check(position(out)[1] >= (1 if case == 0 else 20), f"{number.name}: the archive stands at {position(out)}")
            longest = max(longest, seconds)
        goes_on(out, whole, number.name)
        figure(f"{number.name} in a search, {cases} of {cases}: exit code {code} with the last step archived, after "
               f"{longest:.2f} s at most; resumed to the same bits")


def in_validation(folder, soon, source):
    """In whichever epoch the signal falls: a machine's speed decides that, and seldom that it falls between validations."""
    whole, out = folder / "validated.h5", folder / "validation.h5"
    check(run(MIXOP, "search", *VALIDATION, "--out", whole).returncode == 0, "the search does not run")
    cases = 0
    while cases == 0 or position(out)[2] != 2:
        cases += 1
        check(cases <= MOST, "no signal came in a validation")
        delay = source.uniform(0, 0.3)
        status, seconds, _ = interrupted(folder, out, VALIDATION, "epoch 1/8  step 1/2", delay, signal.SIGINT)
        check(status == 130 and seconds < soon, f"in a validation: exit code {status} after {seconds:.2f} s")
        sound(out, "in a validation")
    goes_on(out, whole, "in a validation")
    figure(f"SIGINT in a validation: exit code 130 after {seconds:.2f} s, without its end; resumed to the same bits")


def second_signal(folder, whole, at_once):
    """In a step, and while the archive is written, which is when a temporary file is left."""
    out, temporaries = folder / "second.h5", lambda: list(folder.glob("second.h5.*.tmp"))
    slowest, in_writes, cases = 0, 0, 0
    while in_writes < 3 and cases < MOST:  # a fast disk may be too fast for it
        cases += 1
        search = Search(folder / "log", *(["--resume"] if out.exists() else STEPS), "--out", out)
        search.wait_for(search.says("searching" if out.exists() else "epoch 1/3  train loss"))
        before = out.read_bytes()
        search.process.send_signal(signal.SIGINT)
        time.sleep(0.005)  # two signals at once are one
        while cases > 2 and not temporaries() and search.process.poll() is None:
            time.sleep(0.0001)
        status, seconds = search.ends(signal.SIGINT)
        if status == 0:  # it was over before the first
            out.unlink()
            continue
        check(status == 130 and seconds < at_once, f"a second SIGINT: exit code {status} after {seconds:.2f} s")
        sound(out, "a second SIGINT")
        if temporaries():
            in_writes += 1
            whole_epoch = position(out)[2] == 0  # whose checkpoint came between the two
            check(out.read_bytes() == before or whole_epoch, "a second SIGINT in a write: not the old archive")
        slowest = max(slowest, seconds)
    goes_on(out, whole, "a second SIGINT")
    check(not temporaries(), "the temporary file outlives the next run")
    figure(f"a second SIGINT, {cases} times, {in_writes} of them while the archive was written: exit code 130 within "
           f"{slowest:.3f} s, the old archive whole")


def in_the_start(folder, whole, at_once):
    """Nothing is to be saved yet: the program leaves at once, by the signal or with its code."""
    out, fresh = folder / "start.h5", folder / "fresh.h5"
    interrupted(folder, out, STEPS, "epoch 1/3  train loss", 0, signal.SIGINT)
    slowest, delays = 0, (0.02, 0.1, 0.2, 0.3)
    for arguments, file in ((["--resume"], out), (STEPS, fresh)):
        for delay in delays:
            fresh.unlink(missing_ok=True)
            before = out.read_bytes()
            search = Search(folder / "log", *arguments, "--out", file)
            end = time.monotonic() + delay
            search.wait_for(lambda: time.monotonic() > end or search.says("searching")())
            began = search.says("searching")()
            status, seconds = search.ends(signal.SIGTERM)
            check(status in (-signal.SIGTERM, 143) or began and status == 0, f"SIGTERM {delay} s after the start: {status}")
            if began or status == 143:
                out.write_bytes(before)
                continue
            slowest = max(slowest, seconds)
            check(seconds < at_once, f"SIGTERM {delay} s after the start: {seconds:.2f} s")
            check(not fresh.exists() and out.read_bytes() == before, f"SIGTERM {delay} s after the start changed the archive")
    goes_on(out, whole, "SIGTERM in the start")
    figure(f"SIGTERM while a search starts or resumes, {2 * len(delays)} times: gone within {slowest:.3f} s, the archive as it was")


def not_finite(folder):
    out = folder / "infinite.h5"
    answer = run(MIXOP, "search", *SMALL, *(f"--set={key}" for key in ("search.epochs=60", "weights.lr=30", "weights.decay=1",
                                                                       "weights.clip=0")), "--out", out)
    check(answer.returncode == 1 and "not finite any more, in epoch" in answer.stderr, f"{answer.returncode} {answer.stderr}")
    sound(out, "a loss that is not finite")
    epoch = position(out)[0]
    check(f"not finite any more, in epoch {epoch + 1} " in answer.stderr and run(MIXOP, "inspect", out).returncode == 0,
          f"the archive stands at epoch {epoch}: {answer.stderr}")
    figure(f"a search that stops being finite in epoch {epoch + 1}: exit code 1, the archive of epoch {epoch} whole")


def main():
    source = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole = folder / "whole.h5"
        start = time.monotonic()
        check(run(MIXOP, "search", *STEPS, "--out", whole).returncode == 0, "the search does not run")
        soon, at_once = (max(limit, time.monotonic() - start) for limit in (SOON, AT_ONCE))
        first_signal(folder, whole, soon, source)
        in_validation(folder, soon, source)
        second_signal(folder, whole, at_once)
        in_the_start(folder, whole, at_once)
        not_finite(folder)


if __name__ == "__main__":
    main()
