#!/usr/bin/env python3
"""The JSON that scripts rely on, and the files that commands leave."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import h5py

MIXOP = os.environ["MIXOP"]
SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
FIXTURES = pathlib.Path(os.environ.get("MIXOP_FIXTURES", SOURCE / "tests/fixtures"))
TINY = ["--set", "synthetic.size=8", "--set", "synthetic.train=32", "--set", "space.channels=2", "--set", "space.layers=3",
        "--set", "search.batch=8", "--set", "search.epochs=2", "--set", "threads=1", "--set", "data.train_limit=0"]


def check(holds, message):
    if not holds:
        sys.exit(f"answers: {message}")


def answer(*arguments):
    run = subprocess.run([MIXOP, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    check(run.returncode == 0, f"mixop {' '.join(map(str, arguments))}: {run.stderr}")
    return run.stdout


def asked(*arguments):
    return json.loads(answer(*arguments))


def counted(found):
    """An answer of `summary` without its list of parts, whose sums are its totals."""
    rows = [row for row in found.pop("rows") if not row["training_only"]]
    for total in ("parameters", "multiply_adds", "activation_bytes"):
        check(sum(row[total] for row in rows) == found[total] > 0, f"{total}: {found[total]} in all, and {rows}")
    del found["activation_bytes"]
    return found


def size(genotype, channels, layers, classes, pixels):
    return counted(asked("summary", "--space", "darts_cnn", "--genotype", genotype, "--channels", channels, "--layers", layers, "--classes",
                 classes, "--input", f"3x{pixels}x{pixels}", "--json"))


def sizes():
    """Every published size: networks with and without the auxiliary head, and supernets."""
    facts = json.loads((FIXTURES / "facts.json").read_text())["cnn"]
    compared = 0
    for images, pixels in (("cifar", 32), ("imagenet", 224)):
        for name, fact in facts[images].items():
            found = size(name, fact["C"], fact["layers"], fact["num_classes"], pixels)
            expected = {"parameters": fact["params_no_aux"], "parameters_with_auxiliary": fact["params_with_aux"],
                        "multiply_adds": fact["macs"], "uncounted": []}
            check(found == expected, f"{images} {name}: expected {expected}, found {found}")
            compared += 1
    whole = facts["supernet"]
    supernets = {(whole["C"], whole["layers"], whole["num_classes"]): whole}
    for name, fact in facts.items():
        if named := re.fullmatch(r"supernet_C(\d+)_L(\d+)_n(\d+)", name):
            supernets[tuple(map(int, named.groups()))] = fact
    for (channels, layers, classes), fact in supernets.items():
        found = size("supernet", channels, layers, classes, 32)
        expected = {"parameters": fact["params"], "parameters_with_auxiliary": None, "multiply_adds": fact["macs"], "uncounted": []}
        check(found == expected, f"supernet {channels} {layers} {classes}: expected {expected}, found {found}")
        compared += 1
    check(compared == 15, f"facts.json has 15 sizes, compared {compared}")


def listed_parts():
    """The table as text is that of the page, and a deeper one has more rows of the same sums."""
    page = (SOURCE / "docs/command-line.md").read_text()
    arguments = ["summary", "--space", "darts_cnn", "--genotype", "DARTS_V2", "--channels", 36, "--layers", 3, "--input", "3x32x32"]
    said = answer(*arguments)
    check(said in page, f"docs/command-line.md has another table than {said}")
    rows = asked(*arguments, "--depth", 2, "--json")["rows"]
    for cell in (row for row in rows if row["depth"] == 1 and row["name"].startswith("cells.")):
        layers = [row for row in rows if row["name"].startswith(cell["name"] + ".")]
        for total in ("parameters", "multiply_adds", "activation_bytes"):
            check(len(layers) == 11 and sum(row[total] for row in layers) == cell[total], f"{cell} and {layers}")


def recurrent_sizes():
    """Every published size of a recurrent network: the cell and the decoder, whose matrix is the embedding's."""
    facts = json.loads((FIXTURES / "facts.json").read_text())["rnn"]
    compared = 0
    for kind, named in (("eval", r"(\w+)_ntoken(\d+)_em(\d+)"), ("search", r"()ntoken(\d+)_em(\d+)")):
        for name, fact in facts[kind].items():
            genotype, words, width = re.fullmatch(named, name).groups()
            found = counted(asked("summary", "--space", "darts_rnn", "--genotype", genotype or "supernet", "--width", width,
                                  "--vocabulary", words, "--json"))
            check(found["parameters"] == fact["params"] and found["parameters_with_auxiliary"] is None, f"{name}: {found}")
            if "macs_per_token_cell" in fact:
                check(found["multiply_adds"] == fact["macs_per_token_cell"] + fact["macs_per_token_decoder"], f"{name}: {found}")
            compared += 1
    check(compared == 7, f"facts.json has 7 recurrent sizes, compared {compared}")


