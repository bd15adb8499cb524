#!/usr/bin/env python3
"""Hostile and damaged files of weights are refused by name and reason, run nothing, and take no memory; sound ones of every form are read."""
import argparse
import concurrent.futures
import datetime
import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import warnings
import zipfile

import h5py
import numpy
from archive.common import MIXOP, figure, run

MOST_GROWTH_KIB = 120 * 1024
MOST_SECONDS = 30
RUNS_AT_ONCE = 2
MIB = 1 << 20
SETTINGS = ["--genotype", "DARTS_V2", *(f"--set={key}" for key in (
    "data.name=synthetic", "synthetic.size=8", "synthetic.train=32", "synthetic.test=16", "space.channels=4", "space.layers=3",
    "train.auxiliary=0", "threads=1"))]
failures = []


# Pickles, opcode by opcode.

PROTO, STOP, MARK, NONE, FALSE = b"\x80\x02", b".", b"(", b"N", b"\x89"
EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, REDUCE, NEWOBJ, BUILD, PERSID = b"}", b"]", b")", b"R", b"\x81", b"b", b"Q"
SETITEMS, APPEND, POP, STACK_GLOBAL = b"u", b"a", b"0", b"\x93"


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return b"X" + struct.pack("<I", len(value)) + value


def number(value):
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    size = (value.bit_length() + 8) // 8
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def tuple_of(*items):
    return MARK + b"".join(items) + b"t"


def numbers(values):
    return tuple_of(*map(number, values))


def dict_of(pairs):
    return EMPTY_DICT + MARK + b"".join(text(key) + value for key, value in pairs) + SETITEMS


def named(module, name):
    return f"c{module}\n{name}\n".encode()


def put(place):
    return b"q" + bytes([place])


def get(place):
    return b"h" + bytes([place])


def pickled(value):
    return PROTO + value + STOP


def storage(key="0", kind="FloatStorage", count=4, code=None):
    return tuple_of(text("storage"), named("torch", kind), code or text(key), text("cpu"), number(count)) + PERSID


