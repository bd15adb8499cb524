"""What tests that compare the host's images with Pillow share."""
import os
import pathlib
import subprocess

import numpy
from PIL import Image

from program import check

BUILD = pathlib.Path(os.environ["MIXOP_BUILD_DIR"])
PLUGIN = BUILD / "lib/mixop/plugins/mixop_datasets_imagenet.so"
MASK = (1 << 64) - 1


def probe(*arguments, pixels=b""):
    run = subprocess.run([BUILD / "bin/mixop_image_probe", *map(str, arguments)], input=pixels, capture_output=True, timeout=120)
    check(run.returncode == 0, f"{arguments}: {run.stderr.decode()}")
    return run.stdout


def picture(height, width, seed):
    """A smooth picture with noise and hard edges, so that rounding is met everywhere."""
    draw = numpy.random.default_rng(seed)
    small = Image.fromarray(draw.integers(0, 256, (5, 7, 3), dtype=numpy.uint8)).resize((width, height))
    values = numpy.asarray(small).astype(int) + draw.integers(-20, 21, (height, width, 3))
    values[height // 3:height // 2, :width // 2] = draw.integers(0, 256, 3)
    return Image.fromarray(values.clip(0, 255).astype(numpy.uint8))


# The SDK's random stream, as docs and headers define it.
def mix(x):
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & MASK
    x = (x ^ x >> 27) * 0x94d049bb133111eb & MASK
    return x ^ x >> 31


def key_of(*parts):
    key = 0x9e3779b97f4a7c15
    for part in parts:
        key = mix(key + mix(part + 0x9e3779b97f4a7c15 & MASK) & MASK)
    return key


class Stream:
    def __init__(self, key):
        self.key, self.count = key, 0

    def next(self):
        self.count += 1
        return mix(self.key + 0x9e3779b97f4a7c15 * self.count & MASK)

    def below(self, bound):
        while True:
            product = self.next() * bound
            if product & MASK >= bound or product & MASK >= (1 << 64) % bound:
                return product >> 64

    def uniform(self, low=0.0, high=1.0):
        return low + (high - low) * ((self.next() >> 11) * 2.0**-53)
