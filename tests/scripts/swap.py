#!/usr/bin/env python3
"""Strategies that change while a search runs: by schedule, and live by mixop swap. Swaps last over kills, and the same swaps at the same steps give
the same bits; what cannot be is refused, and the search goes on."""
import concurrent.futures
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import DATA, NET, answer, asked, check, differences, mixop, refusal, says, stopped
from running import Running

# 20 steps an epoch.
SEARCH = ["search", "quick", *DATA, *NET, "--set", "synthetic.train=320", "--set", "data.train_limit=0", "--set", "search.batch=8", "--set",
          "space.nodes=2", "--set", "space.ops=none,skip_connect,sep_conv_3x3", "--set", "alphas.lr=0.1"]
FIRST = ["--set", "search.strategy=first_order"]
CONFIG = ("/provenance", "/config")


def epochs(number):
    return ["--set", f"search.epochs={number}"]


def history(archive):
    return asked("inspect", archive)["strategy_history"]


def at_same_steps(folder, name, entries):
    """A search with the swaps of a history, taken again from its journal at their steps."""
    out = folder / f"{name}.h5"
    code = stopped(signal.SIGTERM, says("searching"), *SEARCH, *FIRST, *epochs(6), "--out", out)
    check(code == 143 and asked("inspect", out)["step"] < 20, f"{name}: not stopped in its first epoch: {code}")
    journal = folder / f"{name}.h5.swaps"
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    answer("search", "--resume", "--out", out)
    check(not journal.exists(), f"{name}: the journal is still there")
    return out


def live(folder):
    """Swapped twice, killed before a checkpoint has the second swap, resumed; the same bits as another search with these swaps."""
    out = folder / "live.h5"
    run = Running(out, *SEARCH, *FIRST, *epochs(6))
    run.wait_for("epoch 1/6  train loss")
    first = json.loads(mixop("swap", out, "--strategy", "second_order", "--json").stdout)
    check(first["accepted"] and first["strategy"] == "second_order" and first["parts"]["hypergradient"] == "second_order" and first["step"] >= 20, first)
    second = mixop("swap", out, "--relaxation", "sigmoid", "--set", "second_order.epsilon=0.02")
    check(second.returncode == 0 and "in force from step " in second.stdout, second)
    check(run.stop(signal.SIGKILL) == -9, "the search had ended")
    check(run.said().count("from step ") == 2 and "relaxation=sigmoid (was softmax)" in run.said(), run.said())
    resumed = answer("search", "--resume", "--out", out)
    check(asked("verify", out)["ok"] and resumed.stderr.count("as before the interruption") >= 1, resumed.stderr)
    story = history(out)
    check([(entry["strategy"], entry["relaxation"]) for entry in story] ==
          [("first_order", "softmax"), ("second_order", "softmax"), ("second_order", "sigmoid")], story)
    check(story[1]["step"] == first["step"] and story[2]["options"]["hypergradient"]["epsilon"] == "0.02", story)
    shown = answer("inspect", out).stdout
    check(f"from step {first['step']}" in shown and "relaxation=sigmoid (was softmax)" in shown, shown)
    check(sorted(path.name for path in folder.iterdir()) == ["live.h5", "live.h5.prev"], f"left: {list(folder.iterdir())}")

    again = at_same_steps(folder, "again", story[1:])
    check(history(again) == story, history(again))
    check(differences(out, again) == [], f"the same swaps at the same steps, other bits: {differences(out, again)}")
    # The genotype of an epoch is derived by what was in force then.
    for epoch in (1, 6):
        check(asked("derive", out, "--epoch", epoch) == asked("inspect", out)["epochs"][epoch]["genotype"], f"derived of epoch {epoch}")


