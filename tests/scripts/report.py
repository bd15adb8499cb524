#!/usr/bin/env python3
"""Pages of mixop report: what is in them, against inspect --json, and in Chromium, where one is installed, what they show, that the keyboard works
them, and that names in archives stay text."""
import html.parser
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import h5py

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import SEARCH, TRAIN, answer, asked, check, refusal

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page(html.parser.HTMLParser):
    """The page as a browser parses it: its scripts' texts, and the tags with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] in ("script", "style"):
            self.scripts[-1] += data


def page(file, *archives):
    answer("report", *archives, "-o", file)
    text = file.read_text()
    found = Page(text)
    data = json.loads(found.scripts[1])
    check([tag for tag, _ in found.tags].count("script") == 2 and [tag for tag, _ in found.tags].count("style") == 1, found.tags)
    policy = next(tag["content"] for name, tag in found.tags if name == "meta" and "http-equiv" in tag)
    check(policy.startswith("default-src 'none'") and "unsafe" not in policy, policy)
    outside = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", text)
    check(not outside, outside)
    return data


def dumped(file, steps="", size="1200,1600"):
    """The document after its script ran, and after `steps` (JavaScript) ran in it."""
    if steps:
        text = file.read_text()
        policy = re.search(r'content="default-src[^"]*"', text)[0]
        file = file.with_name("driven.html")
        file.write_text(text.replace(policy, 'content=""').replace("</body>", f"<script>{steps}</script></body>"))
    run = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={size}", "--virtual-time-budget=3000", "--dump-dom",
                          f"file://{file}"], capture_output=True, text=True, timeout=120, check=True)
    return run.stdout


def seen(file, runs):
    shown = dumped(file)
    for section in ("Alphas", "How the genotype came about", "Cells", "Strategy", "Where it comes from"):
        check(f">{section}" in shown, f"no section {section}")
    check(shown.count('<svg class="chart"') >= 4 and "data:image/svg+xml;base64," in shown, "no charts or cells")
    # The slider by its keys' effect, a row of alphas by Enter, a chart by an arrow key.
    driven = dumped(file, """
      const slider = document.querySelector("input[type=range]"); slider.value = 0; slider.dispatchEvent(new Event("input"));
      const row = document.querySelectorAll("table.heat tbody tr")[2];
      row.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      const picture = document.querySelector("svg.chart"); picture.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
      document.title = [document.querySelector("output").textContent, document.querySelectorAll("table.heat tbody tr")[2].ariaSelected,
                        document.querySelector(".reading").textContent].join("|");""")
    title = re.search(r"<title>(.*?)</title>", driven)[1]
    first = next(row for row in runs[0]["epochs"] if row["epoch"] == 1)
    check(title.startswith("the start|true|epoch 1: ") and f"{first['train_loss']:.3f}"[:4] in title, title)
    told = dumped(file, """document.title = [number(60, 2), number(100), number(0.5), number(12345.6), number(null), number(2.30, 3), duration(0.02), duration(59.6),
                        duration(3725), ticks(0, 1).length].join("|");""")
    check("<title>60|100|0.5|1.235e4|–|2.3|0.02 s|59 s|1 h 2 min|6</title>" in told, re.search(r"<title>.*?</title>", told)[0])
    narrow = dumped(file, "document.title = String(document.documentElement.scrollWidth <= innerWidth)", "420,900")
    check("<title>true</title>" in narrow, "a narrow page scrolls sideways")


def kinds(folder):
    """Operations that were dropped, a temperature, a changed strategy's seed of 64 bits, and a network whose best epoch is kept."""
    run, file = folder / "kinds.h5", folder / "kinds.html"
    answer(*SEARCH, "--strategy", "darts_pt", "--seed", "9007199254740993", "--set", "search.epochs=4", "--out", run)
    page(file, run)
    shown = dumped(file)
    check("9007199254740993" in shown and ">–</td>" in shown, "a seed, or dropped operations")
    answer(*SEARCH, "--set", "softmax.temperature=0.01", "--out", run, "--overwrite")
    data = page(file, run)
    first = data["runs"][0]["alphas"][0]
    row = first["values"][-first["shape"][-1] * first["shape"][-2]:][:first["shape"][-1]]
    powers = [math.exp((value - max(row)) / 0.01) for value in row]
    check(f">{max(powers) / sum(powers):.3f}</td>" in dumped(file) and "softmax of temperature 0.01" in dumped(file), "a temperature")
    net = folder / "kept.h5"
    answer(*TRAIN, "--set", "train.epochs=6", "--set", "train.keep=best", "--set", "data.train_portion=0.5", "--set", "weights.lr=0.3", "--out", net)
    page(file, net)
    told = asked("inspect", net)
    kept = next(row for row in told["epochs"] if row["epoch"] == told["kept_epoch"])
    check(f">{kept['valid_loss']:.4g}</td>" in dumped(file), ("the metrics of the kept epoch", told["kept_epoch"]))


