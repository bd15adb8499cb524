"""What tests of networks that travel share: images whose pixels are known, and files of tensors."""
import json
import random

import h5py
import numpy as np
import torch


def sets(*assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


def cifar(folder, records=12):
    """Random images in CIFAR-10's binary layout; the pixels [records, 3, 32, 32] and classes of the test split."""
    random_numbers = np.random.default_rng(5)
    (folder / "cifar-10-batches-bin").mkdir(parents=True)
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        rows = np.column_stack([random_numbers.integers(0, 10, records), random_numbers.integers(0, 256, (records, 3072))]).astype(np.uint8)
        (folder / "cifar-10-batches-bin" / f"{name}.bin").write_bytes(rows.tobytes())
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


def image_folder(folder, size=224, classes=2, records=2):
    """Random PPM images below train/ and val/; the pixels and classes of val/, in the data set's order."""
    random_numbers = np.random.default_rng(6)
    pixels, targets = [], []
    for split in ("train", "val"):
        for record in range(records):
            for number in range(classes):
                (folder / split / f"class{number}").mkdir(parents=True, exist_ok=True)
                picture = random_numbers.integers(0, 256, (size, size, 3)).astype(np.uint8)
                (folder / split / f"class{number}" / f"{record}.ppm").write_bytes(b"P6 %d %d 255\n" % (size, size) + picture.tobytes())
                if split == "val":
                    pixels.append(picture.transpose(2, 0, 1))
                    targets.append(number)
    return np.stack(pixels), np.array(targets)


def corpus(folder):
    """Random text in three files; the numbers of its words by split, and how many there are."""
    folder.mkdir()
    words = [f"w{i}" for i in range(30)]
    random.seed(3)
    for split, lines in (("train", 60), ("valid", 20), ("test", 15)):
        (folder / f"{split}.txt").write_text("".join(" ".join(random.choices(words, k=9)) + " \n" for _ in range(lines)))
    ids, streams = {}, {}
    for split in ("train", "valid", "test"):
        text = [word for line in (folder / f"{split}.txt").read_text().splitlines() for word in [*line.split(), "<eos>"]]
        streams[split] = torch.tensor([ids.setdefault(word, len(ids)) for word in text])
    return streams, len(ids)


def normalised(pixels, net):
    with h5py.File(net) as file:
        mean, deviation = (torch.tensor(file[f"data/{name}"][()], dtype=torch.float32).view(3, 1, 1) for name in ("mean", "deviation"))
    return ((torch.tensor(pixels, dtype=torch.float32) / 255 - mean) / deviation).double()


def safetensors(file):
    """The tensors of a file, after the format's own description."""
    content = file.read_bytes()
    length = int.from_bytes(content[:8], "little")
    types = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64}
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    body = bytearray(content[8 + length:])
    return {name: torch.frombuffer(body, dtype=types[entry["dtype"]], count=int(np.prod(entry["shape"], dtype=np.int64)),
                                   offset=entry["data_offsets"][0]).reshape(entry["shape"]) for name, entry in header.items()}


def largest(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())
