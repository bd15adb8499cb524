#!/usr/bin/env python3
"""import mixop says of archives what the program says, refuses what it refuses, and runs searches whose end leaves their archive whole. Its page is
true."""
import contextlib
import hashlib
import io
import json
import logging
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import types
import warnings

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
PACKAGE = SOURCE / "sdk" / "python"
sys.path[:0] = [str(SOURCE / "tests" / "support"), str(PACKAGE)]
import mixop

IMPORTED_WITH_IT = {"h5py", "numpy", "torch"} & set(sys.modules)

import h5py
import numpy as np
import torch
from program import answer, asked, check, differences
from program import mixop as command

os.environ["MIXOP_DATA"] = ""
SMALL = {"data": {"name": "synthetic", "train_limit": 0}, "synthetic": {"size": 8, "train": 320, "test": 16}, "threads": 1, "space.channels": 2,
         "space.layers": 3}
# 20 steps an epoch.
SEARCH = {**SMALL, "space.nodes": 2, "space.ops": ["none", "skip_connect", "sep_conv_3x3"], "search.batch": 8, "search.epochs": 6, "alphas.lr": 0.1}
TRAIN = {**SMALL, "train.auxiliary": 0, "train.batch": 8, "train.epochs": 2, "data.cutout": 0}
# Plays a program that $MIXOP names.
PROGRAM = """#!{python}
import pathlib, signal, sys, time
metrics = pathlib.Path(next(word for word in sys.argv if word.startswith("--metrics="))[10:])
{body}
"""


def refused(code, words, act):
    """The Error of an act that must have one."""
    try:
        act()
    except mixop.Error as error:
        check(error.exit_code == code and words in str(error), f"exit code {error.exit_code}, expected {code} and '{words}': {error}")
        return error
    sys.exit(f"python_reader: no Error of '{words}'")


def without_time(event):
    return {name: value for name, value in event.items() if name != "wall_time"}


def same_as_inspect(run, seen):
    """Config, provenance, position, data and metrics."""
    check(run.config == seen["config"], run.config)
    check({name: value for name, value in run.provenance.items() if name != "epoch_seconds"} == seen["provenance"], run.provenance)
    check(run.position["step"] == seen["step"] == len(run.step_train_loss), run.position)
    check({name: value for name, value in run.data.items() if name != "class_digest"} == seen["data"], run.data)
    rows = [row for row in seen["epochs"] if row["epoch"] > 0]
    check([row["epoch"] for row in rows] == list(range(1, run.position["epoch"] + 1)) and len(run.provenance["epoch_seconds"]) == len(rows), rows)
    names = set(rows[0]) - {"epoch", "alphas_moved", "genotype"}
    check(names == set(run.metrics) and "train_loss" in names, run.metrics)
    check(all([row[name] for row in rows] == list(run.metrics[name]) for name in names), run.metrics)


def weights_are(run, path):
    """Of h5py, and as torch takes them."""
    with h5py.File(path) as file:
        stored = {name: array[()] for group in ("weights", "buffers") for name, array in file[group].items()}
    arrays, tensors = run.state_dict(as_numpy=True), run.state_dict()
    check(list(arrays) == list(stored) == list(tensors) and len(stored) > 100, list(arrays))
    for name, array in stored.items():
        check(arrays[name].dtype == array.dtype and np.array_equal(arrays[name], array), name)
        check(torch.equal(tensors[name], torch.as_tensor(array)) and tensors[name].shape == array.shape, name)
    convolution = torch.nn.Conv2d(3, len(stored["stem.0.weight"]), 3, bias=False)
    convolution.load_state_dict({"weight": tensors["stem.0.weight"]})


