#!/usr/bin/env python3
"""Runs that are followed while they go on: mixop inspect --watch, and the page that mixop report --watch serves, with what it refuses."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, SEARCH, asked, check, refusal
from reports import Serving, page_data
from running import Running

LONG = [*SEARCH, "--set", "search.epochs=200"]


def inspected(out):
    """A line an epoch while the run goes on, and an end with it; Ctrl-C ends it before."""
    run = Running(out, *LONG)
    follower = subprocess.Popen([MIXOP, "inspect", "--watch", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    impatient = subprocess.Popen([MIXOP, "inspect", "--watch", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(follower.stdout.readline().startswith("from step 0: ") and follower.stdout.readline().startswith("epoch 1  train loss"), "the first lines")
    check(run.process.poll() is None, "the run was over before it was followed")
    impatient.stdout.readline()
    impatient.send_signal(signal.SIGINT)
    check(impatient.wait(timeout=60) == -signal.SIGINT, impatient.returncode)
    check(run.stop(signal.SIGTERM) == 143, "the run had ended")
    rest, said = follower.stdout.read(), follower.stderr.read()
    lines = [line.split("  ")[0] for line in rest.splitlines()]
    epochs = asked("inspect", out)["epochs"][-1]["epoch"]
    check(follower.wait(timeout=60) == 0 and "no run writes" in said and lines == [f"epoch {epoch}" for epoch in range(2, epochs + 1)], (lines, epochs, said))


def served(out):
    """The page, and its data as the archive goes on."""
    run = Running(out, *LONG)
    page = Serving(out)
    text, headers = page.get()
    first = page_data(text, connect="'self'")
    check(first["served"] and first["writing"] and headers["Content-Security-Policy"] == "frame-ancestors 'none'"
          and headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store", headers)
    end = time.monotonic() + 120
    seen = set()
    while len(seen) < 3:
        seen.add(max((row["epoch"] for one in page.data()["runs"] for row in one["epochs"]), default=0))
        check(time.monotonic() < end and run.process.poll() is None, f"the page does not follow: {seen}")
        time.sleep(0.1)
    check(run.stop(signal.SIGTERM) == 143, "the run had ended")
    body, headers = page.get("data.json")
    last = json.loads(body)
    check(not last["writing"] and last["runs"][0]["epochs"] == asked("inspect", out)["epochs"], "the run's end")
    try:
        page.get("data.json", If_None_Match=headers["ETag"])
        check(False, "what is known already was sent again")
    except urllib.error.HTTPError as error:
        check(error.code == 304 and error.read() == b"", error.code)
    refuses(page)
    damaged(page, out)
    threads = len(os.listdir(f"/proc/{page.process.pid}/task"))
    check(threads == 1, f"{threads} threads")
    check(page.ended_by(signal.SIGINT) == 130, page.process.returncode)
    check(Serving(out, "--port", page.port).ended_by(signal.SIGTERM) == 143, "the port is free again")


def refuses(page):
    for path in ("../", "etc/passwd", "data.json?", "%2e%2e/", "favicon.ico", "//data.json"):
        check(page.refused(path) == 404, path)
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        check(page.refused(method=method) == 405, method)
    check(page.refused(method="POST", body=b"x" * 100) == 405, "a body")
    for host in ("evil.example", f"evil.example:{page.port}", "127.0.0.1", f"127.0.0.1:{page.port + 1}", f"127.0.0.1.evil.example:{page.port}", ""):
        check(page.refused(Host=host) == 421 and page.refused("data.json", Host=host) == 421, host)
    check(page.refused(Host=f"localhost:{page.port}") == 200, "localhost")
    for addresses in socket.getaddrinfo(socket.gethostname(), page.port, socket.AF_INET, socket.SOCK_STREAM):
        if not addresses[4][0].startswith("127."):
            with socket.socket() as other:
                check(other.connect_ex(addresses[4]) != 0, f"reached by {addresses[4]}")
    for bytes_sent in (b"\0\xff garbage\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 20000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", page.port)) as raw:
            raw.sendall(bytes_sent)
            raw.settimeout(30)
            try:
                check(raw.recv(64) == b"", "an answer to what is no request")
            except ConnectionResetError:
                pass
    idle = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(100)]  # which say nothing
    time.sleep(0.5)
    for one in idle:
        one.close()
    check(page.refused() == 200, "idle connections stop the page")


def damaged(page, out):
    """An archive that cannot be read is said, and read again once it can."""
    whole = out.read_bytes()
    out.write_bytes(whole[:-100])
    check(page.refused("data.json") == 503, "a damaged archive")
    out.write_bytes(whole)
    check(page.data()["runs"][0]["kind"] == "search", "the whole archive")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        out = folder / "run.h5"
        inspected(folder / "inspected.h5")
        served(out)
        refusal(3, "none.h5", "report", "--watch", folder / "none.h5")
        refusal(2, "--port: expected a number from 1 to 65535, found 65536", "report", "--watch", out, "--port", "65536")
        for option in ("--out", "--data"):
            refusal(2, f"--watch serves a page and writes none; leave {option} out", "report", "--watch", out, option, folder)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            refusal(1, f"port {port} of 127.0.0.1: Address already in use; name another by --port", "report", "--watch", out, "--port", port)


main()
