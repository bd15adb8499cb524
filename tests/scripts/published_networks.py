#!/usr/bin/env python3
"""The PyTorch networks of tests/support/published have the published names, shapes and sizes, and compute the stored numbers of the published programs."""
import collections
import json
import os
import pathlib
import sys

import h5py
import torch
from torch import nn

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
sys.path.insert(0, str(SOURCE / "tests" / "support"))
from program import answer, check
from published import ddarts, genotype_of, images, operations, recurrent, search

torch.set_num_threads(1)
IMAGES = ("d_eval_cifar_DARTS_V1", "d_eval_cifar_DARTS_V2_aux", "d_eval_cifar_NASNet", "d_eval_imagenet_DARTS_V2_aux")
CELLWISE = ("g_eval_baseline_ResNet18", "g_eval_ddarts_sparse_cifar10", "g_eval_ddarts_sparse_cifar10_derived14", "g_eval_resnet18_cifar10_sparse")
RECURRENT = ("e_rnn_eval_DARTS_V1", "e_rnn_eval_DARTS_V2", "e_rnn_eval_ENAS")
OUTPUT, GRADIENT = 1e-10, 1e-9


class Stored:
    """A file of stored numbers; its float64 results are held against what a network gives."""

    def __init__(self, name):
        given = pathlib.Path(os.environ.get("MIXOP_FIXTURES", "")) / f"{name}.h5"
        path = given if given.is_file() else SOURCE / "tests" / "fixtures" / f"{name}.h5"
        self.name, self.file, self.worst = name, h5py.File(path), {OUTPUT: 0.0, GRADIENT: 0.0}
        self.config = json.loads(self.file.attrs["config"])

    def __getitem__(self, name):
        array = torch.as_tensor(self.file[name][()])
        return array.double() if array.is_floating_point() else array

    def same(self, found, *names, tolerance=OUTPUT):
        for found, name in zip(found if isinstance(found, tuple) else (found,), names, strict=True):
            expected = self[f"{name}_f64" if f"{name}_f64" in self.file else name]
            check(found.shape == expected.shape, f"{self.name}: {name}: {list(found.shape)}, expected {list(expected.shape)}")
            apart, most = ((found - expected).abs().max().item(), expected.abs().max().item()) if expected.numel() else (0.0, 0.0)
            check(apart <= max(tolerance * most, 1e-13), f"{self.name}: {name}: {apart} apart of {most}")
            self.worst[tolerance] = max(self.worst[tolerance], apart / most if most > 1e-9 else 0.0)

    def gradients(self, network, group):
        """Of every parameter whose gradient the file has."""
        parameters = dict(network.named_parameters())
        names = {name.removesuffix("_f64") for name in self.file[group]} & set(parameters)
        for name in sorted(names):
            self.same(parameters[name].grad, f"{group}/{name}", tolerance=GRADIENT)
        return len(names)

    def statistics(self, network, group="state_after"):
        state = network.state_dict()
        for name in {name.removesuffix("_f64") for name in self.file[group]} & set(state):
            self.same(state[name], f"{group}/{name}")

    def load(self, network):
        """The stored state under strict=True, in the published order."""
        parameters, buffers = (json.loads(self.file[f"state_{kind}_names"][()]) for kind in ("parameter", "buffer"))
        for kind, found, expected in (("parameters", network.named_parameters(), parameters), ("buffers", network.named_buffers(), buffers)):
            found = [name for name, _ in found]
            check(found == expected, f"{self.name}: {kind}: {sorted(set(found) ^ set(expected))} or their order")
        counters = {name: torch.tensor(0) for name in buffers if name.endswith("num_batches_tracked")}
        network.double().load_state_dict({**counters, **{name: self[f"state/{name}"] for name in self.file["state"]}}, strict=True)
        return network

    def told(self):
        return f"{self.name} {self.worst[OUTPUT]:.1e}" + (f" (gradients {self.worst[GRADIENT]:.1e})" if self.worst[GRADIENT] else "")


def smooth_cross_entropy(smoothing):
    return lambda logits, target: nn.functional.cross_entropy(logits, target, label_smoothing=smoothing)


def discrete(stored, network):
    """Before, in and after one training pass: numbers of a network of images."""
    config = stored.config
    genotype = genotype_of(config.get("genotype_value") or {name: config[name] for name in ("genes", "seq", "concat", "reductions")})
    network = stored.load(network(config["C"], config["num_classes"], config["layers"], config["auxiliary"], genotype))
    loss = smooth_cross_entropy(0.1 if "LabelSmooth" in config.get("loss", "") else 0.0)
    logits, auxiliary = network.eval()(stored["input"])
    stored.same(logits, "logits_eval_initial")
    check(auxiliary is None, "an auxiliary output in evaluation")
    logits, auxiliary = network.train()(stored["input"])
    stored.same(logits, "logits")
    total = loss(logits, stored["target"])
    if config["auxiliary"]:
        stored.same(auxiliary, "logits_aux")
        total = total + config["auxiliary_weight"] * loss(auxiliary, stored["target"])
    stored.same(total, "loss")
    total.backward()
    check(stored.gradients(network, "grad") > 10, f"{stored.name}: gradients")
    if "state_after" in stored.file:
        stored.statistics(network)
        stored.same(network.eval()(stored["input"])[0], "logits_eval_after_one_train_forward")
    return stored.told()


