"""What `mixop verify` checks of an archive's HDF5 objects: that there is nothing but groups, arrays, texts and attributes of the kinds that mixop
writes, and that all of it can be read."""

import re
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t, h5z

from mixop.archive import UNREADABLE, Archive
from mixop.error import Error

DEEPEST = 16
MOST_OBJECTS = 1_000_000
MOST_DIMENSIONS = 8
LONGEST_ATTRIBUTE = 1 << 20
LARGEST_CHUNK = 1 << 24
#: Deflate cannot shrink data further than this.
BEST_DEFLATE = 1032
#: HDF5's own bookkeeping of dimension scales.
SCALE_ATTRIBUTES = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS"}
FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
NUMBERS = (h5t.STD_U8LE, h5t.STD_I32LE, h5t.STD_I64LE, h5t.IEEE_F32LE, h5t.IEEE_F64LE)
OTHERS = {
    h5t.INTEGER: "numbers of another size or order of bytes",
    h5t.FLOAT: "numbers of another size or order of bytes",
    h5t.COMPOUND: "compound values",
    h5t.VLEN: "lists of varying length",
    h5t.REFERENCE: "references",
    h5t.OPAQUE: "opaque values",
}


def structure_problems(archive: Archive) -> list[str]:
    """Each with the path at which it stands; none where the structure is sound."""
    try:
        root = archive.root
    except Error as error:
        return [str(error).removeprefix(f"{archive.path}: ")]
    walk = _Walk(len(archive.content))
    try:
        top = h5g.open(root.id, b"/")
        walk.seen.add(h5o.get_info(top).addr)
        walk.group(top, "", 1)
    except UNREADABLE as problem:
        walk.problem("", f"cannot be read: {problem}")
    except _TooMuch as problem:
        walk.problems.append(str(problem))
    return walk.problems


class _TooMuch(Exception):
    """Ends the walk: what follows is not looked at."""


class _Walk:
    def __init__(self, file_bytes: int) -> None:
        self.problems: list[str] = []
        self.file_bytes = file_bytes
        self.most_unpacked = max(256 << 20, 16 * file_bytes)
        self.unpacked = 0
        self.objects = 0
        self.seen: set[int] = set()

    def group(self, group: h5g.GroupID, path: str, depth: int) -> None:
        self.attributes(group, path)
        if depth > DEEPEST:
            return self.problem(path, f"groups nested more than {DEEPEST} deep")
        for name in h5py.Group(group):
            try:
                self.link(group, name, path, depth)
            except UNREADABLE as problem:
                self.problem(f"{path}/{name}", f"cannot be read: {problem}")

    def link(self, group: h5g.GroupID, name: str, above: str, depth: int) -> None:
        path = f"{above}/{name}"
        if refusal := name_problem(name):
            return self.problem(above, refusal)
        link = group.links.get_info(name.encode())
        if link.type != h5l.TYPE_HARD:
            return self.problem(path, "a soft or external link; only direct ones are read")
        if link.u in self.seen:
            return self.problem(path, "the same object as another name; archives give each object one")
        self.seen.add(link.u)
        self.count(path)
        opened = h5o.open(group, name.encode())
        if isinstance(opened, h5g.GroupID):
            return self.group(opened, path, depth + 1)
        if not isinstance(opened, h5d.DatasetID):
            return self.problem(path, "neither a group nor an array")
        self.dataset(opened, path)
        self.attributes(opened, path)

    def dataset(self, dataset: h5d.DatasetID, path: str) -> None:
        if refusal := dataset_problem(dataset, self.file_bytes):
            return self.problem(path, refusal)
        self.unpacked += claimed_bytes(dataset)
        if self.unpacked > self.most_unpacked:
            raise _TooMuch(f"{path}: unpacked, the file has more than {self.most_unpacked >> 20} MiB up to here; at most 256 MiB are "
                           "read, or 16 times the file's size where that is more")
        values = np.asarray(h5py.Dataset(dataset)[()])
        if values.dtype.kind == "S" and not all(map(is_utf8, values.reshape(-1).tolist())):
            self.problem(path, "holds bytes that are not UTF-8")

    def attributes(self, opened: Any, path: str) -> None:
        for number in range(h5a.get_num_attrs(opened)):
            attribute = h5a.open(opened, index=number)
            name = attribute.name.decode(errors="surrogateescape")
            if refusal := name_problem(name):
                self.problem(path, refusal)
                continue
            where = f"{path or '/'}@{name}"
            self.count(where)
            if name not in SCALE_ATTRIBUTES and (refusal := attribute_problem(attribute)):
                self.problem(where, refusal)

    def count(self, path: str) -> None:
        self.objects += 1
        if self.objects > MOST_OBJECTS:
            raise _TooMuch(f"{path}: more than {MOST_OBJECTS} objects and attributes")

    def problem(self, path: str, what: str) -> None:
        self.problems.append(f"{path or '/'}: {what}")


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def name_problem(name: str) -> str | None:
    utf8 = not re.search("[\ud800-\udfff]", name)
    if utf8 and name not in ("", ".", "..") and not re.search("[\0-\x1f\x7f/]", name):
        return None
    shown = re.sub("[\0-\x1f\x7f]" if utf8 else "[\0-\x1f\x7f-\U0010ffff]", "?", name)
    return f"'{shown}' cannot be a name in an archive: it must be UTF-8, not empty, '.' or '..', nor hold '/' or control characters"


