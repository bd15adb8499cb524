"""The container of a run: an HDF5 file behind a user block, as docs/archive-format.md describes it."""

import hashlib
import io
import json
import os
import pathlib
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from mixop.error import Error

MARK = b"\x89MIXOP\r\n"
USER_BLOCK = 512
VERSION = 1

#: What h5py raises where HDF5 cannot do what it is asked.
UNREADABLE = (KeyError, OSError, RuntimeError, TypeError, ValueError)

Array = npt.NDArray[Any]


def read_file(path: pathlib.Path) -> bytes:
    # Without O_NONBLOCK, opening a pipe waits for its writer.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Error(f"{path}: not a regular file", 3)
        return file.read()


def user_block_problem(content: bytes) -> str | None:
    """What is wrong with the mark, version, length and digest of an archive's bytes."""
    if not content.startswith(MARK):
        return "not a mixop archive: the first 8 bytes are not its mark"
    if len(content) < USER_BLOCK:
        return f"cut short: {len(content)} bytes, less than the first block's {USER_BLOCK}"
    version, zero, length = struct.unpack("<IIQ", content[8:24])
    rest = memoryview(content)[USER_BLOCK:]
    if not 1 <= version <= VERSION:
        return f"archive format {version}; this reader knows 1 to {VERSION}, so use a newer one"
    if length != len(rest):
        return f"damaged: expected {length} bytes after the first block, found {len(rest)}"
    if hashlib.sha256(rest).digest() != content[24:56]:
        return "damaged: the content does not have the SHA-256 that the first block gives"
    if zero != 0 or any(content[56:USER_BLOCK]):
        return "damaged: bytes of the first block that must be zero are not"
    return None


class Archive:
    """An archive's bytes, read at once: a run replaces the file while one looks at it. What is missing or of another type is an Error that names
    file and path."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.content = read_file(self.path)
        if not self.content.startswith(MARK):
            raise self.error(user_block_problem(self.content))

    def error(self, problem: object) -> Error:
        return Error(f"{self.path}: {problem}", 3)

    @cached_property
    def root(self) -> h5py.File:
        try:
            return h5py.File(io.BytesIO(self.content), "r")
        except UNREADABLE as problem:
            raise self.error(f"not a readable HDF5 file: {problem}") from problem

    def names(self, path: str) -> list[str]:
        with self._reading(path):
            group = self._object(path)
            if not isinstance(group, h5py.Group):
                raise self.error(f"{path}: expected a group, found an array")
            return list(group)

    def array(self, path: str) -> Array:
        with self._reading(path):
            dataset = self._object(path)
            if not isinstance(dataset, h5py.Dataset):
                raise self.error(f"{path}: expected an array or a text, found a group")
            value = dataset[()]
            return np.empty(0, dataset.dtype) if isinstance(value, h5py.Empty) else np.asarray(value)

    def arrays(self, path: str) -> dict[str, Array]:
        """Those of a group, in the order in which they were added."""
        return {name: self.array(f"{path}/{name}") for name in self.names(path)}

    def other_names(self) -> dict[str, list[str]]:
        """By the name of a weight or buffer that has several names: the others."""
        found = {}
        for group in ("/weights", "/buffers"):
            for name in self.names(group):
                with self._reading(f"{group}/{name}"):
                    has_others = "also" in self._object(f"{group}/{name}").attrs
                if has_others:
                    found[name] = str(self.attribute(f"{group}/{name}", "also")).splitlines()
        return found

    def texts(self, path: str) -> list[str]:
        return [self._decoded(path, text) for text in self.array(path).reshape(-1).tolist()]

    def text(self, path: str) -> str:
        found = self.texts(path)
        if len(found) != 1:
            raise self.error(f"{path}: expected one text, found {len(found)}")
        return found[0]

    def attributes(self, path: str) -> dict[str, int | float | str]:
        with self._reading(path):
            names = list(self._object(path).attrs)
        return {name: self.attribute(path, name) for name in names}

    def attribute(self, path: str, name: str) -> int | float | str:
        where = f"{path}@{name}"
        with self._reading(where):
            attributes = self._object(path).attrs
            if name not in attributes:
                raise self.error(f"{where}: is not there")
            value = attributes[name]
        return value.item() if isinstance(value, (np.integer, np.floating)) else self._decoded(where, value)

    def object_of(self, path: str, text: str) -> dict[str, Any]:
        """A JSON object that stands at `path`."""
        try:
            found = json.loads(text)
        except ValueError as problem:
            raise self.error(f"{path}: is no JSON: {problem}") from problem
        if not isinstance(found, dict):
            raise self.error(f"{path}: expected a JSON object")
        return found

    @contextmanager
    def _reading(self, path: str) -> Iterator[None]:
        try:
            yield
        except UNREADABLE as problem:
            raise self.error(f"{path}: cannot be read: {problem}") from problem

    def _object(self, path: str) -> Any:
        if path not in self.root:
            raise self.error(f"{path}: is not there")
        return self.root[path]

    def _decoded(self, path: str, text: object) -> str:
        if not isinstance(text, bytes):
            raise self.error(f"{path}: expected texts of fixed length, found another type")
        try:
            return text.decode()
        except UnicodeDecodeError as problem:
            raise self.error(f"{path}: holds bytes that are not UTF-8") from problem
