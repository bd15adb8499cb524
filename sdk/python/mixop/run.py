"""A search or a trained network, as its archive tells it."""

import importlib
import os
import pathlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

from mixop.archive import Archive, Array, user_block_problem
from mixop.error import Error
from mixop.structure import structure_problems

if TYPE_CHECKING:
    import torch

LAYOUTS: dict[str, Literal["search", "network"]] = {"mixop.run": "search", "mixop.network": "network"}
LAYOUT_VERSION = 1


@dataclass(frozen=True)
class StrategyChange:
    """What a search ran from `step` on, the first of the epoch `epoch` (from 0) or one within it. Of the first entry the start, of the others a
    swap, live or by schedule."""

    step: int
    epoch: int
    strategy: str
    #: Slot to part: `{"relaxation": "softmax", "hypergradient": "second_order", ...}`.
    parts: dict[str, str]
    #: Slot to the option values of its part, as texts; slots whose part has none are left out.
    options: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Verification:
    """Whether an archive is whole, which is also its truth value, and what is wrong with it: the digest first, then each path."""

    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    def __bool__(self) -> bool:
        return self.ok


def open(path: str | os.PathLike[str], *, verify: bool = True) -> "Run":
    """Opens an archive of `mixop search` or `mixop train`, which may be that of a run that goes on: it is read once, whole, and no lock is taken.

    A file that is no archive of mixop's, or a damaged one, is an Error; `verify=False` takes a damaged one, for what can still be read and for
    `Run.verify()`. A file that cannot be read is an OSError.
    """
    archive = Archive(path)
    if verify:
        if problem := user_block_problem(archive.content):
            previous = archive.path.with_name(archive.path.name + ".prev")
            raise archive.error(problem + (f"; a previous generation stands beside it as {previous}" if previous.exists() else ""))
        kind_of(archive)
    return Run(archive)


def kind_of(archive: Archive) -> Literal["search", "network"]:
    layout = str(archive.attribute("/", "layout"))
    name, _, version = layout.partition("/")
    if name not in LAYOUTS or not version.isdecimal():
        raise archive.error(f"/@layout: expected a search or a trained network, found '{layout}'")
    if int(version) > LAYOUT_VERSION:
        raise archive.error(f"/@layout: {layout}; this reader knows {name}/{LAYOUT_VERSION}, so use a newer one")
    return LAYOUTS[name]


