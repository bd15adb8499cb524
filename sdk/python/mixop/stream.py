"""Searches and trainings from Python: the program in a process of its own, and what it measures as it goes."""

import atexit
import json
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mixop import PREFIX
from mixop.error import Error

if TYPE_CHECKING:
    from mixop.run import Run

Path = str | os.PathLike[str]

LOG = logging.getLogger("mixop")
POLL_SECONDS = 0.05
# Ends a run with its archive written, as SIGINT does, but may come twice: Ctrl-C reaches the program, too, where both have one terminal, and a second
# SIGINT ends it at once.
ENDS_ORDERLY = signal.SIGUSR1


def search(preset: Path | None = None, *, out: Path = "run.h5", set: Mapping[str, Any] | None = None, data: Path | None = None, resume: bool = False,
           overwrite: bool = False, plugin_dir: Path | Sequence[Path] = (), metrics_every: int = 10, arguments: Sequence[str] = ()) -> "Stream":
    """`mixop search`, into the archive `out`; begins when its stream is read.

    `preset` is a preset or a configuration file, `set` keys over it: `{"search.epochs": 2}`, or nested. `arguments` are further words of the command
    line, such as `["--continue"]` or `["--tensorboard"]`.
    """
    words = ["search", *_run_words(preset, out, set, data, resume, overwrite, plugin_dir, metrics_every), *arguments]
    return Stream(words, out)


def train(preset: Path | None = None, *, genotype: Path | Mapping[str, Any] | None = None, out: Path = "net.h5", set: Mapping[str, Any] | None = None,
          data: Path | None = None, resume: bool = False, overwrite: bool = False, plugin_dir: Path | Sequence[Path] = (), metrics_every: int = 10,
          arguments: Sequence[str] = ()) -> "Stream":
    """`mixop train`, into the archive `out`; begins when its stream is read.

    `genotype` is what `--genotype` takes (an archive, a published name, a file, a text), or a dict such as `Run.genotype()` returns. The rest is as
    in `search()`.
    """
    words = ["train", *_run_words(preset, out, set, data, resume, overwrite, plugin_dir, metrics_every), *arguments]
    if genotype is not None:
        words += ["--genotype", json.dumps(genotype) if isinstance(genotype, Mapping) else os.fspath(genotype)]
    return Stream(words, out)


class Stream(Iterator[dict[str, Any]]):
    """What a run measures, as it goes: an iterator of the lines of `--metrics`, each a dict with `kind` ("step" or "epoch"), `step`,
    `epoch`, `wall_time` and the values by name. When an epoch's line comes, the archive has that epoch.

    The end of the run ends the iteration, a failure of it is an Error. Closing the stream, leaving its loop and Ctrl-C let the program finish its step
    and write the archive, from which `resume=True` goes on. What the program says besides goes to the logger "mixop", at level INFO.
    """

    def __init__(self, words: Sequence[str], out: Path) -> None:
        self._out = out
        self._begun = False
        # Without self, so that a stream that nobody holds any more ends at once.
        self._events = _events(words)

    def __next__(self) -> dict[str, Any]:
        self._begun = True
        return next(self._events)

    def wait(self) -> "Run":
        """Lets the run go on to its end; returns its archive, opened."""
        from mixop.run import open as open_run

        for _ in self:
            pass
        return open_run(self._out)

    def close(self) -> None:
        """Ends the run with its archive written. One that was not begun never is; one that is over stays so."""
        self._begun = True
        self._events.close()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._begun:
            warnings.warn(f"the run into {os.fspath(self._out)} was never begun: iterate over it, or call its wait()", RuntimeWarning, stacklevel=2)


def _run_words(preset: Path | None, out: Path, keys: Mapping[str, Any] | None, data: Path | None, resume: bool, overwrite: bool,
               plugin_dir: Path | Sequence[Path], metrics_every: int) -> list[str]:
    words = [] if preset is None else [os.fspath(preset)]
    words += ["--out", os.fspath(out), f"--metrics-every={metrics_every}"]
    for key, value in _flat(keys or {}):
        words += ["--set", f"{key}={_text(value)}"]
    if data is not None:
        words += ["--data", os.fspath(data)]
    words += [f"--{option}" for option, given in (("resume", resume), ("overwrite", overwrite)) if given]
    for folder in [plugin_dir] if isinstance(plugin_dir, (str, os.PathLike)) else plugin_dir:
        words += ["--plugin-dir", os.fspath(folder)]
    return words


