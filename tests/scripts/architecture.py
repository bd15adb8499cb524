#!/usr/bin/env python3
"""The picture of docs/architecture.md can be drawn: no folder includes one that comes after it."""
import os
import pathlib
import subprocess
import sys
import tempfile

source = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"])
with tempfile.TemporaryDirectory() as folder:
    picture = pathlib.Path(folder) / "architecture.svg"
    subprocess.run([sys.executable, source / "docs/architecture.py", picture], check=True)
    assert "host/runtime" in picture.read_text(), "a picture without host/runtime"
