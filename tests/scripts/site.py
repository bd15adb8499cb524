#!/usr/bin/env python3
"""docs/site.py builds the documentation site without a warning, every link and anchor of it leads somewhere, nothing is loaded from
elsewhere, and what should be a warning ends it. In Chromium, where one is installed, the search finds."""
import html.parser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import check

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}


class Page(html.parser.HTMLParser):
    """The anchors of a page, its links, and what it loads."""

    def __init__(self, file):
        super().__init__()
        self.anchors, self.links, self.loads = set(), [], []
        self.feed(file.read_text())

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors.add(given.get("id"))
        if LOADED.get(tag) in given:
            self.loads.append(given[LOADED[tag]])
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])


def built(tree, out):
    return subprocess.run([sys.executable, tree / "docs" / "site.py", "-o", out], capture_output=True, text=True, timeout=120)


def leads_nowhere(page, target, pages):
    """Whether a link of a page has no file or no anchor in it."""
    path, anchor = urllib.parse.urldefrag(urllib.parse.unquote(target))
    file = (page.parent / path.split("?")[0]).resolve() if path else page
    return not file.is_file() or (anchor and file.suffix == ".html" and anchor not in pages[file].anchors)


def whole(out):
    pages = {file: Page(file) for file in out.rglob("*.html")}
    links = 0
    for file, page in pages.items():
        if file.name == "404.html":  # whose links are from the root of a server
            continue
        outside = [load for load in page.loads if urllib.parse.urlsplit(load).scheme not in ("", "data") or load.startswith("//")]
        check(not outside, f"{file.name} loads {outside}")
        inside = [link for link in [*page.links, *page.loads] if not urllib.parse.urlsplit(link).scheme]
        broken = [link for link in inside if leads_nowhere(file, link, pages)]
        check(not broken, f"{file.relative_to(out)}: broken links {broken}")
        links += len(inside)
    for file in [*out.rglob("*.css"), *out.rglob("*.svg"), *out.rglob("*.js")]:
        outside = re.findall(r"(?:@import|url\(|importScripts\(|fetch\(|xlink:href=|\bsrc=)\s*[\"']?\s*((?:https?:)?//[^\"')\s]*)", file.read_text())
        check(not outside, f"{file.name} loads {outside}")
    return len(pages), links


def shows(out):
    """What makes the site more than its pages: pictures, the reference, its links, the anchors of forges."""
    start = (out / "index.html").read_text()
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", (SOURCE / "README.md").read_text()):
        check(f'src="{picture}"' in start, f"the first page lacks the picture {picture}")
    strategy = Page(out / "sdk/reference/strategy.hpp.html")
    check({"Relaxation", "Relaxation-relax", "Hypergradient"} <= strategy.anchors, sorted(filter(None, strategy.anchors)))
    check("abi-dataset.h.html#MixopDatasetInfo" in Page(out / "sdk/reference/dataset.hpp.html").links, "a type in a declaration has no link")
    check("borrowed as long as the instance lives" in (out / "sdk/reference/abi-operator.h.html").read_text(), "comments of C headers are lost")
    check("weights-of-other-programs-import-and-export" in Page(out / "docs/command-line.html").anchors, "anchors are not those of forges")


def found(out):
    address = f"file://{out}/index.html?q=hypergradient"
    run = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom", address],
                         capture_output=True, text=True, timeout=120)
    results = run.stdout[run.stdout.index('id="mkdocs-search-results"'):]
    check("sdk/reference/strategy.hpp.html#Hypergradient" in results, f"the search finds {results[:500]}")


def refusals(folder):
    """Defects in a copy of what the site is made of."""
    tree = folder / "tree"
    for name in ("docs", "sdk/include"):
        shutil.copytree(SOURCE / name, tree / name)
    for page in [*SOURCE.glob("*.md"), SOURCE / "LICENSE", SOURCE / "sdk/README.md", SOURCE / "host/README.md"]:
        copy = tree / page.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, copy)
    (tree / "docs" / "config.md").open("a").write("\n[a](nowhere.md) and [b](python.md#nowhere)\n")
    (tree / "docs" / "lonely.md").write_text("# Lonely\n")
    run = built(tree, folder / "refused")
    for words in ("'nowhere.md'", "does not contain an anchor '#nowhere'", "lonely.md", "Aborted with 3 warnings"):
        check(run.returncode == 1 and words in run.stderr, f"exit code {run.returncode} without {words}: {run.stderr}")
    header = tree / "sdk/include/mixop/dataset.hpp"
    header.write_text(header.read_text().replace("/// What a data set's author", "/// \\unknown_command What a data set's author"))
    run = built(tree, folder / "refused")
    check(run.returncode == 1 and "sdk/include/mixop/dataset.hpp:17" in run.stderr and "unknown_command" in run.stderr, f"{run.returncode}: {run.stderr}")
    run = built(SOURCE, tree)
    check(run.returncode == 1 and "neither empty nor a site" in run.stderr and header.is_file(), f"{run.returncode}: {run.stderr}")


def main():
    check(shutil.which("doxygen"), "doxygen is not installed")
    with tempfile.TemporaryDirectory() as made:
        out = pathlib.Path(made).resolve() / "site"
        run = built(SOURCE, out)
        check(run.returncode == 0 and not run.stderr, f"exit code {run.returncode}: {run.stderr}")
        pages, links = whole(out)
        shows(out)
        refusals(pathlib.Path(made))
        if CHROMIUM:
            found(out)
    print(f"figure: the site has {pages} pages, {links} links within it", "and a search that was tried" if CHROMIUM else "(no browser here: its search was not tried)")


if __name__ == "__main__":
    main()