def schedules(folder):
    """A schedule gives the bits of the live swap of the same epoch; it is archived, and its parts take part from the start on."""
    scheduled = folder / "scheduled.h5"
    answer(*SEARCH, "--set", "search.strategy=first_order@0,second_order@2", "--set", "strategy.relaxation=sigmoid@3", "--set",
           "second_order.epsilon=0.02", *epochs(6), "--out", scheduled)
    story = history(scheduled)
    check([(entry["step"], entry["epoch"]) for entry in story] == [(0, 0), (40, 2), (60, 3)], story)
    live_one = at_same_steps(folder, "swapped", story[1:])
    check(differences(scheduled, live_one, CONFIG) == [], f"other bits: {differences(scheduled, live_one, CONFIG)}")
    for reached, code in (("epoch 2/6  train", 143), ("epoch 3/6  train", -9)):
        cut = folder / "cut.h5"
        got = stopped(signal.SIGTERM if code == 143 else signal.SIGKILL, says(reached), *SEARCH, "--set",
                      "search.strategy=first_order@0,second_order@2", "--set", "strategy.relaxation=sigmoid@3", "--set", "second_order.epsilon=0.02",
                      *epochs(6), "--out", cut)
        check(got == code, f"stopped: {got}")
        answer("search", "--resume", "--out", cut)
        check(differences(scheduled, cut) == [], f"stopped at {reached}: {differences(scheduled, cut)}")

    out = ["--out", folder / "never.h5"]
    refusal(2, "search.strategy: expected a strategy from epoch 0 on", *SEARCH, "--set", "search.strategy=second_order@2", *out)
    refusal(2, "expected epochs in ascending order", *SEARCH, "--set", "search.strategy=first_order@0,second_order@0", *out)
    refusal(2, "third_order", *SEARCH, "--set", "search.strategy=first_order@0,third_order@2", *out)
    refusal(2, "unknown relaxation 'softmx'", *SEARCH, "--set", "strategy.relaxation=softmx@2", *out)
    refusal(2, "strategy.edge_rule=partial_channels needs a network of other channels or edges", *SEARCH, "--set",
            "strategy.edge_rule=none@0,partial_channels@2", "--set", "partial_channels.divisor=2", *out)
    refusal(2, "this run has no part 'second_order'", *SEARCH, *FIRST, "--set", "second_order.epsilon=0.1", *out)
    check(not (folder / "never.h5").exists(), "a refused search has an archive")


def refusals(folder):
    out = folder / "run.h5"
    refusal(2, "no search runs on it, and no such file is there", "swap", out, "--strategy", "first_order")
    refusal(2, "nothing to swap", "swap", out)
    refusal(2, "a run's archive is missing", "swap", "--strategy", "first_order")
    run = Running(out, *SEARCH, *FIRST, *epochs(100000))
    for words, message in ((["--strategy", "third_order"], "unknown strategy 'third_order'"), (["--stopper", "darts"], "unknown stopper 'darts'"),
                           (["--set", "distance.limit=3"], "the search would have no part 'distance'"),
                           (["--strategy", "second_order", "--set", "second_order.epsilon=0"], "expected a number above 0"),
                           (["--edge_rule", "partial_channels", "--set", "partial_channels.divisor=2"], "needs a network of other channels"),
                           (["--strategy", "first_order"], "all of that is in force already")):
        told = refusal(2, message, "swap", out, *words)
        check(told.stdout == "" and "the search goes on as it was" in told.stderr, told)
    silent = []
    told = json.loads(mixop("swap", out, "--stopper", "darts", "--json").stdout)
    check(not told["accepted"] and "unknown stopper" in told["reason"] and told["strategy"] == "first_order", told)
    with socket.socket(socket.AF_UNIX) as connection:  # what is no request is told so
        connection.connect(f"{out}.swap")
        connection.sendall(b"GET / HTTP/1.0\n")
        check("the request" in json.loads(connection.makefile().readline())["reason"], "what is no request")
    check(stat.S_IMODE(os.stat(f"{out}.swap").st_mode) == 0o600, "others may use the socket")
    if os.geteuid() == 0:
        os.chmod(folder, 0o755)
        os.chmod(folder.parent, 0o755)
        other = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c",
                                f"import socket; socket.socket(socket.AF_UNIX).connect({str(out) + '.swap'!r})"], capture_output=True, text=True)
        check("PermissionError" in other.stderr, f"another user: {other.stderr}")

    for _ in range(80):  # who says nothing, or half a line, holds up nobody for long
        silent.append(socket.socket(socket.AF_UNIX))
        silent[-1].setblocking(False)
        try:
            silent[-1].connect(f"{out}.swap")
            silent[-1].send(b"{")
        except BlockingIOError:
            break
    begun = time.monotonic()
    refusal(2, "unknown stopper", "swap", out, "--stopper", "darts")
    check(time.monotonic() - begun < 30, "silent connections hold up a swap")
    refusal(2, "the swap: expected at most", "swap", out, "--set", "softmax.temperature=" + "1" * 70000)
    refusal(2, "opening the folder", "swap", folder / "none" / "run.h5", "--strategy", "first_order")

    # From several terminals at once.
    def swapped(number):
        words = ["--set", f"darts.x={number}"] if number % 5 == 4 else []
        return json.loads(mixop("swap", out, "--strategy", ("second_order", "first_order")[number % 2], *words, "--json").stdout)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        told = list(pool.map(swapped, range(20)))
    taken = sorted(one["step"] for one in told if one["accepted"])
    check(taken and all(one["accepted"] or one["reason"] for one in told), told)
    check(run.stop(signal.SIGTERM) == 143, run.said())
    check(sorted(entry["step"] for entry in history(out)[1:]) == taken, (taken, history(out)))
    told = refusal(2, "no search runs on it; a swap reaches a search while it runs", "swap", out, "--strategy", "first_order")
    check("--resume" in told.stderr, told.stderr)
    run = Running(out, "search", "--resume")
    check(run.stop(signal.SIGKILL) == -9, run.said())
    refusal(2, "one that was killed left its socket", "swap", out, "--strategy", "first_order")
    (folder / "text.h5").write_text("no archive")
    check(mixop("swap", folder / "text.h5", "--strategy", "first_order").returncode == 3, "what is no archive")