def claimed_bytes(dataset: h5d.DatasetID) -> int:
    space = dataset.get_space()
    if space.get_simple_extent_type() == h5s.NULL:
        return 0
    size: int = dataset.get_type().get_size()
    for side in space.get_simple_extent_dims():
        size *= side
    return size


def type_problem(stored: h5t.TypeID) -> str | None:
    if any(stored.equal(known) for known in NUMBERS):
        return None
    if isinstance(stored, h5t.TypeStringID):
        if not stored.is_variable_str():
            return None
        other = "texts of varying length"
    else:
        other = OTHERS.get(stored.get_class(), "another type")
    return f"expected uint8, int32, int64, float32, float64 or texts of fixed length, found {other}"


def dataset_problem(dataset: h5d.DatasetID, file_bytes: int) -> str | None:
    properties = dataset.get_create_plist()
    if properties.get_layout() == h5d.VIRTUAL:
        return "virtual storage, which is made of other files"
    if properties.get_external_count() != 0:
        return "external storage, which lies in other files"
    if refusal := type_problem(dataset.get_type()):
        return refusal
    filters = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    for other in filters:
        if other not in FILTERS:
            return f"filter {other}; only shuffle, gzip and fletcher32 are read"
    rank = dataset.get_space().get_simple_extent_ndims()
    if rank > MOST_DIMENSIONS:
        return f"{rank} dimensions; at most {MOST_DIMENSIONS} are read"
    return size_problem(dataset, BEST_DEFLATE if h5z.FILTER_DEFLATE in filters else 1, file_bytes)


def size_problem(dataset: h5d.DatasetID, shrunk: int, file_bytes: int) -> str | None:
    """Storage that was never written reads as a fill value: a few bytes may claim any size."""
    claimed, stored = claimed_bytes(dataset), dataset.get_storage_size()
    if claimed > min(stored, file_bytes) * shrunk:
        shown = str(claimed) if claimed < 1 << 64 else "more than 2^64"
        return f"claims {shown} bytes, which {stored} stored bytes of a file of {file_bytes} cannot hold"
    properties = dataset.get_create_plist()
    if properties.get_layout() != h5d.CHUNKED:
        return None
    chunk = dataset.get_type().get_size()
    for side in properties.get_chunk():
        chunk *= side
    return f"a chunk of {chunk} bytes; at most {LARGEST_CHUNK} are read" if chunk > max(LARGEST_CHUNK, claimed) else None


def attribute_problem(attribute: h5a.AttrID) -> str | None:
    stored, space = attribute.get_type(), attribute.get_space()
    points = space.get_simple_extent_npoints()
    size = 0 if space.get_simple_extent_type() == h5s.NULL else points * stored.get_size()
    if size > LONGEST_ATTRIBUTE:
        return f"{size} bytes; at most {LONGEST_ATTRIBUTE} are read of an attribute"
    text = isinstance(stored, h5t.TypeStringID) and not stored.is_variable_str()
    if not (text or stored.equal(h5t.STD_I64LE) or stored.equal(h5t.IEEE_F64LE)) or points != 1:
        return "expected a single int64, float64 or text of fixed length"
    if text:
        value = np.empty((), f"S{stored.get_size()}")
        attribute.read(value, stored)
        if not is_utf8(value.item()):
            return "holds bytes that are not UTF-8"
    return None
