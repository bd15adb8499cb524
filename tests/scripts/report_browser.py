#!/usr/bin/env python3
"""What pages of mixop report show in Chromium, that the keyboard works them, and that names in archives stay text. Without a Chromium this is
skipped (exit code 77)."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import SEARCH, TRAIN, answer, asked, check
from reports import Serving, page, page_data
from running import Running

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def shown_at(address, size, seconds=3):
    """The document at an address after its script ran, for so many seconds of its own clock."""
    run = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={size}", f"--virtual-time-budget={1000 * seconds}",
                          "--dump-dom", address], capture_output=True, text=True, timeout=120, check=True)
    return run.stdout


def dumped(file, steps="", size="1200,1600"):
    """The document after its script ran, and after `steps` (JavaScript) ran in it."""
    if steps:
        text = file.read_text()
        policy = re.search(r'content="default-src[^"]*"', text)[0]
        file = file.with_name("driven.html")
        file.write_text(text.replace(policy, 'content=""').replace("</body>", f"<script>{steps}</script></body>"))
    return shown_at(f"file://{file}", size)


def titled(file, expression, size="1200,1600"):
    """The value of an expression in the page, as text."""
    return re.search(r"<title>(.*?)</title>", dumped(file, f"document.title = {expression};", size))[1]


def seen(file, runs):
    shown = dumped(file)
    for section in ("Weights of operations", "How the genotype came about", "Cells", "Strategy", "Where it comes from", "Classes"):
        check(f">{section}" in shown, f"no section {section}")
    check(shown.count('<svg class="chart"') >= 4 and "data:image/svg+xml;base64," in shown, "no charts or cells")
    # The slider by its keys' effect, a row of weights by Enter, a chart by an arrow key.
    title = titled(file, """(() => {
      const slider = document.querySelector("input[type=range]"); slider.value = 0; slider.dispatchEvent(new Event("input"));
      const row = document.querySelectorAll("table.heat tbody tr")[2];
      row.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      const picture = document.querySelector("#run-0 svg.chart"); picture.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
      return [document.querySelector("output").textContent, document.querySelectorAll("table.heat tbody tr")[2].ariaSelected,
              document.querySelector("#run-0 .reading").textContent].join("|"); })()""")
    first = next(row for row in runs[0]["epochs"] if row["epoch"] == 1)
    check(title.startswith("the start, relaxation softmax (temperature 1)|true|epoch 1: ") and f"{first['train_loss']:.3f}"[:4] in title, title)
    told = titled(file, """[number(60, 2), number(100), number(0.5), number(12345.6), number(null), number(2.30, 3), duration(0.02), duration(59.6),
                        duration(3725), ticks(0, 1).length].join("|")""")
    check(told == "60|100|0.5|1.235e4|–|2.3|0.02 s|59 s|1 h 2 min|6", told)
    check(titled(file, "String(document.documentElement.scrollWidth <= innerWidth)", "420,900") == "true", "a narrow page scrolls sideways")


def kinds(folder):
    """Operations that were dropped, swapped relaxations, a seed of 64 bits, and a network whose best epoch is kept."""
    run, file = folder / "kinds.h5", folder / "kinds.html"
    answer(*SEARCH, "--strategy", "darts_pt", "--seed", "9007199254740993", "--set", "search.epochs=4", "--out", run)
    page(file, run)
    shown = dumped(file)
    check("9007199254740993" in shown and ">–</td>" in shown, "a seed, or dropped operations")
    answer(*SEARCH, "--set", "search.strategy=first_order@0,gdas@1", "--set", "softmax.temperature=0.01", "--out", run, "--overwrite")
    found = page(file, run)[0]["alphas"][0]
    shown = dumped(file)
    check("after epoch 2, relaxation gumbel (end 0.1, temperature 10)" in shown and "weights in training, mean of 64 draws" in shown
          and "Relaxation softmax (temperature 0.01), epoch 1." in shown, "relaxations by epoch")
    row = found["shape"][-1] * found["shape"][-2]
    check(f">{found['rest'][-row]:.3f}</td>" in shown, "weights at rest")
    drawn = titled(file, """(() => { const view = [...document.querySelectorAll("select")].find((one) => one.options[1]?.value === "training");
      view.value = "training"; view.dispatchEvent(new Event("change")); return document.querySelector("td.cell").textContent; })()""")
    check(drawn == f"{found['training'][-row]:.3f}", (drawn, found["training"][-row]))
    net = folder / "kept.h5"
    answer(*TRAIN, "--set", "train.epochs=6", "--set", "train.keep=best", "--set", "data.train_portion=0.5", "--set", "weights.lr=0.3", "--out", net)
    page(file, net, "--data", folder)
    told = asked("inspect", net)
    kept = next(row for row in told["epochs"] if row["epoch"] == told["kept_epoch"])
    shown = dumped(file)
    check(f">{kept['valid_loss']:.4g}</td>" in shown, ("the metrics of the kept epoch", told["kept_epoch"]))
    check("Measured for this page on 16 test images" in shown and "<td class=\"text\">taken for</td>" not in shown and "taken for</th>" in shown, "confusions")


def compared(folder):
    """Means over seeds, a seed that comes twice, another strategy of the same seed, and lines that can be told apart."""
    file = folder / "compared.html"
    searches = [folder / f"seed{seed}.h5" for seed in range(3)]
    for seed, out in enumerate(searches):
        answer(*SEARCH, "--set", f"seed={seed}", "--out", out)
    again, other = folder / "again.h5", folder / "other.h5"
    answer(*SEARCH, "--set", "seed=1", "--out", again)
    answer(*SEARCH, "--set", "seed=1", "--strategy", "gdas", "--out", other)
    page(file, *searches, again, other)
    shown = dumped(file)
    values = [asked("inspect", search)["epochs"][-1]["train_loss"] for search in searches]
    mean = sum(values) / len(values)
    half = 4.303 * (sum((value - mean) ** 2 for value in values) / 2 / 3) ** 0.5
    found = [float(value) for value in re.findall(r"([\d.]+) ± ([\d.e-]+)<", shown)[-1]]
    check(abs(found[0] - mean) <= 1e-3 * mean and abs(found[1] - half) <= 0.06 * half + 1e-9, (found, mean, half))
    check("again.h5 is left out of these means: it repeats seed 1 of seed1.h5, with the same figures." in shown, "a seed that comes twice")
    alone = f"gdas, darts_cnn, synthetic: other.h5</td><td class=\"\">1</td>"
    check(alone in shown and f">{asked('inspect', other)['epochs'][-1]['train_loss']:.4g}</td>" in shown, "another strategy of the same seed")
    many = titled(file, """(() => { runs = Array.from({ length: 20 }, (_, at) => runs[at % runs.length]); names = namesOf(runs);
      const lines = [...comparedCurves().querySelector("svg").querySelectorAll("polyline")].map((line) => line.style.stroke + line.style.strokeDasharray);
      return new Set(lines).size + " of " + lines.length; })()""")
    check(many == "20 of 20", f"lines that look alike: {many}")
    charts = titled(file, """[...document.querySelectorAll("#page > section:nth-of-type(1) figcaption")].map((one) => one.textContent).join("|")""")
    check("train loss" in charts and "valid loss" in charts, charts)


def hostile(folder):
    """An archive whose name is markup."""
    named = folder / "x<" / "script><script>document.title=`taken`<" / "script><img src=y onerror=document.title=`taken`>.h5"
    named.parent.mkdir(parents=True)
    answer(*SEARCH, "--set", "seed=7", "--out", named)
    file = folder / "hostile.html"
    page(file, named)
    shown = dumped(file)
    check("<title>taken" not in shown and "onerror=" in shown and '<img src="y"' not in shown, "a name of an archive became markup")


def followed(folder):
    """A page that is served draws what its archive has become, under its policy."""
    out = folder / "followed.h5"
    run = Running(out, *SEARCH, "--set", "search.epochs=1000")
    run.wait_for("epoch 1/")
    serving = Serving(out)
    shown = shown_at(serving.address, "1200,1600", seconds=60)
    check("This page follows a run that goes on." in shown, "the state of the run")
    first, now = page_data(shown, connect="'self'")["runs"][0]["step"], int(re.search(r"([\d,]+) steps so far", shown)[1].replace(",", ""))
    check(now > first, f"the page shows {now} steps, and had {first} when it came")
    check(run.stop(signal.SIGTERM) == 143, "the run had ended")
    check("No run writes here any more." in shown_at(serving.address, "1200,1600"), "the end of the run")
    check(serving.ended_by(signal.SIGINT) == 130, "Ctrl-C")


def main():
    if not CHROMIUM:
        print("skipped: no Chromium here (apt-get install chromium)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run, net, file = folder / "run.h5", folder / "net.h5", folder / "report.html"
        answer(*SEARCH, "--out", run)
        answer(*TRAIN, "--out", net)
        seen(file, page(file, run, net))
        kinds(folder)
        compared(folder)
        hostile(folder)
        followed(folder)


main()
