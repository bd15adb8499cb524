#!/usr/bin/env python3
"""Weights travel: what mixop exports loads with strict=True into PyTorch modules of the published names (tests/support/published) and gives the
same logits, and what they save gives the same logits in mixop: DARTS on CIFAR and ImageNet, D-DARTS, supernets, recurrent networks. A training
goes on from an imported checkpoint."""
import hashlib
import os
import pathlib
import sys
import tempfile

import h5py
import numpy as np
import torch
from torch import nn

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests/support"))
sys.path.insert(0, str(SOURCE / "sdk/python"))
import mixop as reader
from exchange import cifar, corpus, image_folder, largest, normalised, safetensors, sets
from program import answer, asked, check, differences, refusal
from published import ddarts, genotype_of, images, recurrent, search

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
FORMATS = ("pt", "safetensors")
TOLERANCE = 1e-10


def exported(archive, folder):
    """The state dictionary of either format, which must be one."""
    states = []
    for ending in FORMATS:
        file = folder / f"out.{ending}"
        answer("export", archive, "-o", file)
        states.append(torch.load(file) if ending == "pt" else safetensors(file))
    check(states[0].keys() == states[1].keys() and all(torch.equal(states[0][name], states[1][name]) for name in states[0]), "two formats")
    check(all(torch.equal(tensor, states[0][name]) for name, tensor in reader.open(archive).state_dict().items()), "the reader's state_dict()")
    return states[0]


def made_up(network):
    """The network with weights and running statistics of no particular kind."""
    torch.manual_seed(7)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif name.endswith("running_mean"):
            tensor.normal_(0, 0.3)
    return network.eval()


class Case:
    """A kind of network of images: how mixop trains it, and its published module."""

    def __init__(self, name, genotype, module, words, data):
        self.name, self.genotype, self.module, self.words, (self.folder, self.pixels, self.targets) = name, genotype, module, words, data

    def logits(self, folder, *source):
        file = folder / "logits.safetensors"
        said = asked("evaluate", *source, "--logits", file)
        found = safetensors(file)
        check(found["targets"].tolist() == list(self.targets), f"{self.name}: targets {found['targets'].tolist()}")
        loss = nn.functional.cross_entropy(found["logits"], found["targets"]).item()
        check(abs(loss - said["loss"]) <= 1e-4, f"{self.name}: the loss of the logits")  # as it is printed
        return found["logits"]

    def run(self, folder):
        net = folder / f"{self.name}.h5"
        network_of = ["--genotype", self.genotype, *self.words, "--data", self.folder]
        answer("train", *network_of, *sets("train.epochs=1", "train.batch=4", "data.augment=false"), "--out", net)
        images = normalised(self.pixels, net)
        module = self.module(genotype_of(asked("derive", net)))
        module.load_state_dict(exported(net, folder), strict=True)
        ours, theirs = self.logits(folder, net), module.eval()(images)[0].detach()
        there = largest(ours, theirs)
        saved = folder / f"{self.name}.pt"
        torch.save(made_up(module).state_dict(), saved)
        theirs = module(images)[0].detach()
        back = largest(self.logits(folder, saved, *network_of), theirs)
        imported = folder / "imported.h5"
        answer("import", saved, *network_of, *sets("train.epochs=2", "train.batch=4"), "-o", imported, "--overwrite")
        stored = largest(self.logits(folder, imported), theirs)
        check(max(there, back, stored) <= TOLERANCE, f"{self.name}: logits differ by {there}, {back}, {stored}")
        print(f"{self.name}: logits of our export {there:.1e}, of theirs {back:.1e}, of its import {stored:.1e}")
        return saved, network_of


