#!/usr/bin/env python3
"""Search and training steps in plain PyTorch, to hold `mixop bench` against.

The steps are those of the published implementations: a module for every candidate of every edge, all of them computed, a
sum weighted by the relaxed alphas (DARTS, equation 2), a copy of the network for the virtual step of the second order
(equation 7, and its finite difference, equation 8). Each takes the options of `mixop bench` of its name and prints one line
of JSON with step_s.median and peak_rss_mb, as --against wants:

    mixop bench cnn --order 2 --batch 16 --against "python3 tests/bench/eager.py cnn --order 2 --batch 16"

--channels-last is one line that knowing users add, --compile another (torch.compile of each cell): PyTorch's best form of
the same work. Timings need an otherwise idle machine.
"""
import argparse
import copy
import json
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

OPERATIONS = ["none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
              "dil_conv_5x5"]
# Liu et al., DARTS, figures 4 and 5: (operation, input) of the two edges of each node.
DARTS_V2 = {
    "normal": [("sep_conv_3x3", 0), ("sep_conv_3x3", 1)] * 2 + [("sep_conv_3x3", 1), ("skip_connect", 0),
                                                                ("skip_connect", 0), ("dil_conv_3x3", 2)],
    "reduce": [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
               ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)],
}


class FactorizedReduce(nn.Module):
    def __init__(self, inputs, outputs, affine):
        super().__init__()
        self.halves = nn.ModuleList(nn.Conv2d(inputs, width, 1, stride=2, bias=False)
                                    for width in (outputs // 2, outputs - outputs // 2))
        self.norm = nn.BatchNorm2d(outputs, affine=affine)

    def forward(self, x):
        x = functional.relu(x)
        return self.norm(torch.cat([self.halves[0](x), self.halves[1](x[..., 1:, 1:])], dim=1))


class Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return torch.zeros_like(x[..., ::self.stride, ::self.stride])


def convolution_unit(inputs, outputs, kernel, affine, stride=1, dilation=1):
    layers = [nn.ReLU()]
    if kernel > 1:
        layers.append(nn.Conv2d(inputs, inputs, kernel, stride, dilation * (kernel // 2), dilation, inputs, bias=False))
    return layers + [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs, affine=affine)]


def operation(name, channels, stride, searched):
    """A candidate of a supernet, whose norms have no parameters and whose pools have norms, or of a discrete network."""
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine=not searched)
    kind, kernel = name.split("_")[0], int(name[-1])
    if kind in ("max", "avg"):
        pool = nn.MaxPool2d(3, stride, 1) if kind == "max" else nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        return nn.Sequential(pool, nn.BatchNorm2d(channels, affine=False)) if searched else pool
    first = convolution_unit(channels, channels, kernel, not searched, stride, 2 if kind == "dil" else 1)
    second = convolution_unit(channels, channels, kernel, not searched) if kind == "sep" else []
    return nn.Sequential(*first, *second)


class Cell(nn.Module):
    """`edges`: for every node the inputs it may take and what stands on each of these edges."""

    def __init__(self, before, last, channels, shrinks_first, edges, searched):
        super().__init__()
        unit = FactorizedReduce(before, channels, not searched) if shrinks_first else \
            nn.Sequential(*convolution_unit(before, channels, 1, not searched))
        self.preprocess = nn.ModuleList([unit, nn.Sequential(*convolution_unit(last, channels, 1, not searched))])
        self.sources = [[source for source, _ in node] for node in edges]
        self.edges = nn.ModuleList(nn.ModuleList(module for _, module in node) for node in edges)

    def forward(self, inputs, weights=None):
        states = [unit(x) for unit, x in zip(self.preprocess, inputs)]
        row = 0
        for sources, edges in zip(self.sources, self.edges):
            total = 0
            for source, edge in zip(sources, edges):
                x = states[source]
                total = total + (edge(x) if weights is None else
                                 sum(weight * candidate(x) for weight, candidate in zip(weights[row], edge)))
                row += 1
            states.append(total)
        return torch.cat(states[2:], dim=1)


class ImageNetwork(nn.Module):
    """The supernet where `genotype` is None, else a discrete network; without auxiliary head and drop-path."""

    def __init__(self, channels, layers, genotype=None, classes=10):
        super().__init__()
        searched = genotype is None
        self.stem = nn.Sequential(nn.Conv2d(3, 3 * channels, 3, padding=1, bias=False), nn.BatchNorm2d(3 * channels))
        widths, shrunk = [3 * channels, 3 * channels], False
        self.cells, self.reduces = nn.ModuleList(), []
        for layer in range(layers):
            reduces = layer in (layers // 3, 2 * layers // 3)
            channels *= 2 if reduces else 1

            def edge(source, name=None):
                stride = 2 if reduces and source < 2 else 1
                if not searched:
                    return source, operation(name, channels, stride, searched)
                return source, nn.ModuleList(operation(name, channels, stride, searched) for name in OPERATIONS)

            if searched:
                edges = [[edge(source) for source in range(2 + node)] for node in range(4)]
            else:
                genes = genotype["reduce" if reduces else "normal"]
                edges = [[edge(source, name) for name, source in genes[at:at + 2]] for at in range(0, len(genes), 2)]
            self.cells.append(Cell(*widths, channels, shrunk, edges, searched))
            self.reduces.append(reduces)
            widths, shrunk = [widths[1], 4 * channels], reduces
        self.classifier = nn.Linear(widths[1], classes)

    def alpha_shapes(self):
        return [(14, len(OPERATIONS))] * 2

    def loss(self, batch, alphas):
        weights = [functional.softmax(alpha, dim=-1) for alpha in alphas]
        images, labels = batch
        states = [self.stem(images)] * 2
        for cell, reduces in zip(self.cells, self.reduces):
            states = [states[1], cell(states, weights[reduces] if weights else None)]
        return functional.cross_entropy(self.classifier(states[1].mean((2, 3))), labels)


class RecurrentNetwork(nn.Module):
    """The language model of DARTS' recurrent search: 8 nodes, a highway gate on every edge, no dropout."""

    NODES, GATES = 8, [torch.tanh, torch.relu, torch.sigmoid, lambda x: x]

    def __init__(self, width, tokens):
        super().__init__()
        def matrix(rows):
            return nn.Parameter(torch.empty(rows, 2 * width).uniform_(-0.04, 0.04))
        self.width = width
        self.embedding = nn.Embedding(tokens, width)
        self.decoder = nn.Linear(width, tokens)
        self.decoder.weight = self.embedding.weight
        self.first = matrix(2 * width)
        self.others = nn.ParameterList(matrix(width) for _ in range(self.NODES))
        self.norm = nn.BatchNorm1d(width, affine=False)

    def alpha_shapes(self):
        return [(self.NODES * (self.NODES + 1) // 2, 1 + len(self.GATES))]

    def step(self, x, hidden, weights):
        gate, candidate = (torch.cat([x, hidden], dim=1) @ self.first).chunk(2, dim=1)
        states = [self.norm(hidden + torch.sigmoid(gate) * (torch.tanh(candidate) - hidden))]
        row = 0
        for matrix in self.others:
            before = torch.stack(states)
            gates, candidates = (before @ matrix).chunk(2, dim=2)
            gates = torch.sigmoid(gates)
            total = 0
            for column, activation in enumerate(self.GATES, start=1):  # column 0 is "none"
                share = weights[row:row + len(states), column, None, None]
                total = total + (share * (before + gates * (activation(candidates) - before))).sum(0)
            row += len(states)
            states.append(self.norm(total))
        return torch.stack(states[1:]).mean(0)

    def loss(self, batch, alphas):
        words, targets = batch
        weights = functional.softmax(alphas[0], dim=-1)
        hidden = torch.zeros(words.shape[1], self.width, device=words.device)
        outputs = []
        for x in self.embedding(words):
            hidden = self.step(x, hidden, weights)
            outputs.append(hidden)
        return functional.cross_entropy(self.decoder(torch.cat(outputs)), targets.flatten())


class Steps:
    """Bilevel steps: Adam on the alphas, SGD with momentum on the weights."""

    RATE, MOMENTUM, DECAY, CLIP = 0.025, 0.9, 3e-4, 5.0

    def __init__(self, network, order, device):
        self.network, self.order = network, order
        self.weights = list(network.parameters())
        self.alphas = [(1e-3 * torch.randn(shape, device=device)).requires_grad_() for shape in network.alpha_shapes()]
        self.sgd = torch.optim.SGD(self.weights, self.RATE, self.MOMENTUM, weight_decay=self.DECAY)
        self.adam = torch.optim.Adam(self.alphas, 3e-4, (0.5, 0.999), weight_decay=1e-3)

    def search(self, train, valid):
        gradients = self.second_order(train, valid) if self.order == 2 else \
            torch.autograd.grad(self.network.loss(valid, self.alphas), self.alphas)
        for alpha, gradient in zip(self.alphas, gradients):
            alpha.grad = gradient
        self.adam.step()
        self.train(train, self.alphas)

    def train(self, batch, alphas=()):
        self.sgd.zero_grad()
        self.network.loss(batch, alphas).backward()
        nn.utils.clip_grad_norm_(self.weights, self.CLIP)
        self.sgd.step()

    def second_order(self, train, valid):
        ahead = self.virtual_network(train)
        moved = list(ahead.parameters())
        gradients = torch.autograd.grad(ahead.loss(valid, self.alphas), self.alphas + moved)
        direct, vector = gradients[:len(self.alphas)], gradients[len(self.alphas):]
        distance = 0.01 / torch.linalg.vector_norm(torch.cat([v.flatten() for v in vector]))
        above = self.alpha_gradients_at(vector, distance, train)
        below = self.alpha_gradients_at(vector, -distance, train)
        return [g - self.RATE * (up - down) / (2 * distance) for g, up, down in zip(direct, above, below)]

    def virtual_network(self, train):
        gradients = torch.autograd.grad(self.network.loss(train, self.alphas), self.weights)
        ahead = copy.deepcopy(self.network)
        with torch.no_grad():
            for to, weight, gradient in zip(ahead.parameters(), self.weights, gradients):
                kept = self.sgd.state[weight].get("momentum_buffer")
                step = gradient + self.DECAY * weight + (0 if kept is None else self.MOMENTUM * kept)
                to.sub_(self.RATE * step)
        return ahead

    def alpha_gradients_at(self, vector, distance, train):
        with torch.no_grad():
            for weight, v in zip(self.weights, vector):
                weight.add_(distance * v)
        gradients = torch.autograd.grad(self.network.loss(train, self.alphas), self.alphas)
        with torch.no_grad():
            for weight, v in zip(self.weights, vector):
                weight.sub_(distance * v)
        return gradients


def steps_of(options):
    """One step of the task, on data drawn anew."""
    device, layout = options.device, torch.channels_last if options.channels_last else torch.contiguous_format
    if options.task == "rnn":
        network = RecurrentNetwork(options.width, options.tokens).to(device)
        def batch():
            return [torch.randint(options.tokens, (options.bptt, options.batch), device=device) for _ in range(2)]
    else:
        network = ImageNetwork(options.channels, options.layers, DARTS_V2 if options.task == "train" else None)
        network.to(device, memory_format=layout)
        for cell in network.cells if options.compile else []:
            cell.compile()
        def batch():
            return (torch.randn(options.batch, 3, 32, 32, device=device).to(memory_format=layout),
                    torch.randint(10, (options.batch,), device=device))
    steps = Steps(network, options.order, device)
    return network, (lambda: steps.train(batch())) if options.task == "train" else (lambda: steps.search(batch(), batch()))


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["cnn", "rnn", "train"])
    numbers = {"order": 2, "batch": 64, "channels": None, "layers": None, "width": 300, "bptt": 35, "tokens": 10000,
               "steps": 5, "warmup": 1, "threads": 0, "seed": 2}
    for name, default in numbers.items():
        parser.add_argument("--" + name, type=int, default=default, choices=(1, 2) if name == "order" else None)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    options.channels = options.channels or (36 if options.task == "train" else 16)
    options.layers = options.layers or (20 if options.task == "train" else 8)
    return options


def main():
    options = parsed()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    network, step = steps_of(options)
    seconds = []
    for _ in range(options.warmup + options.steps):
        start = time.perf_counter()
        step()
        if options.device.startswith("cuda"):
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    timed = seconds[options.warmup:]
    print(json.dumps({
        "step_s": {"median": statistics.median(timed), "min": min(timed), "max": max(timed)},
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "parameters": sum(weight.numel() for weight in network.parameters()),
    }))


if __name__ == "__main__":
    main()
