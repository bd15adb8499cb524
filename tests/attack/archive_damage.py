#!/usr/bin/env python3
"""Every flipped bit, cut and appended byte of a real archive is refused; a sample of them through the program. The
argument is the distance of the damaged bytes."""
import pathlib
import random
import shutil
import sys
import tempfile

from archive.common import BUILT, MIXOP, NETWORK_READERS, check, differences, figure, reading, run, searched, trained

STRIDE = int(sys.argv[1]) if len(sys.argv) > 1 else 97
SAMPLES = 20
SEED = 12
RUN_READERS = (["verify", "FILE"], ["inspect", "FILE"], ["derive", "FILE"], ["search", "--resume", "--out", "FILE"])


def damaged(sound, random_source):
    """One damaged copy and what was done to it."""
    copy = bytearray(sound)
    at = random_source.randrange(len(sound))
    kind = random_source.choice(("flip", "cut", "append", "user block"))
    if kind == "cut":
        return bytes(copy[:at]), f"cut to {at} bytes"
    if kind == "append":
        return bytes(copy) + bytes(at % 1000 + 1), f"{at % 1000 + 1} bytes appended"
    at = at % 512 if kind == "user block" else at
    copy[at] ^= 1 << at % 8
    return bytes(copy), f"bit {at % 8} of byte {at} flipped"


def through_the_program(kind, sound_file, commands, folder):
    sound, random_source = sound_file.read_bytes(), random.Random(SEED)
    file = folder / "damaged.h5"
    for number in range(SAMPLES):
        content, what = damaged(sound, random_source)
        file.write_bytes(content)
        command = commands[number % len(commands)]
        answer = run(MIXOP, *reading(command, file))
        check(answer.returncode == 3 and str(file) in answer.stderr, f"{what}: {command[0]}: {answer.returncode} {answer.stderr}")
        check(file.read_bytes() == content, f"{what}: {command[0]} changed the file")
    figure(f"damaged archives of a {kind} refused by the program with exit code 3: {SAMPLES} of {SAMPLES}, by {len(commands)} commands in turn")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run_file, victim = folder / "run.h5", folder / "victim.h5"
        searched(run_file, 2)
        shutil.copy(run_file, victim)
        answer = run(BUILT / "archive_damage", victim, STRIDE, timeout=3600)
        check(answer.returncode == 0, f"{answer.stdout} {answer.stderr}")
        check(differences(run_file, victim) == [], "the victim is not whole again")
        figure(f"damage to an archive of {run_file.stat().st_size} bytes, every {STRIDE} bytes: {answer.stdout.strip()}")
        through_the_program("search", run_file, RUN_READERS, folder)
        net_file = folder / "net.h5"
        trained(net_file)
        through_the_program("network", net_file, NETWORK_READERS, folder)


if __name__ == "__main__":
    main()