def goes_on(folder, saved, network_of):
    """A training resumed from an imported checkpoint is the one that begins with its weights, to the same bits."""
    imported, begun = folder / "goes-on.h5", folder / "begun.h5"
    words = [*network_of, *sets("train.epochs=2", "train.batch=4")]
    answer("import", saved, *words, "-o", imported)
    check(asked("inspect", imported)["epochs"] == [], "an import has trained")
    answer("train", "--resume", "--out", imported)
    with h5py.File(imported) as archive:
        origin = archive["provenance/weights"][0].decode()
    check(origin == f"{hashlib.sha256(saved.read_bytes()).hexdigest()}  {saved}", origin)
    answer("train", *words, "--weights", saved, "--out", begun)
    check(differences(imported, begun) == [], f"other bits after an import: {differences(imported, begun)}")
    drawn = folder / "drawn.h5"
    answer("train", *words, "--out", drawn)
    check(differences(drawn, begun) != [], "--weights changes nothing")
    refusal(2, "--weights begins a new run", "train", "--resume", "--weights", saved, "--out", imported)


def supernet(folder, data):
    """The supernet of a search: its validation loss, and a search that begins with weights of the published module."""
    run, words = folder / "run.h5", ["search", "darts-cifar10-first-order", "--data", data[0], *sets(
        "threads=1", "precision=float64", "space.channels=4", "space.layers=3", "search.batch=6", "search.epochs=1", "data.augment=false")]
    answer(*words, "--out", run)
    module = search.Network(4, 10, 3)
    module.load_state_dict(exported(run, folder), strict=True)
    opened = reader.open(run)
    alphas = [torch.tensor(opened.alphas[f"alphas_{cell}"][-1]) for cell in ("normal", "reduce")]
    loss = nn.functional.cross_entropy(module.eval()(normalised(data[3], run), *alphas), torch.tensor(data[4], dtype=torch.int64)).item()
    difference = abs(loss - opened.metrics["valid_loss"][-1]) / loss
    check(difference <= TOLERANCE, f"supernet: the validation loss differs by {difference}")
    saved, again = folder / "supernet.pt", folder / "again.h5"
    torch.save({"epoch": 3, "state_dict": nn.DataParallel(made_up(module)).state_dict()}, saved)
    answer(*words, "--weights", saved, *sets("weights.lr=1e-300", "weights.lr_min=0"), "--out", again)
    state = reader.open(again).state_dict()
    check(all(torch.equal(state[name], parameter) for name, parameter in module.named_parameters()), "a search begins with other weights")
    print(f"supernet: validation loss {difference:.1e}; {len(state)} tensors there and back")


def log_likelihood(module, tokens, *alphas):
    outputs = module.eval()(tokens[:-1, None], torch.zeros(1, 1, 14), *alphas)[0]
    return nn.functional.nll_loss(outputs.view(-1, outputs.shape[-1]), tokens[1:]).item()


def language(folder):
    """A recurrent network and its search: losses, with a decoder that is the embedding."""
    data = folder / "corpus"
    streams, vocabulary = corpus(data)
    words = ["--data", data, *sets("data.name=corpus", "precision=float64", "threads=1", "space.width=14", "data.bptt=7")]
    net = folder / "text.h5"
    network_of = ["darts-ptb-train", "--genotype", "DARTS_V2", *words]
    answer("train", *network_of, *sets("train.epochs=1", "train.batch=5"), "--out", net)
    module = recurrent.RNNModel(vocabulary, 14, genotype_of(asked("derive", net)))
    state = exported(net, folder)
    check(torch.equal(state["decoder.weight"], state["encoder.weight"]), "the decoder is the embedding")
    module.load_state_dict(state, strict=True)
    there = asked("evaluate", net)["loss"] / log_likelihood(module, streams["test"]) - 1
    saved = folder / "text.pt"
    torch.save(made_up(module).state_dict(), saved)
    back = asked("evaluate", saved, *network_of)["loss"] / log_likelihood(module, streams["test"]) - 1
    check(max(abs(there), abs(back)) <= TOLERANCE, f"recurrent: losses differ by {there}, {back}")
    run = folder / "text-run.h5"
    answer("search", "darts-ptb-search", *words, *sets("search.epochs=1", "search.batch=5", "space.nodes=8"), "--out", run)
    searched = recurrent.RNNModelSearch(vocabulary, 14)
    searched.load_state_dict(exported(run, folder), strict=True)
    print(f"recurrent: loss of our export {abs(there):.1e}, of theirs {abs(back):.1e}")


