#!/usr/bin/env python3
"""mixop data fetch against servers on the loopback address: what arrives, what is gone on with, and what is refused."""
import contextlib
import hashlib
import http.server
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile

import numpy
from PIL import Image

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, answer, asked, check, mixop, refusal

BUILD = pathlib.Path(os.environ["MIXOP_BUILD_DIR"])


class Server(http.server.ThreadingHTTPServer):
    """Serves bytes by name, and misbehaves as told: `faults` are names of what the next answers do."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.faults, self.asked = {}, [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        fault = self.server.faults.pop(0) if self.server.faults else ""
        first = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        self.server.asked.append(first)
        content = self.server.files.get(self.path.lstrip("/"))
        if fault == "busy":
            return self.send_error(503)
        if fault.startswith("to "):
            self.send_response(302)
            self.send_header("Location", fault[3:])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if content is None:
            return self.send_error(404)
        if fault.startswith("no ranges"):
            first = 0
        if first > 0 and first >= len(content):
            return self.send_error(416)
        if fault == "no length":
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content[first:first + (len(content) - first) // 2])
            return None
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        rest = content[first:]
        if fault.endswith("break"):
            self.wfile.write(rest[:len(rest) // 2])
            self.wfile.flush()
            self.connection.shutdown(2)
            self.close_connection = True
        elif fault == "slow":
            with contextlib.suppress(OSError):
                for start in range(0, len(rest), 4096):
                    self.wfile.write(rest[start:start + 4096])
                    time.sleep(0.02)
        else:
            self.wfile.write(rest)


def jpeg(seed):
    stream = io.BytesIO()
    Image.fromarray(numpy.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=numpy.uint8)).save(stream, "JPEG")
    return stream.getvalue()


def tar(members, packed="w:gz"):
    """A tar archive of (name, content) pairs; content may be a tarfile.TarInfo that stands for itself."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=packed) as archive:
        for name, content in members:
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.name = name
            if isinstance(content, bytes):
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return stream.getvalue()


def of_type(kind, target=""):
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


def zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


class Place:
    """A folder for a data set `imagenet` that a plugin says how to fetch, of one archive from one server."""

    def __init__(self, folder, server, content, name="images.tar.gz", **changes):
        self.folder, self.server, self.name = pathlib.Path(tempfile.mkdtemp(dir=folder)), server, name
        self.data = self.folder / "data"
        plugins = self.folder / "plugins"
        (plugins / "downloads").mkdir(parents=True)
        shutil.copy(BUILD / "tests/plugins/test_plain.so", plugins)
        server.files[name] = content
        server.faults.clear()
        server.asked.clear()
        self.file = {"name": name, "addresses": [f"{server.address}/{name}"], "sha256": hashlib.sha256(content).hexdigest(),
                     "bytes": len(content), "unpack": "set-1", "unpacked_bytes": 10_000_000, **changes}
        self.description = plugins / "downloads/imagenet.json"
        self.write({"summary": "Noise", "page": "https://example.org", "folder": "imagenet", "files": [self.file]})
        self.words = ["data", "fetch", "imagenet", "--data", str(self.data), "--plugin-dir", str(plugins)]

    def write(self, description):
        self.description.write_text(json.dumps(description))

    @property
    def part(self):
        return self.data / "imagenet.part"

    def whole(self, records=6):
        check(not self.part.exists(), f"left behind: {list(self.part.rglob('*'))}")
        answer("data", "check", "imagenet", "--data", self.data)
        found = asked("data", "describe", "imagenet", "--data", self.data)["records"]
        check(found["train"] + found["test"] == records, found)

    def nothing(self):
        check(not (self.data / "imagenet").exists(), "a data set that was refused is there")
        outside = [file for file in self.folder.rglob("*evil*")]
        check(not outside and not pathlib.Path("/tmp/evil-mixop").exists(), f"written outside: {outside}")


IMAGES = [(f"set-1/{split}/{group}/{i}.JPEG", jpeg(seed)) for seed, (split, group, i) in enumerate(
    [("train", "a", 0), ("train", "a", 1), ("train", "b", 0), ("train", "b", 1), ("val", "a", 0), ("val", "b", 0)])]


