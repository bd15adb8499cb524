"""A search that runs in the background of a test."""
import os
import subprocess
import tempfile
import time

from program import MIXOP, check


class Running:
    """A search in the background."""

    def __init__(self, out, *words):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([MIXOP, *map(str, words), "--out", out], stdout=subprocess.DEVNULL, stderr=self.log,
                                        env={**os.environ, "MIXOP_DATA": ""})
        self.wait_for("searching")

    def said(self):
        return os.pread(self.log.fileno(), 1 << 24, 0).decode()

    def wait_for(self, words):
        end = time.monotonic() + 120
        while words not in self.said():
            check(self.process.poll() is None and time.monotonic() < end, f"no '{words}' in: {self.said()}")
            time.sleep(0.002)

    def stop(self, sign):
        self.process.send_signal(sign)
        return self.process.wait(timeout=120)
