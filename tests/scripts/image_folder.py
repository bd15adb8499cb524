#!/usr/bin/env python3
"""One's own images: what is decoded, against Pillow, and a search, a training and an evaluation on folders of them."""
import json
import os
import pathlib
import resource
import struct
import sys
import tempfile
import zlib

import h5py
import numpy
from PIL import Image, ImageOps

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from pixels import PLUGIN, probe
from program import answer, asked, check, mixop

SMALL = ["--set", "data.name=image_folder", "--set", "image_folder.size=16", "--set", "space.channels=2", "--set", "space.layers=3",
         "--set", "threads=1"]
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def picture(height, width, channels, seed, levels=256):
    draw = numpy.random.default_rng(seed)
    return draw.integers(0, levels, (height, width, channels))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(values, depth):
    """Rows of samples [height][width][channels] in PNG's bits, each behind a filter byte of 0."""
    rows = values.reshape(len(values), -1)
    if depth >= 8:
        return b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in rows)
    bits = ((rows[:, :, None] >> numpy.arange(depth - 1, -1, -1)) & 1).astype(numpy.uint8).reshape(len(rows), -1)
    return b"".join(b"\0" + numpy.packbits(row).tobytes() for row in bits)


def png(values, depth, colour, interlaced=False, chunks=b""):
    """A PNG file of these samples, written here because Pillow writes neither interlaced nor all 16-bit ones."""
    parts = [values[y::down, x::right] for y, x, down, right in ADAM7] if interlaced else [values]
    raw = b"".join(packed(part, depth) for part in parts if part.size)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], depth, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def palette(size):
    data = picture(1, size, 3, size).astype(numpy.uint8)
    return chunk(b"PLTE", data.tobytes()), data[0]


