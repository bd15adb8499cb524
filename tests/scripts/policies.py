#!/usr/bin/env python3
"""AutoAugment: each operation at every magnitude against Pillow, the sub-policies as they are published, and a training with them."""
import os
import pathlib
import sys
import tempfile

import numpy
from PIL import Image, ImageEnhance, ImageOps

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from pixels import Stream, picture, probe
from program import answer, asked, check, differences, refusal

GREY = (128, 128, 128)


def moved(image, *matrix):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST, fillcolor=GREY)


def enhanced(kind):
    return lambda image, share, sign: kind(image).enhance(1 + sign * 0.9 * share)


# By name: what Pillow does at a share of the range, 0 to 1, in a direction.
OPERATIONS = {
    "shear_x": lambda image, share, sign: moved(image, 1, sign * 0.3 * share, 0, 0, 1, 0),
    "shear_y": lambda image, share, sign: moved(image, 1, 0, 0, sign * 0.3 * share, 1, 0),
    "translate_x": lambda image, share, sign: moved(image, 1, 0, sign * int(150 / 331 * image.width * share), 0, 1, 0),
    "translate_y": lambda image, share, sign: moved(image, 1, 0, 0, 0, 1, sign * int(150 / 331 * image.height * share)),
    "rotate": lambda image, share, sign: image.rotate(sign * 30 * share, Image.Resampling.NEAREST, fillcolor=GREY),
    "colour": enhanced(ImageEnhance.Color),
    "posterize": lambda image, share, sign: ImageOps.posterize(image, 8 - round(4 * share)),
    "solarize": lambda image, share, sign: ImageOps.solarize(image, 255 * (1 - share)),
    "contrast": enhanced(ImageEnhance.Contrast),
    "sharpness": enhanced(ImageEnhance.Sharpness),
    "brightness": enhanced(ImageEnhance.Brightness),
    "auto_contrast": lambda image, share, sign: ImageOps.autocontrast(image),
    "equalize": lambda image, share, sign: ImageOps.equalize(image),
    "invert": lambda image, share, sign: ImageOps.invert(image),
}
# Operation, probability in tenths, magnitude (- where it has none), as tables 7 and 9 of the paper list them.
POLICIES = {
    "autoaugment_cifar": """invert 1 - contrast 2 6; rotate 7 2 translate_x 3 9; sharpness 8 1 sharpness 9 3; shear_y 5 8 translate_y 7 9;
        auto_contrast 5 - equalize 9 -; shear_y 2 7 posterize 3 7; colour 4 3 brightness 6 7; sharpness 3 9 brightness 7 9;
        equalize 6 - equalize 5 -; contrast 6 7 sharpness 6 5; colour 7 7 translate_x 5 8; equalize 3 - auto_contrast 4 -;
        translate_y 4 3 sharpness 2 6; brightness 9 6 colour 2 8; solarize 5 2 invert 0 -; equalize 2 - auto_contrast 6 -;
        equalize 2 - equalize 6 -; colour 9 9 equalize 6 -; auto_contrast 8 - solarize 2 8; brightness 1 3 colour 7 0;
        solarize 4 5 auto_contrast 9 -; translate_y 9 9 translate_y 7 9; auto_contrast 9 - solarize 8 3; equalize 8 - invert 1 -;
        translate_y 7 9 auto_contrast 9 -""",
    "autoaugment_imagenet": """posterize 4 8 rotate 6 9; solarize 6 5 auto_contrast 6 -; equalize 8 - equalize 6 -; posterize 6 7 posterize 6 6;
        equalize 4 - solarize 2 4; equalize 4 - rotate 8 8; solarize 6 3 equalize 6 -; posterize 8 5 equalize 10 -;
        rotate 2 3 solarize 6 8; equalize 6 - posterize 4 6; rotate 8 8 colour 4 0; rotate 4 9 equalize 6 -; equalize 0 - equalize 8 -;
        invert 6 - equalize 10 -; colour 6 4 contrast 10 8; rotate 8 8 colour 10 2; colour 8 8 solarize 8 7; sharpness 4 7 invert 6 -;
        shear_x 6 5 equalize 10 -; colour 4 0 equalize 6 -; equalize 4 - solarize 2 4; solarize 6 5 auto_contrast 6 -;
        invert 6 - equalize 10 -; colour 6 4 contrast 10 8; equalize 8 - equalize 6 -""",
}


def levels(data, image):
    return numpy.frombuffer(data, numpy.uint8).reshape(-1, image.height, image.width, 3).astype(int)