def refusals(folder, case):
    """Weights of another network are told apart by name."""
    other = folder / "other.pt"
    module = case.module(genotype_of(asked("derive", case.genotype)))
    state = module.state_dict()
    words = ["--genotype", case.genotype, *case.words, "--data", case.folder]
    torch.save({**state, "more": torch.zeros(2)}, other)
    refusal(3, "1 are not the network's: more", "evaluate", other, *words)
    torch.save({name: tensor for name, tensor in state.items() if name != "classifier.bias"}, other)
    refusal(3, "1 of the network's are not in it: classifier.bias", "evaluate", other, *words)
    torch.save({**state, "classifier.bias": torch.zeros(7)}, other)
    refusal(3, "1 have another shape or kind: classifier.bias ([7] of reals instead of [10] of reals)", "evaluate", other, *words)
    torch.save({**state, "classifier.bias": torch.full((10,), float("nan"))}, other)
    refusal(3, "tensor 'classifier.bias': has numbers that are not finite as Double", "evaluate", other, *words)
    torch.save({**state, "stem.1.running_var": -torch.ones(6 * 3)}, other)
    refusal(3, "tensor 'stem.1.running_var': expected variances, found numbers below 0", "evaluate", other, *words)
    refusal(3, "stem.1.running_var", "train", *words, "--weights", other, "--out", folder / "none.h5", "--dry-run")
    refusal(2, "holds weights alone; --genotype says of which network", "evaluate", other)
    archive = folder / f"{case.name}.h5"
    refusal(3, "is an archive of mixop, not a file of weights", "import", archive, *words, "-o", folder / "none.h5")
    refusal(2, "is an archive of mixop, which an export does not replace", "export", archive, "--format", "pt", "-o", archive)
    refusal(2, "ends in none of .pt, .pth, .safetensors and .onnx", "export", archive, "-o", folder / "net")
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    torch.save({f"module.{name}": tensor for name, tensor in half.items()}, other, _use_new_zipfile_serialization=False)
    module.load_state_dict(half, strict=False)
    ours, theirs = case.logits(folder, other, *words), module.eval()(normalised(case.pixels, folder / f"{case.name}.h5"))[0].detach()
    torch.save({"state_dict": {f"model._orig_mod.{name}": tensor for name, tensor in half.items()}, "epoch": 3}, other)
    check(largest(case.logits(folder, other, *words), theirs) <= TOLERANCE, "a checkpoint of Lightning")
    check(largest(ours, theirs) <= TOLERANCE, "half precision without num_batches_tracked, of DataParallel, in the legacy form")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pixels, targets = cifar(folder / "cifar")
        small = (folder / "cifar", pixels, targets)
        large = (folder / "folder", *image_folder(folder / "folder"))
        common = sets("threads=1", "precision=float64", "data.cutout=0")
        cases = [
            Case("cifar", "darts_cnn/DARTS_V2", lambda genotype: images.NetworkCIFAR(6, 10, 5, True, genotype),
                 [*common, *sets("space.channels=6", "space.layers=5")], small),
            Case("imagenet", "darts_cnn/DARTS_V1", lambda genotype: images.NetworkImageNet(4, 2, 4, True, genotype),
                 [*common, *sets("data.name=image_folder", "image_folder.size=224", "image_folder.resize=224", "space.stem=imagenet", "space.channels=4", "space.layers=4")], large),
            Case("ddarts", "ddarts/D-DARTS_threshold_sparse_cifar10_0.85_50", lambda genotype: ddarts.NetworkCIFAR(4, 10, len(genotype.genes), True, genotype),
                 ["ddarts-cifar10-train", *common, *sets("space.channels=4")], small),
        ]
        first, *_ = [case.run(folder) for case in cases]
        goes_on(folder, *first)
        refusals(folder, cases[0])
        rows = [np.frombuffer((folder / "cifar/cifar-10-batches-bin" / f"data_batch_{i}.bin").read_bytes(), np.uint8).reshape(-1, 3073) for i in range(1, 6)]
        valid = np.concatenate(rows)[30:]
        supernet(folder, (*small, valid[:, 1:].reshape(-1, 3, 32, 32), valid[:, 0]))
        language(folder)


if __name__ == "__main__":
    main()
