#!/usr/bin/env python3
"""The data of mixop report's pages: against inspect --json and the archives, weights by the strategy in force in each epoch, what was measured,
what was not drawn, and names in archives that are markup. What pages show is tests/scripts/report_browser.py's."""
import json
import os
import pathlib
import sys
import tempfile
import time

import h5py
import numpy

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import NET, SEARCH, TRAIN, answer, asked, check, mixop, refusal
from reports import page


def softmax(values):
    powers = numpy.exp(values - values.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def sigmoid(values):
    return 1 / (1 + numpy.exp(-values))


def concentrations(values):
    elu = numpy.where(values > 0, values + 1, numpy.exp(numpy.minimum(values, 0)))
    return elu / elu.sum(-1, keepdims=True)


def close(found, expected, within, what):
    found = numpy.array(found).reshape(expected.shape)
    check(abs(found - expected).max() <= within, f"{what}: {found} instead of {expected}")


def in_force(folder):
    """A search that goes through strategies: each row has the weights of its own, by formulas that are written down here anew."""
    run, file = folder / "swapped.h5", folder / "swapped.html"
    order = ["first_order@0", "fair_darts@1", "gdas@2", "snas@3", "drnas@4", "random_ws@5"]
    answer(*SEARCH, "--set", "search.strategy=" + ",".join(order), "--set", "search.epochs=6", "--set", "softmax.temperature=0.5",
           "--set", "alphas.lr=0.5", "--out", run)
    data = page(file, run)[0]
    check(data["in_force"] == [0, 0, 1, 2, 3, 4, 5], data["in_force"])
    check(len(data["relaxations"]) == 6 and all(data["relaxations"]) and data["weights_problem"] == "", data["relaxations"])
    rules = [lambda a: softmax(a / 0.5)] * 2 + [sigmoid, softmax, softmax, concentrations, softmax]
    with h5py.File(run) as archive:
        for found in data["alphas"]:
            alphas = archive[f"alphas/{found['name']}"][()].astype(float)
            rest = numpy.array(found["rest"]).reshape(alphas.shape)
            for row, rule in enumerate(rules):
                close(rest[row], rule(alphas[row]), 2e-5, f"{found['name']}, row {row}")
            # Six standard errors of a mean of 64 draws; the uniform draws of the last epoch have nothing to do with the alphas.
            training = numpy.array(found["training"]).reshape(alphas.shape)
            check(data["draws"] == 64, data["draws"])
            for row in (0, 1, 2):
                close(training[row], rest[row], 2e-5, f"{found['name']}, row {row} draws nothing")
            for row in (3, 5):
                close(training[row], rest[row], 0.375, f"{found['name']}, the mean of draws of row {row}")
            check((training[3] * 64 == (training[3] * 64).round()).all() or abs(training[3] * 64 - (training[3] * 64).round()).max() < 1e-3,
                  f"{found['name']}: GDAS draws one operation an edge: {training[3]}")
            close(training[6], numpy.full_like(alphas[6], 1 / alphas.shape[-1]), 0.36, f"{found['name']}, uniform draws")
            close(training.sum(-1)[3:], numpy.ones(alphas.shape[:-1])[3:], 1e-3, f"{found['name']}, draws sum to 1")


def edge_rule(folder):
    """Betas weigh the edges of a node, and what is dropped has no weight."""
    run = folder / "pc.h5"
    answer(*SEARCH, "--strategy", "pc_darts", "--set", "space.channels=4", "--set", "alphas.lr=0.5", "--out", run)
    sets = {one["name"]: one for one in page(folder / "pc.html", run)[0]["alphas"]}
    with h5py.File(run) as archive:
        alphas, betas = (archive[f"alphas/{name}_normal"][-1].astype(float) for name in ("alphas", "betas"))
    into = [int(edge.split(" -> ")[1]) for edge in sets["alphas_normal"]["edges"]]
    shares = numpy.concatenate([softmax(betas[[k for k, to in enumerate(into) if to == node], 0]) for node in sorted(set(into))])
    size = shares.size
    close(sets["betas_normal"]["rest"][-size:], shares, 2e-5, "betas")
    close(sets["alphas_normal"]["rest"][-alphas.size:], softmax(alphas) * shares[:, None], 2e-5, "weights times betas")
    check("training" not in sets["alphas_normal"], "a softmax draws nothing")
    answer(*SEARCH, "--strategy", "darts_pt", "--set", "search.epochs=4", "--out", run, "--overwrite")
    dropped = [one for one in page(folder / "pc.html", run)[0]["alphas"] if any(one.get("dropped", []))]
    check(dropped and all(weight == 0 for one in dropped for weight, gone in zip(one["rest"], one["dropped"]) if gone), "dropped operations weigh something")


def without_plugin(folder):
    """Where the plugin of a search's relaxation is not loaded, the page has its alphas and says why not their weights."""
    run, file, lock = folder / "foreign.h5", folder / "foreign.html", folder / "few.lock"
    answer(*SEARCH, "--strategy", "gdas", "--out", run)
    answer("plugins", "lock", "--out", lock)
    locked = json.loads(lock.read_text())
    locked["plugins"] = [plugin for plugin in locked["plugins"] if plugin["id"] != "mixop.strategies.sampling"]
    lock.write_text(json.dumps(locked))
    lacking = page(file, run, f"--locked={lock}")[0]
    check("gumbel" in lacking["weights_problem"] and all("rest" not in one and one["values"] for one in lacking["alphas"]), lacking["weights_problem"])
    check(lacking["relaxations"] == [""] and lacking["pictures"][0]["image"], lacking["relaxations"])


def costs(folder, run, net, data):
    """As mixop summary counts them."""
    search, network = data
    told = asked("summary", "--genotype", net)
    check([(cost["of"], cost["parameters"], cost["multiply_adds"]) for cost in network["costs"]] ==
          [("the network", told["parameters"], told["multiply_adds"])], (network["costs"], told["parameters"]))
    told = asked("summary", "--genotype", run)
    check([cost["of"] for cost in search["costs"]] == ["the supernet", "the last genotype"] and search["costs"][1]["parameters"] == told["parameters"]
          and search["costs"][1]["multiply_adds"] == told["multiply_adds"], (search["costs"], told["parameters"]))
    with h5py.File(run) as archive:
        weights = sum(archive[f"weights/{name}"].size for name in archive["weights"])
    check(search["costs"][0]["parameters"] == weights and search["costs_problem"] == network["costs_problem"] == "", search["costs"])


def measured(folder, run, net):
    """--data: the matrix is that of mixop evaluate."""
    file = folder / "measured.html"
    found = page(file, run, net, "--data", folder)[1]["evaluation"]
    told = asked("evaluate", net, "--data", folder)
    check(found["top1"] == told["top1"] and found["samples"] == told["samples"], (found["top1"], told["top1"]))
    check([(one["samples"], one["correct"]) for one in found["classes"]] == [(one["samples"], one["correct"]) for one in told["classes"]], found["classes"])
    for target, other, count in found["mistakes"]:
        check(target != other and told["confusion"][target][other] == count > 0, (target, other, count))
    counts = [count for _, _, count in found["mistakes"]]
    wrong = sorted((count for target, row in enumerate(told["confusion"]) for other, count in enumerate(row) if other != target and count), reverse=True)
    check(counts == wrong[:20] and found["image"].startswith("data:image/svg+xml;base64,"), counts)
    check("evaluation" not in page(file, run, net)[1], "measured without --data")
    refusal(2, "--data: is for trained networks of images, and no archive here is one", "report", run, "--data", folder, "-o", file)


def images(folder, splits, classes):
    """A folder of random pictures, six of each class."""
    for place in [folder / split / name for split in splits for name in classes]:
        place.mkdir(parents=True)
        for at in range(6):
            (place / f"{at}.ppm").write_bytes(b"P6 8 8 255\n" + os.urandom(192))
    return folder


def other_data(folder):
    """Data that the network is not for, or that has nothing to measure it on."""
    net, file = folder / "folder.h5", folder / "folder.html"
    own = images(folder / "own", ("train", "test"), ("cat", "dog"))
    answer("train", "--genotype", "DARTS_V2", *NET, "--set", "data.name=image_folder", "--set", "image_folder.size=8", "--data", own, "--set", "train.auxiliary=0",
           "--set", "train.batch=4", "--set", "train.epochs=1", "--set", "data.cutout=0", "--set", "threads=1", "--out", net)
    found = page(file, net, "--data", own)[0]["evaluation"]
    check(found["samples"] == 12 and [one["name"] for one in found["classes"]] == ["cat", "dog"], found)
    refusal(3, "nowhere", "report", net, "--data", folder / "nowhere", "-o", file)
    others = images(folder / "others", ("train", "test"), ("cat", "dog", "owl"))
    refusal(2, "was trained on 3x8x8 images of 2 classes, and the data set 'image_folder' has 3x8x8 images of 3 classes; name data like that", "report", net,
            "--data", others, "-o", file)
    untested = images(folder / "untested", ("train",), ("cat", "dog"))
    refusal(2, "the data set 'image_folder' has no test split to measure; leave --data out, or see mixop evaluate --split valid", "report", net, "--data",
            untested, "-o", file)


def undrawn(folder, run):
    """Pictures that Graphviz did not draw are marked, and one that hangs is waited for once."""
    tools, file = folder / "tools", folder / "undrawn.html"
    tools.mkdir()
    def told(script):
        (tools / "dot").write_text(script)
        (tools / "dot").chmod(0o755)
        begun = time.monotonic()
        made = mixop("report", run, "-o", file, PATH=f"{tools}:/usr/bin:/bin")
        check(made.returncode == 0, made.stderr)
        text = file.read_text()
        return json.loads(text[text.index('id="data">') + len('id="data">'):].split("</script>")[0])["runs"][0]["pictures"], time.monotonic() - begun
    failed, _ = told("#!/bin/sh\nexit 3\n")
    check(len(failed) >= 2 and all(one["image"] == "" and one["problem"] == "Graphviz ended with status 3" for one in failed), failed)
    hung, seconds = told("#!/bin/sh\nexec sleep 1000\n")
    check([one["problem"] for one in hung] == ["Graphviz took more than 20 seconds"] + ["not begun, for Graphviz took too long for another one"] * (len(hung) - 1)
          and seconds < 60, (hung, seconds))
    (tools / "dot").unlink()
    made = mixop("report", run, "-o", file, PATH=str(tools))
    check(made.returncode == 0 and "Graphviz is not installed (no dot on PATH)" in file.read_text(), made.stderr)


def hostile(folder):
    """Archives whose names and texts are markup that would end the page's data, were it not escaped."""
    named = folder / "x<" / "script><script>document.title=`taken`<" / "script><img src=y onerror=document.title=`taken`>.h5"
    named.parent.mkdir(parents=True)
    answer(*SEARCH, "--set", "seed=7", "--out", named)
    file = folder / "hostile.html"
    run = page(file, named)[0]
    check("</script><script>document" in run["provenance"]["command_line"] and run["file"] == str(named), run["file"])
    check("<img" not in file.read_text(), "markup of an archive's name")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run, net, file = folder / "run.h5", folder / "net.h5", folder / "report.html"
        answer(*SEARCH, "--set", "alphas.lr=0.5", "--set", "search.epochs=4", "--out", run)
        answer(*TRAIN, "--out", net)
        data = page(file, run, net)
        for found, archive in zip(data, (run, net)):
            told = asked("inspect", archive)
            check({key: found[key] for key in told} == told, f"{archive}: the page tells something else than inspect --json")
        with h5py.File(run) as archive:
            for found in data[0]["alphas"]:
                stored = archive[f"alphas/{found['name']}"]
                check(found["shape"] == list(stored.shape) and abs(stored[()].ravel() - found["values"]).max() <= 6e-6, found["name"])
        check(file.stat().st_size < 3_000_000, file.stat().st_size)
        check(all(one["image"] for one in data[0]["pictures"] + data[1]["pictures"]), "pictures of cells")
        costs(folder, run, net, data)
        in_force(folder)
        edge_rule(folder)
        without_plugin(folder)
        measured(folder, run, net)
        other_data(folder)
        undrawn(folder, run)
        hostile(folder)
        refusal(2, "an archive is missing", "report")
        refusal(3, "none.h5", "report", folder / "none.h5", "-o", file)
        refusal(2, "is an archive of mixop, which a page does not replace", "report", net, "-o", net)
        refusal(2, "--port is for --watch; give both or leave it out", "report", net, "--port", "80", "-o", file)


main()
