#!/usr/bin/env python3
"""docs/write-*.md, followed to the letter against the installed package (MIXOP_PACKAGE, else one of MIXOP_BUILD_DIR): what each page
promises is there, its sources are those of docs/gallery, and its common errors are what `mixop plugins check` says. On CIFAR-10 where
MIXOP_DATA has it, else on drawn images."""
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.dom.minidom

import h5py
import numpy

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
GALLERY = SOURCE / "docs" / "gallery"
PLUGINS = "build/lib/mixop/plugins"


def installed(folder):
    if "MIXOP_PACKAGE" in os.environ:
        return pathlib.Path(os.environ["MIXOP_PACKAGE"]).resolve()
    subprocess.run(["cmake", "--install", os.environ["MIXOP_BUILD_DIR"], "--prefix", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


stack = contextlib.ExitStack()
WORK = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
PACKAGE = installed(WORK / "prefix")
os.environ["MIXOP"] = str(PACKAGE / "bin" / "mixop")
os.environ["XDG_STATE_HOME"] = str(WORK / "state")

sys.path.insert(0, str(SOURCE / "tests" / "support"))
from program import asked, check, mixop  # noqa: E402


class Page:
    """A page that has been followed in a folder of its own."""

    def __init__(self, name):
        self.name, self.folder = name, WORK / name
        self.text = (SOURCE / "docs" / f"{name}.md").read_text()
        self.folder.mkdir()
        blocks = re.findall(r"```bash\n(.*?)```", self.text, re.DOTALL)
        began = time.monotonic()
        run = subprocess.run(["bash", "-euo", "pipefail"], input="\n".join(blocks), capture_output=True, text=True, cwd=self.folder, timeout=900,
                             env={**os.environ, "PATH": f"{PACKAGE / 'bin'}:{os.environ['PATH']}"})
        check(run.returncode == 0, f"{name}: a command of the page failed:\n{run.stdout[-6000:]}\n{run.stderr[-6000:]}")
        self.said = run.stdout + run.stderr
        print(f"figure: docs/{name}.md: {len(blocks)} blocks of commands in {time.monotonic() - began:.0f} s", flush=True)

    def file(self, name):
        return self.folder / name

    def of_gallery(self, *projects):
        """The page writes what lies in the gallery, and its tests passed."""
        for project in projects:
            os.environ["MIXOP_PLUGIN_PATH"] = str(self.plugin(project).parent)
            for file in (GALLERY / project).iterdir():
                check((self.folder / f"acme.{project}" / file.name).read_bytes() == file.read_bytes(),
                      f"docs/{self.name}.md writes another {file.name} than docs/gallery/{project} has")
        check(self.said.count("100% tests passed, 0 tests failed out of 2") == len(projects), f"{self.name}: not all tests passed:\n{self.said}")

    def plugin(self, project):
        return self.folder / f"acme.{project}" / PLUGINS / f"acme.{project}.so"

    def names_plugin(self, archive, project):
        """The archive says which file the plugin was."""
        line = f"acme.{project} 0.1.0 {hashlib.sha256(self.plugin(project).read_bytes()).hexdigest()}"
        check(line in asked("inspect", self.file(archive))["provenance"]["plugins"], f"{archive} lacks the plugin '{line}'")

    def drawn(self, picture, *names):
        text = self.file(picture).read_text()
        xml.dom.minidom.parseString(text)
        for name in names:
            check(name in text, f"{self.name}: {picture} shows no {name}")

    def trained(self, genotype):
        check(len(asked("inspect", self.file("net.h5"))["epochs"]) == 1, f"{self.name}: the network was not trained for an epoch")
        check(asked("derive", self.file("net.h5")) == genotype, f"{self.name}: the network is not that of the search")
        check(re.search(r"^top-1 +\d+\.\d\d %$", self.said, re.MULTILINE), f"{self.name}: the network was not measured")

    def says(self, project, words, file, old, new, *arguments):
        """A defect in the project's sources gives the message that the page explains."""
        check(words in self.text, f"docs/{self.name}.md does not explain '{words}'")
        path = self.folder / f"acme.{project}" / file
        sound = path.read_text()
        check(sound.count(old) >= 1, f"{path.name} has no '{old}' to put a defect in")
        path.write_text(sound.replace(old, new, 1))
        build = path.parent / "build"
        built = subprocess.run(["cmake", "--build", build, "--target", f"acme.{project}"], capture_output=True, text=True)
        path.write_text(sound)
        check(built.returncode == 0, f"{project} with '{new}' does not build: {built.stderr}")
        self.refused(project, words, *arguments)

    def refused(self, project, words, *arguments):
        run = mixop("plugins", "check", self.plugin(project), *arguments)
        said = run.stdout + run.stderr
        check(run.returncode == 4 and words in said, f"plugins check of {project} ends with {run.returncode} and lacks '{words}': {said}")


def alphas_of(archive, name):
    """The names of the operations, and the alphas, which have moved."""
    with h5py.File(archive) as file:
        operations = [operation.decode() for operation in file[f"operations/{name}"]]
        alphas = file[f"alphas/{name}"][()]
    check(alphas.shape[-1] == len(operations) and not numpy.array_equal(alphas[0], alphas[-1]), f"{archive}: {name} of shape {alphas.shape}")
    return operations, alphas


def operator():
    page = Page("write-an-operator")
    page.of_gallery("squeeze_excitation", "shift")
    name = "acme.squeeze_excitation"
    os.environ["MIXOP_PLUGIN_PATH"] = f"{page.plugin('shift').parent}:{page.plugin('squeeze_excitation').parent}"
    check(alphas_of(page.file("acme.squeeze_excitation/run.h5"), "alphas_normal")[0][3] == name, "the operator has no alphas")
    check(page.said.count(f'"{name}"') > 2, "h5dump and derive do not show the operator")
    page.folder /= name
    genotype = asked("derive", page.file("run.h5"))
    check(name in str(genotype), f"the genotype has no {name}: {genotype}")
    page.drawn("cells.svg", name)
    check(re.search(rf"_ops\.\d +{re.escape(name)} \d -> \d", page.said), "the summary has no line of the operator")
    page.trained(genotype)
    with h5py.File(page.file("net.h5")) as file:
        check(any("op.squeeze.weight" in weight for weight in file["weights"]), "the network has no weights of the operator")
    page.folder = page.folder.parent
    for archive in (f"{name}/run.h5", f"{name}/net.h5", "both.h5"):
        page.names_plugin(archive, "squeeze_excitation")
    page.names_plugin("both.h5", "shift")
    check(alphas_of(page.file("both.h5"), "alphas_reduce")[0] == ["none", "acme.shift", name], "the search has other candidates")

    hpp = "squeeze_excitation.hpp"
    page.says("squeeze_excitation", "expected an output of shape [2, 4, 8, 8], found [2, 4, 6, 6]", hpp, ", .padding = {1, 1}", "")
    page.says("squeeze_excitation", "expected an output of shape [2, 4, 4, 4], found [2, 4, 8, 8]", hpp, ", .stride = {stride, stride}", "")
    page.says("squeeze_excitation", "asked for 4 channels in and 6 out: ", hpp, ".out = out}).batch_norm(out,", ".out = in}).batch_norm(in,")
    page.says("squeeze_excitation", "the state name 'op.squeeze.weight' is empty or stands twice", hpp, '"excite"', '"squeeze"')
    page.says("squeeze_excitation", "component 'acme.squeeze_excitation' is of kind operator, which the note does not name (it has: space)",
              "CMakeLists.txt", "KINDS operator", "KINDS space")
    page.plugin("squeeze_excitation").chmod(0o666)
    page.refused("squeeze_excitation", "is writable by everybody")
    page.says("shift", "entry 242 of the gradient of the input: expected 2.513791 (finite differences in double), found 0.955865", "shift.hpp",
              "shifted(gradient[0], -1)", "shifted(gradient[0], 1)")
    page.says("shift", "its cost counts 40 parameters; its state holds 24", "shift.hpp", "spec.in * spec.out + (", "2 * spec.in * spec.out + (")
    page.says("shift", "expected scalar type Double but found Float", "shift.hpp", 'register_module("conv", conv);', "")


def dataset():
    page = Page("write-a-dataset")
    page.of_gallery("grey_binary")
    data = page.file("images")
    found = asked("inspect", page.file("run.h5"))
    check([found["data"][key] for key in ("channels", "height", "width", "classes")] == [1, 32, 32, 10], found["data"])
    check(found["config"]["acme.grey_binary"] == {"flip": False}, found["config"])
    check(re.search(r"^stem +cifar +12x32x32 +132 ", page.said, re.MULTILINE), "the summary is not that of images of one channel")
    check(found["provenance"]["dataset_digest"] in page.said, "the digest is shown")
    page.names_plugin("run.h5", "grey_binary")
    page.drawn("cells.svg", "sep_conv_3x3")
    page.drawn("confusion.svg")
    page.trained(asked("derive", page.file("run.h5")))
    check(asked("evaluate", page.file("net.h5"), "--data", data)["samples"] == 200, "the test split has other records")

    for words, old, new in (
            ("option 'flip' has the default 'yes', which its type forbids", '"flip", "true"', '"flip", "yes"'),
            ("option 'mirror' is read but was not declared", 'given.flag("flip")', 'given.flag("mirror")'),
            ("breaks its contract: channels must be 1 to 4, found 0", "info.channels = 1;", ""),
            ("breaks its contract: class_names holds no text at 0 of 10", "info.class_names = name_pointers_.data();", ""),
            ("breaks its contract: mean and deviation of channel 0 must be finite, the deviation above 0", "info.deviation[0] = 0.25f;", ""),
            ("has label 10, expected 0 to 9", "targets[i] = static_cast", "targets[i] = 1 + static_cast"),
            ("are others where several threads read; read() and decode() may be called from several", "    std::memcpy(values,",
             "    static int calls = 0;\n    targets[0] = calls++ % from.classes;\n    std::memcpy(values,")):
        page.says("grey_binary", words, "grey_binary.hpp", old, new, "--data", data)


def space():
    page = Page("write-a-space")
    page.of_gallery("mobile_chain")
    names = [f"acme.mobile_{kernel}_{expansion}" for kernel in (3, 5) for expansion in (3, 6)]
    operations, alphas = alphas_of(page.file("run.h5"), "alphas")
    check(operations == names and alphas.shape == (2, 6, 1, 4), f"alphas of shape {alphas.shape} over {operations}")
    genotype = asked("derive", page.file("run.h5"))
    check([gene[0] in names for cell in genotype["genes"] for gene in cell] == [True] * 6, genotype)
    page.drawn("chain.svg", genotype["genes"][0][0][0])
    counted = asked("summary", "--genotype", page.file("run.h5"), "--space", "acme.mobile_chain")
    check([row["kind"] for row in counted["rows"]].count("mobile") == 6 and not counted["uncounted"], counted)
    for archive in ("run.h5", "net.h5"):
        page.names_plugin(archive, "mobile_chain")
    page.trained(genotype)

    hpp = "mobile_chain.hpp"
    page.says("mobile_chain", "component 'acme.mobile_3_3' is of kind operator, which the note does not name (it has: space)", "CMakeLists.txt",
              "KINDS operator space", "KINDS space")
    for words, old, new in (
            ("does not fit together: blocks.4.op is for 8 channels and reads 12x16x16", "strided({out, shape.height, shape.width},", "strided(shape,"),
            ("the space describes two blocks of the name 'blocks'", '"blocks." + std::to_string(layer)', '"blocks"'),
            ("unknown operator 'acme.mobile_3x3'; did you mean 'acme.mobile_3_3'?", '{"acme.mobile_3_3",', '{"acme.mobile_3x3",'),
            ("the edge 'op' from node 0 to node 1, whose alphas are in row 1 of 1 of alphas", "set.per_cell = true;", ""),
            ("the edge 'op' from node 0 to node 1, whose candidates are not those of alphas", "    set.per_cell = true;",
             '    set.per_cell = true;\n    set.topology.operations.push_back("skip_connect");'),
            ("has no gradient in a pass where all operations take part: nothing that is classified reads it", "{std::move(cell), {layer}}",
             "{std::move(cell), {layer == 2 ? 1 : layer}}")):
        page.says("mobile_chain", words, hpp, old, new)


def strategy():
    page = Page("write-a-strategy")
    page.of_gallery("annealed")
    found = asked("inspect", page.file("run.h5"))
    check([row["relaxation"] for row in found["strategy_history"]] == ["acme.annealed"], found["strategy_history"])
    check(found["config"]["acme.annealed"] == {"start": 2.0, "end": 0.5}, found["config"])
    swapped = asked("inspect", page.file("swapped.h5"))["strategy_history"]
    check([row["relaxation"] for row in swapped] == ["softmax", "acme.annealed"] and swapped[1]["hypergradient"] == "second_order", swapped)
    alphas_of(page.file("run.h5"), "alphas_normal")
    for archive in ("run.h5", "swapped.h5"):
        page.names_plugin(archive, "annealed")
    page.drawn("cells.svg", "sep_conv_3x3")
    page.trained(asked("derive", page.file("run.h5")))
    del os.environ["MIXOP_PLUGIN_PATH"]
    folder = ["--data", os.environ["MIXOP_DATA"]] if "on cifar10" in page.said else []
    check(asked("evaluate", page.file("net.h5"), *folder)["samples"] > 0, "the network needs the plugin no more")

    hpp, relax = "annealed.hpp", "at::softmax(alphas / temperature(how.position), -1)"
    for words, file, old, new in (
            ("is something detached, rounded or computed without at:: functions?", hpp, "softmax(alphas /", "softmax(alphas.detach() /"),
            ("it reads the alphas' values in a pass that measures, for which a GPU would wait", hpp, relax,
             relax.replace("alphas /", "(alphas - alphas.max().item<double>()) /")),
            ("two calls with the same alphas, position and key give other weights", hpp, "  double temperature(const mixop::SearchPosition& at) const {",
             "  mutable int calls_ = 0;\n  double temperature(const mixop::SearchPosition& at) const {\n    if (calls_++ > 2) return 1;"),
            ("expected weights of the alphas' type Double, found Float", hpp, "softmax(alphas /", "softmax(alphas.to(at::kFloat) /"),
            ("component 'acme.annealed' has no part in the slot 'deriver', which cannot be empty", "annealed.cpp",
             '    mixop::strategy_slot("deriver", "darts"),\n', "")):
        page.says("annealed", words, file, old, new)


def others():
    """Projects of the gallery that no page writes."""
    written = set(re.findall(r"mixop plugins new \S+ acme\.(\w+)", "".join(page.read_text() for page in (SOURCE / "docs").glob("write-*.md"))))
    rest = sorted(folder.name for folder in GALLERY.iterdir() if folder.is_dir() and folder.name not in written)
    for name in rest:
        project = WORK / name
        shutil.copytree(GALLERY / name, project)
        for command in (["cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={PACKAGE}"],
                        ["cmake", "--build", project / "build"], ["ctest", "--test-dir", project / "build", "--output-on-failure"]):
            run = subprocess.run(command, capture_output=True, text=True)
            check(run.returncode == 0, f"docs/gallery/{name}: {run.stdout[-3000:]}{run.stderr[-3000:]}")
        check("100% tests passed, 0 tests failed out of 2" in run.stdout, f"docs/gallery/{name}: {run.stdout}")
        sizes = ["--channels", 4, "--layers", 3, "--plugin-dir", project / PLUGINS]
        cell = [[f"acme.{name}", 0], [f"acme.{name}", 1]] * 4
        counted = asked("summary", "--genotype", str({"normal": cell, "normal_concat": [2, 3, 4, 5], "reduce": cell,
                                                      "reduce_concat": [2, 3, 4, 5]}).replace("'", '"'), "--space", "darts_cnn", *sizes)
        check(counted["uncounted"] == [] and counted["parameters"] > 0, f"docs/gallery/{name}: {counted}")
    print(f"figure: docs/gallery: {len(written)} projects that pages write, {len(rest)} more ({', '.join(rest)})")


def main():
    for tool in ("cmake", "h5dump"):
        check(shutil.which(tool), f"{tool} is not installed")
    pages = {"operator": operator, "dataset": dataset, "space": space, "strategy": strategy, "others": others}
    with stack:
        for name in sys.argv[1:] or pages:
            os.environ.pop("MIXOP_PLUGIN_PATH", None)
            pages[name]()


main()