def compared(folder, searches):
    file = folder / "compared.html"
    data = page(file, *searches)
    check([run["kind"] for run in data["runs"]] == ["search"] * len(searches), data["runs"])
    if not CHROMIUM:
        return
    values = [asked("inspect", search)["epochs"][-1]["train_loss"] for search in searches]
    mean = sum(values) / len(values)
    half = 4.303 * (sum((value - mean) ** 2 for value in values) / 2 / 3) ** 0.5
    intervals = re.findall(r"([\d.]+) ± ([\d.e-]+)<", dumped(file))
    check(len(intervals) >= 3, intervals)
    found = [float(value) for value in intervals[-1]]
    check(abs(found[0] - mean) <= 1e-3 * mean and abs(found[1] - half) <= 0.06 * half + 1e-9, (found, mean, half))


def hostile(folder):
    """Archives whose names and texts are markup that would end the page's data, were it not escaped."""
    inner = folder / "x<"
    inner.mkdir()
    named = inner / "script><script>document.title=`taken`<" / "script><img src=y onerror=document.title=`taken`>.h5"
    named.parent.mkdir()
    answer(*SEARCH, "--set", "seed=7", "--out", named)
    file = folder / "hostile.html"
    data = page(file, named)
    check("</script><script>document" in data["runs"][0]["file"] and "</script><script>document" in data["runs"][0]["provenance"]["command_line"], data["runs"][0]["file"])
    check(data["runs"][0]["file"] == str(named) and "<img" not in file.read_text(), "markup of an archive's name")
    if CHROMIUM:
        shown = dumped(file)
        check("<title>taken" not in shown and "onerror=" in shown and '<img src="y"' not in shown, "a name of an archive became markup")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        searches = [folder / f"seed{seed}.h5" for seed in range(3)]
        for seed, out in enumerate(searches):
            answer(*SEARCH, "--set", f"seed={seed}", "--out", out)
        net, file = folder / "net.h5", folder / "report.html"
        answer(*TRAIN, "--out", net)
        data = page(file, searches[0], net)
        for found, archive in zip(data["runs"], (searches[0], net)):
            told = asked("inspect", archive)
            check({key: found[key] for key in told} == told, f"{archive}: the page tells something else than inspect --json")
        with h5py.File(searches[0]) as archive:
            for found in data["runs"][0]["alphas"]:
                stored = archive[f"alphas/{found['name']}"]
                check(found["shape"] == list(stored.shape) and abs(stored[()].ravel() - found["values"]).max() <= 6e-6, found["name"])
        check(file.stat().st_size < 3_000_000, file.stat().st_size)
        check(len(data["runs"][0]["pictures"]) >= 1 or not shutil.which("dot"), "no pictures of cells")
        if CHROMIUM:
            seen(file, data["runs"])
            kinds(folder)
        compared(folder, searches)
        hostile(folder)
        refusal(2, "an archive is missing", "report")
        refusal(3, "none.h5", "report", folder / "none.h5", "-o", file)
        refusal(2, "is an archive of mixop, which a page does not replace", "report", net, "-o", net)
        print("figure: reports", "in " + CHROMIUM if CHROMIUM else "(no browser here: what they show was not looked at)")


main()
