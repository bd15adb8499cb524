"""mixop, differentiable neural architecture search: the program (`mixop` on the command line), its plugins and its SDK, which lie in this
package's folder; a reader of its archives, and searches and trainings from Python."""

import importlib
import pathlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mixop.error import Error
    from mixop.run import Run, StrategyChange, Verification, open
    from mixop.stream import Stream, search, train
else:  # only when used, for the command line comes through here, too, and would wait for h5py
    _MODULES = {"error": ("Error",), "run": ("Run", "StrategyChange", "Verification", "open"), "stream": ("Stream", "search", "train")}

    def __getattr__(name):
        for module, names in _MODULES.items():
            if name in names:
                return getattr(importlib.import_module(f"mixop.{module}"), name)
        raise AttributeError(f"module 'mixop' has no attribute '{name}'")


__all__ = ["PREFIX", "Error", "Run", "StrategyChange", "Stream", "Verification", "open", "search", "train"]

#: The folder below which bin/mixop, include/, lib/cmake/mixop and the plugins are, as `mixop plugins prefix` prints it.
PREFIX = pathlib.Path(__file__).resolve().parent


def __dir__() -> list[str]:
    return __all__