def pictures():
    """Of many sizes: drawn ones, plain ones, ones of two levels and noise, on which look-up tables go to their ends."""
    draw = numpy.random.default_rng(4)
    shapes = [(32, 32), (1, 1), (2, 7), (3, 3), (17, 64), (224, 150)] + [tuple(draw.integers(1, 80, 2)) for _ in range(6)]
    images = [picture(*map(int, shape), seed) for seed, shape in enumerate(shapes)]
    images += [Image.new("RGB", (9, 5), (0, 255, 7)), Image.fromarray(draw.integers(0, 2, (40, 40, 3), dtype=numpy.uint8) * 200)]
    return images + [Image.fromarray(draw.integers(0, 256, (20, 26, 3), dtype=numpy.uint8)),
                     Image.fromarray(draw.integers(100, 104, (33, 31, 3), dtype=numpy.uint8))]


def same_operations():
    images, worst, differing = pictures(), 0, 0
    for name, apply in OPERATIONS.items():
        for image in images:
            found = levels(probe("operation", name, image.height, image.width, pixels=image.tobytes()), image)
            cases = [(magnitude, sign) for magnitude in range(10) for sign in (1, -1)]
            for (magnitude, sign), values in zip(cases, found, strict=True):
                off = abs(values - numpy.asarray(apply(image, magnitude / 9, sign)).astype(int))
                check(off.max() <= 1, f"{name} at {sign * magnitude} of {image.size} is {off.max()} levels off Pillow")
                worst, differing = max(worst, off.max()), differing + int((off > 0).sum())
    print(f"figure: {len(OPERATIONS)} operations at 10 magnitudes, both ways, on {len(images)} images: at most {worst} levels off Pillow, "
          f"{differing} bytes differ")


def steps_of(policy):
    for entry in POLICIES[policy].split(";"):
        words = entry.split()
        yield [(words[i], int(words[i + 1]) / 10, 0 if words[i + 2] == "-" else int(words[i + 2])) for i in (0, 3)]


def same_policies():
    """Each draw by its definition: a sub-policy, and for each of its operations whether it applies and in which direction."""
    count = 400
    for policy in POLICIES:
        table, worst, seen = list(steps_of(policy)), 0, set()
        check(len(table) == 25, "a policy has 25 sub-policies")
        for size in ((32, 32), (40, 23)):
            image = picture(*size, 9)
            found = levels(probe("policy", policy, image.height, image.width, 1000, count, pixels=image.tobytes()), image)
            for key, values in enumerate(found):
                draws, changed = Stream(1000 + key), image
                chosen = draws.below(25)
                seen.add(chosen)
                for name, probability, magnitude in table[chosen]:
                    applies, negative = draws.uniform() < probability, draws.next() >> 63
                    if applies:
                        changed = OPERATIONS[name](changed, magnitude / 9, -1 if negative else 1)
                off = abs(values - numpy.asarray(changed).astype(int)).max()
                check(off <= 1, f"{policy}: draw {key}, sub-policy {chosen}, is {off} levels off")
                worst = max(worst, off)
        check(len(seen) == 25, f"{policy}: sub-policies {sorted(set(range(25)) - seen)} were never drawn")
        print(f"figure: {policy}: {2 * count} draws at most {worst} levels off Pillow, all 25 sub-policies drawn")


def trainings(folder):
    """Any training takes a policy; it changes what is learned and nothing that is measured, and needs three channels."""
    small = ["train", "--genotype", "DARTS_V2", "--set", "data.name=synthetic", "--set", "synthetic.size=16", "--set", "synthetic.train=32",
             "--set", "synthetic.test=8", "--set", "space.channels=2", "--set", "space.layers=3", "--set", "train.auxiliary=0", "--set",
             "train.batch=16", "--set", "train.epochs=2", "--set", "threads=1", "--set", "data.cutout=4"]
    plain = asked(*small, "--out", folder / "plain.h5")
    for policy in POLICIES:
        out, again = folder / f"{policy}.h5", folder / f"{policy}-again.h5"
        found = asked(*small, "--set", f"data.policy={policy}", "--out", out)
        check(found["train_loss"] != plain["train_loss"], f"{policy} changes nothing")
        answer(*small, "--set", f"data.policy={policy}", "--out", again)
        check(differences(out, again) == [], f"{policy}: two runs of one seed differ")
    refusal(2, "data.policy: autoaugment_cifar is for images of 3 channels, and these have 1; set data.policy=none", *small, "--set",
            "synthetic.channels=1", "--set", "data.policy=autoaugment_cifar", "--out", folder / "x.h5")
    refusal(2, "data.policy: expected one of none, autoaugment_cifar, autoaugment_imagenet, found text 'auto'", *small, "--set",
            "data.policy=auto", "--dry-run")


def main():
    same_operations()
    same_policies()
    with tempfile.TemporaryDirectory() as made:
        trainings(pathlib.Path(made))


main()