def journals(folder):
    """What a kill leaves in a journal: swaps that are not due yet outlive other ends of the run, half a line is forgotten, other files are left alone."""
    out, journal = folder / "run.h5", folder / "run.h5.swaps"
    search = [*SEARCH, *FIRST, *epochs(6)]
    entries = history(at_same_steps(folder, "entry", []))
    options = {slot: own for slot, own in entries[0]["options"].items() if slot != "relaxation"}
    later = [{**entries[0], "step": step, "epoch": 4, "relaxation": relaxation, "options": options} for step, relaxation in ((85, "sigmoid"), (90, "softmax"))]
    check(stopped(signal.SIGTERM, says("searching"), *search, "--out", out) == 143, "not stopped")
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in later) + '{"step": 100, "epo')
    run = Running(out, "search", "--resume")
    refusal(2, "has still to take again what was swapped before its interruption, up to step 90", "swap", out, "--strategy", "second_order")
    check(run.stop(signal.SIGTERM) == 143, "not stopped again")
    if asked("inspect", out)["step"] < 85:
        check(len(journal.read_text().splitlines()) == 2, f"swaps that are not due: {journal.read_text()}")
    answer("search", "--resume", "--out", out)
    check([(entry["step"], entry["relaxation"]) for entry in history(out)] == [(0, "softmax"), (85, "sigmoid"), (90, "softmax")], history(out))
    check(not journal.exists(), "the journal is still there")

    check(stopped(signal.SIGTERM, says("searching"), *search, "--out", out) == 143, "not stopped")
    journal.write_text(json.dumps({**later[0], "relaxation": "none.such"}) + "\n")
    refusal(3, "run.h5.swaps, the swap of step 85: unknown relaxation 'none.such'", "search", "--resume", "--out", out)
    for text in ("my own notes\n", '{"step": 1}\n'):
        journal.write_text(text)
        refusal(3, "expected a swap of the search a line, found another file (line 1", "search", "--resume", "--out", out)
        refusal(3, "expected a swap of the search a line", *search, "--out", folder / "run.h5", "--overwrite")
        check(journal.read_text() == text, "another file was changed")


def measured(folder):
    """A stopper that measures, exchanged while the search runs, leaves an archive that can be read."""
    out = folder / "run.h5"
    answer(*SEARCH, *FIRST, "--set", "strategy.stopper=none@0,eigenvalue@1,none@2", *epochs(3), "--out", out)
    rows = asked("inspect", out)["epochs"]
    check([row.get("eigenvalue") is None for row in rows[1:]] == [True, False, True], rows)
    answer("search", "--continue", "--set", "search.epochs=4", "--out", out)
    out = folder / "sparse.h5"  # a rule that leaves nodes without edges
    answer(*SEARCH, *FIRST, "--set", "strategy.relaxation=sigmoid", "--set", "strategy.deriver=threshold_edge", "--set", "threshold_edge.threshold=0.5",
           *epochs(3), "--out", out)
    for epoch in range(4):
        check(asked("derive", out, "--epoch", epoch) == asked("inspect", out)["epochs"][epoch]["genotype"], f"epoch {epoch}")


def stages(folder):
    """A search says which stage begins, also where it goes on; one that is cut into stages is not stretched."""
    out = folder / "run.h5"
    staged = [*SEARCH, "--strategy", "p_darts", "--set", "stages.layers=1", "--set", "synthetic.train=1600", *epochs(3)]
    said = answer(*SEARCH, "--set", "search.strategy=first_order@0,darts_pt@2,first_order@3", *epochs(5), "--out", out).stderr
    check("a new network" not in said and "another stage on the same network" in said, said)
    check(stopped(signal.SIGKILL, says("epoch 1/3  train loss"), *staged, "--out", out) == -9, "ended before it was killed")
    said = answer("search", "--resume", "--out", out).stderr
    check("epoch 2: a new network (" in said and "epoch 3: a new network (" in said, said)
    refusal(2, "strategy.schedule=stages divides the epochs of a search into stages", "search", "--continue", "--set", "search.epochs=6", "--out", out)
    alone = answer(*staged, "--set", "synthetic.train=64", "--set", "search.pretrain_epochs=1", "--overwrite", "--out", out).stderr
    check("search.pretrain_epochs (1) covers all epochs of a stage" in alone, alone)


def main():
    with tempfile.TemporaryDirectory() as made:
        for part in (live, schedules, journals, measured, stages, refusals):
            place = pathlib.Path(made) / part.__name__
            place.mkdir()
            part(place)
        print("swap: all well")


main()
