#!/usr/bin/env python3
"""Cells of NAS-Bench-201 have the recorded number of parameters (CIFAR-10, C=16, N=5), by the program. MIXOP_NASBENCH201 names
a table with the columns arch and parameters (.csv or .csv.xz), of which 300 cells are compared; without it the sample in
tests/data is."""
import csv
import json
import lzma
import os
import pathlib
import random
import subprocess
import sys

MIXOP = os.environ["MIXOP"]
SAMPLE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]) / "tests/data/nasbench201_parameters.csv"
COMPARED = 300


def rows(path):
    with (lzma.open(path, "rt") if path.suffix == ".xz" else path.open()) as table:
        return list(csv.DictReader(table))


def parameters(cell):
    run = subprocess.run([MIXOP, "summary", "--space", "nasbench201", "--genotype", cell, "--channels", "16", "--layers", "15", "--json"],
                         capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        sys.exit(f"nasbench201: {cell}: {run.stderr}")
    return json.loads(run.stdout)["parameters"]


table = rows(pathlib.Path(os.environ.get("MIXOP_NASBENCH201", SAMPLE)))
chosen = random.Random(201).sample(table, min(COMPARED, len(table)))
for row in chosen:
    found = parameters(row["arch"])
    if found != int(row["parameters"]):
        sys.exit(f"nasbench201: {row['arch']}: expected {row['parameters']} parameters, found {found}")
if len(chosen) < 28:
    sys.exit(f"nasbench201: the table has {len(chosen)} cells, expected 28 or more")
print(f"figure: parameters of {len(chosen)} cells of NAS-Bench-201 agree")