def missing_width(error):
    """How many inputs a published classifier lacks: its error says "[1, 3072] X [768, 1000]"."""
    fits = re.search(r"\[\d+, (\d+)\] X \[(\d+), \d+\]", error or "")
    return int(fits[1]) - int(fits[2]) if fits else 0


def check_listed_size(name, run):
    """A stored run of a genotype by position; where the published network fails, what a working one has."""
    found = counted(asked("summary", "--genotype", name, "--channels", run["C"], "--layers", run["layers"], "--classes",
                          run["num_classes"], "--input", f"3x{run['hw']}x{run['hw']}", "--json"))
    classifier = missing_width(run.get("forward_error")) * run["num_classes"]
    head = missing_width(run.get("aux_train_forward_error")) * run["num_classes"]
    expected = {"parameters": run["params"] + classifier, "parameters_with_auxiliary": run["params_with_aux"] + classifier + head,
                "multiply_adds": run.get("macs", found["multiply_adds"]), "uncounted": []}
    check(found == expected and found["multiply_adds"] > 0, f"{name} {run}: expected {expected}, found {found}")


def listed_sizes(every):
    """The stored sizes of the networks of D-DARTS and DARTOpti; unless `every` of them, the smallest of each kind."""
    facts = json.loads((FIXTURES / "facts_ddarts.json").read_text())
    runs = [(name, run) for group in ("shipped_genotypes", "baselines") for name, fact in facts[group].items() for run in fact["runs"]]
    if not every:
        smallest = {}
        for name, run in sorted(runs, key=lambda pair: -pair[1]["params"]):
            smallest[name, run["kind"]] = name, run
        runs = smallest.values()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: check_listed_size(*pair), runs))
    check(len(runs) >= 20, f"facts_ddarts.json has more than {len(runs)} sizes")
    print(f"figure: {len(runs)} stored sizes of networks of D-DARTS and DARTOpti agree")
    check(asked("summary", "--genotype", "ResNet18", "--channels", 16, "--json")["parameters"] == 881274,
          "a genotype by position has as many cells as it lists")


def distances(folder):
    """Every stored distance, for names, for files of both forms, and in a matrix."""
    facts = json.loads((FIXTURES / "facts_ddarts.json").read_text())["distance"]
    pairs = {**facts["pairs"], **facts["pairs_12op"]}
    names = sorted({name for pair in pairs for name in pair.split("|")})
    matrix = asked("distance", *names, "--json")
    check(matrix["genotypes"] == [f"dartopti/{name}" for name in names], matrix["genotypes"])
    for pair, expected in pairs.items():
        row, column = map(names.index, pair.split("|"))
        check(abs(matrix["distances"][row][column] - expected) <= 1e-6, f"{pair}: {matrix['distances'][row][column]}, not {expected}")
    (folder / "a.json").write_text(answer("derive", "ResNet18"))
    (folder / "b.txt").write_text(answer("derive", "dartopti/ResNet50", "--form", "python"))
    found = asked("distance", folder / "a.json", folder / "b.txt", "--json")
    check(abs(found["distance"] - pairs["ResNet18|ResNet50"]) <= 1e-6 and len(found["cells"]) == 1, found)
    (folder / "weights.json").write_text(json.dumps({"simple_conv_3x3": 1, "skip_connect": 1, "bottleneck_1x3x1": 2}))
    found = asked("distance", "ResNet18", "ResNet50", "--weights", folder / "weights.json", "--json")
    check(found["distance"] == 0.5, found)
    check(answer("distance", "ResNet18", "ResNet50") == "0.083630\n", "the distance as text")


def forms(folder):
    """Every published genotype survives both forms."""
    for row in asked("list", "genotypes", "--json"):
        stored = asked("derive", row["name"])
        if not row["name"].startswith(("ddarts", "dartopti")) and not row["name"].endswith("DARTS_V2"):
            continue
        (folder / "genotype.py").write_text("published = " + answer("derive", row["name"], "--form", "python"))
        check(asked("derive", folder / "genotype.py") == stored, f"{row['name']} does not survive Python text")
        (folder / "genotype.json").write_text(json.dumps(stored))
        check(asked("derive", folder / "genotype.json") == stored, f"{row['name']} does not survive JSON")
    facts = json.loads((FIXTURES / "facts_ddarts.json").read_text())
    for group in ("shipped_genotypes", "baselines"):
        for name, fact in facts[group].items():
            check(asked("derive", name) == fact["genotype"], f"{name} is not the stored genotype")


