#!/usr/bin/env python3
"""docs/write-*.md, followed to the letter against the installed package (MIXOP_PACKAGE, else one of MIXOP_BUILD_DIR):
what each page promises is there, its sources are those of docs/gallery, and its common errors are what `mixop plugins
check` says. On CIFAR-10 where MIXOP_DATA has it, else on drawn images. Arguments pick some of them."""
import contextlib
import hashlib
import json
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
    command = ["cmake", "--install", os.environ["MIXOP_BUILD_DIR"], "--prefix", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
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
        run = subprocess.run(["bash", "-euo", "pipefail"], input="\n".join(blocks), capture_output=True, text=True,
                             cwd=self.folder, timeout=900,
                             env=os.environ | {"PATH": f"{PACKAGE / 'bin'}:{os.environ['PATH']}"})
        check(run.returncode == 0, f"{name}: a command of the page failed:\n{run.stdout[-6000:]}\n{run.stderr[-6000:]}")
        self.said = run.stdout + run.stderr
        took = time.monotonic() - began
        print(f"figure: docs/{name}.md: {len(blocks)} blocks of commands in {took:.0f} s", flush=True)

    def file(self, name):
        return self.folder / name

    def of_gallery(self, *projects):
        """The page writes what lies in the gallery, and its tests passed."""
        for project in projects:
            os.environ["MIXOP_PLUGIN_PATH"] = str(self.plugin(project).parent)
            for file in (GALLERY / project).iterdir():
                check((self.folder / f"acme.{project}" / file.name).read_bytes() == file.read_bytes(),
                      f"docs/{self.name}.md writes another {file.name} than docs/gallery/{project} has")
        passed = self.said.count("100% tests passed, 0 tests failed out of 2")
        check(passed == len(projects), f"{self.name}: not all tests passed:\n{self.said}")

    def plugin(self, project):
        return self.folder / f"acme.{project}" / PLUGINS / f"acme.{project}.so"

    def names_plugin(self, archive, project):
        """The archive says which file the plugin was."""
        line = f"acme.{project} 0.1.0 {hashlib.sha256(self.plugin(project).read_bytes()).hexdigest()}"
        plugins = asked("inspect", self.file(archive))["provenance"]["plugins"]
        check(line in plugins, f"{archive} lacks the plugin '{line}'")

    def drawn(self, picture, *names):
        text = self.file(picture).read_text()
        xml.dom.minidom.parseString(text)
        for name in names:
            check(name in text, f"{self.name}: {picture} shows no {name}")

    def trained(self, genotype):
        epochs = asked("inspect", self.file("net.h5"))["epochs"]
        check(len(epochs) == 1, f"{self.name}: the network was not trained for an epoch: {epochs}")
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
        command = ["cmake", "--build", build, "--target", f"acme.{project}"]
        built = subprocess.run(command, capture_output=True, text=True)
        path.write_text(sound)
        check(built.returncode == 0, f"{project} with '{new}' does not build: {built.stderr}")
        self.refused(project, words, *arguments)

    def refused(self, project, words, *arguments):
        run = mixop("plugins", "check", self.plugin(project), *arguments)
        said = run.stdout + run.stderr
        check(run.returncode == 4 and words in said,
              f"plugins check of {project} ends with {run.returncode} and lacks '{words}': {said}")


def alphas_of(archive, name):
    """The names of the operations, and the alphas, which have moved."""
    with h5py.File(archive) as file:
        operations = [operation.decode() for operation in file[f"operations/{name}"]]
        alphas = file[f"alphas/{name}"][()]
    moved = alphas.shape[-1] == len(operations) and not numpy.array_equal(alphas[0], alphas[-1])
    check(moved, f"{archive}: {name} of shape {alphas.shape} over {operations} have not moved")
    return operations, alphas


def operator():
    page = Page("write-an-operator")
    page.of_gallery("squeeze_excitation", "shift")
    name = "acme.squeeze_excitation"
    os.environ["MIXOP_PLUGIN_PATH"] = f"{page.plugin('shift').parent}:{page.plugin('squeeze_excitation').parent}"
    check(alphas_of(page.file(f"{name}/run.h5"), "alphas_normal")[0][3] == name, "the operator has no alphas")
    check(page.said.count(f'"{name}"') > 2, "h5dump and derive do not show the operator")
    page.folder /= name
    genotype = asked("derive", page.file("run.h5"))
    check(name in str(genotype), f"the genotype has no {name}: {genotype}")
    page.drawn("cells.svg", name)
    check(re.search(rf"_ops\.\d +{re.escape(name)} \d -> \d", page.said), "the summary has no line of the operator")
    page.trained(genotype)
    with h5py.File(page.file("net.h5")) as file:
        weights = list(file["weights"])
    check(any("op.squeeze.weight" in weight for weight in weights), "the network has no weights of the operator")
    page.folder = page.folder.parent
    for archive in (f"{name}/run.h5", f"{name}/net.h5", "both.h5"):
        page.names_plugin(archive, "squeeze_excitation")
    page.names_plugin("both.h5", "shift")
    operations = alphas_of(page.file("both.h5"), "alphas_reduce")[0]
    check(operations == ["none", "acme.shift", name], f"the search has other candidates: {operations}")

    def defect(words, old, new, file="squeeze_excitation.hpp"):
        page.says("squeeze_excitation", words, file, old, new)

    defect("expected an output of shape [2, 4, 8, 8], found [2, 4, 6, 6]", ", .padding = {1, 1}", "")
    defect("expected an output of shape [2, 4, 4, 4], found [2, 4, 8, 8]", ", .stride = {stride, stride}", "")
    defect("asked for 4 channels in and 6 out: ", ".out = out}).batch_norm(out,", ".out = in}).batch_norm(in,")
    defect("the state name 'op.squeeze.weight' is empty or stands twice", '"excite"', '"squeeze"')
    defect("component 'acme.squeeze_excitation' is of kind operator, which the note does not name (it has: space)",
           "KINDS operator", "KINDS space", "CMakeLists.txt")
    page.plugin("squeeze_excitation").chmod(0o666)
    page.refused("squeeze_excitation", "is writable by everybody")

    def defect_of_shift(words, old, new):
        page.says("shift", words, "shift.hpp", old, new)

    defect_of_shift("(finite differences in double), found 0.955865", "shifted(gradient[0], -1)",
                    "shifted(gradient[0], 1)")
    defect_of_shift("its cost counts 40 parameters; its state holds 24", "spec.in * spec.out + (",
                    "2 * spec.in * spec.out + (")
    for words in ("expected scalar type Double but found Float", "its result depends on parameters that its state lacks"):
        defect_of_shift(words, 'register_module("conv", conv);', "")


def dataset():
    page = Page("write-a-dataset")
    page.of_gallery("grey_binary")
    data = page.file("images")
    found = asked("inspect", page.file("run.h5"))
    check([found["data"][key] for key in ("channels", "height", "width", "classes")] == [1, 32, 32, 10], found["data"])
    check(found["config"]["acme.grey_binary"] == {"flip": False}, found["config"])
    grey = re.search(r"^stem +cifar +12x32x32 +132 ", page.said, re.MULTILINE)
    check(grey, "the summary is not that of images of one channel")
    check(found["provenance"]["dataset_digest"] in page.said, "the digest is shown")
    page.names_plugin("run.h5", "grey_binary")
    page.drawn("cells.svg", "sep_conv_3x3")
    page.drawn("confusion.svg")
    page.trained(asked("derive", page.file("run.h5")))
    check(asked("evaluate", page.file("net.h5"), "--data", data)["samples"] == 200, "the test split has other records")

    def defect(words, old, new):
        page.says("grey_binary", words, "grey_binary.hpp", old, new, "--data", data)

    defect("option 'flip' has the default 'yes', which its type forbids", '"flip", "true"', '"flip", "yes"')
    defect("option 'mirror' is read but was not declared", 'given.flag("flip")', 'given.flag("mirror")')
    defect("breaks its contract: channels must be 1 to 4, found 0", "info.channels = 1;", "")
    defect("breaks its contract: class_names holds no text at 0 of 10", "info.class_names = name_pointers_.data();", "")
    defect("breaks its contract: mean and deviation of channel 0 must be finite, the deviation above 0",
           "info.deviation[0] = 0.25f;", "")
    defect("has label 10, expected 0 to 9", "targets[i] = static_cast", "targets[i] = 1 + static_cast")
    defect("are others where several threads read; read() and decode() may be called from several",
           "    std::memcpy(values,",
           "    static int calls = 0;\n    targets[0] = calls++ % from.classes;\n    std::memcpy(values,")


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

    def defect(words, old, new, file="mobile_chain.hpp"):
        page.says("mobile_chain", words, file, old, new)

    defect("component 'acme.mobile_3_3' is of kind operator, which the note does not name (it has: space)",
           "KINDS operator space", "KINDS space", "CMakeLists.txt")
    defect("does not fit together: blocks.4.op is for 8 channels and reads 12x16x16",
           "strided({out, shape.height, shape.width},", "strided(shape,")
    defect("the space describes two blocks of the name 'blocks'", '"blocks." + std::to_string(layer)', '"blocks"')
    defect("unknown operator 'acme.mobile_3x3'; did you mean 'acme.mobile_3_3'?", '{"acme.mobile_3_3",',
           '{"acme.mobile_3x3",')
    defect("the edge 'op' from node 0 to node 1, whose alphas are in row 1 of 1 of alphas", "set.per_cell = true;", "")
    defect("the edge 'op' from node 0 to node 1, whose candidates are not those of alphas", "set.per_cell = true;",
           'set.per_cell = true;\n    set.topology.operations.push_back("skip_connect");')
    defect("no choice reads the alphas 'alphas' of cell 1, edge 0", ".cell = layer,", ".cell = 0,")
    defect("has no gradient in a pass where all operations take part: nothing that is classified reads it",
           "{std::move(cell), {layer}}", "{std::move(cell), {layer == 2 ? 1 : layer}}")


def strategy():
    page = Page("write-a-strategy")
    page.of_gallery("annealed")
    found = asked("inspect", page.file("run.h5"))
    check([row["relaxation"] for row in found["strategy_history"]] == ["acme.annealed"], found["strategy_history"])
    check(found["config"]["acme.annealed"] == {"start": 2.0, "end": 0.5}, found["config"])
    swapped = asked("inspect", page.file("swapped.h5"))["strategy_history"]
    check([row["relaxation"] for row in swapped] == ["softmax", "acme.annealed"], swapped)
    check(swapped[1]["hypergradient"] == "second_order", swapped)
    alphas_of(page.file("run.h5"), "alphas_normal")
    for archive in ("run.h5", "swapped.h5"):
        page.names_plugin(archive, "annealed")
    page.drawn("cells.svg", "sep_conv_3x3")
    page.trained(asked("derive", page.file("run.h5")))
    del os.environ["MIXOP_PLUGIN_PATH"]
    folder = ["--data", os.environ["MIXOP_DATA"]] if "on cifar10" in page.said else []
    check(asked("evaluate", page.file("net.h5"), *folder)["samples"] > 0, "the network needs the plugin no more")

    def defect(words, old, new, file="annealed.hpp"):
        page.says("annealed", words, file, old, new)

    defect("is something detached, rounded or computed without at:: functions?", "alphas /", "alphas.detach() /")
    defect("it reads the alphas' values in a pass that measures, for which a GPU would wait", "alphas /",
           "(alphas - alphas.max().item<double>()) /")
    head = "  double temperature(const mixop::SearchPosition& at) const {\n"
    defect("two calls with the same alphas, position and key give other weights", head,
           f"  mutable int calls_ = 0;\n{head}    if (calls_++ > 2) return 1;\n")
    defect("expected weights of the alphas' type Double, found Float", "alphas /", "alphas.to(at::kFloat) /")
    defect("component 'acme.annealed' has no part in the slot 'deriver', which cannot be empty",
           '    mixop::strategy_slot("deriver", "darts"),\n', "", "annealed.cpp")
    defect("unknown relaxation 'acme.anealed'; did you mean 'acme.annealed'?", '"relaxation", "acme.annealed"',
           '"relaxation", "acme.anealed"', "annealed.cpp")


def others():
    """Projects of the gallery that no page writes."""
    pages = "".join(page.read_text() for page in (SOURCE / "docs").glob("write-*.md"))
    written = set(re.findall(r"mixop plugins new \S+ acme\.(\w+)", pages))
    rest = sorted(folder.name for folder in GALLERY.iterdir() if folder.is_dir() and folder.name not in written)
    for name in rest:
        project, build = WORK / name, WORK / name / "build"
        shutil.copytree(GALLERY / name, project)
        for command in (["cmake", "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={PACKAGE}"],
                        ["cmake", "--build", build], ["ctest", "--test-dir", build, "--output-on-failure"]):
            run = subprocess.run(command, capture_output=True, text=True)
            check(run.returncode == 0, f"docs/gallery/{name}: {run.stdout[-3000:]}{run.stderr[-3000:]}")
        check("100% tests passed, 0 tests failed out of 2" in run.stdout, f"docs/gallery/{name}: {run.stdout}")
        sizes = ["--channels", 4, "--layers", 3, "--plugin-dir", project / PLUGINS]
        cell = [[f"acme.{name}", 0], [f"acme.{name}", 1]] * 4
        genotype = json.dumps({"normal": cell, "normal_concat": [5], "reduce": cell, "reduce_concat": [5]})
        counted = asked("summary", "--genotype", genotype, "--space", "darts_cnn", *sizes)
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
