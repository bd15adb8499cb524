"""Genotypes as the published networks take them."""
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class ImageGenotype(NamedTuple):
    """DARTS, images: genes are (operation, source), two a node; nodes 0 and 1 are a cell's inputs."""
    normal: list[tuple]
    normal_concat: list[int]
    reduce: list[tuple]
    reduce_concat: list[int]


class RecurrentGenotype(NamedTuple):
    """DARTS, text: genes are (operation, source), one a node; node 0 is the initial state."""
    recurrent: list[tuple]
    concat: list[int]


class CellwiseGenotype(NamedTuple):
    """D-DARTS: a list a cell of genes (operation, node, source), or of pairs as in DARTS. `reductions` None: at a third and at two thirds."""
    genes: list[list[tuple]]
    concat: list[int]
    reductions: list[int] | None


Genotype = ImageGenotype | RecurrentGenotype | CellwiseGenotype
FIELDS = {field for form in (ImageGenotype, RecurrentGenotype, CellwiseGenotype) for field in form._fields} | {"seq"}


def genotype_of(source: str | bytes | Mapping | Any) -> Genotype:
    """The genotype of a text in mixop's JSON, of its dict, or of an object with these fields (also D-DARTS' Genotype_opt)."""
    keys = keys_of(source)
    if set(keys) == set(ImageGenotype._fields):
        return ImageGenotype(pairs(keys["normal"], 2, 2), list(keys["normal_concat"]), pairs(keys["reduce"], 2, 2), list(keys["reduce_concat"]))
    if set(keys) == set(RecurrentGenotype._fields):
        return RecurrentGenotype(pairs(keys["recurrent"], 1, 1), list(keys["concat"]))
    if {"genes", "concat"} <= set(keys) <= {*CellwiseGenotype._fields, "seq"}:
        return cellwise(**keys)
    raise ValueError(f"no genotype of a published network: its keys are {', '.join(map(str, keys))}")


def keys_of(source: Any) -> Mapping:
    found = json.loads(source) if isinstance(source, (str, bytes)) else source
    if isinstance(found, Mapping):
        return found
    return {field: getattr(found, field) for field in sorted(FIELDS) if hasattr(found, field)}


def pairs(genes: Sequence, genes_a_node: int, inputs: int) -> list[tuple[str, int]]:
    """Genes (operation, source) whose place in the list gives their node."""
    found = [tuple(gene) for gene in genes]
    if not found or len(found) % genes_a_node != 0 or any(len(gene) != 2 for gene in found):
        raise ValueError(f"a published cell has {genes_a_node} (operation, source) a node, found {found}")
    for place, (operation, source) in enumerate(found):
        if not 0 <= source < inputs + place // genes_a_node:
            raise ValueError(f"gene {place}: {operation} comes from node {source}, which has not run by then")
    return found


def cellwise(genes: Sequence, concat: Sequence, reductions: Sequence | None = None, seq: Sequence | None = None) -> CellwiseGenotype:
    """`seq` names the listed cell of each position; without it they stand in order."""
    cells = [cell_of(cell) for cell in genes]
    if not cells:
        raise ValueError("a genotype without cells")
    return CellwiseGenotype([cells[i] for i in seq] if seq else cells, list(concat), None if reductions is None else list(reductions))


def cell_of(genes: Sequence) -> list[tuple]:
    found = [tuple(gene) for gene in genes]
    if found and all(len(gene) == 3 for gene in found):
        return found
    return pairs(found, 2, 2)