def arrives(folder, server):
    for name, content in {"images.tar.gz": tar([("set-1", of_type(tarfile.DIRTYPE)), ("set-1/read me.html", b"x"), *IMAGES]),
                          "plain.tar": tar([("./" + name, content) for name, content in IMAGES], "w"),
                          "images.zip": zipped([*IMAGES, ("set-1/é.txt", b"x")])}.items():
        place = Place(folder, server, content, name)
        run = answer(*place.words)
        place.whole()
        check("fetched, SHA-256 as published" in run.stderr and "train: 4 records" in run.stdout, run.stderr + run.stdout)
        server.asked.clear()
        run = answer(*place.words)
        check("is there already" in run.stderr and not server.asked, run.stderr)
    place = Place(folder, server, tar(IMAGES))
    del place.file["bytes"]
    place.write({"summary": "Noise", "page": "https://example.org", "folder": "imagenet", "files": [place.file]})
    check(asked(*place.words)["records"]["train"] == 4, "as JSON")
    place.whole()


def goes_on(folder, server):
    content = tar(IMAGES)
    place = Place(folder, server, content)
    server.faults += ["break", "busy", "no length"]
    answer(*place.words)
    place.whole()
    check(len(server.asked) == 4 and sorted(server.asked) == server.asked and server.asked[-1] > 0, server.asked)

    # Killed and stopped, again and again, and each call goes on where the last one was.
    large = tar([*IMAGES, ("set-1/noise", numpy.random.default_rng(1).bytes(4 << 20))])
    place = Place(folder, server, large)
    for sign, code in [(signal.SIGINT, 130), (signal.SIGKILL, -9), (signal.SIGTERM, 143)]:
        server.faults = ["slow"]
        server.asked.clear()
        before = part.stat().st_size if (part := place.part / place.name).exists() else 0
        process = subprocess.Popen([MIXOP, *place.words], stderr=subprocess.PIPE, text=True, env={**os.environ, "MIXOP_DATA": ""})
        while not part.exists() or part.stat().st_size <= before:
            check(process.poll() is None, f"ended before it was stopped: {process.returncode}")
            time.sleep(0.01)
        if sign == signal.SIGTERM:
            other = refusal(1, "another fetch of this data set is at work", *place.words)
            check(other.stderr.count("error") == 1, other.stderr)
        process.send_signal(sign)
        said = process.communicate()[1]
        check(process.returncode == code, f"{sign}: {process.returncode}: {said}")
        check(code < 0 or ("the same command goes on" in said and "once more ends it at once" in said), said)
        check(before in server.asked, (before, server.asked))
        place.nothing()
    answer(*place.words)
    place.whole()

    # Stopped while it unpacks.
    place = Place(folder, server, tar([*IMAGES, ("set-1/noise", bytes(900 << 20))]), unpacked_bytes=1 << 30)
    process = subprocess.Popen([MIXOP, *place.words], stderr=subprocess.PIPE, text=True, env={**os.environ, "MIXOP_DATA": ""})
    while not (place.part / "unpacked/noise").exists():
        check(process.poll() is None, "ended before it was stopped")
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    check(process.returncode == 130 and "the same command goes on" in said, (process.returncode, said))
    place.nothing()
    shutil.rmtree(place.folder)

    # A server that breaks off and sends no ranges is left after five tries in a row.
    place = Place(folder, server, content)
    server.faults += ["break", "no ranges break"] * 10
    refusal(1, "127.0.0.1", *place.words)
    check(len(server.asked) < 20, server.asked)
    server.faults.clear()
    answer(*place.words)
    place.whole()

    # A good beginning outlives a page that comes in place of the rest, and what else lies on the way is not touched.
    place = Place(folder, server, content)
    place.part.mkdir(parents=True)
    (place.part / place.name).write_bytes(content[:-500])
    (place.part / "own").write_text("precious")
    for page in (b"<html>Log in</html>", b""):
        server.files[place.name] = page
        server.faults = ["no ranges"] if page else []
        refusal(1, "127.0.0.1", *place.words)
        check((place.part / place.name).read_bytes() == content[:-500], "a good beginning was thrown away")
    server.files[place.name] = content
    server.asked.clear()
    answer(*place.words)
    check(server.asked == [len(content) - 500] and (place.part / "own").read_text() == "precious", server.asked)
    refusal(2, "--from: expected an address", *place.words, "--from", "")
    refusal(2, "without '?' and '#'", *place.words, "--from", f"{server.address}/x?y=1")

    # Of a file whose size is not known the whole is known by its digest, and nothing is asked.
    place = Place(folder, server, content)
    del place.file["bytes"]
    place.write({"summary": "Noise", "page": "https://example.org", "folder": "imagenet", "files": [place.file]})
    place.part.mkdir(parents=True)
    (place.part / place.name).write_bytes(content)
    answer(*place.words)
    place.whole()
    check(not server.asked, server.asked)

    # A beginning of something else, one that is too long, and a server without ranges.
    for begun, faults, said in [(b"x" * 100, [], "fetched anew"), (b"x" * (len(content) + 1), [], ""), (content[:100], ["no ranges"], "")]:
        place = Place(folder, server, content)
        place.part.mkdir(parents=True)
        (place.part / place.name).write_bytes(begun)
        server.faults += faults
        check(said in answer(*place.words).stderr, said)
        place.whole()

    # What people brought themselves is used, and stays.
    place = Place(folder, server, content)
    place.data.mkdir()
    (place.data / place.name).write_bytes(content)
    answer(*place.words)
    place.whole()
    check(not server.asked and (place.data / place.name).exists(), server.asked)
    place = Place(folder, server, content)
    place.data.mkdir()
    (place.data / place.name).write_bytes(content[:-1])
    refusal(3, "is not what is published under its name", *place.words)
    check((place.data / place.name).exists(), "a file of the user's own was removed")


