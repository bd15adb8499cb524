"""The recurrent networks of DARTS (rnn/model.py, rnn/model_search.py) without dropout: in training, too, as the published ones at rates of 0."""
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .genotype import RecurrentGenotype

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda x: x}
# The candidates of the search, in the order of the alphas' columns.
PRIMITIVES = ("none", *ACTIVATIONS)


class DARTSCell(nn.Module):
    """Highway connections (rnn/model.py). `_W0` is 2W x 2W, each of `_Ws` W x 2W: the gate in the first half of the columns, the candidate in the
    second."""

    def __init__(self, width: int, nodes: int) -> None:
        super().__init__()
        self._W0 = nn.Parameter(torch.empty(2 * width, 2 * width).uniform_(-0.04, 0.04))
        self._Ws = nn.ParameterList(torch.empty(width, 2 * width).uniform_(-0.04, 0.04) for _ in range(nodes))

    def initial_state(self, x: Tensor, hidden: Tensor) -> Tensor:
        gate, candidate = (torch.cat([x, hidden], dim=-1) @ self._W0).chunk(2, dim=-1)
        return hidden + gate.sigmoid() * (candidate.tanh() - hidden)

    def step(self, x: Tensor, hidden: Tensor, *alphas: Tensor) -> Tensor:
        """Batch x W of one time step."""
        raise NotImplementedError

    def forward(self, inputs: Tensor, hidden: Tensor, *alphas: Tensor) -> Tensor:
        """Time x batch x W of inputs and batch x W to time x batch x W."""
        states = []
        for x in inputs:
            hidden = self.step(x, hidden, *alphas)
            states.append(hidden)
        return torch.stack(states)


class DiscreteCell(DARTSCell):
    """Gene i makes node 1 + i; the output is the mean of the nodes in `concat`."""

    def __init__(self, width: int, genotype: RecurrentGenotype) -> None:
        super().__init__(width, len(genotype.recurrent))
        self.genotype = genotype

    def step(self, x: Tensor, hidden: Tensor) -> Tensor:
        states = [self.initial_state(x, hidden)]
        for (name, source), weight in zip(self.genotype.recurrent, self._Ws, strict=True):
            gate, candidate = (states[source] @ weight).chunk(2, dim=-1)
            states.append(states[source] + gate.sigmoid() * (ACTIVATIONS[name](candidate) - states[source]))
        return torch.stack([states[i] for i in self.genotype.concat]).mean(0)


class SearchCell(DARTSCell):
    """Every node reads all before it. One norm serves the initial state and all nodes; the output is the mean of the nodes."""

    def __init__(self, width: int, nodes: int) -> None:
        super().__init__(width, nodes)
        self.bn = nn.BatchNorm1d(width, affine=False)

    def step(self, x: Tensor, hidden: Tensor, alphas: Tensor) -> Tensor:
        probabilities = alphas.softmax(-1)
        states = [self.bn(self.initial_state(x, hidden))]
        for weight in self._Ws:
            rows, probabilities = probabilities[:len(states)], probabilities[len(states):]
            states.append(self.bn(self.node(torch.stack(states), weight, rows)))
        return torch.stack(states[1:]).mean(0)

    @staticmethod
    def node(states: Tensor, weight: Tensor, rows: Tensor) -> Tensor:
        """Sources x batch x W to batch x W; rows are sources x operations."""
        gate, candidate = (states @ weight).chunk(2, dim=-1)
        edges = sum(row[:, None, None] * (states + gate.sigmoid() * (ACTIVATIONS[name](candidate) - states))
                    for name, row in zip(PRIMITIVES, rows.unbind(1), strict=True) if name != "none")
        return edges.sum(0)


class LanguageModel(nn.Module):
    """Tokens, time x batch, to (log-probabilities, time x batch x tokens; hidden state, 1 x batch x W; the cell's outputs, time x batch x W). The embedding
    is the decoder's matrix, too."""

    def __init__(self, ntoken: int, width: int, cell: DARTSCell) -> None:
        super().__init__()
        self.encoder = nn.Embedding(ntoken, width)
        self.rnns = nn.ModuleList([cell])
        self.decoder = nn.Linear(width, ntoken)
        self.decoder.weight = self.encoder.weight

    def run(self, tokens: Tensor, hidden: Tensor, *alphas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        outputs = self.rnns[0](self.encoder(tokens), hidden[0], *alphas)
        return self.decoder(outputs).log_softmax(-1), outputs[-1:], outputs


class RNNModel(LanguageModel):
    """The network of a genotype."""

    def __init__(self, ntoken: int, width: int, genotype: RecurrentGenotype) -> None:
        super().__init__(ntoken, width, DiscreteCell(width, genotype))

    def forward(self, tokens: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.run(tokens, hidden)


class RNNModelSearch(LanguageModel):
    """The supernet. Alphas, edges x operations, are no part of its state."""

    def __init__(self, ntoken: int, width: int, nodes: int = 8) -> None:
        super().__init__(ntoken, width, SearchCell(width, nodes))

    def forward(self, tokens: Tensor, hidden: Tensor, alphas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.run(tokens, hidden, alphas)
