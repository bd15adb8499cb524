"""The candidate operations of DARTS (cnn/operations.py) and D-DARTS (operations.py): N x C x H x W to N x C x H/stride x W/stride."""
from collections.abc import Callable

import torch
from torch import Tensor, nn

Build = Callable[[int, int, bool], nn.Module]


class Stack(nn.Module):
    """Layers one after another under the name `op`."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.op = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Zero(nn.Module):
    """`none`: every stride-th value times 0, so that what is not finite stays so."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, ::self.stride, ::self.stride] * 0.0


class FactorizedReduce(nn.Module):
    """Halves an even resolution: one half of the channels from pixels (2i, 2j), the other from (2i + 1, 2j + 1)."""

    def __init__(self, channels_in: int, channels: int, affine: bool) -> None:
        super().__init__()
        self.conv_1 = convolution(channels_in, channels // 2, 1, stride=2)
        self.conv_2 = convolution(channels_in, channels // 2, 1, stride=2)
        self.bn = nn.BatchNorm2d(channels, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        x = x.relu()
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


def convolution(channels_in: int, channels: int, kernel: int | tuple[int, int], **options) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels, kernel, bias=False, **options)


def relu_conv_norm(channels_in: int, channels: int, kernel: int, stride: int, affine: bool) -> Stack:
    return Stack(nn.ReLU(), convolution(channels_in, channels, kernel, stride=stride, padding=kernel // 2), nn.BatchNorm2d(channels, affine=affine))


def depthwise(channels: int, kernel: int, stride: int, dilation: int, affine: bool) -> list[nn.Module]:
    """ReLU, a convolution of every channel by itself, one over the channels, norm."""
    padding = dilation * (kernel // 2)
    return [nn.ReLU(), convolution(channels, channels, kernel, stride=stride, padding=padding, dilation=dilation, groups=channels),
            convolution(channels, channels, 1), nn.BatchNorm2d(channels, affine=affine)]


def separable(kernel: int) -> Build:
    """Two depthwise stacks; only the first has the stride."""
    return lambda channels, stride, affine: Stack(*depthwise(channels, kernel, stride, 1, affine), *depthwise(channels, kernel, 1, 1, affine))


def dilated(kernel: int) -> Build:
    return lambda channels, stride, affine: Stack(*depthwise(channels, kernel, stride, 2, affine))


def plain(kernel: int) -> Build:
    return lambda channels, stride, affine: relu_conv_norm(channels, channels, kernel, stride, affine)


def rectangular(length: int, wrap: Callable[..., nn.Module]) -> Build:
    """1 x length, which has the stride of the width, then length x 1, which has that of the height."""
    def build(channels: int, stride: int, affine: bool) -> nn.Module:
        half = length // 2
        return wrap(nn.ReLU(), convolution(channels, channels, (1, length), stride=(1, stride), padding=(0, half)),
                    convolution(channels, channels, (length, 1), stride=(stride, 1), padding=(half, 0)), nn.BatchNorm2d(channels, affine=affine))
    return build


def bottleneck(channels: int, stride: int, affine: bool) -> Stack:
    """1x1, 3x3 with the stride, 1x1 to four times the channels, and 1x1 back. ReLU first and before the last alone."""
    def norm(width: int) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(width, affine=affine)

    wide = 4 * channels
    return Stack(nn.ReLU(), convolution(channels, channels, 1), norm(channels),
                 convolution(channels, channels, 3, stride=stride, padding=1), norm(channels),
                 convolution(channels, wide, 1), norm(wide), nn.ReLU(), convolution(wide, channels, 1), norm(channels))


def skip(channels: int, stride: int, affine: bool) -> nn.Module:
    return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)


OPERATIONS: dict[str, Build] = {
    "none": lambda channels, stride, affine: Zero(stride),
    "max_pool_3x3": lambda channels, stride, affine: nn.MaxPool2d(3, stride=stride, padding=1),
    "avg_pool_3x3": lambda channels, stride, affine: nn.AvgPool2d(3, stride=stride, padding=1, count_include_pad=False),
    "skip_connect": skip,
    "sep_conv_3x3": separable(3),
    "sep_conv_5x5": separable(5),
    "sep_conv_7x7": separable(7),
    "dil_conv_3x3": dilated(3),
    "dil_conv_5x5": dilated(5),
    "simple_conv_1x1": plain(1),
    "simple_conv_3x3": plain(3),
    "simple_conv_5x5": plain(5),
    "conv_3x1_1x3": rectangular(3, Stack),
    "conv_7x1_1x7": rectangular(7, nn.Sequential),
    "bottleneck_1x3x1": bottleneck,
}

# The candidates of the searches, in the order of the alphas' columns.
DARTS = ("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")
DDARTS = DARTS[1:]
DARTOPTI = ("conv_3x1_1x3", "conv_7x1_1x7", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "simple_conv_1x1", "simple_conv_3x3", "sep_conv_3x3",
            "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "bottleneck_1x3x1")


def operation(name: str, channels: int, stride: int, affine: bool) -> nn.Module:
    if name not in OPERATIONS:
        raise ValueError(f"operation '{name}': expected one of {', '.join(OPERATIONS)}")
    return OPERATIONS[name](channels, stride, affine)