def searches(folder):
    """Every epoch of a search with swaps."""
    out = folder / "run.h5"
    swaps = {"search.strategy": "first_order@0,second_order@2", "strategy.relaxation": "sigmoid@3"}
    events = list(mixop.search("quick", out=out, set={**SEARCH, **swaps}))
    run, seen = mixop.open(out), asked("inspect", out)
    check(run.kind == "search" and run.path == out and str(run) == f"<mixop.Run {out}: search, epoch 6, step 120>", run)
    same_as_inspect(run, seen)
    weights_are(run, out)
    history = [{"step": change.step, "epoch": change.epoch, "strategy": change.strategy, **change.parts, "options": change.options}
               for change in run.strategy_history]
    check(history == seen["strategy_history"] and [entry["step"] for entry in history] == [0, 40, 60], history)
    check(run.strategy_history[2].parts["relaxation"] == "sigmoid", run.strategy_history[2])
    check(run.operations == {name: SEARCH["space.ops"] for name in ("alphas_normal", "alphas_reduce")}, run.operations)
    check(run.edges["alphas_normal"] == ["0 -> 2", "1 -> 2", "0 -> 3", "1 -> 3", "2 -> 3"], run.edges)
    for epoch in range(7):
        genotype = run.genotype(epoch=epoch)
        check(genotype == asked("derive", out, "--epoch", epoch) == seen["epochs"][epoch]["genotype"], f"genotype of epoch {epoch}")
        if epoch in (1, 6):  # the program derives the same from these alphas
            table = folder / "alphas.json"
            table.write_text(json.dumps({name: alphas[epoch].astype(float).tolist() for name, alphas in run.alphas.items()}))
            given = asked("derive", "--space", "darts_cnn", "--alphas", table, "--ops", ",".join(SEARCH["space.ops"]), "--strategy",
                          "first_order" if epoch == 1 else "ddarts", "--rule", "darts")
            check(given == genotype, f"of the alphas of epoch {epoch}: {given}")
    check(run.genotype() == run.genotype(epoch=6) == asked("derive", out), run.genotype())
    check([event["epoch"] for event in events if event["kind"] == "epoch"] == list(range(1, 7)), events)
    check(all(event[name] == run.metrics[name][event["epoch"] - 1] for event in events if event["kind"] == "epoch" for name in run.metrics), events)
    refused(2, "epoch: expected 0 (the start) to 6, found 7", lambda: run.genotype(epoch=7))
    refused(2, "epoch: expected 0 (the start) to 6, found -1", lambda: run.genotype(epoch=-1))

    own = {**SEARCH, "space.name": "ddarts", "search.strategy": "ddarts", "search.epochs": 1}
    cells = mixop.search("quick", out=folder / "cells.h5", set=own).wait()
    check(cells.alphas["alphas"].shape[:2] == (2, 3) and cells.genotype() == asked("derive", cells.path), cells.alphas["alphas"].shape)
    edges = {**SEARCH, "search.strategy": "first_order", "strategy.edge_rule": "partial_channels", "partial_channels.divisor": 2, "search.epochs": 1}
    weighed = mixop.search("quick", out=folder / "edges.h5", set=edges).wait()
    check(weighed.alphas["betas_normal"].shape == (2, 5, 1) and weighed.genotype() == asked("derive", weighed.path), list(weighed.alphas))
    check(set(weighed.operations) == set(weighed.edges) == set(weighed.alphas), weighed.operations)


def networks(folder, genotype):
    out = folder / "net.h5"
    run = mixop.train("darts-cifar10-train", genotype=genotype, out=out, set=TRAIN).wait()
    seen = asked("inspect", out)
    check(run.kind == "network" and run.genotype() == seen["genotype"] == genotype == asked("derive", out), run.genotype())
    check(run.alphas == run.operations == run.edges == {} and run.strategy_history == [], run.alphas)
    same_as_inspect(run, seen)
    weights_are(run, out)
    refused(2, "is a trained network, which has one genotype", lambda: run.genotype(epoch=1))


