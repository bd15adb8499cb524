"""What the attacks on the archive share: the program, its small search, and a way to fail."""
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import time

MIXOP = os.environ["MIXOP"]
BUILT = pathlib.Path(os.environ["MIXOP_BUILD_DIR"]) / "tests" / "attack"

# Start-up apart, an epoch of one step takes about 30 ms and ends in an archive of 100 KB.
SMALL = ["quick", *(f"--set={key}" for key in (
    "synthetic.size=8", "synthetic.train=16", "synthetic.test=8", "space.channels=2", "space.layers=3", "space.nodes=1",
    "space.ops=none,skip_connect,sep_conv_3x3", "search.batch=8", "threads=1", "data.train_limit=0"))]


def check(holds, message):
    if not holds:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {message}")


def figure(text):
    print(f"figure: {text}", flush=True)


def run(*command, **options):
    return subprocess.run([*map(str, command)], **{"capture_output": True, "text": True, "timeout": 120, **options})


def searched(out, epochs, *options):
    """A search that must end well."""
    found = run(MIXOP, "search", *SMALL, "--set", f"search.epochs={epochs}", "--out", out, *options)
    check(found.returncode == 0, f"the search does not run: {found.stderr}")


class Search:
    """A search that runs beside the test and writes into a log."""

    def __init__(self, log, *arguments):
        self.log = log
        with log.open("wb") as stream:
            self.process = subprocess.Popen([MIXOP, "search", *map(str, arguments)], stdout=stream, stderr=stream)

    def wait_for(self, reached, pause=0.002):
        deadline = time.monotonic() + 60
        while not reached():
            ended = self.process.poll() is not None
            check(not ended or reached(), f"the search ended by itself: {self.log.read_text()}")
            check(time.monotonic() < deadline, f"the search stands still: {self.log.read_text()}")
            time.sleep(pause)

    def says(self, words):
        return lambda: words in self.log.read_text()

    def ends(self, number):
        """Sends a signal; returns the exit code and the seconds that it took."""
        start = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(timeout=60), time.monotonic() - start


# Of four images of 8x8 pixels, with an archive of 100 KB.
TRAINING = ["--genotype", "DARTS_V2", *(f"--set={key}" for key in (
    "data.name=synthetic", "synthetic.size=8", "synthetic.train=8", "synthetic.test=4", "space.channels=2", "space.layers=3",
    "train.epochs=2", "train.batch=4", "train.auxiliary=0", "data.cutout=0", "threads=1"))]
# What reads the archive of a network; FILE stands for it.
NETWORK_READERS = (["evaluate", "FILE"], ["train", "--resume", "--out", "FILE"], ["train", "--genotype", "FILE", "--dry-run"],
                   ["summary", "--genotype", "FILE"])


def trained(out):
    """A training that must end well."""
    found = run(MIXOP, "train", *TRAINING, "--out", out)
    check(found.returncode == 0, f"the training does not run: {found.stderr}")


def reading(command, file):
    """A command with the file in its place."""
    return [file if word == "FILE" else word for word in command]


def differences(first, second):
    """What two archives differ in, outside the provenance."""
    answer = json.loads(run(MIXOP, "compare", first, second, "--json").stdout)
    return [row["path"] for row in answer["differences"] if not row["path"].startswith("/provenance")]


def opened(*files):
    """What archive_reader says of each file: its problem ("": none), whether that is bad data, the memory that it took."""
    answer = run(BUILT / "archive_reader", *files)
    check(answer.returncode == 0, f"archive_reader: {answer.returncode} {answer.stderr}")
    return [json.loads(line) for line in answer.stdout.splitlines()]


def sealed(content):
    """The bytes of an HDF5 file with an empty user block, with the block that makes it an archive."""
    rest = content[512:]
    block = b"\x89MIXOP\r\n" + struct.pack("<IIQ", 1, 0, len(rest)) + hashlib.sha256(rest).digest()
    return block.ljust(512, b"\0") + rest
