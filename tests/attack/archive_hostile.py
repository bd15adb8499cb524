#!/usr/bin/env python3
"""Archives with a right digest and hostile content are refused by name and limit, before memory is taken."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import h5py
import numpy
from archive.common import MIXOP, NETWORK_READERS, check, figure, opened, reading, run, sealed, searched, trained

MOST_GROWTH_KIB = 64 * 1024
SPACE = h5py.h5s.create_simple
PLAIN = h5py.h5t.STD_U8LE


def dataset(file, name, space, properties=None, type=PLAIN):
    h5py.h5d.create(file.id, name.encode(), type, space, properties)


def properties(*, chunk=None, filters=(), external=None):
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if chunk:
        made.set_chunk(chunk)
    for code, values in filters:
        made.set_filter(code, h5py.h5z.FLAG_OPTIONAL, values)
    if external:
        made.set_external(external, 0, 8)
    return made


def filtered(code, *values):
    return lambda file: dataset(file, "a", SPACE((1024,)), properties(chunk=(1024,), filters=[(code, values)]))


def virtual(file):
    layout = h5py.VirtualLayout(shape=(8,), dtype="u1")
    layout[:] = h5py.VirtualSource("other.h5", "a", shape=(8,))
    file.create_virtual_dataset("a", layout)


def of_type(type):
    return lambda file: file.create_dataset("a", shape=(2,), dtype=type)


def huge(shape, chunk):
    return lambda file: dataset(file, "a", SPACE(shape), properties(chunk=chunk, filters=[(1, (1,))]), h5py.h5t.IEEE_F64LE)


def huge_chunk(file):
    made = file.create_dataset("a", shape=(8,), maxshape=(None,), chunks=(1 << 31,), dtype="u1", compression=1)
    made.id.write_direct_chunk((0,), b"x\x9c\x03\x00\x00\x00\x00\x01")


def nested(file):
    group = file
    for _ in range(40):
        group = group.create_group("g")


def multiplied(file):
    """Twelve groups that each hold the next one eight times: 8^12 paths."""
    group = file
    for _ in range(12):
        inner = group.create_group("0")
        for i in range(1, 8):
            group[str(i)] = inner
        group = inner


def committed(file):
    file["a"] = numpy.dtype("<i4")


def looped(file):
    file.create_group("g")["up"] = file["/"]


def attribute(name, value, dtype=None):
    return lambda file: file.attrs.create(name, value, dtype=dtype)


def null_space_attribute(file):
    file.attrs["a"] = h5py.Empty("f8")


OTHER_TYPE = "expected uint8, int32, int64, float32, float64 or texts of fixed length, found "
FILTERS = "; only shuffle, gzip and fletcher32 are read"
LINK = "a soft or external link; only direct ones are read"
HOSTILE = {
    "external storage": (lambda file: dataset(file, "a", SPACE((8,)), properties(external=b"/etc/passwd")),
                         r"/a: external storage, which lies in other files"),
    "external link": (lambda file: file.__setitem__("a", h5py.ExternalLink("/etc/passwd", "/")), f"/a: {LINK}"),
    "soft link to itself": (lambda file: file.__setitem__("a", h5py.SoftLink("/a")), f"/a: {LINK}"),
    "soft link upwards": (lambda file: file.create_group("g").__setitem__("a", h5py.SoftLink("/")), f"/g/a: {LINK}"),
    "virtual data set": (virtual, r"/a: virtual storage, which is made of other files"),
    "unknown filter": (filtered(32001), f"/a: filter 32001{FILTERS}"),
    "szip": (filtered(4, 141, 16), f"/a: filter 4{FILTERS}"),
    "N-bit": (filtered(5), f"/a: filter 5{FILTERS}"),
    "scale and offset": (filtered(6, 2, 0), f"/a: filter 6{FILTERS}"),
    "32 dimensions": (lambda file: dataset(file, "a", SPACE((1,) * 32)), r"/a: 32 dimensions; at most 8 are read"),
    "2^60 elements, never written": (huge((1 << 60,), (1 << 16,)),
                                     r"/a: claims 9223372036854775808 bytes, which 0 stored bytes of a file of \d+ cannot hold"),
    "2^62 elements of 8 bytes": (huge((1 << 31, 1 << 31), (1 << 8, 1 << 8)), r"/a: claims more than 2\^64 bytes"),
    "1 GiB of fill value": (lambda file: dataset(file, "a", SPACE((1 << 30,)), properties(chunk=(1 << 20,))),
                            r"/a: claims 1073741824 bytes, which 0 stored bytes"),
    "a chunk of 2 GiB": (huge_chunk, r"/a: a chunk of 2147483648 bytes; at most 16777216 are read"),
    "compound": (of_type([("x", "<f4"), ("y", "<f4")]), f"/a: {OTHER_TYPE}compound values"),
    "texts of varying length": (of_type(h5py.string_dtype()), f"/a: {OTHER_TYPE}texts of varying length"),
    "lists of varying length": (of_type(h5py.vlen_dtype("f4")), f"/a: {OTHER_TYPE}lists of varying length"),
    "references": (of_type(h5py.ref_dtype), f"/a: {OTHER_TYPE}references"),
    "big-endian": (of_type(">f8"), f"/a: {OTHER_TYPE}numbers of another size or order of bytes"),
    "opaque": (of_type(numpy.dtype("V16")), f"/a: {OTHER_TYPE}opaque values"),
    "an attribute of 2 MiB": (attribute("a", numpy.zeros(2 << 20, "u1")),
                               r"/@a: 2097152 bytes; at most 1048576 are read of an attribute"),
    "an attribute of compound values": (attribute("a", numpy.zeros((), [("x", "f4")])),
                                        r"/@a: expected a single int64, float64 or text of fixed length"),
    "an attribute list": (attribute("a", [1, 2]), r"/@a: expected a single int64, float64 or text of fixed length"),
    "an attribute of no value": (null_space_attribute, r"/@a: expected a single int64, float64 or text of fixed length"),
    "a name that is no text": (lambda file: file.create_group(b"\xff\x1b[31m"), r"/: '\?\?\[31m' cannot be a name in an archive"),
    "40 groups in each other": (nested, r"(/g){16}: groups nested more than 16 deep"),
    "8^12 paths": (multiplied, r"(/0)+/1: the same object as another name; archives give each object one"),
    "a group within itself": (looped, r"/g/up: the same object as another name; archives give each object one"),
    "a committed type": (committed, r"/a: neither a group nor an array"),
}


def hostile(folder):
    """A file for each case, in order."""
    files = []
    for number, (fill, _) in enumerate(HOSTILE.values()):
        path = folder / f"hostile{number}.h5"
        with h5py.File(path, "w", userblock_size=512, libver=("v110", "v110")) as file:
            fill(file)
        path.write_bytes(sealed(path.read_bytes()))
        files.append(path)
    return files


def altered(sound, path, change):
    """A copy of an archive with a right digest, in which `change` has been at work."""
    path.write_bytes(sound.read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    path.write_bytes(sealed(path.read_bytes()))
    return path


def with_config(**keys):
    """Other values of space's keys in the resolved config."""
    def change(file):
        config = json.loads(file["config/resolved"][0])
        config["space"].update(keys)
        text = json.dumps(config).encode()
        del file["config/resolved"]
        file["config/resolved"] = numpy.array([text], f"S{len(text)}")
    return change