REBUILD = named("torch._utils", "_rebuild_tensor_v2")
HOOKS = named("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE


def rebuilt(stored, offset, sizes, strides):
    return REBUILD + tuple_of(stored, offset, sizes, strides, FALSE, HOOKS) + REDUCE


def tensor(key="0", kind="FloatStorage", count=4, offset=0, sizes=(4,), strides=(1,)):
    return rebuilt(storage(key, kind, count), number(offset), numbers(sizes), numbers(strides))


def state(*tensors):
    return pickled(dict_of((f"t{i}", one) for i, one in enumerate(tensors)))


def module(members, parameters=EMPTY_DICT, beside=b""):
    """A torch.nn.Module of pickled dicts."""
    return (named("torch.nn.modules.module", "Module") + EMPTY_TUPLE + NEWOBJ + EMPTY_DICT + MARK + beside + text("_parameters") + parameters +
            text("_modules") + members + SETITEMS + BUILD)


# Programs that a pickle would run: each makes a file.

SYSTEM, EVAL = named("os", "system"), named("builtins", "eval")
CALLS = {
    "os.system by REDUCE": (SYSTEM + tuple_of(text("touch ran")) + REDUCE, "os system"),
    "subprocess.call by REDUCE": (named("subprocess", "call") + tuple_of(tuple_of(text("touch"), text("ran"))) + REDUCE, "subprocess call"),
    "subprocess.Popen by NEWOBJ": (named("subprocess", "Popen") + tuple_of(tuple_of(text("touch"), text("ran"))) + NEWOBJ, "subprocess Popen"),
    "os.system by INST": (MARK + text("touch ran") + b"ios\nsystem\n", "opcode 0x69"),
    "os.system by OBJ": (MARK + SYSTEM + text("touch ran") + b"o", "opcode 0x6f"),
    "eval by STACK_GLOBAL": (text("builtins") + text("eval") + STACK_GLOBAL + tuple_of(text("open('ran', 'w')")) + REDUCE, "builtins eval"),
    "eval through BUILD": (EVAL + EMPTY_TUPLE + REDUCE + tuple_of(text("open('ran', 'w')")) + BUILD, "builtins eval"),
}


def calls():
    """Each call as the whole pickle, and as a part of a tensor."""
    cases = {f"{name}, the root": (pickled(code), words) for name, (code, words) in CALLS.items()}
    call = CALLS["os.system by REDUCE"][0]
    cases |= {
        "os.system as a value": (pickled(dict_of([("a", call)])), "found a dict of 1 without tensors"),
        "os.system as a storage": (state(rebuilt(call, number(0), numbers([4]), numbers([1]))), "tensor 't0': expected a storage"),
        "os.system within a storage's name": (state(rebuilt(storage(code=call), number(0), numbers([4]), numbers([1]))),
                                              "tensor 't0': expected a storage of numbers"),
        "os.system as sizes": (state(rebuilt(storage(), number(0), call, numbers([1]))), "found an object made by os system"),
        "os.system as a persistent id": (state(rebuilt(call + PERSID, number(0), numbers([4]), numbers([1]))), "expected a storage of numbers"),
        "a tensor rebuilt by eval": (pickled(dict_of([("a", EVAL + tuple_of(storage(), text("open('ran', 'w')")) + REDUCE)])),
                                     "found a dict of 1 without tensors"),
        "eval as a wrapped type": (state(named("torch._tensor", "_rebuild_from_type_v2") +
                                         tuple_of(EVAL, EVAL, tuple_of(text("open('ran', 'w')")), NONE) + REDUCE),
                                   "found a dict of 1 without tensors"),
    }
    return cases


OFF_THE_LIST = {
    "FLOAT": b"F1.5\n", "INT": b"I1\n", "LONG": b"L1L\n", "STRING": b"S'a'\n", "UNICODE": b"Va\n", "PERSID": b"Pa\n", "PUT": b"Np0\n",
    "GET": b"g0\n", "LIST": b"(l", "DICT": b"(d", "DUP": b"N2", "INST": b"(ios\nsystem\n", "EXT1": b"\x82\x01", "EXT2": b"\x83\x01\x00",
    "EXT4": b"\x84\x01\x00\x00\x00", "BYTEARRAY8": b"\x96" + struct.pack("<Q", 1) + b"a", "NEXT_BUFFER": b"\x97",
    "READONLY_BUFFER": b"N\x98", "0x00": b"\x00", "0xff": b"\xff",
}


def opcodes():
    def code(opcodes):
        return next(byte for byte in opcodes if byte not in b"(N")
    return {f"opcode {name}": (PROTO + opcodes + STOP, f"opcode 0x{code(opcodes):02x} is none of those that describe data")
            for name, opcodes in OFF_THE_LIST.items()}


def nested_tuples(levels):
    """Of which each holds the one before eight times: 8^levels paths."""
    code = EMPTY_TUPLE + put(0)
    for level in range(levels):
        code += POP + MARK + get(level) * 8 + b"t" + put(level + 1)
    return code


def nested_dicts(levels):
    code = EMPTY_DICT + put(0)
    for level in range(levels):
        code += POP + dict_of((str(i), get(level)) for i in range(8)) + put(level + 1)
    return code


def multiplied_modules(levels):
    code = module(EMPTY_DICT) + put(0)
    for level in range(levels):
        code += POP + module(dict_of((str(i), get(level)) for i in range(8))) + put(level + 1)
    return code


def deep_modules(levels, key=text("a")):
    """A module in a module, each under the same key."""
    code = EMPTY_DICT
    for _ in range(levels):
        code = EMPTY_DICT + key + module(code) + b"s"
    return module(code)


TRUNCATED = state(tensor())
MEMO_64 = b"r" + struct.pack("<I", 64)
STRUCTURES = {
    "no bytes": (b"", "byte 0: asks for 1 bytes and 0 are left"),
    "an end in PROTO": (TRUNCATED[:1], "byte 0: asks for 1 bytes and 0 are left"),
    "an end in a text's length": (TRUNCATED[:6], "byte 4: asks for 4 bytes and 1 are left"),
    "an end in a name": (TRUNCATED[:20], "a name without an end"),
    "an end before STOP": (TRUNCATED[:-1], "asks for 1 bytes and 0 are left"),
    "LONG4 of 4 GiB": (PROTO + b"\x8b\xff\xff\xff\xff\x01.", "asks for 4294967295 bytes and 2 are left"),
    "BINUNICODE of 4 GiB": (PROTO + b"X\xff\xff\xff\xffa.", "asks for 4294967295 bytes and 2 are left"),
    "BINUNICODE8 of 2^64 - 1": (PROTO + b"\x8d" + b"\xff" * 8 + b"a.", "asks for 18446744073709551615 bytes and 2 are left"),
    "BINBYTES8 of 2^63": (PROTO + b"\x8e" + struct.pack("<Q", 1 << 63) + b"a.", "asks for 9223372036854775808 bytes and 2 are left"),
    "protocol 0": (b"\x80\x00N.", "protocol 0, and 2 to 5 are read"),
    "protocol 6": (b"\x80\x06N.", "protocol 6, and 2 to 5 are read"),
    "a list of itself": (pickled(EMPTY_LIST + put(0) + get(0) + APPEND), "found a list of 1"),
    "a dict of itself": (pickled(EMPTY_DICT + put(0) + MARK + text("state_dict") + get(0) + text("model") + get(0) + SETITEMS),
                         "found a dict of 2 without tensors"),
    "a module of itself": (pickled(module(EMPTY_DICT + put(0)) + put(1) + POP + get(0) + text("a") + get(1) + b"s" + POP + get(1)),
                           "its modules lie more than 64 deep"),
    "a tensor that is its own argument": (pickled(EMPTY_DICT + text("a") + named("torch._utils", "_rebuild_parameter") + EMPTY_LIST + put(0) +
                                                  b"\x85" + put(1) + REDUCE + b"s"), "found a dict of 1 without tensors"),
    "8^60 paths of tuples": (pickled(nested_tuples(60)), "found a tuple of 8"),
    "8^60 paths of dicts": (pickled(nested_dicts(60)), "found a dict of 8 without tensors"),
    "8^60 paths of modules": (pickled(multiplied_modules(60)), "its values refer to each other too often"),
    "a million marks": (PROTO + MARK * 1_000_000 + STOP, "more than 1000000 opcodes"),
    "a million marks less some": (PROTO + MARK * 999_997 + NONE + STOP, "STOP with other values on the stack"),
    "modules 1000 deep": (pickled(deep_modules(1000)), "its modules lie more than 64 deep"),
    "tuples 100000 deep": (pickled(EMPTY_TUPLE + b"\x85" * 100_000), "found a tuple of 1"),
    "a memo that is not there": (pickled(get(7)), "nothing was remembered as 7"),
    "LONG_BINGET that is not there": (pickled(NONE + MEMO_64 + POP + b"j" + struct.pack("<I", 65)), "nothing was remembered as 65"),
    "STOP on an empty stack": (PROTO + STOP, "takes a value where none is left"),
    "STOP with junk on the stack": (pickled(NONE + NONE), "STOP with other values on the stack"),
    "STOP with a mark": (pickled(MARK + NONE), "STOP with other values on the stack"),
    "SETITEMS without a value": (pickled(EMPTY_DICT + MARK + text("a") + SETITEMS), "a key without a value"),
    "SETITEMS of a number": (pickled(number(1) + MARK + SETITEMS), "items for what is no list, dict or object"),
    "TUPLE3 of two": (pickled(NONE + NONE + b"\x87"), "takes a value where none is left"),
    "TUPLE without a mark": (pickled(b"t"), "no mark is left"),
    "a value from below the mark": (pickled(NONE + MARK + b"\x85"), "takes a value where none is left"),
    "STACK_GLOBAL of numbers": (pickled(number(1) + number(2) + STACK_GLOBAL), "a class whose name is no text"),
    "a text": (pickled(text("a")), "found a text"),
    "a tensor alone": (pickled(tensor()), "found an object made by torch._utils _rebuild_tensor_v2"),
}

BEYOND, BOUNDS = "reaches beyond its storage of 4 values, or counts them more than once", "begins beyond all bounds"
STORAGE_KIND = "expected a storage of numbers, such as torch.FloatStorage, found another"
TENSORS = {
    "a negative size": (state(tensor(sizes=[-1])), "tensor 't0': expected sizes and strides of 0 and more"),
    "two negative sizes": (state(tensor(sizes=[-2, -2], strides=[2, 1])), "tensor 't0': expected sizes and strides of 0 and more"),
    "a negative stride": (state(tensor(offset=3, strides=[-1])), "tensor 't0': expected sizes and strides of 0 and more"),
    "a negative offset": (state(tensor(offset=-1)), BOUNDS),
    "a negative count": (state(tensor(count=-4)), STORAGE_KIND),
    "a size of 2^64": (state(tensor(sizes=[1 << 64])), "expected sizes and strides of 0 and more"),
    "sizes of 2^32 by 2^32": (state(tensor(sizes=[1 << 32, 1 << 32], strides=[1, 1])), "has sizes beyond all bounds"),
    "sizes of 2^62 beside 0": (state(tensor(sizes=[1 << 62, 1 << 62, 0], strides=[1, 1, 1])), "has sizes beyond all bounds"),
    "a stride beyond the storage": (state(tensor(sizes=[2, 2], strides=[4, 1])), BEYOND),
    "a stride of 2^62": (state(tensor(sizes=[4], strides=[1 << 62])), BEYOND),
    "a petabyte of stride 0": (state(tensor(sizes=[1 << 50], strides=[0])), BEYOND),
    "one value more than the storage, of stride 0": (state(tensor(sizes=[5], strides=[0])), BEYOND),
    "an offset beyond the storage": (state(tensor(offset=1)), BEYOND),
    "an offset of 2^63 - 1": (state(tensor(offset=(1 << 63) - 1)), BEYOND),
    "more strides than sizes": (state(tensor(strides=[1, 1])), "has 1 sizes and 2 strides"),
    "17 sizes": (state(tensor(sizes=[1] * 17, strides=[1] * 17)), "expected a tuple of at most 16 sizes, found a tuple of 17"),
    "3 arguments": (state(REBUILD + tuple_of(storage(), number(0), numbers([4])) + REDUCE), "expected a storage, an offset, sizes and strides"),
    "a storage of 2^60 values": (state(tensor(count=1 << 60, sizes=[1 << 60])), STORAGE_KIND),
    "a storage of complex numbers": (state(tensor(kind="ComplexFloatStorage")), STORAGE_KIND),
    "a storage of an unknown module": (state(rebuilt(storage().replace(b"ctorch\n", b"cevil\n"), number(0), numbers([4]), numbers([1]))),
                                       STORAGE_KIND),
    "a sparse tensor": (state(named("torch._utils", "_rebuild_sparse_tensor") + tuple_of(NONE, NONE) + REDUCE), "dense tensors of the types"),
    "a storage of two counts": (state(tensor(), tensor(count=8, sizes=[8])), "its storage '0' is described in two ways"),
    "a storage of two types": (state(tensor(), tensor(kind="IntStorage")), "its storage '0' is described in two ways"),
    "a storage larger than its member": (state(tensor(count=5)), "its storage '0' is not in the file, or not of the size that it says"),
    "a storage smaller than its member": (state(tensor(count=3, sizes=[3])), "its storage '0' is not in the file, or not of the size"),
    "a storage that is not there": (state(tensor(key="1")), "its storage '1' is not in the file"),
    "a storage of a climbing name": (state(tensor(key="../../x")), "expected a storage of numbers"),
    "a storage whose name goes on behind a NUL": (state(tensor(key="0\0b")), "expected a storage of numbers"),
    "a name twice": (pickled(dict_of([("a", tensor()), ("a", tensor())])), "tensor 'a': is there twice"),
    "names that differ by a prefix": (pickled(dict_of([("module._orig_mod.a", tensor()), ("module.a", tensor())])),
                                        "its tensors are not those of this network"),
    "a name that is no text": (pickled(dict_of([(b"\xff\x1b[31m", tensor(sizes=[-1]))])), "tensor '\\xff\\x1b[31m'"),
    "a name of two lines": (pickled(dict_of([("a\nmixop: error: b", tensor(sizes=[-1]))])), "tensor 'a\\x0amixop: error: b'"),
}


def wide_modules():
    """100000 times the same module, whose state has 400000 other members."""
    inner = module(EMPTY_DICT, beside=text("b") + put(0) + get(0) + get(0) * 2 * 400_000) + put(1)
    return pickled(inner + POP + text("a") + put(2) + POP + module(EMPTY_DICT + MARK + (get(2) + get(1)) * 100_000 + SETITEMS))


def greedy():
    """Small files that ask for much memory or time."""
    long_name = text("a" * 2 * MIB)
    return {
        "many empty lists": (pickled(EMPTY_LIST * 990_000), "STOP with other values on the stack"),
        "a value remembered many times": (pickled(NONE + b"\x94" * 990_000), "found None"),
        "200000 classes of one name": (pickled(text("a" * 1000) + put(0) + (get(0) + get(0) + STACK_GLOBAL + POP) * 200_000),
                                         "classes whose names have more than 4194304 bytes together"),
        "300 classes of one long name": (pickled(text("a" * MIB) + put(0) + (get(0) + get(0) + STACK_GLOBAL + POP) * 300), ""),
        "20 modules of a long name": (pickled(long_name + put(0) + POP + deep_modules(20, get(0))), ""),
        "200 tensors of a long storage": (pickled(long_name + put(0) + POP + storage(code=get(0)) + put(1) + POP + dict_of(
            (f"t{i}", rebuilt(get(1), number(0), numbers([4]), numbers([1]))) for i in range(200))), ""),
        "300000 storages of one long name": (pickled(text("a" * 16 * MIB) + put(0) + POP + tuple_of(
            text("storage"), named("torch", "FloatStorage"), get(0), text("cpu"), number(4)) + put(1) + POP + (get(1) + PERSID + POP) * 300_000 +
            EMPTY_DICT), ""),
        "100000 modules with a wide state": (wide_modules(), ""),
    }


# Files that hold them.

def zipped(members, method=zipfile.ZIP_STORED):
    """The bytes of a zip archive of pairs of a name and bytes."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as archive:
        warnings.simplefilter("ignore")  # of a name that comes twice
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def in_zip(pickle, method=zipfile.ZIP_STORED):
    """As torch.save's zip form: the pickle, and a storage of four floats."""
    return zipped([("net/data.pkl", pickle), ("net/byteorder", b"little"), ("net/data/0", bytes(16)), ("net/version", b"3\n")], method)


MAGIC = PROTO + b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
SYSTEM_INFO = pickled(EMPTY_DICT + text("little_endian") + b"\x88s")


def legacy(tensors, keys, storages, protocol=pickled(number(1001)), system=SYSTEM_INFO):
    """As torch.save's form before PyTorch 1.6."""
    values = b"".join(struct.pack("<q", count) + content for count, content in storages)
    return MAGIC + protocol + system + tensors + pickled(EMPTY_LIST + MARK + b"".join(map(text, keys)) + b"e") + values


class Network:
    """The tensors of a sound network, and files of them."""

    def __init__(self, archive):
        with h5py.File(archive) as file:
            self.arrays = {name: file[group][name][()] for group in ("weights", "buffers") for name in file[group]}
        self.first = next(iter(self.arrays))


def stored_array(place, array):
    kind = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}[array.dtype.str[1:]]
    strides = [stride // array.itemsize for stride in numpy.empty(array.shape, array.dtype).strides]
    return tensor(str(place), kind, array.size, 0, array.shape, strides)


def state_of(arrays):
    return pickled(dict_of((name, stored_array(place, array)) for place, (name, array) in enumerate(arrays.items())))


def python2_state_of(arrays):
    """An OrderedDict that is called with pairs, under names that are bytes."""
    pairs = (EMPTY_LIST + MARK + b"U" + bytes([len(name)]) + name.encode() + stored_array(place, array) + b"e"
             for place, (name, array) in enumerate(arrays.items()))
    return pickled(named("collections", "OrderedDict") + tuple_of(EMPTY_LIST + MARK + b"".join(pairs) + b"e") + REDUCE)


def values_of(arrays):
    """As the legacy form has them: counts and bytes."""
    return [(array.size, array.tobytes()) for array in arrays.values()]


def members_of(arrays, pickle=None):
    values = [(f"net/data/{place}", array.tobytes()) for place, array in enumerate(arrays.values())]
    return [("net/data.pkl", pickle or state_of(arrays)), ("net/byteorder", b"little"), *values]


def pt(arrays):
    return zipped(members_of(arrays))


def safetensors(header, content=b""):
    words = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(words)) + words + content


