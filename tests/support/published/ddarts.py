"""The discrete networks of D-DARTS and DARTOpti, whose cells have genotypes of their own (model.py)."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .genotype import CellwiseGenotype
from .images import AuxiliaryHead, Cell, CellBuild, CifarNetwork, ImageNetNetwork, TwoInputCell, cells_of, cifar_stem, drop_path, thirds
from .operations import operation


def registered(modules: nn.ModuleDict, key: str, make: type[nn.Module]) -> nn.Module:
    """The module of that key, a new one where there is none."""
    if key not in modules:
        modules[key] = make()
    return modules[key]


class CellOfTriples(TwoInputCell):
    """Nodes run in the order in which the genes (operation, node, source) first name them, and all of them make the output. Parameters are called
    _ops.NODE.SOURCE.NUMBER. An edge whose source has not run by then has parameters and is never used."""

    def __init__(self, genes: Sequence[tuple[str, int, int]], channels: tuple[int, int, int], halves: bool, halved_before: bool) -> None:
        super().__init__(channels, halved_before, affine=True)
        self._ops = nn.ModuleDict()
        for name, node, source in genes:
            edges = registered(self._ops, str(node), nn.ModuleDict)
            registered(edges, str(source), nn.ModuleList).append(operation(name, channels[2], 2 if halves and source < 2 else 1, True))
        self.width = len(self._ops) * channels[2]
        self.live = self.live_edges()

    def live_edges(self) -> dict[str, list[str]]:
        """Of each node the sources that have run before it."""
        ran, live = {"0", "1"}, {}
        for node, edges in self._ops.items():
            live[node] = [source for source in edges if source in ran]
            if not live[node]:
                raise ValueError(f"nothing feeds node {node}: it reads {', '.join(edges)}, which have not run by then")
            ran.add(node)
        return live

    def forward(self, older: Tensor, newer: Tensor, drop_path_prob: float) -> Tensor:
        nodes = dict(zip("01", self.inputs(older, newer)))
        for node, sources in self.live.items():
            x = sum(sum(op(nodes[source]) for op in self._ops[node][source]) for source in sources)
            nodes[node] = drop_path(x, drop_path_prob) if self.training and drop_path_prob > 0 else x
        return torch.cat([nodes[node] for node in self.live], dim=1)


def searched_cell(i: int, layers: int, cells: int) -> int:
    """Which of the searched cells stands at position i of a deeper network. Published for 8 cells."""
    first, second = cells // 3, 2 * cells // 3
    if i < layers // 3:
        return i % cells // 3
    if i == layers // 3:
        return first
    if i < 2 * layers // 3:
        return first + 1 + i % (second - first - 1)
    if i == 2 * layers // 3:
        return second
    return second + 1 + i % (cells - second - 1)


def cellwise_cells(genotype: CellwiseGenotype, layers: int, reductions: Sequence[int]) -> CellBuild:
    """Cells of triples, or those of DARTS where the genes are pairs."""
    searched = len(genotype.genes)
    if layers > searched and (searched < 5 or len(reductions) > 2):
        raise ValueError(f"{layers} cells of {searched} with {len(reductions)} reductions: a deeper network needs at least 5 with at most 2")

    def build(position: int, channels: tuple[int, int, int], halves: bool, halved_before: bool) -> nn.Module:
        genes = genotype.genes[searched_cell(position, layers, searched) if layers > searched else position]
        if len(genes[0]) == 2:
            return Cell(genes, genotype.concat, channels, halves, halved_before)
        return CellOfTriples(genes, channels, halves, halved_before)
    return build


def reductions_of(genotype: CellwiseGenotype, layers: int) -> list[int]:
    return thirds(layers) if genotype.reductions is None else genotype.reductions


class NetworkCIFAR(CifarNetwork):
    def __init__(self, C: int, num_classes: int, layers: int, auxiliary: bool, genotype: CellwiseGenotype) -> None:
        super().__init__()
        reductions = reductions_of(genotype, layers)
        self.stem = cifar_stem(3 * C)
        self.cells, widths = cells_of(cellwise_cells(genotype, layers, reductions), layers, C, 3 * C, reductions, halved_before=False)
        head = AuxiliaryHead(widths[reductions[-1]], num_classes, stride=3, last_norm=True) if auxiliary else None
        self.set_heads(head, reductions[-1], widths[-1], num_classes)


class NetworkImageNet(ImageNetNetwork):
    """The first stem halves once: three reductions bring 224 x 224 to 7 x 7."""

    def __init__(self, C: int, num_classes: int, layers: int, auxiliary: bool, genotype: CellwiseGenotype) -> None:
        super().__init__()
        reductions = reductions_of(genotype, layers)
        self.set_stems(C, second_stride=1)
        self.cells, widths = cells_of(cellwise_cells(genotype, layers, reductions), layers, C, C, reductions, halved_before=True)
        head = AuxiliaryHead(widths[reductions[-1]], num_classes, stride=2, last_norm=True) if auxiliary else None
        self.set_heads(head, reductions[-1], widths[-1], num_classes)