def supernet():
    stored = Stored("b_supernet")
    config = stored.config
    network = stored.load(search.Network(config["C"], config["num_classes"], config["layers"], config["steps"], config["multiplier"]))
    alphas = [stored[f"alphas/{name}"].requires_grad_() for name in ("normal", "reduce")]
    logits = network.train()(stored["input"], *alphas)
    loss = nn.functional.cross_entropy(logits, stored["target"])
    loss.backward()
    stored.same((logits, loss), "logits", "loss")
    stored.same(tuple(table.grad for table in alphas), "grad_alpha/normal", "grad_alpha/reduce", tolerance=GRADIENT)
    check(stored.gradients(network, "grad") > 500, "gradients of the supernet")
    stored.statistics(network)
    stored.same(network.eval()(stored["input"], *alphas), "logits_eval_after_one_train_forward")
    return stored.told()


def cellwise_supernet():
    stored = Stored("g_ddarts_supernet")
    network = stored.load(search.CellwiseNetwork(stored.config["C"], stored.config["num_classes"], stored.config["layers"]))
    alphas = stored["alphas"].requires_grad_()
    logits = network.train()(stored["train_input"], alphas)
    loss = nn.functional.cross_entropy(logits, stored["train_target"])
    loss.backward()
    stored.same((logits, loss), "clean/train_logits", "clean/train_ce")
    check(stored.gradients(network, "clean/train_grad") > 50, "gradients of D-DARTS' supernet")
    stored.statistics(network, "clean/state_after_train_forward")
    alphas.grad = None
    logits = network(stored["valid_input"], alphas)
    nn.functional.cross_entropy(logits, stored["valid_target"]).backward()
    stored.same(logits, "clean/valid_logits")
    stored.same(alphas.grad, "clean/valid_ce_grad_alpha", tolerance=GRADIENT)
    return stored.told()


def baseline_supernet():
    stored = Stored("g_baseline_supernet_ResNet18")
    config = stored.config
    network = stored.load(search.CellwiseNetwork(config["C"], config["num_classes"], config["layers"], config["steps"], config["multiplier"],
                                                 operations.DARTOPTI, config["reductions"]))
    alphas = stored["alphas"].requires_grad_()
    logits = network.train()(stored["input"], alphas[config["seq"]])
    loss = nn.functional.cross_entropy(logits, stored["target"])
    loss.backward()
    stored.same((logits, loss), "logits", "loss")
    stored.same((alphas.grad, network.stem[0].weight.grad, network.classifier.weight.grad), "grad_alpha", "grad_stem.0.weight", "grad_classifier.weight",
                tolerance=GRADIENT)
    return stored.told()


def language_model(name):
    stored = Stored(name)
    network = stored.load(recurrent.RNNModel(stored.config["ntoken"], stored.config["emsize"], genotype_of(stored.config["genotype_value"])))
    stored.same(network.eval()(stored["input"], stored["hidden"])[:2], "eval_log_prob", "eval_hidden_out")
    likelihood, *states = network.train()(stored["input"], stored["hidden"])
    loss = nn.functional.nll_loss(likelihood.flatten(0, 1), stored["target"])
    loss.backward()
    stored.same((likelihood, *states, loss), "log_prob", "hidden_out", "raw_output", "loss")
    check(stored.gradients(network, "grad") > 5, f"{name}: gradients")
    return stored.told()


def language_supernet():
    stored = Stored("e_rnn_search")
    network = stored.load(recurrent.RNNModelSearch(stored.config["ntoken"], stored.config["emsize"], stored.config["STEPS"]))
    alphas = stored["alphas"].requires_grad_()
    likelihood, *states = network.train()(stored["input"], stored["hidden"], alphas)
    loss = nn.functional.nll_loss(likelihood.flatten(0, 1), stored["target"])
    loss.backward()
    stored.same((likelihood, *states, loss), "log_prob", "hidden_out", "raw_output", "loss_nll")
    stored.same(alphas.grad, "grads_nll/alphas", tolerance=GRADIENT)
    check(stored.gradients(network, "grads_nll") > 5, "gradients of the recurrent supernet")
    stored.statistics(network)
    stored.same(network.eval()(stored["input"], stored["hidden"], alphas)[:2], "eval_log_prob", "eval_hidden_out")
    return stored.told()


def sized(what, expected, build, *arguments):
    with torch.device("meta"):
        found = sum(parameter.numel() for parameter in build(*arguments).parameters())
    check(found == expected, f"{what}: {found} parameters, expected {expected}")