class Run:
    """A search or a trained network as it was when it was opened; `open()` makes one. Values are read when first asked for, and kept."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __repr__(self) -> str:
        epoch, step = (self._archive.attribute("/position", name) for name in ("epoch", "step"))
        return f"<mixop.Run {self.path}: {self.kind}, epoch {epoch}, step {step}>"

    @property
    def path(self) -> pathlib.Path:
        """The file, as it was named."""
        return self._archive.path

    @cached_property
    def kind(self) -> Literal["search", "network"]:
        """A search, or a trained network."""
        return kind_of(self._archive)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved configuration, nested: `config["search"]["epochs"]`."""
        return self._archive.object_of("/config/resolved", self._archive.text("/config/resolved"))

    @cached_property
    def position(self) -> dict[str, int | float | str]:
        """Where the run stands: `epoch` (how many are over), `step`, `step_in_epoch`; of a search `stop_reason` (empty: none)."""
        return self._archive.attributes("/position")

    @cached_property
    def data(self) -> dict[str, Any]:
        """What the network was made for: `classes`, `class_names`, `channels`, `height`, `width`, `mean` and `deviation` of images."""
        lists = {name: self._archive.array(f"/data/{name}") for name in self._archive.names("/data")}
        return {**self._archive.attributes("/data"),
                **{name: self._archive.texts(f"/data/{name}") if found.dtype.kind == "S" else found.tolist() for name, found in lists.items()}}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Programs, libraries, device, plugins (a line `id version sha256` each), command line, and the seconds of each epoch."""
        return {**self._archive.attributes("/provenance"), "command_line": self._archive.text("/provenance/command_line"),
                "plugins": self._archive.texts("/provenance/plugins"), "epoch_seconds": self._archive.array("/provenance/epoch_seconds").tolist()}

    @cached_property
    def alphas(self) -> dict[str, Array]:
        """Raw alphas by name, [epochs + 1, edges, operations] (of spaces with alphas for every cell [epochs + 1, cells, edges, operations]); row 0 is
        the start. A trained network has none."""
        return self._archive.arrays("/alphas") if self.kind == "search" else {}

    @cached_property
    def operations(self) -> dict[str, list[str]]:
        """Names of the candidate operations: of each alphas' columns."""
        return self._labels("/operations")

    @cached_property
    def edges(self) -> dict[str, list[str]]:
        """Names of the edges, as `0 -> 2`: of each alphas' rows."""
        return self._labels("/edges")

    @cached_property
    def metrics(self) -> Any:
        """What was measured in every epoch: a pandas.DataFrame by metric, with the epochs from 1 on as its index, where pandas is installed; else a
        dict of numpy arrays by metric. `run.metrics["train_loss"]` is right in both."""
        names = [name for name in self._archive.names("/metrics") if not name.startswith("step_")]
        columns = {name: self._archive.array(f"/metrics/{name}") for name in names}
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            return columns
        epochs = int(self._archive.attribute("/position", "epoch"))
        return pandas.DataFrame(columns, index=pandas.RangeIndex(1, epochs + 1, name="epoch"))

    @cached_property
    def step_train_loss(self) -> Array:
        """The training loss of every step."""
        return self._archive.array("/metrics/step_train_loss")

    @cached_property
    def strategy_history(self) -> list[StrategyChange]:
        """Which strategy a search ran from which step on; of more than one entry, each but the first is a swap. A trained network has none."""
        if self.kind == "network":
            return []
        path = "/strategy_history"
        changes = []
        for text in self._archive.texts(path):
            entry = self._archive.object_of(path, text)
            try:
                own = {name: entry.pop(name) for name in ("step", "epoch", "strategy", "options")}
            except KeyError as missing:
                raise self._archive.error(f"{path}: an entry lacks {missing}") from missing
            changes.append(StrategyChange(**own, parts=entry))
        return changes

    def genotype(self, epoch: int | None = None) -> dict[str, Any]:
        """The genotype as `mixop derive` prints it: after the last epoch, or of a search after `epoch` epochs, 0 being the start."""
        if self.kind == "network":
            if epoch is not None:
                raise Error(f"epoch: {self.path} is a trained network, which has one genotype", 2)
            return self._archive.object_of("/genotype", self._archive.text("/genotype"))
        genotypes = self._archive.texts("/genotypes")
        last = len(genotypes) - 1
        if epoch is None:
            epoch = last
        if not 0 <= epoch <= last:
            raise Error(f"epoch: expected 0 (the start) to {last}, found {epoch}", 2)
        return self._archive.object_of("/genotypes", genotypes[epoch])

    @overload
    def state_dict(self, as_numpy: Literal[False] = False) -> "dict[str, torch.Tensor]": ...
    @overload
    def state_dict(self, as_numpy: Literal[True]) -> dict[str, Array]: ...
    def state_dict(self, as_numpy: bool = False) -> Any:
        """Weights and buffers of the supernet or network under the published parameter names, as torch tensors, or as numpy arrays without torch.

        A weight of several names, as a decoder's that is its embedding's, is there under each of them, as one tensor.
        """
        tensors: dict[str, Any] = {**self._archive.arrays("/weights"), **self._archive.arrays("/buffers")}
        if not as_numpy:
            torch = importlib.import_module("torch")
            tensors = {name: torch.from_numpy(array) for name, array in tensors.items()}
        for name, others in self._archive.other_names().items():
            tensors.update(dict.fromkeys(others, tensors[name]))
        return tensors

    def verify(self) -> Verification:
        """Checks what `mixop verify` checks, on the bytes that were read: the digest, and that the structure is one that mixop writes and reads.

        HDF5 parses them in this process; `mixop verify` has a process that can reach nothing, for files that were made to do harm.
        """
        damage = user_block_problem(self._archive.content)
        return Verification(tuple(([damage] if damage else []) + structure_problems(self._archive)))

    def _labels(self, path: str) -> dict[str, list[str]]:
        return {name: self._archive.texts(f"{path}/{name}") for name in self._archive.names(path)} if self.kind == "search" else {}