def made_pngs():
    """Name, file and expected RGB of every kind of PNG, plain and interlaced."""
    kinds = [(0, depth, 1) for depth in (1, 2, 4, 8, 16)] + [(3, depth, 1) for depth in (1, 2, 4, 8)]
    kinds += [(2, 8, 3), (2, 16, 3), (4, 8, 2), (4, 16, 2), (6, 8, 4), (6, 16, 4)]
    for seed, (colour, depth, channels) in enumerate(kinds):
        for height, width in ((1, 1), (5, 3), (17, 31)):
            values = picture(height, width, channels, seed, 1 << depth)
            chunks = b""
            if colour == 3:
                chunks, table = palette(1 << depth)
                expected = table[values[:, :, 0]]
            else:
                levels = values[:, :, :1 if channels < 3 else 3]
                levels = levels >> 8 if depth == 16 else levels * (255 // ((1 << depth) - 1))
                expected = numpy.broadcast_to(levels, (height, width, 3))
            for interlaced in (False, True):
                yield f"{colour}_{depth}_{height}_{interlaced}.png", png(values, depth, colour, interlaced, chunks), expected


def saved_files(folder):
    """What Pillow writes: every mode, and all orientations as PNG and JPEG; what Pillow reads again is expected."""
    rgb = Image.fromarray(picture(24, 33, 3, 1).astype(numpy.uint8))
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        image = rgb.convert("RGBA").quantize(16) if mode == "P" else rgb.convert(mode)
        image.save(folder / f"mode_{mode}.png", **({"transparency": 3} if mode == "P" else {}))
    for orientation in range(0, 10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb.save(folder / f"turned_{orientation}.png", exif=exif)
        rgb.save(folder / f"turned_{orientation}.jpg", exif=exif)
    for name in ("L", "CMYK"):
        rgb.convert(name).save(folder / f"jpeg_{name}.jpg")
    rgb.save(folder / "progressive.jpeg", progressive=True)


def decoded(folder):
    data, images = probe("decoded", PLUGIN, "image_folder", folder), []
    while data:
        height, width = struct.unpack("<ii", data[:8])
        images.append(numpy.frombuffer(data[8:8 + height * width * 3], numpy.uint8).reshape(height, width, 3))
        data = data[8 + height * width * 3:]
    return images


def same_as_pillow():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made) / "class"
        folder.mkdir()
        expected = {}
        for name, data, values in made_pngs():
            (folder / name).write_bytes(data)
            expected[name] = values
        saved_files(folder)
        files = sorted(folder.iterdir())
        for file, found in zip(files, decoded(folder.parent), strict=True):
            image = Image.open(file)
            if file.name in expected:
                values = expected[file.name]
                check(found.shape == values.shape and (found == values).all(), f"{file.name} is decoded otherwise")
            if file.name not in expected or image.mode != "I;16":  # of 16-bit grey Pillow's convert() is no image of it
                values = numpy.asarray(ImageOps.exif_transpose(image).convert("RGB"))
                check(found.shape == values.shape and (found == values).all(), f"{file.name} is not what Pillow reads")
        print(f"figure: {len(files)} files of all kinds of PNG and JPEG, 0 bytes differ from Pillow")


def peak_mib():
    """The most that a command so far took."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def hostile_files():
    """A file that claims 11584 x 11584 pixels and holds 600 rows, and one whose 100 texts inflate to 700 MB, take no memory for them."""
    with tempfile.TemporaryDirectory() as made:
        cat = pathlib.Path(made) / "cat"
        cat.mkdir()
        (cat / "0.png").write_bytes(png(picture(1, 1, 3, 1), 8, 2))
        answer("data", "check", "image_folder", "--data", made)
        before = peak_mib()
        whole = bytearray(png(picture(600, 11584, 3, 1), 8, 2))
        whole[16:24] = struct.pack(">II", 11584, 11584)
        whole[29:33] = struct.pack(">I", zlib.crc32(whole[12:29]))
        (cat / "1.png").write_bytes(whole)
        text = chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(7_000_000)))
        (cat / "2.png").write_bytes(png(picture(1, 1, 3, 1), 8, 2, chunks=text * 100))
        run = mixop("data", "check", "image_folder", "--data", made, "--json")
        problems = [row["problem"] for row in json.loads(run.stdout)["corrupt"]]
        check(run.returncode == 3 and len(problems) == 1 and "Not enough image data" in problems[0], problems)
        # Half of what the first claims: the file itself, its 600 rows and the decoder take the rest.
        check(peak_mib() < before + 200, f"reading them took {peak_mib():.0f} MiB, a sound file {before:.0f} MiB")
        print(f"figure: two hostile PNG files: {peak_mib() - before:.0f} MiB more than a sound one")


def write_set(folder, classes, counts):
    draw = numpy.random.default_rng(2)
    for split, count in counts.items():
        for c, name in enumerate(classes):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                height, width = draw.integers(6, 50, 2)
                pixels = draw.integers(0, 100, (height, width, 3), dtype=numpy.uint8)
                pixels[:, :, c % 3] += numpy.uint8(40 * (1 + c // 3))
                Image.fromarray(pixels).save(folder / split / name / f"{i}.{'png' if i % 2 else 'jpg'}")


def trained(folder, out, *more):
    return asked("train", "--genotype", "DARTS_V2", *SMALL, "--set", "train.auxiliary=0", "--set", "data.cutout=0", "--set", "train.batch=7",
                 "--set", "train.epochs=1", *more, "--data", folder, "--out", out)


def any_shape(made, folder):
    """Images that are no squares: searched, trained, evaluated, counted and predicted."""
    size = ["--set", "image_folder.size=20x31"]
    run, net = made / "wide.h5", made / "wide-net.h5"
    search = ["search", "darts-cifar10-first-order", *SMALL, *size, "--set", "search.batch=8", "--set", "search.epochs=1", "--set",
              "space.nodes=2", "--data", folder]
    check(json.loads(answer(*search, "--dry-run").stdout)["image_folder"]["size"] == "20x31", "the resolved configuration")
    check("predicted peak memory" in answer(*search, "--dry-run").stderr, "the memory of a search")
    answer(*search, "--out", run)
    result = asked("train", "--genotype", run, *SMALL, *size, "--set", "train.auxiliary=0", "--set", "data.cutout=6", "--set", "train.batch=7",
                   "--set", "data.policy=autoaugment_imagenet", "--set", "train.epochs=1", "--data", folder, "--out", net)
    check(result["test_loss"] > 0, result)
    for file in (run, net):
        data = asked("inspect", file)["data"]
        check((data["height"], data["width"]) == (20, 31), f"{file}: {data}")
    check(asked("evaluate", net, "--data", folder)["samples"] == 10, "evaluate")
    counted = asked("summary", "--genotype", net, "--batch", 7)
    check(counted == asked("summary", "--genotype", net, "--batch", 7, "--input", "3x20x31", "--channels", 2, "--layers", 3, "--classes", 5)
          | {"peak_memory_bytes": counted["peak_memory_bytes"]}, "summary of an archive")
    check(counted["rows"][0]["output"][1:] == [20, 31] and counted["peak_memory_bytes"] > 0, counted["rows"][0])
    (made / "wide.json").write_text(json.dumps({"data": {"name": "image_folder"}, "image_folder": {"size": 16}}))
    check(json.loads(answer("search", made / "wide.json", "--dry-run", "--data", folder).stdout)["image_folder"]["size"] == "16",
          "a number in a file of configuration")
    run = mixop("data", "check", "image_folder", "--set", "size=20,31", "--data", folder)
    check(run.returncode == 2 and "HEIGHTxWIDTH such as 20x31, found '20,31'" in run.stderr, run.stderr)


def program(made):
    both, bare = made / "both", made / "bare"
    write_set(both, ["ant", "bee", "cow", "dog", "elk"], {"train": 6, "val": 2})
    write_set(bare, ["left", "right"], {"": 8})
    described = asked("data", "describe", "image_folder", "--data", both)
    check(described["records"] == {"train": 30, "valid": 0, "test": 10} and described["classes"] == 5, described)
    run = made / "run.h5"
    answer("search", "darts-cifar10-first-order", *SMALL, "--set", "search.batch=8", "--set", "search.epochs=1", "--set", "space.nodes=2", "--set",
           "space.ops=none,skip_connect,sep_conv_3x3", "--data", bare, "--out", run)
    result = trained(both, made / "net.h5")
    check(result["test_loss"] > 0 and "valid_loss" not in result, result)
    with h5py.File(made / "net.h5") as file:
        check(file["weights"]["classifier.weight"].shape[0] == 5, "the classifier has not the classes of the data")
    figures = asked("evaluate", made / "net.h5", "--data", both)
    check(figures["samples"] == 10 and abs(figures["loss"] - result["test_loss"]) < 6e-5, figures)
    any_shape(made, both)
    held_out = trained(bare, made / "bare.h5", "--set", "data.train_portion=0.75")
    check("valid_top1" in held_out and "test_loss" not in held_out, held_out)
    with h5py.File(made / "bare.h5") as file:
        check(file["weights"]["classifier.weight"].shape[0] == 2, "the classifier has not the classes of the data")
    figures = asked("evaluate", made / "bare.h5", "--data", bare, "--split", "valid")
    check(figures["samples"] == 4, figures)


def large_images(made):
    """At 128 pixels the stem, the auxiliary head and the classifier are ImageNet's, for the classes of the data."""
    folder = made / "large"
    write_set(folder, ["a", "b", "c"], {"train": 2})
    answer("train", "--genotype", "DARTS_V2", *SMALL, "--set", "image_folder.size=224", "--set", "train.batch=6", "--set",
           "train.epochs=1", "--data", folder, "--out", made / "large.h5")
    with h5py.File(made / "large.h5") as file:
        check("stem0.0.weight" in file["weights"], "the network has not ImageNet's stem")
        shape = file["weights"]["auxiliary_head.classifier.weight"].shape
        check(shape == (3, 768), f"the auxiliary head's classifier has the shape {shape}")


def main():
    hostile_files()
    same_as_pillow()
    with tempfile.TemporaryDirectory() as made:
        program(pathlib.Path(made))
        large_images(pathlib.Path(made))


main()
