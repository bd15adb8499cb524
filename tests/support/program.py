"""What tests of the program from outside share."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

MIXOP = os.environ["MIXOP"]

# A search and a training of a second on drawn images.
DATA = ["--set", "data.name=synthetic", "--set", "synthetic.size=8", "--set", "synthetic.train=32", "--set", "synthetic.test=16",
        "--set", "threads=1"]
NET = ["--set", "space.channels=2", "--set", "space.layers=3"]
SEARCH = ["search", "quick", *DATA, *NET, "--set", "data.train_limit=0", "--set", "search.batch=8", "--set", "search.epochs=2", "--set", "space.nodes=2",
          "--set", "space.ops=none,skip_connect,sep_conv_3x3"]
TRAIN = ["train", "--genotype", "DARTS_V2", *DATA, *NET, "--set", "train.auxiliary=0", "--set", "train.batch=8", "--set", "train.epochs=1", "--set",
         "data.cutout=0"]


def check(holds, message):
    if not holds:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def mixop(*arguments, **environment):
    return subprocess.run([MIXOP, *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "MIXOP_DATA": "", **environment})


def answer(*arguments):
    """The finished run of a command that must succeed."""
    run = mixop(*arguments)
    check(run.returncode == 0, f"mixop {' '.join(map(str, arguments))}: {run.stderr}")
    return run


def asked(*arguments):
    """What such a command prints with --json."""
    return json.loads(answer(*arguments, "--json").stdout)


def refusal(status, words, *arguments):
    """The run of a command that must exit with `status` and say `words`."""
    run = mixop(*arguments)
    check(run.returncode == status, f"mixop {arguments}: exit code {run.returncode} instead of {status}: {run.stderr}")
    check(words in run.stderr, f"mixop {arguments}: the message lacks '{words}': {run.stderr}")
    return run


def stopped(sign, reached, *command):
    """The exit code of a run that gets a signal once `reached(its messages)`. On a busy machine it may be over by then; it is begun
    anew in that case."""
    words = [MIXOP, *map(str, command), "--overwrite"]
    for _ in range(20):
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "MIXOP_DATA": ""})
            while process.poll() is None and not reached(os.pread(log.fileno(), 1 << 24, 0).decode()):
                time.sleep(0.002)
            process.send_signal(sign)
            if process.wait(timeout=120) != 0:
                return process.returncode
    sys.exit(f"{os.path.basename(sys.argv[0])}: {' '.join(words)} always ended before its signal")


def built_project(project, folder):
    """The folder of the plugins of a third party's project: built from the installed package alone, outside the tree."""
    prefix, copy, build = folder / "prefix", folder / project.name, folder / "build"
    subprocess.run(["cmake", "--install", os.environ["MIXOP_BUILD_DIR"], "--prefix", prefix], check=True, capture_output=True)
    shutil.copytree(project, copy)
    for command in (["cmake", "-G", "Ninja", "-S", copy, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}"], ["cmake", "--build", build]):
        run = subprocess.run(command, capture_output=True, text=True)
        check(run.returncode == 0, f"the project {project.name}: {run.stdout[-2000:]}{run.stderr[-2000:]}")
    return build / "lib/mixop/plugins"


def says(words):
    return lambda said: words in said


def differences(first, second, beside=("/provenance",)):
    """The paths in which two archives differ, but for those below `beside`."""
    rows = json.loads(mixop("compare", first, second, "--json").stdout)["differences"]
    return [row["path"] for row in rows if not row["path"].startswith(tuple(beside))]