def discrete_sizes():
    """Published parameters of the genotypes that the program lists, at full size."""
    facts, cellwise = (json.loads((SOURCE / f"tests/fixtures/{name}.json").read_text()) for name in ("facts", "facts_ddarts"))
    builds = {"cifar": (images.NetworkCIFAR, ddarts.NetworkCIFAR), "imagenet": (images.NetworkImageNet, ddarts.NetworkImageNet)}
    for task, (darts, _) in builds.items():
        for name, fact in facts["cnn"][task].items():
            genotype = genotype_of(answer("derive", f"darts_cnn/{name}").stdout)
            for auxiliary, key in ((False, "params_no_aux"), (True, "params_with_aux")):
                sized(f"{task}, {name}", fact[key], darts, fact["C"], fact["num_classes"], fact["layers"], auxiliary, genotype)
    for name, fact in {**cellwise["shipped_genotypes"], **cellwise["baselines"]}.items():
        genotype = genotype_of(answer("derive", f"{'ddarts' if name.startswith('D-') else 'dartopti'}/{name}").stdout)
        run = fact["runs"][-1]
        build = builds[run["kind"].split("-")[0]][1]
        sized(f"{name}, {run['kind']}", run["params"], build, run["C"], run["num_classes"], run["layers"], False, genotype)


def supernet_sizes():
    facts = json.loads((SOURCE / "tests/fixtures/facts_ddarts.json").read_text())["supernets"]
    for name in ("D-DARTS_C16_L8", "ResNet50_C16"):
        fact = facts[name]
        edges, primitives = fact["alphas"][1:]
        nodes = next(nodes for nodes in range(9) if nodes * (nodes + 3) // 2 == edges)
        candidates = operations.DARTOPTI if primitives == 12 else operations.DDARTS
        sized(name, fact["params"], search.CellwiseNetwork, int(name.split("_C")[1].split("_")[0]), 10, fact["cells"], nodes, 4, candidates, fact["reductions"])
    for name, fact in json.loads((SOURCE / "tests/fixtures/facts.json").read_text())["rnn"]["search"].items():
        tokens, width = (int(word) for word in name.removeprefix("ntoken").split("_em"))
        sized(name, fact["params"], recurrent.RNNModelSearch, tokens, width)


def deeper_networks():
    """Which searched cells stand where."""
    for name, expected in json.loads((SOURCE / "tests/fixtures/ddarts_derivation_index.json").read_text()).items():
        layers, cells = map(int, name.split("_of_"))
        found = [ddarts.searched_cell(i, layers, cells) for i in range(layers)]
        check(found == expected, f"{name}: {found}")


def refusals():
    pair, triple = ["sep_conv_3x3", 0], ["sep_conv_3x3", 2, 0]
    whole = {"normal": [pair, pair], "normal_concat": [2], "reduce": [pair, pair], "reduce_concat": [2]}
    named = collections.namedtuple("Genotype", whole)(**whole)
    check(genotype_of(json.dumps(whole)) == genotype_of(whole) == genotype_of(named), "three ways to give a genotype")
    cells = {"genes": [[triple]], "concat": [2], "reductions": None}
    check(genotype_of({**cells, "seq": [0, 0]}).genes == genotype_of(cells).genes * 2, "a sequence of cells")
    for words, act in (
            ("its keys are cell", lambda: genotype_of({"cell": [triple]})),
            ("2 (operation, source) a node", lambda: genotype_of({**whole, "normal": [triple, triple]})),
            ("2 (operation, source) a node", lambda: genotype_of({**whole, "normal": [pair]})),
            ("which has not run by then", lambda: genotype_of({**whole, "normal": [pair, ["sep_conv_3x3", 2]]})),
            ("without cells", lambda: genotype_of({**cells, "genes": []})),
            ("operation 'other'", lambda: operations.operation("other", 2, 1, True)),
            ("nothing feeds node 2", lambda: ddarts.NetworkCIFAR(2, 10, 1, False, genotype_of({**cells, "genes": [[["skip_connect", 2, 3]]]}))),
            ("a deeper network needs at least 5", lambda: ddarts.NetworkCIFAR(2, 10, 2, False, genotype_of(cells)))):
        try:
            act()
        except ValueError as error:
            check(words in str(error), f"'{error}' lacks '{words}'")
            continue
        check(False, f"no error of '{words}'")


def main():
    refusals()
    deeper_networks()
    told = [discrete(Stored(name), images.NetworkImageNet if "imagenet" in name else images.NetworkCIFAR) for name in IMAGES]
    told += [discrete(Stored(name), ddarts.NetworkCIFAR) for name in CELLWISE]
    told += [supernet(), cellwise_supernet(), baseline_supernet(), *map(language_model, RECURRENT), language_supernet()]
    print("figure: largest relative difference in float64 of " + ", ".join(told))
    discrete_sizes()
    supernet_sizes()
    print("published_networks: all well")


if __name__ == "__main__":
    main()