@contextlib.contextmanager
def module(name, stand_in):
    """None: cannot be imported."""
    before = sys.modules.get(name)
    sys.modules[name] = stand_in
    yield
    sys.modules.pop(name) if before is None else sys.modules.update({name: before})


def other_libraries(out):
    """With and without what need not be there."""
    check(IMPORTED_WITH_IT == set(), f"import mixop alone imports {IMPORTED_WITH_IT}")
    with module("pandas", None):
        check(isinstance(mixop.open(out).metrics, dict), "metrics without pandas")
    table = types.SimpleNamespace(DataFrame=lambda columns, index: (columns, index), RangeIndex=lambda first, end, name: (name, range(first, end)))
    with module("pandas", table):
        columns, index = mixop.open(out).metrics
        check(index == ("epoch", range(1, 7)) and len(columns["valid_loss"]) == 6, index)
    with module("torch", None):
        check("stem.0.weight" in mixop.open(out).state_dict(as_numpy=True), "weights without torch")
        try:
            mixop.open(out).state_dict()
        except ImportError:
            return
    check(False, "tensors without torch")


def damage(folder, out):
    """The program's words for every broken byte."""
    whole = out.read_bytes()
    check(mixop.open(out).verify() and asked("verify", out) == {"ok": True, "problem": None}, "a whole file")
    broken, file = 0, folder / "broken.h5"
    for place in (8, 20, 30, 100, 512, 600, 700, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        content = bytearray(whole)
        content[place] ^= 0x10
        broken += same_refusal(file, bytes(content))
    for content in (whole[:100], whole[:-1], whole[:5000], whole + b"x"):
        broken += same_refusal(file, content)
    file.with_name("broken.h5.prev").write_bytes(whole)
    refused(3, "a previous generation stands beside it as", lambda: mixop.open(file))

    refused(3, "not a mixop archive: the first 8 bytes are not its mark", lambda: mixop.open(SOURCE / "README.md"))
    os.mkfifo(folder / "pipe")
    refused(3, "not a regular file", lambda: mixop.open(folder / "pipe"))
    for missing, kind in ((folder / "none.h5", FileNotFoundError), (folder, IsADirectoryError)):
        try:
            mixop.open(missing)
            check(False, f"{missing} was opened")
        except kind:
            pass
    return broken


def same_refusal(file, content):
    file.write_bytes(content)
    told = json.loads(command("verify", file, "--json").stdout)["problem"]
    problems = mixop.open(file, verify=False).verify().problems
    check(problems and told.startswith(f"{file}: {problems[0].split('; this reader')[0].split('; a prev')[0]}"), f"{told}\nis not\n{problems}")
    refused(3, problems[0], lambda: mixop.open(file))
    return 1


def sealed(file, build):
    """An archive of the program's kind and what `build(HDF5 file)` puts there, with its digest."""
    with h5py.File(file, "w", userblock_size=512) as made:
        made.attrs["layout"] = np.bytes_("mixop.run/1")
        build(made)
    content = file.read_bytes()[512:]
    block = b"\x89MIXOP\r\n" + struct.pack("<IIQ", 1, 0, len(content)) + hashlib.sha256(content).digest()
    file.write_bytes(block.ljust(512, b"\0") + content)


def strange(folder):
    """What has its digest, and is none of mixop's writing: the same refusal as the program's."""
    def deep(file):
        file.create_group("/".join("g" * 17))

    def second_name(file):
        file["a"] = np.zeros(2)
        file["b"] = file["a"]

    def empty_array(file, **how):
        file.create_dataset("a", (1 << 40,), "u1", chunks=(1 << 20,), **how)

    def virtual(file):
        layout = h5py.VirtualLayout((2,), "u1")
        layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "a", (2,))
        file.create_virtual_dataset("a", layout)

    def text_attribute(file):
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(2)
        h5py.h5a.create(file.id, b"text", kind, h5py.h5s.create(h5py.h5s.SCALAR)).write(np.array(b"\xff\xff", "S2"))

    text = h5py.string_dtype()
    builds = (deep, second_name, empty_array, virtual, text_attribute,
              lambda file: empty_array(file, compression="gzip"),
              lambda file: file.__setitem__("a", h5py.SoftLink("/b")),
              lambda file: file.__setitem__("a", h5py.ExternalLink("/etc/passwd", "/b")),
              lambda file: file.__setitem__("a", np.dtype("f4")),
              lambda file: file.__setitem__("a\n", np.zeros(2)),
              lambda file: file.__setitem__("a", np.zeros(2, "f2")),
              lambda file: file.__setitem__("a", np.zeros(2, ">i4")),
              lambda file: file.__setitem__("a", np.zeros(2, [("x", "i4")])),
              lambda file: file.__setitem__("a", np.zeros([1] * 9)),
              lambda file: file.create_dataset("a", data="word", dtype=text),
              lambda file: file.create_dataset("a", data=np.zeros(4, "u1"), chunks=(4,), compression="lzf"),
              lambda file: file.create_dataset("a", data=np.zeros(4, "u1"), chunks=(1 << 25,), maxshape=(None,)),
              lambda file: file.create_dataset("a", (2,), "u1", external=[(str(folder / "beside"), 0, 2)]),
              lambda file: file.create_dataset("a", data=np.array([b"\xff"])),
              lambda file: file.attrs.create("x", [1, 2]),
              lambda file: file.attrs.create("x", np.float32(1)),
              lambda file: file.attrs.create("x", "word", dtype=text))
    for build in builds:
        file = folder / "strange.h5"
        sealed(file, build)
        told = json.loads(command("verify", file, "--json").stdout)["problem"]
        found = mixop.open(file).verify()
        check(not found.ok and told == f"{file}: {found.problems[0]}", f"{told}\nis not\n{found.problems}")
    sealed(file, lambda file: file.create_dataset("metrics/x", data=np.zeros(3)))
    run = mixop.open(file)
    check(run.verify() and asked("verify", file)["ok"], run.verify())
    refused(3, "/alphas: is not there", lambda: run.alphas)
    refused(3, "/config/resolved: is not there", lambda: run.config)
    for layout, words in (("mixop.run/2", "this reader knows mixop.run/1"), ("other/1", "expected a search or a trained network, found 'other/1'")):
        sealed(file, lambda file: file.attrs.__setitem__("layout", np.bytes_(layout)))
        refused(3, words, lambda: mixop.open(file))
    return len(builds)


