#!/usr/bin/env python3
"""docs/architecture.py draws the code as it is, and refuses an arrow that leads back."""

import os
import pathlib
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]).resolve()
sys.path.insert(0, str(SOURCE / "docs"))
import architecture  # noqa: E402


def main():
    wrong = {("host/text", "host/json"), ("sdk/elsewhere", "abi"), ("host/cli", "plugins/ops"), ("plugins/ops", "host/text")}
    found = architecture.leading_back(wrong | {("host/json", "host/text"), ("plugins/ops", "values")})
    assert found == sorted(wrong), f"expected {sorted(wrong)}, found {found}"
    with tempfile.TemporaryDirectory() as folder:
        picture = pathlib.Path(folder) / "architecture.svg"
        sys.argv[1:] = [str(picture)]
        architecture.main()
        text = picture.read_text()
        assert ">runtime</text>" in text and ">spaces</text>" in text, "boxes are missing from the picture"


if __name__ == "__main__":
    main()
