#!/usr/bin/env python3
"""What the host makes of JPEG files, against Pillow: resizing, crops, colours and the whole way from file to network."""
import io
import math
import os
import pathlib
import random
import sys
import tempfile

import numpy
from PIL import Image, ImageEnhance

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from pixels import PLUGIN, Stream, key_of, picture, probe
from program import check

MEAN, DEVIATION = numpy.float32([0.485, 0.456, 0.406]), numpy.float32([0.229, 0.224, 0.225])
FILTER = Image.Resampling.BILINEAR


def resized(image, size):
    """Along rows, then along columns, as every Pillow before 13 does; newer ones choose the order by the shapes."""
    return image.resize((size[0], image.height), FILTER).resize(size, FILTER)


# The published transforms (torchvision's), on Pillow images.
def random_box(height, width, draws):
    for _ in range(10):
        area = height * width * draws.uniform(0.08, 1.0)
        ratio = math.exp(draws.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return draws.below(height - h + 1), draws.below(width - w + 1), h, w
    w, h = width, height
    if width / height < 3 / 4:
        h = round(width / (3 / 4))
    elif width / height > 4 / 3:
        w = round(height * (4 / 3))
    return (height - h) // 2, (width - w) // 2, h, w


def central(image, resize, crop):
    width, height = image.size
    short, long = min(image.size), max(image.size)
    longer = int(resize * long / short)
    size = (resize, longer) if width <= height else (longer, resize)
    left, top = round((size[0] - crop) / 2), round((size[1] - crop) / 2)
    return size, (left, top, left + crop, top + crop)


def turned_hue(image, turn):
    hue, saturation, value = image.convert("HSV").split()
    shifted = (numpy.asarray(hue).astype(int) + int(turn * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(shifted.astype(numpy.uint8)), saturation, value)).convert("RGB")


COLOURS = {"brightness": lambda image, factor: ImageEnhance.Brightness(image).enhance(factor),
           "contrast": lambda image, factor: ImageEnhance.Contrast(image).enhance(factor),
           "saturation": lambda image, factor: ImageEnhance.Color(image).enhance(factor),
           "hue": turned_hue}


def jittered(image, draws):
    order = [0, 1, 2, 3]
    for i in (4, 3, 2):
        j = draws.below(i)
        order[i - 1], order[j] = order[j], order[i - 1]
    factors = [draws.uniform(0.6, 1.4), draws.uniform(0.6, 1.4), draws.uniform(0.6, 1.4), draws.uniform(-0.2, 0.2)]
    for which in order:
        image = list(COLOURS.values())[which](image, factors[which])
    return image


def training_image(image, record, size):
    draws = Stream(key_of(0x6175676d656e74, 7, record, record))
    crop, colour = Stream(draws.next()), Stream(draws.next())
    mirrored = draws.next() >> 63
    top, left, height, width = random_box(image.height, image.width, crop)
    image = resized(image.crop((left, top, left + width, top + height)), (size, size))
    image = jittered(image, colour)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else image


def same_resampling():
    shapes = [(375, 500, 224, 224), (500, 333, 384, 256), (40, 30, 224, 224), (1, 97, 224, 224), (97, 1, 64, 64), (1, 1, 8, 8),
              (2, 3, 5, 2), (1000, 700, 7, 9), (224, 224, 224, 224), (31, 224, 64, 224), (224, 31, 224, 64)]
    draw = random.Random(3)
    shapes += [(draw.randint(1, 300), draw.randint(1, 300), draw.randint(1, 260), draw.randint(1, 260)) for _ in range(60)]
    for i, (height, width, out_height, out_width) in enumerate(shapes):
        image = picture(height, width, i)
        whole = numpy.asarray(resized(image, (out_width, out_height)))
        at_once = numpy.asarray(image.resize((out_width, out_height), FILTER)).astype(int)
        check(abs(at_once - whole).max() <= 1, "the order of the passes matters more than it may")
        found = numpy.frombuffer(probe("resample", height, width, out_height, out_width, 0, 0, out_height, out_width,
                                       pixels=image.tobytes()), numpy.uint8)
        check((found.reshape(whole.shape) == whole).all(), f"resizing {height}x{width} to {out_height}x{out_width} differs")
        top, left = draw.randrange(out_height), draw.randrange(out_width)
        rows, columns = draw.randint(1, out_height - top), draw.randint(1, out_width - left)
        part = numpy.frombuffer(probe("resample", height, width, out_height, out_width, top, left, rows, columns,
                                      pixels=image.tobytes()), numpy.uint8).reshape(rows, columns, 3)
        check((part == whole[top:top + rows, left:left + columns]).all(), "a window differs from the whole")
    print(f"figure: {len(shapes)} resamplings, 0 bytes differ from Pillow")


def same_colours():
    levels = numpy.arange(0, 256, 5, dtype=numpy.uint8)  # 52 levels of each channel, in all combinations
    cube = numpy.stack(numpy.meshgrid(levels, levels, levels), -1).reshape(-1, 52, 3)
    images = [Image.fromarray(cube), picture(60, 80, 5), Image.new("RGB", (3, 3), (255, 0, 7))]
    worst = 0
    factors = {"hue": [-0.5, -0.2, -0.0039, 0.0, 0.1, 0.2, 0.5], "": [0.0, 0.3, 0.6, 0.999, 1.0, 1.1, 1.4, 2.5]}
    for what, change in COLOURS.items():
        for factor in factors.get(what, factors[""]):
            for image in images:
                expected = numpy.asarray(change(image, factor)).astype(int).reshape(-1)
                found = numpy.frombuffer(probe(what, factor, pixels=image.tobytes()), numpy.uint8)
                off = abs(found - expected).max()
                check(off <= 1, f"{what} by {factor} is {off} levels off")
                worst = max(worst, off)
    print(f"figure: colours at most {worst} levels off Pillow's")


def same_crops():
    for height, width in [(375, 500), (1, 400), (400, 1), (30, 29), (2, 2), (2000, 300)]:
        lines = probe("crops", height, width, 100, 200).decode().splitlines()
        for i, line in enumerate(lines):
            expected = random_box(height, width, Stream(100 + i))
            check(tuple(map(int, line.split())) == expected, f"crop {i} of {height}x{width} is {line}, expected {expected}")
    for height, width, resize, crop in [(375, 500, 256, 224), (500, 375, 256, 224), (333, 500, 256, 224), (300, 300, 256, 224),
                                        (1, 5000, 256, 224), (257, 256, 256, 255), (768, 1026, 73, 64)]:
        size, box = central(Image.new("L", (width, height)), resize, crop)
        found = probe("central", height, width, resize, crop).decode().split()
        check(found == [str(n) for n in (size[1], size[0], box[1], box[0])], f"central crop of {height}x{width}: {found}")


def write_set(folder):
    """A class an image, so that records are in the order of the names."""
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: rotated
    images = {"a_plain": (picture(375, 500, 1), {"quality": 95}), "b_grey": (picture(300, 280, 2).convert("L"), {}),
              "c_cmyk": (picture(290, 300, 3).convert("CMYK"), {"quality": 95}), "d_small": (picture(20, 33, 4), {}),
              "e_turned": (picture(240, 330, 5), {"exif": exif.tobytes()}), "f_row": (picture(1, 300, 6), {}),
              "g_column": (picture(300, 1, 7), {}), "h_progressive": (picture(500, 333, 8), {"progressive": True}),
              "i_full_colour": (picture(401, 299, 9), {"subsampling": 0}), "j_half_colour": (picture(301, 401, 10), {"subsampling": 1}),
              "k_pixel": (picture(1, 1, 11), {})}
    for name, (image, how) in images.items():
        for split in ("train", "val"):
            path = folder / split / name / "image.JPEG"
            path.parent.mkdir(parents=True)
            image.save(path, "JPEG", **how)


def odd_sampling(folder):
    """A grey file whose one component claims to be sampled twice a way: TurboJPEG cannot name that, and decodes it."""
    stream = io.BytesIO()
    picture(64, 64, 12).convert("L").save(stream, "JPEG")
    data = bytearray(stream.getvalue())
    at = data.index(b"\xff\xc0") + 11
    check(data[at] == 0x11, "the frame header lies elsewhere")
    data[at] = 0x22
    for split in ("train", "val"):
        path = folder / split / "l_sampling" / "image.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)


def write_sample(folder, given):
    """Real files in class folders, by links: CLASS_name.JPEG as they may lie in `given`, or train/CLASS and val/CLASS."""
    files = sorted(f for f in given.rglob("*") if f.suffix.lower() in (".jpeg", ".jpg"))
    check(files, f"MIXOP_DATA is set and {given} holds no JPEG files; unset it, or give a folder that holds imagenet-sample")
    for split in ("train", "val"):
        for file in files if files[0].parent == given else [f for f in files if f.parent.parent == given / split]:
            link = folder / split / file.name.split("_")[0] / file.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)