def streams(folder, scratch):
    """The program's own lines; ended early and killed, and resumed to the same bits."""
    lines = folder / "lines.jsonl"
    whole = folder / "whole.h5"
    words = [word for key, value in mixop.stream._flat(SEARCH) for word in ("--set", f"{key}={mixop.stream._text(value)}")]
    answer("search", "quick", *words, f"--metrics={lines}", "--metrics-every=7", "--out", whole)
    expected = [without_time(json.loads(line)) for line in lines.read_text().splitlines()[1:]]
    out = folder / "run.h5"
    with logged() as said:
        found = []
        for event in mixop.search("quick", out=out, set=SEARCH, metrics_every=7):
            found.append(without_time(event))
            check(event["kind"] == "step" or mixop.open(out).position["epoch"] >= event["epoch"], "an epoch is told before its archive is there")
    check(found == expected and differences(whole, out) == [], f"other events: {found}")
    check(any(line.startswith("searching darts_cnn") for line in said) and f"archive: {out}" in said, said)

    refused(2, f"{out} exists; go on with it by", lambda: mixop.search("quick", out=out).wait())
    def broken_off(begun):
        for event in begun():
            return

    def ended_by(sign, code, words):
        def end(begun):
            stream = begun()
            next(event for event in stream if event["kind"] == "epoch")
            os.kill(int(lock_of(out).read_text()), sign)
            refused(code, words, lambda: list(stream))
            check(list(stream) == [], "a stream that failed goes on")
        return end

    interrupted = "the program was ended by SIGTERM: interrupted; go on with: mixop search --resume"
    for end in (broken_off, ended_by(signal.SIGKILL, 137, "the program was ended by SIGKILL"), ended_by(signal.SIGTERM, 143, interrupted)):
        under_way(out, end)
        check(mixop.open(out).verify() and not list(scratch.iterdir()), f"left: {list(scratch.iterdir())}")
        rest = [event["epoch"] for event in mixop.search(out=out, resume=True) if event["kind"] == "epoch"]
        check(rest[-1] == 6 and differences(whole, out) == [], f"ended early and resumed: {rest}")


