"""The supernets of DARTS (cnn/model_search.py) and D-DARTS (model_search.py). Alphas are no part of their state: forward() takes them."""
from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn

from .images import TwoInputCell, cells_of, cifar_stem, thirds
from .operations import DARTS, DDARTS, operation


class MixedOp(nn.Module):
    """1806.09055, eq. 2: the weighed sum of an edge's candidates. A norm stands behind pooling."""

    def __init__(self, channels: int, stride: int, primitives: Sequence[str]) -> None:
        super().__init__()
        self._ops = nn.ModuleList(self.candidate(name, channels, stride) for name in primitives)

    @staticmethod
    def candidate(name: str, channels: int, stride: int) -> nn.Module:
        op = operation(name, channels, stride, False)
        return nn.Sequential(op, nn.BatchNorm2d(channels, affine=False)) if "pool" in name else op

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        return sum(weight * op(x) for weight, op in zip(weights, self._ops, strict=True))


class SearchCell(TwoInputCell):
    """Every node reads all before it; edges are in the order of their nodes. The last `multiplier` nodes make the output."""

    def __init__(self, channels: tuple[int, int, int], halves: bool, halved_before: bool, nodes: int, multiplier: int, primitives: Sequence[str]) -> None:
        super().__init__(channels, halved_before, affine=False)
        self.halves, self.nodes, self.multiplier, self.width = halves, nodes, multiplier, multiplier * channels[2]
        self._ops = nn.ModuleList(MixedOp(channels[2], 2 if halves and source < 2 else 1, primitives) for node in range(nodes) for source in range(2 + node))

    def forward(self, older: Tensor, newer: Tensor, weights: Tensor) -> Tensor:
        """Weights: edges x operations."""
        states = self.inputs(older, newer)
        edges = list(zip(self._ops, weights, strict=True))
        for _ in range(self.nodes):
            here, edges = edges[:len(states)], edges[len(states):]
            states.append(sum(op(x, row) for x, (op, row) in zip(states, here, strict=True)))
        return torch.cat(states[-self.multiplier:], dim=1)


class Supernet(nn.Module):
    def __init__(self, C: int, num_classes: int, layers: int, steps: int, multiplier: int, primitives: Sequence[str], reductions: Collection[int]) -> None:
        super().__init__()
        def build(position: int, channels: tuple[int, int, int], halves: bool, halved_before: bool) -> SearchCell:
            return SearchCell(channels, halves, halved_before, steps, multiplier, primitives)

        self.stem = cifar_stem(3 * C)
        self.cells, widths = cells_of(build, layers, C, 3 * C, reductions, halved_before=False)
        self.classifier = nn.Linear(widths[-1], num_classes)

    def logits(self, images: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """Weights: a tensor of edges x operations for each cell."""
        older = newer = self.stem(images)
        for cell, rows in zip(self.cells, weights, strict=True):
            older, newer = newer, cell(older, newer, rows)
        return self.classifier(newer.mean((2, 3)))


class Network(Supernet):
    """DARTS: one table of alphas for the normal cells and one for those that halve."""

    def __init__(self, C: int, num_classes: int, layers: int, steps: int = 4, multiplier: int = 4, primitives: Sequence[str] = DARTS) -> None:
        super().__init__(C, num_classes, layers, steps, multiplier, primitives, thirds(layers))

    def forward(self, images: Tensor, alphas_normal: Tensor, alphas_reduce: Tensor) -> Tensor:
        normal, reduce = alphas_normal.softmax(-1), alphas_reduce.softmax(-1)
        return self.logits(images, [reduce if cell.halves else normal for cell in self.cells])


class CellwiseNetwork(Supernet):
    """D-DARTS: a table of alphas for each cell, sigmoid. DARTOpti: other primitives, and the reductions of the baseline."""

    def __init__(self, C: int, num_classes: int, layers: int, steps: int = 4, multiplier: int = 4, primitives: Sequence[str] = DDARTS,
                 reductions: Collection[int] | None = None) -> None:
        super().__init__(C, num_classes, layers, steps, multiplier, primitives, thirds(layers) if reductions is None else reductions)

    def forward(self, images: Tensor, alphas: Tensor) -> Tensor:
        """Alphas: cells x edges x operations."""
        return self.logits(images, list(alphas.sigmoid()))