def other_addresses(folder, server):
    content, mirror = tar(IMAGES), Server()
    place = Place(folder, server, content, addresses=[f"{server.address}/gone", f"{server.address}/images.tar.gz"])
    answer(*place.words)
    place.whole()
    place = Place(folder, server, content)
    server.files.clear()
    run = refusal(1, "404", *place.words)
    check(f"{server.address}/images.tar.gz" in run.stderr, run.stderr)
    mirror.files["images.tar.gz"] = content
    answer(*place.words, "--from", mirror.address)
    place.whole()
    refusal(2, "--from", *place.words, "--from", "/tmp")
    place = Place(folder, server, content)
    run = answer(*place.words, "--from", mirror.address.replace("//", "//bob:secret@"))
    check("secret" not in run.stderr and "//...@127.0.0.1" in run.stderr, run.stderr)
    place = Place(folder, server, content, addresses=[f"{server.address}/page", f"{server.address}/images.tar.gz"])
    server.files["page"] = b"<html>Log in</html>"
    answer(*place.words)
    place.whole()
    place = Place(folder, server, content)
    server.faults += [f"to {mirror.address}/images.tar.gz"]
    answer(*place.words)
    place.whole()
    place = Place(folder, server, content)
    server.faults += ["to file:///etc/passwd"]
    refusal(1, "rotocol", *place.words)
    place.nothing()
    place = Place(folder, server, content, addresses=["http://127.0.0.1:9/images.tar.gz"])
    refusal(1, "127.0.0.1", *place.words)
    mirror.shutdown()


def not_published(folder, server):
    content = tar(IMAGES)
    for sent, said in [(content[:-1] + b"?", "expected SHA-256"), (b"<html>Log in</html>", "expected SHA-256"), (content + b"more", "more than the")]:
        place = Place(folder, server, content)
        server.files[place.name] = sent
        run = refusal(3, said, *place.words)
        place.nothing()
        check((place.part / place.name).stat().st_size == 0, "wrong bytes were kept: " + run.stderr)
        server.files[place.name] = content
        answer(*place.words)
        place.whole()


