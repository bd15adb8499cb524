#!/usr/bin/env python3
"""Draws how the weights of operations go in searches of one space: a row a run, a column an edge.

    python3 docs/trajectories.py OUT.svg NAME=RUN.h5 ...     # needs h5py and matplotlib

The weights are the softmax of the archived alphas, whatever relaxation the search had. docs/images/trajectories.svg is of the runs of
docs/experiments.md, "Collapse on NAS-Bench-201's space"."""

import sys

import h5py
import matplotlib
import numpy

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "mixop"  # the same file for the same runs
matplotlib.rcParams["svg.fonttype"] = "none"  # texts as texts
matplotlib.rcParams["path.simplify_threshold"] = 0.6  # of a point
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = ("#d1495b", "#7a8b99", "#00798c", "#edae49", "#5b5f97", "#3a7d44", "#8d5a97", "#222222")


def softmax(alphas):
    weights = numpy.exp(alphas - alphas.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def main():
    out, runs = sys.argv[1], [argument.split("=", 1) for argument in sys.argv[2:]]
    figure = None
    for row, (name, path) in enumerate(runs):
        with h5py.File(path) as run:
            (alphas,) = run["alphas"].keys()  # a space of one kind of cell
            weights = softmax(run["alphas"][alphas][:])
            operations, edges = ([text.decode() for text in run[group][alphas][:]] for group in ("operations", "edges"))
        if figure is None:
            figure, axes = plt.subplots(len(runs), len(edges), figsize=(1.9 * len(edges), 1.8 * len(runs) + 0.5), sharex=True, sharey=True, squeeze=False)
        for edge, label in enumerate(edges):
            panel = axes[row][edge]
            for operation in range(len(operations)):
                panel.plot(weights[:, edge, operation], color=COLOURS[operation % len(COLOURS)], linewidth=1.2, label=operations[operation])
            panel.tick_params(labelsize=7)
            if row == 0:
                panel.set_title(f"edge {label}", fontsize=9)
            if row == len(runs) - 1:
                panel.set_xlabel("epoch", fontsize=8)
        axes[row][0].set_ylabel(name, fontsize=9)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="lower center", ncols=len(operations), fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.savefig(out, metadata={"Date": None})


main()