def same_pipeline(folder, what):
    size = 224
    for mode, split in (("evaluation", "val"), ("training", "train")):
        files = sorted(f for f in (folder / split).glob("*/*") if f.suffix.lower() in (".jpeg", ".jpg"))
        found = numpy.frombuffer(probe(mode, PLUGIN, folder, f"size={size}"), numpy.float32).reshape(-1, 3, size, size)
        check(len(found) == len(files), f"{len(found)} images, expected {len(files)}")
        worst, differing = 0, 0
        for record, (file, values) in enumerate(zip(files, found)):
            image = Image.open(file).convert("RGB")
            if mode == "training":
                expected = training_image(image, record, size)
            else:
                whole, box = central(image, 256, size)
                expected = resized(image, whole).crop(box)
            levels = numpy.rint((values.transpose(1, 2, 0) * DEVIATION + MEAN) * 255).astype(int)
            off = abs(levels - numpy.asarray(expected).astype(int))
            worst, differing = max(worst, off.max()), differing + int((off > 0).sum())
            normalised = (numpy.asarray(expected).astype(numpy.float32) / 255 - MEAN) / DEVIATION
            if not off.any():
                check(abs(normalised - values.transpose(1, 2, 0)).max() < 1e-6, f"{file} is normalised otherwise")
            check(off.max() <= 1, f"{mode}: {file} is {off.max()} grey levels off")
        print(f"figure: {what}, {mode}: {len(files)} files, at most {worst} grey levels off Pillow, {differing} bytes differ")


def main():
    same_resampling()
    same_colours()
    same_crops()
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        write_set(folder)
        odd_sampling(folder)
        same_pipeline(folder, "made files")
    if os.environ.get("MIXOP_DATA"):
        with tempfile.TemporaryDirectory() as made:
            folder = pathlib.Path(made)
            write_sample(folder, pathlib.Path(os.environ["MIXOP_DATA"]).resolve() / "imagenet-sample")
            same_pipeline(folder, "imagenet-sample")


main()