def hostile(folder, server):
    """Archives whose digest is right, as if their publisher had turned."""
    evil = b"evil"
    big = tarfile.TarInfo()
    big.size = 1 << 40
    bomb = tar([*IMAGES, ("set-1/zeros", bytes(64 << 20))])
    check(len(bomb) < 1 << 20, "a bomb is small")
    cases = [
        ("climbs out", tar([("set-1/../../../evil", evil), *IMAGES])),
        ("climbs out", tar([*IMAGES, ("../evil", evil)])),
        ("names a place outside", tar([("/tmp/evil-mixop", evil), *IMAGES])),
        ("is a link", tar([("set-1/train", of_type(tarfile.SYMTYPE, "/tmp")), *IMAGES])),
        ("is a link", tar([*IMAGES, ("set-1/evil", of_type(tarfile.LNKTYPE, "set-1/train/a/0.JPEG"))])),
        ("is a link", tar([*IMAGES, ("elsewhere", of_type(tarfile.SYMTYPE, "../evil"))])),
        ("neither a file nor a folder", tar([("set-1/evil", of_type(tarfile.CHRTYPE)), *IMAGES])),
        ("neither a file nor a folder", tar([("set-1/evil", of_type(tarfile.FIFOTYPE)), *IMAGES])),
        ("unpacks to more than", bomb),
        ("unpacks to more than", tar([("other/zeros", bytes(64 << 20)), *IMAGES])),
        ("unpacks to more than", tar([("set-1/evil", big)])),
        ("two members", tar([*IMAGES, IMAGES[0]])),
        ("cannot be a file beside the others", tar([("set-1/train", b"x"), *IMAGES])),
        ("cannot be a file beside the others", tar([*IMAGES, ("set-1/" + "x" * 300, b"x")])),
        ("no files below", tar([("set-2/train/a/0.JPEG", IMAGES[0][1])])),
        ("is no sound archive", tar(IMAGES)[:-400]),
        ("is no sound archive", b"not an archive at all" * 100),
        ("deeper than", tar([("set-1/" + "x/" * 100 + "evil", evil), *IMAGES])),
        ("climbs out", zipped([("set-1/../../evil", evil), *IMAGES])),
        ("unpacks to more than", zipped([*IMAGES, ("set-1/zeros", bytes(64 << 20))])),
        ("is no sound archive", zipped(IMAGES)[:-100]),
    ]
    for said, content in cases:
        place = Place(folder, server, content)
        run = refusal(3, said, *place.words)
        check(run.stderr.count("\n") <= 4, run.stderr)
        place.nothing()


def descriptions(folder, server):
    content = tar(IMAGES)
    for change, said in [({"sha256": "0" * 63}, "64 lower-case hex digits"), ({"addresses": []}, "not empty"), ({"addresses": ["ftp://x"]}, "https://"),
                         ({"name": "../x"}, "plain file name"), ({"bytes": -1}, "number of bytes"), ({"colour": 1}, "unknown key 'colour'"),
                         ({"name": "unpacked"}, "kept for"), ({"unpack": "../x"}, "climbs out"), ({"unpack": "/x"}, "names a place outside")]:
        place = Place(folder, server, content)
        place.write({"summary": "Noise", "page": "https://example.org", "folder": "imagenet", "files": [{**place.file, **change}]})
        run = refusal(2, said, *place.words)
        check("imagenet.json:1:" in run.stderr, run.stderr)
    place = Place(folder, server, content)
    place.write({"summary": "Noise", "page": "https://example.org", "folder": "../x", "files": [place.file]})
    refusal(2, "plain file name", *place.words)
    place = Place(folder, server, content)
    place.description.chmod(0o666)
    refusal(2, "has no published files", *place.words)


def built_in(folder, server):
    for name in ["cifar10", "cifar100", "ptb", "wikitext2", "wikitext-2", "cifar-10-batches-bin"]:
        run = mixop("data", "fetch", name, "--data", folder / "nowhere", "--from", f"{server.address}/none")
        check(run.returncode == 1 and "404" in run.stderr, run.stderr)
    refusal(2, "did you mean 'cifar10'", "data", "fetch", "cifar-10", "--data", folder)
    refusal(2, "has no published files", "data", "fetch", "synthetic", "--data", folder)
    refusal(2, "--data", "data", "fetch", "ptb")
    refusal(2, "--set is an option", "data", "fetch", "ptb", "--data", folder, "--set", "x=1")
    refusal(2, "--from is an option", "data", "check", "ptb", "--data", folder, "--from", server.address)
    real = pathlib.Path(os.environ.get("MIXOP_DATA", "")) / "ptb"
    if os.environ.get("MIXOP_DATA") and real.is_dir():
        server.files = {f"ptb.{split}.txt": (real / f"{split}.txt").read_bytes() for split in ("train", "valid", "test")}
        found = asked("data", "fetch", "ptb", "--data", folder / "text", "--from", server.address)
        check(found["records"] == {"train": 929589, "valid": 73760, "test": 82430}, found["records"])


def main():
    server = Server()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in (arrives, goes_on, other_addresses, not_published, hostile, descriptions, built_in):
            part(folder, server)
            print(part.__name__, flush=True)


main()