def _flat(keys: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in keys.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{below}", own) for below, own in _flat(value))
        else:
            yield key, value


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value)


def _program() -> str:
    own = PREFIX / "bin" / "mixop"
    found = os.environ.get("MIXOP") or (str(own) if own.is_file() else shutil.which("mixop"))
    if not found:
        raise Error(f"there is no program: neither {own} nor mixop on the PATH, and the environment's MIXOP names none", 127)
    return found


def _events(words: Sequence[str]) -> Generator[dict[str, Any], None, None]:
    with tempfile.TemporaryDirectory(prefix="mixop-") as made:
        lines, said = pathlib.Path(made, "metrics.jsonl"), pathlib.Path(made, "said")
        measured = _Measured(lines)
        with _Process([_program(), *words, f"--metrics={lines}"], said) as process:
            ended = False
            while not ended:
                ended = process.has_ended()  # before the lines are read, so that none is missed
                process.log()
                yield from measured.new()
                if not ended:
                    time.sleep(POLL_SECONDS)
        process.require_success()


class _Process:
    """The program, which is ended in any case. What it says goes to a file, so that it never waits for a reader."""

    def __init__(self, command: Sequence[str], said: pathlib.Path) -> None:
        self.said = _Lines(said)
        self.words: list[str] = []
        with open(said, "wb") as file:
            try:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file)
            except OSError as problem:
                raise Error(f"the program {command[0]} cannot be started: {problem.strerror}", 127) from problem
        atexit.register(self.end)

    def __enter__(self) -> "_Process":
        return self

    def __exit__(self, *_: object) -> None:
        atexit.unregister(self.end)
        self.end()
        self.log()

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def end(self) -> None:
        if self.has_ended():
            return
        self.process.send_signal(ENDS_ORDERLY)
        try:
            self.process.wait()
        except BaseException:  # a second Ctrl-C
            self.process.kill()
            self.process.wait()
            raise

    def log(self) -> None:
        for line in self.said.new():
            self.words.append(line)
            LOG.info("%s", line.removeprefix("mixop: "))

    def require_success(self) -> None:
        code = self.process.returncode
        if code == 0:
            return
        text = "\n".join(self.words)
        _, mark, message = text.rpartition("mixop: error: ")
        number = -code if code < 0 else code - 128
        name = next((sign.name for sign in signal.Signals if sign == number), None)
        if not mark:
            ended = f"was ended by {name}" if name else f"ended with exit code {code}"
            message = ": ".join([f"the program {ended}", *[line.removeprefix("mixop: ") for line in self.words[-1:]]])
        raise Error(message, 128 + number if code < 0 else code)


class _Lines:
    """The whole lines that a file gains."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.at = 0

    def new(self) -> list[str]:
        if not self.path.exists():
            return []
        with open(self.path, "rb") as file:
            file.seek(self.at)
            found = file.read()
        whole = found[: found.rfind(b"\n") + 1]
        self.at += len(whole)
        return whole.decode(errors="replace").split("\n")[:-1]


class _Measured:
    """The events of a file of metrics. A training that rolls back cuts the lines of lost steps off, and writes others in their place."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.at = 0
        self.last = b""
        self.newest = 0.0

    def new(self) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        known = 0.0
        with open(self.path, "rb") as file:
            file.seek(self.at - len(self.last))
            found = file.read()
            if found.startswith(self.last):
                found = found[len(self.last) :]
            else:
                file.seek(0)
                self.at, found, known = 0, file.read(), self.newest
        for line in found[: found.rfind(b"\n") + 1].splitlines(keepends=True):
            self.at += len(line)
            self.last = line
            event: dict[str, Any] = json.loads(line)
            if event["kind"] != "run" and event["wall_time"] > known:
                self.newest = event["wall_time"]
                yield event
