#!/usr/bin/env python3
"""Bad input gives the right exit code and one clear message, and leaves nothing half-written."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

MIXOP = os.environ["MIXOP"]
TINY = ["--set", "synthetic.size=8", "--set", "synthetic.train=32", "--set", "synthetic.test=8", "--set", "space.channels=2",
        "--set", "space.layers=3", "--set", "search.batch=8", "--set", "search.epochs=1", "--set", "threads=1", "--set",
        "data.train_limit=0"]
failures = []


def mixop(*arguments, **environment):
    return subprocess.run([MIXOP, *map(str, arguments)], capture_output=True, text=True, errors="replace", timeout=120,
                          env={**os.environ, "MIXOP_DATA": "", **environment})


def expect(status, words, *arguments, **environment):
    """The command exits with `status` and says all `words` in its error message."""
    run = mixop(*arguments, **environment)
    problem = None
    if run.returncode != status:
        problem = f"exit code {run.returncode} instead of {status}"
    elif status and run.stderr.count("mixop: error:") != 1:
        problem = "not one error message"
    else:
        missing = [word for word in words if word not in run.stderr]
        problem = f"the message lacks {missing}" if missing else None
    if "Exception raised from" in run.stderr or "frame #" in run.stderr:
        problem = "a stack trace"
    if problem:
        failures.append(f"mixop {' '.join(map(str, arguments))}: {problem}\n{run.stderr}")
    return run


def cifar_file(path, label=3, size=3073):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((bytes([label]) + bytes(3072) * 1)[:size])


def cifar_folder(root):
    for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
        cifar_file(root / "cifar-10-batches-bin" / f"{name}.bin")
    return root


def configs(folder):
    expect(2, ["unknown key", "space.chanels", "space.channels"], "search", "quick", "--set", "space.chanels=4", "--dry-run")
    expect(2, ["space.channels", "whole number", "four"], "search", "quick", "--set", "space.channels=four", "--dry-run")
    expect(2, ["device", "cuda:N", "cuda:007"], "search", "quick", "--set", "device=cuda:007", "--dry-run")
    # Python hands a lone surrogate on as the byte 0xff.
    for given in (("--data", "/x\udcff"), ("--set", "data.dir=/x\udcff")):
        expect(2, ["data.dir", "UTF-8", "offset 2"], "search", "quick", *given, *TINY, "--out", folder / "a.h5")
    for command in (["search"], ["search", "--strategy", "second_order"], ["select"]):
        expect(2, ["a preset or a config file is expected", "\n  quick ", "\n  darts-cifar10-first-order "], *command)
    expect(2, ["darts-cifar10", "quick", "darts-cifer10"], "search", "darts-cifer10", "--dry-run")
    (folder / "lr=1").mkdir()
    (folder / "lr=1" / "own.json").write_text('{"preset": "quik"}')
    expect(2, ["lr=1/own.json", "quik"], "search", folder / "lr=1/own.json", "--dry-run")
    expect(2, ["a.conv", "--plugin-dir"], "search", "quick", "--set", "space.ops=+a.conv", *TINY, "--out", folder / "a.h5")
    expect(2, ["first_ordr", "first_order"], "search", "quick", "--strategy", "first_ordr", *TINY, "--out", folder / "a.h5")
    expect(2, ["sep_conv_3x4", "sep_conv_3x3"], "search", "quick", "--set", "space.ops=+sep_conv_3x4", *TINY, "--out",
           folder / "a.h5")
    expect(2, ["darts_cn", "darts_cnn"], "search", "quick", "--set", "space.name=darts_cn", *TINY, "--out", folder / "a.h5")
    expect(2, ["synthetc", "synthetic"], "search", "quick", "--set", "data.name=synthetc", *TINY, "--out", folder / "a.h5")
    expect(2, ["softmx", "softmax"], "search", "quick", "--set", "strategy.relaxation=softmx", *TINY, "--out", folder / "a.h5")
    file = folder / "bad.json"
    file.write_text('{\n  "search": {\n    "epochs": "many"\n  }\n}\n')
    expect(2, [f"{file}:3", "epochs", "whole number"], "search", file, "--dry-run")
    file.write_text('{"search": {"epochs": 3,}}')
    expect(2, [str(file)], "search", file, "--dry-run")
    expect(2, ["no-such.json"], "search", folder / "no-such.json", "--dry-run")


def outputs(folder):
    existing = folder / "run.h5"
    existing.write_text("mine")
    expect(2, [str(existing), "--resume", "--overwrite"], "search", "quick", *TINY, "--out", existing)
    expect(3, [str(existing)], "search", "quick", *TINY, "--out", existing, "--resume")
    if existing.read_text() != "mine":
        failures.append("an existing output was changed")
    expect(2, ["does not exist", "nothing to go on with"], "search", "quick", *TINY, "--out", folder / "new.h5", "--resume")
    expect(2, ["folder", "does not exist"], "search", "quick", *TINY, "--out", folder / "no" / "such" / "run.h5")
    expect(2, ["it is a folder"], "search", "quick", *TINY, "--out", folder, "--overwrite")
    expect(2, ["cannot be written"], "draw", "darts_cnn/DARTS_V2", "-o", folder / "no" / "cell.svg")
    expect(2, [".svg, .png"], "draw", "darts_cnn/DARTS_V2", "-o", folder / "cell.gif")
    (folder / "cell.svg").mkdir()
    expect(2, ["cell.svg", "it is a folder"], "draw", "darts_cnn/DARTS_V2", "-o", folder / "cell.svg")


def data(folder):
    search = ["search", "quick", *TINY[6:], "--set", "data.name=cifar10", "--out", folder / "c.h5", "--data"]
    expect(3, [str(folder / "nowhere"), "cifar-10-batches-bin"], *search, folder / "nowhere")
    for config, told in ((["--data", folder / "nowhere"], "nowhere"), ([], "no data folder is given")):
        dry = expect(0, [], "search", "darts-cifar10", *config, "--dry-run")
        if "cannot be predicted without the data" not in dry.stderr or told not in dry.stderr:
            failures.append(f"--dry-run without data: {dry.stderr}")
    for name in ("synthetic", "imagenet"):
        expect(2, ["size", "-5"], "search", "quick", "--set", f"data.name={name}", "--set", f"{name}.size=-5", "--dry-run")
    root = cifar_folder(folder / "short")
    cifar_file(root / "cifar-10-batches-bin" / "data_batch_2.bin", size=3000)
    expect(3, ["data_batch_2.bin", "3000", "3073"], *search, root)
    root = cifar_folder(folder / "label")
    cifar_file(root / "cifar-10-batches-bin" / "data_batch_3.bin", label=10)
    expect(3, ["data_batch_3.bin", "label", "10"], *search, root)
    root = cifar_folder(folder / "missing")
    (root / "cifar-10-batches-bin" / "data_batch_4.bin").unlink()
    expect(3, ["data_batch_4.bin"], *search, root)
    batch = folder / "pickled" / "cifar-10-batches-py"
    batch.mkdir(parents=True)
    for name in ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"):
        (batch / name).write_bytes(b"\x80\x02cos\nsystem\n(U\x04trueq\x01tR.")
    expect(3, ["data_batch_1", "os system"], *search, folder / "pickled")


def other_commands(folder):
    expect(2, ["unknown command 'serch'", "search"], "serch")
    expect(2, ["unknown option '--genotyp'", "--genotype"], "summary", "--genotyp", "DARTS_V2")
    expect(2, ["DARTS_V3", "DARTS_V2"], "summary", "--genotype", "DARTS_V3")
    expect(2, ["unknown space 'darts_cn'", "darts_cnn"], "draw", "DARTS_V2", "--space", "darts_cn")
    expect(2, ["unknown space 'darts_cn'"], "draw", folder / "none.json", "--space", "darts_cn")
    expect(2, ["--space or space.name says 'other'", "of the space 'darts_cnn'", "leave that out"], "draw", "darts_cnn/DARTS_V2",
           "--space", "other")
    expect(2, ["unknown genotype 'other/DARTS_V2'", "Known: ", "darts_cnn/DARTS_V2"], "draw", "other/DARTS_V2")
    expect(2, ["--ops belongs to --genotype supernet"], "summary", "--genotype", "DARTS_V2", "--ops", "foo")
    expect(2, ["--nodes belongs to --genotype supernet"], "summary", "--genotype", "DARTS_V2", "--nodes", "7")
    expect(2, ["--space belongs to --alphas"], "derive", folder / "run.h5", "--space", "darts_cnn")
    expect(2, ["--ops belongs to --alphas"], "derive", folder / "run.h5", "--ops", "a,b")
    expect(2, ["--input", "3x32x32", "32"], "summary", "--genotype", "darts_cnn/DARTS_V2", "--input", "32")
    expect(2, ["--depth: expected a number from 1 to 3, found 4"], "summary", "--genotype", "darts_cnn/DARTS_V2", "--depth", "4")
    expect(2, ["--batch: expected a number from 1 to 1000000, found 0"], "summary", "--genotype", "supernet", "--batch", "0")
    expect(2, ["--order says whose memory --batch N predicts"], "summary", "--genotype", "supernet", "--order", "1")
    expect(2, ["--order belongs to --genotype supernet"], "summary", "--genotype", "darts_cnn/DARTS_V2", "--order", "1", "--batch", "2")
    expect(2, ["--layers", "from 1", "found 0"], "summary", "--genotype", "darts_cnn/DARTS_V2", "--layers", "0")
    expect(2, ["either a run's archive, a genotype or --alphas"], "derive")
    expect(2, ["--space"], "derive", "--alphas", folder / "alphas.json")
    (folder / "alphas.json").write_text(json.dumps({"alphas_normal": [[0.0] * 8] * 14}))
    expect(3, ["alphas_reduce"], "derive", "--space", "darts_cnn", "--alphas", folder / "alphas.json")
    (folder / "alphas.json").write_text(json.dumps({"alphas_normal": [[0.0] * 7] * 14, "alphas_reduce": [[0.0] * 7] * 14}))
    expect(3, ["14x7", "8 columns"], "derive", "--space", "darts_cnn", "--alphas", folder / "alphas.json")
    (folder / "alphas.json").write_text(json.dumps({"alphas_normal": [[0.0] * 8] * 13, "alphas_reduce": [[0.0] * 8] * 13}))
    expect(3, ["no number of nodes"], "derive", "--space", "darts_cnn", "--alphas", folder / "alphas.json")
    table = [[0.0] * 8] * 13 + [[1e39] + [0.0] * 7]
    (folder / "alphas.json").write_text(json.dumps([{"alphas_normal": [[0.0] * 8] * 14, "alphas_reduce": table}]))
    expect(3, ["alphas.json, case 0", "alphas_reduce", "1e+39", "float32"], "derive", "--space", "darts_cnn", "--alphas",
           folder / "alphas.json")
    (folder / "not.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(600))
    for command in ("inspect", "verify", "derive", "draw"):
        expect(3, ["not.h5"], command, folder / "not.h5")
    expect(2, ["ops, spaces, datasets"], "list", "things")
    expect(2, ["check, describe or fetch"], "data", "fix", "cifar10")
    expect(2, ["no data folder is given"], "data", "check", "cifar10")
    for place in ("/nonexistent/folder", "/dev/null"):
        expect(3, ["the data folder does not exist or cannot be read"], "data", "describe", "cifar10", "--data", place)
        expect(3, ["the data folder does not exist or cannot be read"], "data", "describe", "cifar10", MIXOP_DATA=place)
    expect(2, ["no option 'colour'"], "data", "describe", "cifar10", "--set", "colour=red")
    expect(2, ["unknown option '--jsn'", "--json"], "plugins", "list", "--jsn")
    expect(2, ["found 'lst'", "list"], "plugins", "lst")
    (folder / "no.so").write_text("not a library")
    expect(4, ["no.so", "ELF"], "list", "ops", "--plugin-dir", folder / "no.so")


def bench():
    for given, words in ((["--device", "cuda:007"], ["device", "cuda:007"]), (["--channels", "0"], ["--channels", "found 0"]),
                         (["--order", "3"], ["--order", "found 3"]), (["--width", "8"], ["--width means nothing to cnn"])):
        run = expect(2, words, "bench", "cnn", *given, "--against", "exit 5")
        if "/proc/self/exe" in run.stderr:
            failures.append(f"bench: {run.stderr}")
    expect(2, ["expected cnn or rnn or ddarts or train, found 'gnn'"], "bench", "gnn")
    expect(2, ["--order means nothing to train"], "bench", "train", "--order", "2")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o700)
        for part in (configs, outputs, data, other_commands):
            part(folder)
        bench()
        left = [path.name for path in folder.rglob("*") if path.suffix in (".tmp", ".partial") or path.name == "a.h5"]
        if left:
            failures.append(f"left behind: {left}")
    print("\n".join(failures) or "misuse: all well")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
