#!/usr/bin/env python3
"""Two hundred swaps of one search from two terminals, through kills: every one that was confirmed is in its history, and the same swaps at the same
steps, taken by another search from a journal, give the same bits."""
import concurrent.futures
import json
import os
import pathlib
import random
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import DATA, NET, asked, check, mixop
from running import Running

SEARCH = ["search", "quick", *DATA, *NET, "--set", "synthetic.train=320", "--set", "data.train_limit=0", "--set", "search.batch=8", "--set",
          "space.nodes=2", "--set", "space.ops=none,skip_connect,sep_conv_3x3", "--set", "alphas.lr=0.1", "--set", "search.strategy=first_order",
          "--set", "search.epochs=2000"]
SWAPS = 200
KILLED_AFTER = (60, 130)  # swaps


def wanted(draw):
    """A swap at random: of the strategy, a slot, an option."""
    return draw.choice((
        lambda: ["--strategy", draw.choice(("first_order", "second_order", "gdas", "snas", "drnas", "beta_darts", "idarts"))],
        lambda: ["--relaxation", draw.choice(("softmax", "sigmoid", "gumbel"))],
        lambda: ["--strategy", "gdas", "--set", f"gumbel.temperature={draw.uniform(1, 10):.3f}"],
        lambda: ["--regulariser", draw.choice(("none", "cost", "beta_decay"))],
        lambda: ["--edge_rule", "none", "--schedule", draw.choice(("none", "fading_skip"))],
        lambda: ["--smoothing", draw.choice(("none", "random"))]))()


def terminal(run, out, seed, swaps):
    """What the search answered to so many swaps."""
    draw = random.Random(seed)
    told = []
    while len([one for one in told if one["accepted"]]) < swaps:
        words = wanted(draw)
        answered = mixop("swap", out, *words, "--json")
        check(answered.stdout, f"no answer to {words}: {answered.stderr}{run.said()[-1000:]}")
        told.append(json.loads(answered.stdout))
        check(told[-1]["accepted"] or "in force already" in told[-1]["reason"] or "take again" in told[-1]["reason"], told[-1])
    return [one for one in told if one["accepted"]]


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        out, again = folder / "run.h5", folder / "again.h5"
        run = Running(out, *SEARCH)
        run.wait_for("epoch 1/2000  train loss")  # an archive is there
        confirmed = []
        for begin, end in zip((0, *KILLED_AFTER), (*KILLED_AFTER, SWAPS)):
            if begin > 0:
                check(run.stop(signal.SIGKILL) == -9, run.said())
                run = Running(out, "search", "--resume")
            with concurrent.futures.ThreadPoolExecutor(2) as terminals:
                for told in terminals.map(lambda seed: terminal(run, out, seed, (end - begin) // 2), (begin, begin + 1)):
                    confirmed += told
        check(run.stop(signal.SIGTERM) == 143, run.said())
        state = asked("inspect", out)
        story = state["strategy_history"]
        check(len(confirmed) == SWAPS and len(story) == SWAPS + 1, (len(confirmed), len(story)))
        key = lambda entry: (entry["step"], entry["strategy"])
        check(sorted(map(key, story[1:])) == sorted(map(key, confirmed)), "the history is not what was confirmed")
        check(all(entry["step"] <= later["step"] for entry, later in zip(story, story[1:])), "the history goes back")

        # From the journal alone, beyond the step at which the other was stopped: the same numbers of every epoch that both have.
        other = Running(again, *SEARCH)
        check(other.stop(signal.SIGTERM) == 143, other.said())
        (folder / "again.h5.swaps").write_text("".join(json.dumps(entry) + "\n" for entry in story[1:]))
        other = Running(again, "search", "--resume")
        other.wait_for(f"epoch {len(state['epochs']) + 1}/2000  train loss")
        check(other.stop(signal.SIGTERM) == 143, other.said())
        check(asked("inspect", again)["strategy_history"] == story, "another history")
        rows = asked("inspect", again)["epochs"]
        for mine, theirs in zip(state["epochs"], rows):
            check(mine == theirs, f"the same swaps at the same steps, other numbers: {mine}, {theirs}")
        print(f"swaps: {SWAPS} swaps in {state['step']} steps: all well")


main()