def derivation(folder):
    stored = json.loads((SOURCE / "tests/fixtures/f_genotypes_cnn.json").read_text())["cases"]
    (folder / "cases.json").write_text(json.dumps({"cases": stored, "note": "ignored"}))
    for found, case in zip(asked("derive", "--space", "darts_cnn", "--alphas", folder / "cases.json"), stored, strict=True):
        check(found["normal"] == case["normal"] and found["reduce"] == case["reduce"], "a stored genotype is not derived")
        check(found["normal_concat"] == case["normal_concat"], "the concat differs")
    (folder / "one.json").write_text(json.dumps(stored[0]))
    check(asked("derive", "--space", "darts_cnn", "--alphas", folder / "one.json")["normal"] == stored[0]["normal"], "one case")


def run(folder):
    archive = folder / "run.h5"
    found = asked("search", "quick", *TINY, "--out", archive, "--json")
    check(found["genotype"] == asked("derive", archive), "search and derive give two genotypes")
    check(asked("derive", archive, "--epoch", 0) != {}, "the start has a genotype")
    seen = asked("inspect", archive, "--json")
    check([row["epoch"] for row in seen["epochs"]] == [0, 1, 2] and seen["step"] == 4, "inspect's epochs and steps")
    check(seen["config"]["space"]["channels"] == 2 and "libtorch" in seen["provenance"], "inspect's config and provenance")
    check(seen["strategy_history"][0]["strategy"] == "first_order", "inspect's strategy history")
    check({"train_loss", "valid_accuracy", "genotype"} <= seen["epochs"][1].keys(), "an epoch's fields")
    check(asked("verify", archive, "--json") == {"ok": True, "problem": None}, "verify")
    check(asked("compare", archive, archive, "--json") == {"equal": True, "differences": []}, "compare")
    with h5py.File(archive) as file:
        alphas = file["alphas/alphas_normal"]
        check(alphas.shape == (3, 14, 8) and alphas.fletcher32, "the alphas' layout")
        operations = [name.decode() for name in alphas.dims[2][0]]
        check(operations[0] == "none" and len(operations) == 8, "the dimension scale of the operations")
        check("stem.0.weight" in file["weights"] and "stem.1.running_mean" in file["buffers"], "weights and buffers")
    resolved = answer("search", "quick", *TINY, "--dry-run")
    (folder / "again.json").write_text(resolved)
    check(answer("search", folder / "again.json", "--dry-run") == resolved, "the resolved config is not a config file")
    for ending, mark in ((".svg", b"<?xml"), (".png", b"\x89PNG"), (".dot", b"digraph")):
        check(asked("draw", archive, "-o", folder / f"cells{ending}", "--json")["picture"].endswith(ending), "draw's answer")
        check((folder / f"cells{ending}").read_bytes().startswith(mark), f"cells{ending} is no {ending}")


def lists():
    names = {row["name"] for row in asked("list", "genotypes", "--json")}
    wanted = {"NASNet", "AmoebaNet", "DARTS_V1", "DARTS_V2", "PC_DARTS_cifar", "PC_DARTS_image", "PDARTS"}
    check({f"darts_cnn/{name}" for name in wanted} <= names, f"genotypes lack {wanted - names}")
    check({"darts-cifar10", "darts-cifar10-first-order", "quick"} <= {row["name"] for row in asked("list", "presets", "--json")}, "presets")
    plugins = asked("plugins", "list", "--json")
    check(all({"id", "kind", "version", "path", "tier", "sha256"} <= row.keys() for row in plugins), "plugins list")
    options = asked("data", "describe", "synthetic", "--json")["options"]
    check({"name", "type", "default", "help"} == options[0].keys(), options)
    check({"name": "size", "type": "integer", "default": "32"}.items() <= options[1].items(), options)
    os.environ.pop("MIXOP_DATA", None)
    absent = asked("data", "describe", "cifar10", "--json")
    check(absent["options"] == [] and "no data folder is given" in absent["problem"], absent)
    check("cifar-10-batches-bin" in answer("data", "describe", "cifar10"), "describe without a folder")
    described = asked("data", "check", "synthetic", "--set", "size=8", "--set", "train=20", "--set", "test=10", "--json")
    check(described["records"]["train"] == 20 and described["shape"] == [3, 8, 8], described)
    check(asked("selftest", "--json")["passed"] is True, "selftest")


def main():
    if sys.argv[1:] == ["--every-size"]:
        listed_sizes(every=True)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sizes()
        listed_parts()
        recurrent_sizes()
        listed_sizes(every=False)
        distances(folder)
        forms(folder)
        derivation(folder)
        run(folder)
    lists()
    print("answers: all well")


if __name__ == "__main__":
    main()