def lock_of(out):
    return out.with_name(out.name + ".lock")


def under_way(out, end):
    """Ends a search early. On a busy machine it may be over by then; it is begun anew in that case."""
    for _ in range(20):
        with contextlib.suppress(FileNotFoundError):  # no lock any more
            end(lambda: mixop.search("quick", out=out, set=SEARCH, metrics_every=1, overwrite=True))
            if 0 < asked("inspect", out)["step"] < 120:
                return
    check(False, "the search was always over before its end")


def ended_early(out, steps):
    step = asked("inspect", out)["step"]
    check(0 < step < steps, f"ended at step {step}")
    check(asked("verify", out)["ok"] and not lock_of(out).exists(), "not whole, or the program goes on")


@contextlib.contextmanager
def logged():
    said, handler = [], logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("mixop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield said
    logger.removeHandler(handler)


def interrupted(folder, scratch):
    """Ctrl-C reaches Python alone, as a notebook's interrupt may, or the program, too, as a terminal's; or Python ends with its stream open."""
    loop = "for event in events: print(event['step'], flush=True)"
    begin = "import json, sys, mixop\nevents = mixop.search('quick', out=sys.argv[1], set=json.loads(sys.argv[2]), metrics_every=1)\n"
    ways = {"alone": (loop, lambda pid: os.kill(pid, signal.SIGINT), -signal.SIGINT),
            "terminal": (loop, lambda pid: os.killpg(pid, signal.SIGINT), -signal.SIGINT),
            "exit": ("print(next(events)['step'], flush=True)", lambda pid: None, 0)}
    for way, (use, end, status) in ways.items():
        out = folder / f"{way}.h5"
        with started([sys.executable, "-c", begin + use, out, json.dumps({**SEARCH, "search.epochs": 1000})]) as process:
            check(process.stdout.readline().strip() == b"1", "no step")
            end(process.pid)
            rest = process.communicate(timeout=120)
        check(process.returncode == status, f"{way}: exit code {process.returncode}: {rest}")
        ended_early(out, 20000)
    # A second Ctrl-C, where the program does not end.
    stubborn = program(folder, "for sign in (signal.SIGINT, signal.SIGUSR1): signal.signal(sign, signal.SIG_IGN)\n"
                               "metrics.write_text('{\"kind\": \"step\", \"step\": 1, \"wall_time\": 1}\\n')\ntime.sleep(600)")
    with started([sys.executable, "-c", "import mixop\nevents = mixop.search('quick')\n" + loop], MIXOP=stubborn) as process:
        process.stdout.readline()
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
    check(process.returncode == -signal.SIGINT, process.returncode)
    check(list(scratch.iterdir()) == [], f"left: {list(scratch.iterdir())}")


def started(words, **environment):
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                            env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment})


def program(folder, body):
    file = folder / "program"
    file.write_text(PROGRAM.format(python=sys.executable, body=body))
    file.chmod(0o755)
    return str(file)


