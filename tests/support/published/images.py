"""The discrete networks of DARTS for images (cnn/model.py)."""
from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor, nn

from .genotype import ImageGenotype
from .operations import FactorizedReduce, convolution, operation, relu_conv_norm

# Position, channels of the older input, the newer one and the cell, whether it halves, whether the cell before it did.
CellBuild = Callable[[int, tuple[int, int, int], bool, bool], nn.Module]


def thirds(layers: int) -> list[int]:
    """The cells that halve the resolution and double the channels."""
    return [layers // 3, 2 * layers // 3]


def drop_path(x: Tensor, probability: float) -> Tensor:
    """Zeroes whole samples and scales the others (cnn/utils.py)."""
    keep = 1.0 - probability
    return x / keep * torch.empty(x.size(0), 1, 1, 1, dtype=x.dtype, device=x.device).bernoulli_(keep)


class TwoInputCell(nn.Module):
    """The 1x1 convolutions that bring a cell's two inputs, the outputs of the two cells before it, to its channels and resolution."""

    def __init__(self, channels: tuple[int, int, int], halved_before: bool, affine: bool) -> None:
        super().__init__()
        older, newer, own = channels
        self.preprocess0 = FactorizedReduce(older, own, affine) if halved_before else relu_conv_norm(older, own, 1, 1, affine)
        self.preprocess1 = relu_conv_norm(newer, own, 1, 1, affine)

    def inputs(self, older: Tensor, newer: Tensor) -> list[Tensor]:
        return [self.preprocess0(older), self.preprocess1(newer)]


class Cell(TwoInputCell):
    """Genes 2i and 2i + 1 add up to node 2 + i; `concat` names the nodes of the output."""

    def __init__(self, genes: Sequence[tuple[str, int]], concat: Sequence[int], channels: tuple[int, int, int], halves: bool,
                 halved_before: bool) -> None:
        super().__init__(channels, halved_before, affine=True)
        self._ops = nn.ModuleList(operation(name, channels[2], 2 if halves and source < 2 else 1, True) for name, source in genes)
        self.sources, self.concat = [source for _, source in genes], list(concat)
        self.width = len(self.concat) * channels[2]

    def forward(self, older: Tensor, newer: Tensor, drop_path_prob: float) -> Tensor:
        nodes = self.inputs(older, newer)
        for gene in range(0, len(self._ops), 2):
            nodes.append(self.edge(gene, nodes, drop_path_prob) + self.edge(gene + 1, nodes, drop_path_prob))
        return torch.cat([nodes[i] for i in self.concat], dim=1)

    def edge(self, gene: int, nodes: list[Tensor], drop_path_prob: float) -> Tensor:
        """Drop-path spares identities."""
        op = self._ops[gene]
        x = op(nodes[self.sources[gene]])
        dropped = self.training and drop_path_prob > 0 and not isinstance(op, nn.Identity)
        return drop_path(x, drop_path_prob) if dropped else x


class AuxiliaryHead(nn.Module):
    """N x C x 8 x 8 (stride 3) or N x C x 14 x 14 (stride 2) to N x classes. DARTS for ImageNet has no norm behind the last convolution."""

    def __init__(self, channels: int, num_classes: int, stride: int, last_norm: bool) -> None:
        super().__init__()
        # The first ReLU works in place on the cell's output: behind the last cell the classifier sees it.
        self.features = nn.Sequential(
            nn.ReLU(inplace=True), nn.AvgPool2d(5, stride=stride, count_include_pad=False), convolution(channels, 128, 1), nn.BatchNorm2d(128), nn.ReLU(),
            convolution(128, 768, 2), *([nn.BatchNorm2d(768)] if last_norm else []), nn.ReLU())
        self.classifier = nn.Linear(768, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


def cifar_stem(channels: int) -> nn.Sequential:
    return nn.Sequential(convolution(3, channels, 3, padding=1), nn.BatchNorm2d(channels))


def cells_of(build: CellBuild, layers: int, channels: int, stem_width: int, reductions: Collection[int],
             halved_before: bool) -> tuple[nn.ModuleList, list[int]]:
    """The cells, and the channels of their outputs. Those of `reductions` double the channels."""
    cells, widths = nn.ModuleList(), [stem_width, stem_width]
    for i in range(layers):
        halves = i in reductions
        channels *= 2 if halves else 1
        cells.append(build(i, (widths[-2], widths[-1], channels), halves, halved_before))
        widths.append(cells[-1].width)
        halved_before = halves
    return cells, widths[2:]


class DiscreteNetwork(nn.Module):
    """Images to (logits, logits of the auxiliary head or None, which it is in evaluation). `drop_path_prob` is 0 until it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.drop_path_prob = 0.0

    def stems(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the first cell reads."""
        raise NotImplementedError

    def pooled(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def set_heads(self, auxiliary_head: AuxiliaryHead | None, auxiliary_after: int, width: int, num_classes: int) -> None:
        self.auxiliary_after = auxiliary_after
        self.auxiliary_head = auxiliary_head
        self.classifier = nn.Linear(width, num_classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        auxiliary = None
        older, newer = self.stems(images)
        for i, cell in enumerate(self.cells):
            older, newer = newer, cell(older, newer, self.drop_path_prob)
            if self.training and self.auxiliary_head is not None and i == self.auxiliary_after:
                auxiliary = self.auxiliary_head(newer)
        return self.classifier(self.pooled(newer).flatten(1)), auxiliary


class CifarNetwork(DiscreteNetwork):
    """The stem feeds both inputs of the first cell: N x 3 x H x W to N x 3C x H x W."""

    def stems(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(images)
        return x, x

    def pooled(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


class ImageNetNetwork(DiscreteNetwork):
    """Two stems, the second of which reads the first: N x 3 x 224 x 224 ends in cells of 7 x 7."""

    def set_stems(self, channels: int, second_stride: int) -> None:
        self.stem0 = nn.Sequential(convolution(3, channels // 2, 3, stride=2, padding=1), nn.BatchNorm2d(channels // 2), nn.ReLU(),
                                   convolution(channels // 2, channels, 3, stride=second_stride, padding=1), nn.BatchNorm2d(channels))
        self.stem1 = nn.Sequential(nn.ReLU(), convolution(channels, channels, 3, stride=2, padding=1), nn.BatchNorm2d(channels))

    def stems(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem0(images)
        return x, self.stem1(x)

    def pooled(self, x: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(x, 7)


def darts_cells(genotype: ImageGenotype) -> CellBuild:
    def build(position: int, channels: tuple[int, int, int], halves: bool, halved_before: bool) -> Cell:
        genes, concat = (genotype.reduce, genotype.reduce_concat) if halves else (genotype.normal, genotype.normal_concat)
        return Cell(genes, concat, channels, halves, halved_before)
    return build


class NetworkCIFAR(CifarNetwork):
    def __init__(self, C: int, num_classes: int, layers: int, auxiliary: bool, genotype: ImageGenotype) -> None:
        super().__init__()
        self.stem = cifar_stem(3 * C)
        self.cells, widths = cells_of(darts_cells(genotype), layers, C, 3 * C, thirds(layers), halved_before=False)
        head = AuxiliaryHead(widths[thirds(layers)[1]], num_classes, stride=3, last_norm=True) if auxiliary else None
        self.set_heads(head, thirds(layers)[1], widths[-1], num_classes)


class NetworkImageNet(ImageNetNetwork):
    def __init__(self, C: int, num_classes: int, layers: int, auxiliary: bool, genotype: ImageGenotype) -> None:
        super().__init__()
        self.set_stems(C, second_stride=2)
        self.cells, widths = cells_of(darts_cells(genotype), layers, C, C, thirds(layers), halved_before=True)
        head = AuxiliaryHead(widths[thirds(layers)[1]], num_classes, stride=2, last_norm=False) if auxiliary else None
        self.set_heads(head, thirds(layers)[1], widths[-1], num_classes)
