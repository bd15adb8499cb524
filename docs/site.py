#!/usr/bin/env python3
"""Builds the documentation site: the tree's pages at their own paths, and the SDK's reference out of its headers.

    python3 docs/site.py -o DIR     # needs MkDocs (.ci/requirements.txt) and Doxygen; then open DIR/index.html

Fails on any warning: a broken link or anchor, a page that docs/site/mkdocs.yml does not lead to, what Doxygen does not
understand. The site needs no server and no network."""

import argparse
import json
import logging
import pathlib
import re
import shutil
import sys
import tempfile

import mkdocs.commands.build
import mkdocs.config
import mkdocs.contrib.search
import mkdocs.exceptions

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ROOT / "docs" / "site"
sys.path.insert(0, str(PARTS))
import reference  # noqa: E402

PAGES = ("*.md", "LICENSE", "docs/*.md", "docs/images/*", "docs/gallery/README.md", "host/README.md", "sdk/README.md")
GALLERY = "docs/gallery"
REFERENCE = "sdk/reference"


def anchor(title, separator):
    """Of a heading, as forges make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", separator)


def stage(folder):
    for pattern in PAGES:
        for file in filter(pathlib.Path.is_file, ROOT.glob(pattern)):
            copy = folder / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    for part in PARTS.iterdir():
        if part.suffix in (".css", ".js"):
            shutil.copyfile(part, folder / part.name)


def add_gallery(folder, nav):
    """A page of sources for each project, to which links to its folder lead."""
    (tutorials,) = (section["Tutorials"] for section in nav if "Tutorials" in section)
    entries = []
    for project in sorted(path for path in (ROOT / GALLERY).iterdir() if path.is_dir()):
        page = folder / GALLERY / project.name / "README.md"
        page.parent.mkdir(parents=True)
        files = sorted(project.iterdir(), key=lambda file: (file.suffix != ".hpp", file.name))
        page.write_text(f"# {project.name}\n\n" + "".join(f"## {file.name}\n\n```\n{file.read_text()}```\n\n" for file in files))
        entries.append({project.name: str(page.relative_to(folder))})
    tutorials[-1] = {"Gallery": [tutorials[-1], *entries]}
    for page in folder.rglob("*.md"):
        page.write_text(re.sub(r"\]\(([\w./-]*)\)", lambda link: f"]({link[1]}/README.md)" if (page.parent / link[1]).is_dir() else link[0], page.read_text()))


def add_reference(folder, work, nav):
    """The pages of the headers, after those of the SDK that are there."""
    pages = reference.write_pages(ROOT / "sdk" / "include", folder / REFERENCE, work)
    (sdk,) = (section["SDK"] for section in nav if "SDK" in section)
    layers = {"C headers": [], "C++ headers": []}
    for page in pages:
        layers["C headers" if page.startswith("abi-") else "C++ headers"].append({page.removesuffix(".md"): f"{REFERENCE}/{page}"})
    sdk += [{name: entries} for name, entries in layers.items()]
    overview = folder / "sdk" / "README.md"
    links = re.sub(r"`(?:include/mixop/)?([\w/]+\.(?:hpp|h|cuh))`", lambda m: linked(m, pages), overview.read_text())
    lists = [f"## {name}\n\n" + "".join(f"- [{title}](reference/{title}.md)\n" for entry in entries for title in entry) for name, entries in layers.items()]
    overview.write_text("\n".join([links, *lists]))


def linked(name, pages):
    page = reference.page_name("mixop/" + name[1])
    return f"[{name[0]}](reference/{page})" if page in pages else name[0]


def write_search(out):
    """The index as a script, which a page that is opened as a file may load."""
    folder = out / "search"
    entries = json.loads((folder / "search_index.json").read_text())["docs"]
    pages = [entry for entry in entries if "#" in entry["location"]]  # sections; the others are their sums
    (folder / "pages.js").write_text(f"const search_pages = {json.dumps(pages, ensure_ascii=False)};\n")
    (folder / "search_index.json").unlink()
    shutil.copyfile(pathlib.Path(mkdocs.contrib.search.__file__).parent / "templates" / "search" / "lunr.js", folder / "lunr.js")


def build(work):
    pages, out = work / "pages", work / "site"
    stage(pages)
    extensions = ["sane_lists", "attr_list", {"toc": {"slugify": anchor, "permalink": "#"}}]
    config = mkdocs.config.load_config(str(PARTS / "mkdocs.yml"), docs_dir=str(pages), site_dir=str(out), strict=True, markdown_extensions=extensions)
    add_gallery(pages, config.nav)
    add_reference(pages, work, config.nav)
    mkdocs.commands.build.build(config)
    write_search(out)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--out", required=True, type=pathlib.Path, help="the folder of the site, whose content is replaced")
    out = parser.parse_args().out.resolve()
    if out.is_dir() and any(out.iterdir()) and not (out / "search" / "pages.js").is_file():
        sys.exit(f"docs/site.py: {out} is neither empty nor a site that this program built; name another folder")
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    with tempfile.TemporaryDirectory() as made:
        try:
            site = build(pathlib.Path(made))
        except mkdocs.exceptions.MkDocsException as error:
            sys.exit(f"docs/site.py: {error}")
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(site, out)
    print(f"{out / 'index.html'}: {len(list(out.rglob('*.html')))} pages")


if __name__ == "__main__":
    main()