def played(folder):
    """Programs that do what the true one seldom does."""
    words = folder / "words"
    os.environ["MIXOP"] = program(folder, f"own = [word for word in sys.argv[1:] if word != f'--metrics={{metrics}}']\n"
                                          f"pathlib.Path({str(words)!r}).write_text(repr(own))")
    list(mixop.train("p", genotype={"normal": [["a", 0]]}, out="n.h5", data=folder, plugin_dir=[folder, "x"], overwrite=True, metrics_every=3,
                     set={"a.b": True, "c": {"d": [1, 0.5], "e": "+f"}}, arguments=["--tensorboard"]))
    expected = ["train", "p", "--out", "n.h5", "--metrics-every=3", "--set", "a.b=true", "--set", "c.d=1,0.5", "--set", "c.e=+f", "--data", str(folder),
                "--overwrite", "--plugin-dir", str(folder), "--plugin-dir", "x", "--tensorboard", "--genotype", '{"normal": [["a", 0]]}']
    check(words.read_text() == repr(expected), words.read_text())
    program(folder, """
line = lambda step: f'{{"kind": "step", "step": {step}, "wall_time": {time.time():.6f}}}\\n'
with open(metrics, "a") as file:
    for step in (1, 2, 3): print(line(step), end="", file=file, flush=True)
    time.sleep(0.5)
    file.truncate(len(line(1)))
    for step in (2, 3, 4, 5): print(line(step), end="", file=file, flush=True)
    print('{"kind": "st', end="", file=file)""")
    check([event["step"] for event in mixop.search("p")] == [1, 2, 3, 2, 3, 4, 5], "rolled back")
    program(folder, "sys.exit('mixop: a note\\nmixop: error: two\\nlines')")
    refused(1, "two\nlines", lambda: list(mixop.search("p")))
    program(folder, "sys.exit(5)")
    refused(5, "the program ended with exit code 5", lambda: list(mixop.search("p")))
    os.environ["MIXOP"] = str(folder / "none")
    refused(127, f"the program {folder / 'none'} cannot be started: No such file", lambda: list(mixop.search("p")))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mixop.search("p", out="never.h5")
        mixop.search("p").close()
    check([str(warning.message) for warning in said] == ["the run into never.h5 was never begun: iterate over it, or call its wait()"], said)


def page(folder):
    """Its blocks run one after another, and a text is what the one before it printed."""
    os.chdir(folder)
    names, printed, texts = {}, "", 0
    for language, content in re.findall(r"^```(\w+)\n(.*?)^```$", (SOURCE / "docs" / "python.md").read_text(), re.MULTILINE | re.DOTALL):
        if language == "text":
            texts += 1
            check(printed == content, f"the page shows\n{content}\nand its example prints\n{printed}")
            continue
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(content, "docs/python.md", "exec"), names)
        printed = output.getvalue()
    table = re.findall(r"`(?:(\w+)\.)?(\w+)", " ".join(re.findall(r"^\| (`.*?) \|", (SOURCE / "docs" / "python.md").read_text(), re.MULTILINE)))
    listed = {name for owner, name in table if not owner}
    check(set(mixop.__all__) - {"Run", "StrategyChange", "Verification"} <= listed, f"the page's table lacks one of {mixop.__all__}")
    own = {name for name in vars(mixop.Run) if not name.startswith("_")}
    check({name for owner, name in table if owner == "Run"} == own, f"the page's table has other names than {sorted(own)}")
    os.chdir("/")
    return texts


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        scratch = folder / "scratch"
        scratch.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
        place = {part.__name__: folder / part.__name__ for part in (searches, damage, strange, streams, interrupted, played, page)}
        for own in place.values():
            own.mkdir()
        searches(place["searches"])
        run = place["searches"] / "run.h5"
        networks(place["searches"], mixop.open(run).genotype())
        other_libraries(run)
        broken, odd = damage(place["damage"], run), strange(place["strange"])
        streams(place["streams"], scratch)
        interrupted(place["interrupted"], scratch)
        texts = page(place["page"])
        played(place["played"])
    print(f"figure: {broken} broken and {odd} strange files are refused in the program's words; {texts} outputs of docs/python.md are as shown")


main()
