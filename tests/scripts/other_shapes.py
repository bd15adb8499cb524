#!/usr/bin/env python3
"""Two spaces of other shapes than cells of two inputs go the whole way: NAS-Bench-201, and a chain of mobile blocks that a
third party builds against the installed package. Each is searched, killed and resumed to the same bits, derived, drawn,
summarised, trained and evaluated."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from program import answer, asked, built_project, check, differences, refusal, says, stopped  # noqa: E402

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
DATA = ["data.name=synthetic", "synthetic.size=12", "synthetic.train=480", "synthetic.test=32", "data.train_limit=0", "threads=1", "device=cpu"]


def sets(*keys):
    return [word for key in keys for word in ("--set", key)]


def whole_way(folder, name, sizes, plugins, cells):
    """From a search to an evaluation; `cells` checks the genotype."""
    search = ["search", *sets(f"space.name={name}", *sizes, *DATA, "search.epochs=2", "search.batch=16", "alphas.lr=0.1"), *plugins]
    run, cut = folder / "run.h5", folder / "cut.h5"
    answer(*search, "--out", run)
    code = stopped(signal.SIGKILL, says("epoch 1/2  train loss"), *search, "--out", cut)
    check(code == -9, f"{name}: a killed search ends with {code}")
    answer("search", "--resume", "--out", cut, *plugins)
    check(differences(run, cut) == [], f"{name}: killed and resumed, other bits in {differences(run, cut)}")

    genotype = json.loads(answer("derive", run, *plugins).stdout)
    cells(genotype)
    file = folder / "genotype.json"
    file.write_text(json.dumps(genotype))
    again = json.loads(answer("derive", file, *plugins).stdout)
    check(again == genotype, f"{name}: the genotype reads back as {again}")
    picture = folder / "cells.svg"
    answer("draw", run, "-o", picture, *plugins)
    check(picture.read_text().count("<g id=\"node") >= 3, f"{name}: a picture without nodes")
    # A genotype alone says nothing of its space where several have such cells.
    counted = asked("summary", "--space", name, "--genotype", run, *plugins)
    check(counted["parameters"] > 0 and counted["multiply_adds"] > 0 and counted["uncounted"] == [], f"{name}: counted {counted}")

    net = folder / "net.h5"
    answer("train", "--genotype", run, *sets(f"space.name={name}", *[size for size in sizes if "nodes" not in size], *DATA, "train.epochs=2",
           "train.batch=16", "train.auxiliary=0", "data.train_portion=0.5"), "--out", net, *plugins)
    scored = asked("evaluate", net, *plugins)
    check(scored["samples"] == 32 and 0 <= scored["top1"] <= 100, f"{name}: evaluated {scored}")
    for file in (run, net):
        check(asked("verify", file)["ok"], f"{name}: {file} is not sound")
    print(f"figure: {name}: {counted['parameters']} parameters, top-1 {scored['top1']:.1f} % on 32 drawn images")


def nasbench201(folder):
    def cells(genotype):
        check(len(genotype["cell"]) == 6 and {gene[0] for gene in genotype["cell"]} <=
              {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"}, f"nasbench201: {genotype}")

    whole_way(folder, "nasbench201", ["space.channels=4", "space.layers=3"], [], cells)
    # Dong and Yang 2020, table 1 and the benchmark's own numbers.
    for genotype, parameters in (("AllConv3x3", 1531546), ("AllIdentity", 73306)):
        found = asked("summary", "--genotype", f"nasbench201/{genotype}", "--channels", 16, "--layers", 15)["parameters"]
        check(found == parameters, f"nasbench201/{genotype}: {found} parameters, published are {parameters}")
    # The published strings, both ways.
    text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|"
    check(answer("derive", text, "--form", "python").stdout.strip() == text, "a published string does not come back")
    check(asked("summary", "--genotype", text, "--channels", 16, "--layers", 15)["parameters"] > 73306, "a string is not counted")
    refusal(2, "node 2 has 5 operations; expected 2", "derive", text.replace("|+|skip", "|skip", 1))


def mobile_chain(folder):
    plugins = ["--plugin-dir", built_project(SOURCE / "docs/gallery/mobile_chain", folder)]

    def cells(genotype):
        check(len(genotype["genes"]) == 6, f"mobile_chain: {genotype}")

    whole_way(folder, "acme.mobile_chain", ["space.channels=4", "space.layers=6"], plugins, cells)

    presets = plugins[1] / "presets"
    presets.mkdir()
    (presets / "small-chain.json").write_text(json.dumps(
        {"summary": "A small chain.", "command": "search", "space": {"name": "acme.mobile_chain", "layers": 6, "channels": 4}}))
    check("small-chain" in answer("list", "presets", *plugins).stdout, "a plugin's preset is not listed")
    config = json.loads(answer("search", "small-chain", "--dry-run", *plugins).stdout)
    check(config["space"]["layers"] == 6, f"a plugin's preset is not taken: {config}")

    file, = plugins[1].glob("*.so")
    subprocess.run(["strip", file], check=True)
    said = answer("search", "--resume", "--out", folder / "run.h5", *plugins).stderr
    check("the plugin acme.mobile_chain is another file than when the archive was written" in said, f"another plugin is not reported: {said}")


def main():
    for space in (nasbench201, mobile_chain):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_STATE_HOME"] = str(pathlib.Path(folder) / "state")
            space(pathlib.Path(folder))


if __name__ == "__main__":
    main()