def entry(begin, end, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors_of(arrays):
    header, place = {}, 0
    for name, array in arrays.items():
        header[name] = entry(place, place + array.nbytes, list(array.shape), {"f": "F", "i": "I"}[array.dtype.kind] + str(8 * array.itemsize))
        place += array.nbytes
    return safetensors(header, b"".join(array.tobytes() for array in arrays.values()))


def parts_of(content):
    """The header and the values of safetensors."""
    end = 8 + struct.unpack_from("<Q", content)[0]
    return json.loads(content[8:end]), content[end:]


# Zip archives.

def patched(content, magic, offset, value, which=0):
    """With other bytes at an offset of a zip's record."""
    place = -1
    for _ in range(which + 1):
        place = content.index(magic, place + 1)
    place += offset
    return content[:place] + value + content[place + len(value):]


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def bomb(network, mebibytes, noise):
    """Every tensor is a part of one storage, which is packed to a thousandth."""
    count = mebibytes * MIB // 4
    arrays = {name: array.astype("f4") for name, array in network.arrays.items() if array.ndim}
    pickle = pickled(dict_of((name, rebuilt(storage(count=count), number(0), numbers(array.shape), numbers(
        stride // 4 for stride in numpy.empty(array.shape, "f4").strides))) for name, array in arrays.items()))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", pickle)
        with archive.open("net/data/0", "w") as member:
            for _ in range(mebibytes - 1):
                member.write(bytes(MIB))
            member.write(bytes(MIB - noise) + os.urandom(noise))
    return file.getvalue()


def grown(network, mebibytes, content):
    """A deflated zip whose first tensor is the begin of a storage that says to be larger than the tensor."""
    array = network.arrays[network.first]
    pickle = state_of(network.arrays).replace(stored_array(0, array), tensor(
        "0", "FloatStorage", mebibytes * MIB // 4, 0, array.shape, [stride // 4 for stride in array.strides]))
    members = dict(members_of(network.arrays, pickle)) | {"net/data/0": content}
    return zipped(members.items(), zipfile.ZIP_DEFLATED)


def grown_by_a_lie(network, mebibytes, kibibytes):
    """Of which the zip says the size that the storage says, and packs less."""
    said = struct.pack("<I", mebibytes * MIB)
    content = grown(network, mebibytes, os.urandom(kibibytes << 10))
    return patched(patched(content, CENTRAL, 24, said, 2), LOCAL, 22, said, 2)


def zip64(content):
    """Says in the first member's central record that its size is 2^62, in an extra field of zip64."""
    record = content.index(CENTRAL)
    names = struct.unpack_from("<H", content, record + 28)[0]
    extra = struct.pack("<HHQQ", 1, 16, 1 << 62, 1 << 62)
    head = bytearray(content[record:record + 46 + names])
    head[20:28] = b"\xff" * 8
    head[30:32] = struct.pack("<H", len(extra))
    rest = content[record + 46 + names:]
    end = rest.index(END)
    size = struct.unpack_from("<I", rest, end + 12)[0] + len(extra)
    rest = rest[:end + 12] + struct.pack("<I", size) + rest[end + 16:]
    return content[:record] + bytes(head) + extra + rest


def zipped_names(count):
    """A zip of empty members, numbered."""
    names = [b"%06d" % i for i in range(count)]
    head = struct.pack("<5H3I2H", 20, 0, 0, 0, 33, 0, 0, 0, 6, 0)
    local = b"".join(LOCAL + head + name for name in names)
    records = b"".join(CENTRAL + b"\x14\0" + head + bytes(10) + struct.pack("<I", 36 * i) + name for i, name in enumerate(names))
    large = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, len(records), len(local))
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, len(local) + len(records), 1)
    return local + records + large + locator + END + struct.pack("<4H2IH", 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0)


def zips(network):
    sound = in_zip(state(tensor()))
    sound_pickle, data = ("net/data.pkl", state(tensor())), ("net/data/0", bytes(16))
    arrays = network.arrays
    wrong_sum = patched(pt(arrays), CENTRAL, 16, b"\1\2\3\4", 2)
    return {
        "no data.pkl": (zipped([data]), "is a zip archive without FOLDER/data.pkl"),
        "an empty zip": (END + bytes(18), "without FOLDER/data.pkl"),
        "two data.pkl": (zipped([sound_pickle, data, ("b/data.pkl", b"N.")]), "holds data.pkl in two folders"),
        "two members of one name": (zipped([sound_pickle, data, data]), "two members"),
        "two data.pkl of one name": (zipped([sound_pickle, data, ("net/data.pkl", b"N.")]), "two members"),
        "TorchScript": (zipped([sound_pickle, data, ("net/constants.pkl", b"\x80\x02).")]), "is a TorchScript program"),
        "big endian": (zipped([sound_pickle, data, ("net/byteorder", b"big")]), "its numbers are not little endian"),
        "a byteorder of 1 MiB": (zipped([sound_pickle, data, ("net/byteorder", bytes(MIB))]), "'net/byteorder' has 1048576 bytes"),
        "a sound file, packed": (zipped(members_of(arrays), zipfile.ZIP_DEFLATED), "is packed; torch.save stores its members as they are"),
        "data.pkl of 64 MiB": (in_zip(bytes(64 * MIB), zipfile.ZIP_DEFLATED), "is packed; torch.save stores its members as they are"),
        "data.pkl packed to a thousandth": (in_zip(bytes(16 * MIB), zipfile.ZIP_DEFLATED), "is packed; torch.save stores its members as they are"),
        "data/0 packed to a thousandth": (grown(network, 64, bytes(64 * MIB)), "is packed; torch.save stores its members as they are"),
        "all tensors parts of a bomb": (bomb(network, 256, 9000), "is packed"),
        "data/0 of 256 MiB that are not there": (grown_by_a_lie(network, 256, 300), "is packed"),
        "an encrypted member": (patched(patched(sound, CENTRAL, 8, b"\1"), LOCAL, 6, b"\1"), "encrypted"),
        "an end in the directory": (sound[:-30], "is no sound zip archive"),
        "half the file": (sound[:len(sound) // 2], "is no sound zip archive"),
        "its signature alone": (LOCAL + bytes(12), "is no sound zip archive"),
        "a size of 2^62 by zip64": (zip64(sound), "net.pt"),
        "a local header with another name": (patched(sound, LOCAL, 30, b"NET"), "is no sound zip archive"),
        "a local header with another method": (patched(sound, LOCAL, 8, b"\x08\0"), "is no sound zip archive"),
        "a local header with another size": (patched(sound, LOCAL, 22, b"\1\0\0\0"), "is no sound zip archive"),
        "a local header beyond the file": (patched(sound, CENTRAL, 42, b"\xff\xff\xff\x7f"), "is no sound zip archive"),
        "a directory beyond the file": (patched(sound, END, 16, b"\xff\xff\xff\x7f"), "is no sound zip archive"),
        "an unknown method": (patched(patched(sound, CENTRAL, 10, b"\x4d\0"), LOCAL, 8, b"\x4d\0"), "member 'net/data.pkl'"),
        "another sum of the values": (patched(wrong_sum, LOCAL, 14, b"\1\2\3\4", 2), "member 'net/data/0'"),
        "a value that was changed": (pt(arrays).replace(arrays[network.first].tobytes(), bytes(arrays[network.first].nbytes)), "member 'net/data/0'"),
        "200000 members": (zipped_names(200_000), "has 200000 members; at most 100000 are read"),
    }


def legacies():
    sound, data = state(tensor()), (4, bytes(16))
    return {
        "legacy: another protocol": (legacy(sound, ["0"], [data], protocol=pickled(number(1002))), "expected torch.save's protocol 1001, found 1002"),
        "legacy: a protocol that is no number": (legacy(sound, ["0"], [data], protocol=pickled(EMPTY_LIST)), "expected torch.save's protocol 1001"),
        "legacy: big endian": (legacy(sound, ["0"], [data], system=SYSTEM_INFO.replace(b"\x88", b"\x89")), "does not say that its numbers are little"),
        "legacy: no list of storages": (MAGIC + pickled(number(1001)) + SYSTEM_INFO + sound + pickled(NONE), "lists no storages"),
        "legacy: a storage of another count": (legacy(sound, ["0"], [(5, bytes(20))]), "the storage '0' has 5 values, and its tensors say otherwise"),
        "legacy: a storage of a negative count": (legacy(sound, ["0"], [(-4, bytes(16))]), "the storage '0' has -4 values"),
        "legacy: a storage that no tensor has": (legacy(sound, ["0", "1"], [data, data]), "the storage '1' is of no tensor"),
        "legacy: a storage that is not listed": (legacy(sound, [], []), "tensor 't0': its storage '0' is not in the file"),
        "legacy: a storage twice": (legacy(sound, ["0", "0"], [data, data]), "lists the storage '0' twice"),
        "legacy: an end in the values": (legacy(sound, ["0"], [(4, bytes(15))]), "ends within the storage '0'"),
        "legacy: no count": (legacy(sound, ["0"], []), "ends early"),
        "legacy: the magic number alone": (MAGIC, "asks for 1 bytes and 0 are left"),
        "legacy: os.system": (legacy(pickled(CALLS["os.system by REDUCE"][0]), [], []), "os system"),
        "legacy: a petabyte of storage": (legacy(state(tensor(count=1 << 43, sizes=[1 << 43])), ["0"], [(1 << 43, b"")]), "ends within the storage '0'"),
    }


def headers(network):
    one = entry(0, 16, [4])
    deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    numbers_alone = b'{"a":[' + b"0," * (2 * MIB - 16) + b"0]}"
    rests = {
        "a header of 2^63 bytes": (struct.pack("<Q", 1 << 63) + b"{}", "the length of a header within the file"),
        "a header of 2^64 - 1 bytes": (b"\xff" * 8 + b"{}", "the length of a header within the file"),
        "a header beyond the file": (struct.pack("<Q", 100) + b"{}", "the length of a header within the file"),
        "a header over the limit": (safetensors(b" " * (4 * MIB + 1)), "its header of safetensors has 4194305 bytes"),
        "no header": (safetensors(b""), "malformed JSON"),
        "a header that ends early": (safetensors(b'{"a":{'), "malformed JSON"),
        "a header that is no UTF-8": (safetensors(b'{"\xff":1}'), "malformed JSON"),
        "a list as header": (safetensors([]), "its header is a list of 0 items"),
        "no tensors": (safetensors({}), "holds no tensors"),
        "tensors that overlap": (safetensors({"a": one, "b": entry(8, 24, [4])}, bytes(24)), "tensor 'b': begins at byte 8, and the one before it ends at 16"),
        "a gap": (safetensors({"a": one, "b": entry(20, 36, [4])}, bytes(36)), "tensor 'b': begins at byte 20, and the one before it ends at 16"),
        "bytes behind the tensors": (safetensors({"a": one}, bytes(20)), "its tensors have 16 bytes, and behind the header are 20"),
        "offsets beyond the file": (safetensors({"a": entry(0, 32, [8])}, bytes(16)), "its data_offsets do not lie within the 16 bytes"),
        "offsets backwards": (safetensors({"a": entry(16, 0, [4])}, bytes(16)), "its data_offsets do not lie within the 16 bytes"),
        "an offset of 2^64": (safetensors({"a": entry(0, 1 << 64, [4])}, bytes(16)), "'data_offsets' has 18446744073709551616"),
        "a negative offset": (safetensors({"a": entry(-16, 0, [4])}, bytes(16)), "'data_offsets' has -16"),
        "a negative size": (safetensors({"a": entry(0, 16, [-4])}, bytes(16)), "'shape' has -4"),
        "a size that is not whole": (safetensors({"a": entry(0, 16, [4.0])}, bytes(16)), "'shape' has 4.0"),
        "sizes of 2^32 by 2^32": (safetensors({"a": entry(0, 0, [1 << 32, 1 << 32])}), "its shape and dtype do not make the 0 bytes"),
        "sizes that overflow beside 0": (safetensors({"a": entry(0, 0, [1 << 62, 1 << 62, 0])}), "its shape and dtype do not make the 0 bytes"),
        "17 sizes": (safetensors({"a": entry(0, 4, [1] * 17)}, bytes(4)), "expected 'shape', a list of at most 16 numbers"),
        "an unknown dtype": (safetensors({"a": entry(0, 4, [4], "F8_E4M3")}, bytes(4)), "expected a dtype such as F32, found text 'F8_E4M3'"),
        "no dtype": (safetensors({"a": {}}), "expected a dtype such as F32, found none"),
        "a tensor that is a number": (safetensors({"a": 1}), "expected a dtype such as F32, found none"),
        "a key twice": (safetensors(b'{"a":' + json.dumps(one).encode() + b',"a":' + json.dumps(one).encode() + b"}", bytes(16)), "key 'a' appears twice"),
        "100000 lists in each other": (safetensors(deep), "nested more than 64 levels deep"),
        "a whole header of numbers": (safetensors(b'{"a":[' + b"0," * (MIB - 16) + b"0]}"), "tensor 'a': expected a dtype"),
        "4 MiB of numbers": (safetensors(numbers_alone), "bytes; at most 2097152 are read"),
        "a number beyond all numbers": (safetensors(b'{"a":1e999}'), "is too large"),
    }
    return {f"safetensors: {name}": case for name, case in rests.items()}


def other_networks(network):
    """Sound files whose tensors are not those of the network, or no numbers to compute with."""
    first, shape = network.first, network.arrays[network.first].shape
    bad = network.arrays[first].copy()
    bad.flat[0] = numpy.nan
    huge = network.arrays[first].astype("f8")
    huge.flat[0] = 1e300
    cases = {
        "a NaN": ({first: bad}, f"tensor '{first}': has numbers that are not finite"),
        "a number beyond float32": ({first: huge}, f"tensor '{first}': has numbers that are not finite"),
        "another shape": ({first: network.arrays[first].reshape(-1)}, f"1 have another shape or kind: {first}"),
        "whole numbers": ({first: numpy.zeros(shape, "i8")}, "of whole numbers instead of"),
        "a tensor that is missing": ({first: None}, f"1 of the network's are not in it: {first}"),
        "a tensor more": ({"other.weight": numpy.zeros(4, "f4")}, "1 are not the network's: other.weight"),
        "a tensor of another name": ({first: None, "other.weight": network.arrays[first]}, f"not in it: {first}; 1 are not the network's: other.weight"),
    }
    files = {}
    for place, (name, (change, words)) in enumerate(cases.items()):
        arrays = {key: array for key, array in (network.arrays | change).items() if array is not None}
        files[name] = ((pt, safetensors_of)[place % 2](arrays), words)
    return files


def no_regular_file(make):
    """A case whose file is made in its place."""
    return make, "expected a file of weights, found a folder, pipe or device"


def places(archive):
    return {
        "an empty file": (b"", "has 0 bytes; expected PyTorch's .pt or safetensors"),
        "7 bytes": (b"\x80\x02}q\0.\0", "has 7 bytes; expected PyTorch's .pt or safetensors"),
        "a pickle alone": (state(tensor()), "is neither a file of torch.save nor safetensors"),
        "an HDF5 file": (archive.read_bytes()[512:], "is an HDF5 file; expected PyTorch's .pt or safetensors"),
        "an archive of mixop": (archive.read_bytes(), "is an archive of mixop, not a file of weights"),
        "a folder": no_regular_file(lambda path: path.mkdir()),
        "a pipe": no_regular_file(os.mkfifo),
        "a device": no_regular_file(lambda path: path.symlink_to("/dev/zero")),
        "a file that is not there": (lambda path: path.symlink_to("nowhere"), "No such file"),
        "a link to itself": (lambda path: path.symlink_to(path.name), "symbolic links"),
    }


# Files that must be read.

def altered_forms(network):
    """Files of the same numbers that are put together by hand."""
    arrays = network.arrays
    empty = {"auxiliary_head.empty": numpy.zeros((5, 0), "f4")}
    keys = [str(place) for place in range(len(arrays))]
    header, values = parts_of(safetensors_of(arrays))
    empty_last = header | {"auxiliary_head.empty": entry(0, 0, [5, 0])}
    return {
        "by hand": pt(arrays),
        "legacy by hand": legacy(state_of(arrays), keys, values_of(arrays)),
        "legacy by Python 2": legacy(python2_state_of(arrays), keys, values_of(arrays)),
        "safetensors": safetensors_of(arrays),
        "safetensors with metadata": safetensors({"__metadata__": {"format": "pt"}} | header, values),
        "safetensors with an empty tensor at byte 0, listed last": safetensors(empty_last, values),
        "an empty tensor of 5 by 0": pt(arrays | empty),
        "a member of a climbing name": zipped([*members_of(arrays), ("../../ran", b"a"), ("/ran", b"a")]),
        "no num_batches_tracked": pt({name: array for name, array in arrays.items() if not name.endswith("num_batches_tracked")}),
    }


class Runs:
    """What a class that is not in the program would do where it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch ran",)


def module_of(torch, arrays):
    """Modules in each other that have the names of a state dictionary."""
    root = torch.nn.Module()
    for name, array in arrays.items():
        *path, last = name.split(".")
        place = root
        for part in path:
            if part not in place._modules:
                place.add_module(part, torch.nn.Module())
            place = place._modules[part]
        if last in ("weight", "bias"):
            place.register_parameter(last, torch.nn.Parameter(torch.as_tensor(array)))
        else:
            place.register_buffer(last, torch.as_tensor(array))
    return root


def columns_first(tensor):
    return tensor.transpose(0, 1).contiguous().transpose(0, 1) if tensor.dim() > 1 else tensor


def parts_of_one(torch, state):
    """The same tensors as parts of one storage, with a gap before each."""
    whole = torch.cat([part for tensor in state.values() for part in (torch.zeros(3), tensor.reshape(-1).float())])
    found, place = {}, 0
    for name, tensor in state.items():
        place += 3
        found[name] = whole[place:place + tensor.numel()].view(tensor.shape) if tensor.is_floating_point() else tensor
        place += tensor.numel()
    return found


def beside(torch):
    """What checkpoints hold beside weights."""
    return {"epoch": 3, "best": 97.25, "args": argparse.Namespace(lr=0.1, path=pathlib.Path("a")), "runs": Runs(), "none": None,
            "kinds": [{1, 2}, frozenset({3}), b"a", bytearray(b"b"), 1 << 80, -1, 1j, torch.float16, torch.device("cpu"), torch.Size([1])],
            "numpy": numpy.float64(1), "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]},
            "time": datetime.datetime(2020, 1, 1)}


def save_by_torch(arrays, folder):
    import torch  # not in the process that starts mixop
    state = {name: torch.as_tensor(array) for name, array in arrays.items()}
    whole = module_of(torch, arrays)
    with_buffer = module_of(torch, arrays)
    with_buffer.register_buffer("grid", torch.zeros(2), persistent=False)
    files = {
        "state": state, "module's state": whole.state_dict(), "parameters": whole.state_dict(keep_vars=True),
        "prefix module": {f"module.{name}": tensor for name, tensor in state.items()},
        "prefix _orig_mod": {f"_orig_mod.module.{name}": tensor for name, tensor in state.items()},
        "double": {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in state.items()},
        "half": {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()},
        "bfloat16": {name: tensor.bfloat16() if tensor.is_floating_point() else tensor for name, tensor in state.items()},
        "columns first": {name: columns_first(tensor) for name, tensor in state.items()},
        "parts of one storage": parts_of_one(torch, state),
        "checkpoint": beside(torch) | {"state_dict": state}, "checkpoint with a tensor beside": {"best_acc1": torch.tensor(97.25), "state_dict": state},
        "module": whole, "module in DataParallel": torch.nn.DataParallel(whole), "checkpoint of a module": {"model": whole},
        "module with a buffer outside its state": with_buffer,
    }
    for name, value in files.items():
        torch.save(value, folder / f"{name}.pt")
    for name in ("module's state", "checkpoint", "module", "columns first", "parts of one storage"):
        torch.save(files[name], folder / f"legacy {name}.pt", _use_new_zipfile_serialization=False)
    for protocol in (3, 4, 5):
        torch.save({"args": argparse.Namespace(lr=0.1), "runs": Runs(), "state_dict": state}, folder / f"protocol {protocol}.pt", pickle_protocol=protocol)


def place_for(folder, content):
    """A file in a folder of its own, or what a function puts in its place."""
    folder.mkdir()
    path = folder / "net.pt"
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    return str(path)


def make(archive, folder):
    """All files, and a list of them. In a process of its own: the peak memory that a child shows is not below its parent's."""
    network, saved = Network(archive), folder / "saved"
    pickles = calls() | opcodes() | STRUCTURES | TENSORS | greedy()
    hostile = {name: (in_zip(pickle), words) for name, (pickle, words) in pickles.items()}
    hostile |= zips(network) | legacies() | headers(network) | other_networks(network) | places(archive)
    sound = {name: place_for(folder / name, content) for name, content in altered_forms(network).items()}
    saved.mkdir()
    save_by_torch(network.arrays, saved)
    sound |= {file.stem: str(file) for file in sorted(saved.iterdir())}
    cases = [(place_for(folder / f"hostile {place}", content), name, words) for place, (name, (content, words)) in enumerate(hostile.items())]
    (folder / "list.json").write_text(json.dumps({"sound": list(sound.items()), "hostile": cases}))


# How they are tried.

def measured(folder, *words):
    """The exit code of mixop, what it prints and says, and its peak memory; one that runs for too long is killed."""
    with tempfile.TemporaryFile("w+", errors="replace") as said, tempfile.TemporaryFile("w+") as printed:
        child = subprocess.Popen([MIXOP, *map(str, words)], stdin=subprocess.DEVNULL, stdout=printed, stderr=said, cwd=folder,
                                 env={**os.environ, "MIXOP_DATA": ""})
        clock = threading.Timer(MOST_SECONDS, child.kill)
        clock.start()
        _, status, usage = os.wait4(child.pid, 0)
        clock.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        printed.seek(0)
        return child.returncode, printed.read(), said.read(), usage.ru_maxrss


class Attack:
    """Tries files, each from a folder that must stay empty, beside the memory that sound files take."""

    def __init__(self, folder, archive):
        self.folder = folder
        status, printed, said, _ = measured(folder, "evaluate", archive, "--json")
        self.expected = json.loads(printed)["loss"] if status == 0 else sys.exit(f"the archive is not read: {said}")
        self.usual = 0
        self.growth = []

    def work(self):
        return pathlib.Path(tempfile.mkdtemp(dir=self.folder))

    def read(self, name, path):
        """A file that must give the same loss as the archive."""
        tolerance = 0.05 if name in ("half", "bfloat16") else 0.0
        work = self.work()
        status, printed, said, taken = measured(work, "evaluate", path, *SETTINGS, "--json")
        self.usual = max(self.usual, taken)
        loss = json.loads(printed)["loss"] if status == 0 else self.expected
        left = sorted(file.name for file in work.iterdir())
        note(f"{name} (evaluate)", said, {f"exit code {status}": status != 0, f"wrote {left}": left,
                                         f"loss {loss} instead of {self.expected}": abs(loss - self.expected) > tolerance})

    def refuse(self, path, name, words):
        work = self.work()
        number = int(path.split("/")[-2].split()[-1])
        command = ["import", path, "-o", "net.h5"] if number % 2 else ["evaluate", path]
        status, printed, said, taken = measured(work, *command, *SETTINGS)
        growth, left = taken - self.usual, sorted(file.name for file in work.iterdir())
        self.growth.append(growth)
        messages = [line for line in said.splitlines() if line.startswith("mixop: error: ")]
        refused = status == 3
        note(f"{name} ({command[0]})", said, {
            f"runs for more than {MOST_SECONDS} s": status == -9, f"exit code {status}": status not in (3, -9), f"wrote {left}": left,
            f"took {growth // 1024} MiB more than a sound file": growth > MOST_GROWTH_KIB,
            f"the message lacks '{words}'": refused and words not in said,
            "not one message that names the file": refused and not (len(messages) == 1 and path in messages[0] and not printed),
            "a stack trace": "frame #" in said or "Exception raised from" in said})


def note(case, said, problems):
    found = [problem for problem, holds in problems.items() if holds]
    if found:
        failures.append(f"{case}: {', '.join(found)}\n  {said[:1000].strip()}")


def trained(archive):
    found = run(MIXOP, "train", *SETTINGS, "--set=train.epochs=1", "--set=train.batch=8", "--set=data.cutout=0", "--out", archive)
    if found.returncode != 0:
        sys.exit(f"the training does not run: {found.stderr}")


def main():
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(RUNS_AT_ONCE) as pool:
        folder = pathlib.Path(name)
        archive, files = folder / "archive.h5", folder / "files"
        trained(archive)
        files.mkdir()
        subprocess.run([sys.executable, __file__, "--make", archive, files], check=True)
        cases, attack = json.loads((files / "list.json").read_text()), Attack(folder, archive)
        list(pool.map(attack.read, *zip(*cases["sound"])))
        figure(f"sound files of weights tried: {len(cases['sound'])}")
        list(pool.map(attack.refuse, *zip(*cases["hostile"])))
        figure(f"hostile files of weights tried: {len(cases['hostile'])}; the most memory beyond a sound file's: {max(attack.growth) / 1024:.1f} MiB")
    if failures:
        sys.exit(f"weights_hostile.py: {len(failures)} failures\n" + "\n".join(failures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        make(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        main()