def with_classes(file):
    file["data"].attrs.modify("classes", numpy.int64(1 << 24))


def peak_kib(*command):
    """The exit code of a command, what it says and its highest memory."""
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return child.returncode, said.read(), usage.ru_maxrss


def larger_than_its_arrays(folder):
    """A config or a number of classes that means a network of gigabytes, beside arrays of kilobytes."""
    run_file, net = folder / "run.h5", folder / "net.h5"
    searched(run_file, 1)
    trained(net)
    evaluation, resumption, search = ["evaluate", "FILE"], ["train", "--resume", "--out", "FILE"], ["search", "--resume", "--out", "FILE"]
    cases = [(command, sound, change) for command, sound in ((evaluation, net), (resumption, net), (search, run_file))
             for change in (with_config(channels=16384), with_config(channels=256, layers=1000))]
    cases += [(["summary", "--genotype", "FILE"], net, with_config(channels=16384))]
    cases += [(resumption, net, with_classes), (evaluation, net, with_classes)]
    most = 0
    for number, (command, sound, change) in enumerate(cases):
        whole = shutil.copy(sound, folder / "whole.h5")
        status, said, usual = peak_kib(MIXOP, *reading(command, whole))
        check(status == 0, f"{command[0]} of a sound archive: {said}")
        file = altered(sound, folder / "altered.h5", change)
        status, said, taken = peak_kib(MIXOP, *reading(command, file))
        named = "expected 16777216, one for each class" if change is with_classes else "/config/resolved: means a network of "
        check(status == 3 and named in said,
              f"case {number}, {command[0]}: {status} {said}")
        check(taken - usual < MOST_GROWTH_KIB, f"case {number}, {command[0]}: took {taken - usual} KiB more than a sound archive")
        most = max(most, taken - usual)
    figure(f"archives whose config means a network of gigabytes refused {len(cases)} of {len(cases)}; the most memory beyond a sound "
           f"archive's: {most / 1024:.1f} MiB")


def overflowing(folder):
    """Weights that are finite and give outputs that are not."""
    def change(file):
        file["weights/classifier.weight"][...] = 3e38
    net = altered(folder / "net.h5", folder / "altered.h5", change)
    answer = run(MIXOP, "evaluate", net)
    words = (str(net), "split test", "not finite for the 4 images from 0 on", "smaller weights.lr")
    check(answer.returncode == 1 and all(word in answer.stderr for word in words), f"overflow: {answer.returncode} {answer.stderr}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = hostile(folder)
        most = 0
        for (case, (_, words)), found in zip(HOSTILE.items(), opened(*files), strict=True):
            start = re.escape(found["file"]) + ": "
            check(found["bad_data"] and re.match(start + words, found["problem"]),
                  f"{case}: expected '{words}', found '{found['problem']}'")
            check(found["growth_kib"] < MOST_GROWTH_KIB, f"{case}: took {found['growth_kib']} KiB")
            most = max(most, found["growth_kib"])
        figure(f"hostile archives with a right digest refused {len(files)} of {len(files)}, each by name and limit; the most "
               f"memory that one took: {most / 1024:.1f} MiB")
        commands = (["verify", "FILE", "--json"], ["inspect", "FILE"], ["derive", "FILE"], ["draw", "FILE", "-o", folder / "a.svg"],
                    ["compare", "FILE", "FILE"], ["search", "--resume", "--out", "FILE"], *NETWORK_READERS)
        for number, (case, file) in enumerate(zip(HOSTILE, files, strict=True)):
            command = commands[number % len(commands)]
            answer = run(MIXOP, *reading(command, file))
            said = json.loads(answer.stdout)["problem"] if "--json" in command else answer.stderr
            words = HOSTILE[case][1]
            check(answer.returncode == 3 and re.search(words, said), f"{case}: {command[0]}: {answer.returncode} {said}")
        figure(f"hostile archives refused by the program with exit code 3: {len(files)} of {len(files)}, by "
               f"{len(commands)} commands in turn")
        larger_than_its_arrays(folder)
        overflowing(folder)


if __name__ == "__main__":
    main()
