#!/usr/bin/env python3
"""Whatever names a command is given or finds, what it prints is UTF-8 without anything that a terminal obeys, in lines of a
bounded length, and with --json it is JSON."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from program import MIXOP, answer, check  # noqa: E402

BUILD = pathlib.Path(os.environ["MIXOP_BUILD_DIR"])
# An escape code, one of 8 bits, one in UTF-8, an override of direction, a half character, a line end.
NAME = b"a\x1b[31m\x9b\xc2\x9b31m\xe2\x80\xaeb\xe5\x9b\nmixop: all is well"
LONG = "図" * 30000
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def printed(*arguments, cwd=None):
    """Both outputs of a command, checked."""
    command = [MIXOP, *(a if isinstance(a, bytes) else os.fsencode(a) for a in arguments)]
    run = subprocess.run(command, capture_output=True, timeout=120, cwd=cwd, stdin=subprocess.DEVNULL, env=os.environ | {"MIXOP_DATA": ""})
    told = f"mixop {' '.join(repr(a)[:80] for a in arguments)}"
    check(run.returncode in (0, 1, 2, 3, 4), f"{told}: exit code {run.returncode}")
    for output in (run.stdout, run.stderr):
        try:
            text = output.decode()
        except UnicodeDecodeError as error:
            check(False, f"{told}: not UTF-8: {error}: {output!r}")
        check(not OBEYED.search(text), f"{told}: {text!r}")
        check(output is run.stdout or all(len(line) < 9000 for line in text.split("\n")), f"{told}: too long a line: {text[:200]}")
        check("\nmixop: all is well" not in text, f"{told}: a name makes a line of its own: {text!r}")
    if "--json" in arguments and run.stdout.strip():
        json.loads(run.stdout, object_pairs_hook=distinct)
    return run


def distinct(pairs):
    check(len({key for key, _ in pairs}) == len(pairs), f"a key twice: {pairs}")
    return dict(pairs)


def arguments(name):
    printed(name)
    printed("list", name)
    printed("list", "ops", b"--" + name)
    printed("search", name, "--dry-run")
    printed("search", "quick", "--set", name + b"=1")
    for key in (b"seed", b"data.name", b"space.ops", b"space.name", b"data.dir", b"strategy.deriver"):
        printed("search", "quick", "--dry-run", "--set", key + b"=" + name)
    for command in ("summary", "train", "derive", "draw", "distance"):
        flag = ["--genotype"] if command in ("summary", "train") else []
        printed(command, *flag, name)
    for command in ("inspect", "verify", "evaluate"):
        printed(command, name)
        printed(command, name, "--json")
    printed("compare", name, name, "--json")
    for verb in ("check", "describe"):
        printed("data", verb, name)
        printed("data", verb, "cifar10", "--data", name)
        printed("data", verb, "synthetic", "--set", name)
        printed("data", verb, "synthetic", "--set", b"train=" + name)
    printed("plugins", name)
    printed("plugins", "check", name, "--json")
    printed("plugins", "new", "op", name)
    printed("plugins", "list", "--plugin-dir", name)
    printed("table", name)


def long_arguments(name):
    printed(name)
    printed("search", "quick", "--set", name + b"=1")
    printed("search", "quick", "--dry-run", "--set", b"seed=" + name)
    printed("summary", "--genotype", name)
    printed("data", "check", name, "--json")
    printed("plugins", name)
    run = printed("derive", b"|a" + name)
    check(b"\\xe5" not in run.stderr, f"a character is cut in two: {run.stderr!r}")


def files(folder):
    (folder / "key.json").write_bytes(b'{"' + LONG.encode() + b'": 1}')
    (folder / "value.json").write_text(json.dumps({"preset": "quick", "device": os.fsdecode(NAME).encode("utf-8", "replace").decode(), "seed": LONG}))
    (folder / "half.json").write_bytes(b'\xef\xbb\xbf{"a\xe5\x9b": 1}')
    (folder / "mark.json").write_bytes(b'{\xef\xbb\xbf"a": 1}')
    (folder / "number.json").write_text('{"seed": 1' + "0" * 100000 + "}")
    for file in folder.glob("*.json"):
        run = printed("search", file, "--dry-run")
        check(run.returncode == 2, f"{file.name}: {run.stderr}")
        printed("summary", "--genotype", file)
        printed("derive", "--space", "darts_cnn", "--alphas", file)
    run = printed("search", folder / "key.json", "--dry-run")
    check("more characters)" in run.stderr.decode(), f"what was left out is not counted: {run.stderr[:300]}")


def plugins(folder):
    """A plugin, a refused one and a picture in a folder of such a name."""
    named = os.fsencode(folder) + b"/" + NAME
    os.mkdir(named, 0o700)
    built = BUILD / "lib/mixop/plugins/mixop_datasets_synthetic.so"
    shutil.copy(built, named + b"/" + NAME + b".so")
    shutil.copy(built, named + b"/b.so")
    with open(named + b"/b.so", "r+b") as file:
        file.truncate(100)
    for command in (["plugins", "list"], ["plugins", "list", "--json"], ["list", "datasets"], ["list", "datasets", "--json"]):
        printed(*command, "--plugin-dir", named)
    for file in (b"/b.so", b"/" + NAME + b".so"):
        printed("plugins", "check", named + file)
        printed("plugins", "check", named + file, "--json")
    printed("plugins", "lock", "--out", named + b"/lock")
    for output in ([], ["--json"]):
        printed("draw", "darts_cnn/DARTS_V2", "-o", named + b"/a.dot", *output)
    printed("search", "quick", "--set", "data.name=synthetic", "--set", "synthetic.train=16", "--set", "search.epochs=1", "--set", "search.batch=8",
            "--set", "space.channels=2", "--set", "space.layers=3", "--set", "threads=1", "--out", named + b"/run.h5", "--json")
    for command in (["inspect"], ["inspect", "--json"], ["verify", "--json"], ["derive"]):
        printed(*command, named + b"/run.h5")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        os.environ["XDG_STATE_HOME"] = str(folder)
        os.chdir(folder)
        arguments(NAME)
        long_arguments(LONG.encode())
        (folder / "files").mkdir()
        files(folder / "files")
        plugins(folder)
        answer("list", "ops")
        print("terminal: all well")


if __name__ == "__main__":
    main()
